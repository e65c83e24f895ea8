/** Registers the demo applications, which give way to whoever registers the same code. */
import { DEMO_HEADER, type Registry } from "../registry.ts";
import { startDemo, type DemoBackend } from "./index.ts";

export type RegisteredDemo = {
  readonly hints: readonly DemoBackend[];
  readonly close: () => Promise<void>;
};

export async function registerDemo(registry: Registry): Promise<RegisteredDemo> {
  await removeDemo(registry);
  const demo = await startDemo();
  const hints: DemoBackend[] = [];
  for (const backend of demo.backends) {
    const created = await registry.create({
      callback_url: backend.callbackUrl,
      service_code: backend.serviceCode,
      name: backend.name,
      type: "http",
      timeout: 5,
      retries: 2,
      method: "POST",
      status: "active",
      protocol: backend.protocol,
      protocol_options: {},
      idempotent: true,
      headers: { [DEMO_HEADER]: "1" },
      secret: undefined,
      max_in_flight: 100,
      events_url: undefined,
    });
    if (created !== "code_taken") hints.push(backend);
  }
  return { hints, close: () => demo.close() };
}

/** What an earlier run left: its applications are gone, and their ports somebody else's. */
export async function removeDemo(registry: Registry): Promise<RegisteredDemo> {
  for (const row of registry.rows()) if (DEMO_HEADER in row.headers) await registry.remove(row.id);
  return { hints: [], close: () => Promise.resolve() };
}
