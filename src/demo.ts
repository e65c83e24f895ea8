/**
 * The demo applications of `npm start`: the examples of a checkout, each a real HTTP application on
 * loopback. A registration for the code of one of them takes its place.
 */
import { existsSync } from "node:fs";
import { DEMO_HEADER, type Registry } from "./registry.ts";

/** Beside the sources in a checkout, compiled as they are in a package. */
const TYPE = import.meta.filename.endsWith(".ts") ? "ts" : "js";
const EXAMPLES = new URL(`../examples/demo.${TYPE}`, import.meta.url);

/** What examples/demo.ts exports. */
type Examples = { readonly startDemo: (servers: DemoServers) => Promise<Demo> };
export type Demo = {
  readonly backends: readonly DemoBackend[];
  readonly close: () => Promise<void>;
};
type DemoBackend = {
  readonly serviceCode: string;
  readonly name: string;
  readonly callbackUrl: string;
  readonly protocol: string;
  readonly hint: string;
};
export type DemoServers = { readonly redisUrl?: string; readonly databaseUrl?: string };

/** Starts them; undefined where there are none. */
export async function startDemo(servers: DemoServers): Promise<Demo | undefined> {
  if (!existsSync(EXAMPLES)) return undefined;
  const examples = (await import(EXAMPLES.href)) as Examples;
  return examples.startDemo(servers);
}

/** Their codes, where nobody else has registered them. What an earlier run left goes first. */
export async function registerDemo(
  registry: Registry,
  demo: Demo | undefined,
): Promise<readonly DemoBackend[]> {
  // Its applications are gone, and their ports somebody else's.
  for (const row of registry.rows()) if (DEMO_HEADER in row.headers) await registry.remove(row.id);
  const hints: DemoBackend[] = [];
  for (const backend of demo?.backends ?? []) {
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
  return hints;
}
