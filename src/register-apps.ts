/** The configured apps as backends: what the configuration says of them holds from the start. */
import type { AppConfig } from "./config.ts";
import { PROTOCOL_DEFAULT } from "./config.ts";
import { appUrl, type Registry } from "./registry.ts";
import type { NewBackendRow } from "./types.ts";

const IN_FLIGHT_MAX = 1_000;

/** Throws for people where a code is somebody else's. */
export async function registerApps(registry: Registry, apps: readonly AppConfig[]): Promise<void> {
  for (const config of apps) {
    const row = rowOf(config);
    const code = config.serviceCode;
    const held = registry.rowOfCode(code);
    if (held?.type === "app") {
      const isSame = (["name", "callback_url", "timeout"] as const).every(
        (field) => held[field] === row[field],
      );
      // Whether it is paused is the operators' affair.
      if (!isSame) await registry.update(held.id, { ...row, status: held.status }, undefined);
      continue;
    }
    if ((await registry.create(row)) !== "code_taken") continue;
    throw new Error(
      `apps: ${code} is registered for backend ${held?.id ?? ""} "${held?.name ?? ""}": ` +
        "delete that backend, or give the app another code",
    );
  }
}

function rowOf({ app, serviceCode, name, timeoutSeconds }: AppConfig): NewBackendRow {
  return {
    callback_url: appUrl(app.name),
    service_code: serviceCode,
    name,
    type: "app",
    timeout: timeoutSeconds,
    retries: 0,
    method: "POST",
    status: "active",
    protocol: PROTOCOL_DEFAULT,
    protocol_options: {},
    idempotent: true,
    headers: {},
    secret: undefined,
    max_in_flight: IN_FLIGHT_MAX,
    events_url: undefined,
  };
}
