/** `dialyard dev --to URL`: an application as it is, on the phone. */
import { connect } from "node:net";
import { asServiceCode } from "../core/address.ts";
import type { Registry } from "../registry.ts";

export type Target = { readonly url: string; readonly protocol: string; readonly code: string };

/** Registers it, in the place of what was registered before. Undefined when that is no backend. */
export async function registerTarget(
  registry: Registry,
  target: Target,
): Promise<string | undefined> {
  const { url, protocol, code } = target;
  if (asServiceCode(code) === undefined) return `--code ${code}: it must be like *365#`;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    return `--to ${url}: it must be like http://localhost:8081/ussd/callback`;
  const row = {
    ...{ callback_url: url, service_code: code, name: "My app", type: "http" as const },
    ...{ timeout: 5, retries: 2, method: "POST" as const, status: "active" as const, protocol },
    ...{ protocol_options: {}, idempotent: true, headers: {}, secret: undefined },
    ...{ max_in_flight: 100, events_url: undefined },
  };
  const held = registry.rowOfCode(code);
  if (held === undefined) await registry.create(row);
  else await registry.update(held.id, row, undefined);
  return undefined;
}

const CONNECT_MS_MAX = 1_000;

/** Whether somebody listens there. */
export function isUp(url: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((done) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || (protocol === "https:" ? 443 : 80)),
    });
    const finish = (isOpen: boolean) => {
      socket.destroy();
      done(isOpen);
    };
    socket.setTimeout(CONNECT_MS_MAX, () => finish(false));
    socket.on("connect", () => finish(true));
    socket.on("error", () => finish(false));
  });
}
