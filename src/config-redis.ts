/** What REDIS_URL may say. Pure. */
import type { Rule, Text } from "./config-rules.ts";

export type RedisPlace = {
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly isTls: boolean;
} & (
  | { readonly type: "single"; readonly db: number }
  | { readonly type: "sentinel"; readonly master: string; readonly db: number }
  | { readonly type: "cluster" }
);

/** Not by `URL`: it takes one host only. */
const SHAPE = new RegExp(
  String.raw`^redis(?<tls>s?)(?:-(?<kind>sentinel|cluster))?://` +
    String.raw`(?:(?<user>[^@/]*)@)?(?<hosts>[^/?#]+)(?<path>/[^?#]*)?$`,
);
const HOST = /^(?<host>\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(?<port>\d{1,5}))?$/;
const HOSTS_MAX = 32;

/** Undefined where it is none. */
export function readRedisUrl(url: string): RedisPlace | undefined {
  const found = SHAPE.exec(url)?.groups;
  if (found === undefined || url.length > 2_048) return undefined;
  const { tls, kind, user = "", hosts: list = "", path = "" } = found;
  const byDefault = kind === "sentinel" ? 26_379 : 6_379;
  const hosts = list.split(",").map((text) => readHost(text, byDefault));
  if (hosts.length > HOSTS_MAX || hosts.includes(undefined)) return undefined;
  const credentials = readCredentials(user);
  if (credentials === undefined) return undefined;
  const place = {
    hosts: hosts.filter((host) => host !== undefined),
    ...credentials,
    isTls: tls === "s",
  };
  const [first = "", second = "", ...more] = path.slice(1).split("/");
  if (more.length > 0) return undefined;
  if (kind === "cluster") return first + second === "" ? { ...place, type: "cluster" } : undefined;
  if (kind === "sentinel") {
    const db = readDb(second);
    if (first === "" || db === undefined) return undefined;
    return { ...place, type: "sentinel", master: first, db };
  }
  const db = readDb(first);
  if (hosts.length !== 1 || second !== "" || db === undefined) return undefined;
  return { ...place, type: "single", db };
}

/** "" where there is none. */
export const redisUrl: Rule<Text> = {
  expects:
    "redis://user:password@host:port/db, redis-sentinel://host,host/master or " +
    "redis-cluster://host,host; rediss… over TLS",
  read: (given) =>
    given === "" || readRedisUrl(given) !== undefined ? { text: given } : redisUrl.expects,
};

function readHost(text: string, byDefault: number) {
  const found = HOST.exec(text)?.groups;
  const port = Number(found?.["port"] ?? byDefault);
  if (found === undefined || port < 1 || port > 65_535) return undefined;
  return { host: (found["host"] ?? "").replace(/^\[(.*)\]$/, "$1"), port };
}

function readCredentials(user: string) {
  const [name = "", ...rest] = user.split(":");
  try {
    const username = name === "" ? undefined : decodeURIComponent(name);
    const password = rest.length === 0 ? undefined : decodeURIComponent(rest.join(":"));
    return { username, password };
  } catch {
    return undefined; // "%" that begins no octet
  }
}

function readDb(text: string): number | undefined {
  if (text === "") return 0;
  return /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}
