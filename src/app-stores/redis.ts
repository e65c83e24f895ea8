/** Sessions of apps on Redis, for any number of processes: one script for each round trip. */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import type { AppStore } from "../app/store.ts";
import { closeRedis, openRedis, type RedisAppStoreOptions } from "./redis-client.ts";
import { LAPSED_KEPT_MS } from "./sql.ts";

export type { RedisAppStoreOptions } from "./redis-client.ts";
export { redisPinStore } from "./redis-pins.ts";

const PREFIX = "dialyard:app:";

/**
 * Takes the lease of a session, unless another turn has it.
 *
 *   KEYS  session   ARGV  token, until, now
 *   fields of the session: s state, e when it expires, t token, u until, l lapsed
 *   returns nil when busy, else { state or false, lapsed }
 *
 * The client sends it again when a connection broke before the reply: then the lease is its own.
 */
const OPEN = `
local held = redis.call("HMGET", KEYS[1], "s", "e", "t", "u", "l")
local others = held[3] and held[3] ~= ARGV[1]
local now = tonumber(ARGV[3])
local expires = tonumber(held[2] or "0")
local till = tonumber(held[4] or "0")
if others and till > now then return nil end
local kept = till + ${LAPSED_KEPT_MS}
local lapsed = 0
if (others or held[5]) and (expires > now or kept > now) then lapsed = 1 end
local state = held[1]
if state and expires <= now then
  state = false
  redis.call("HDEL", KEYS[1], "s")
end
redis.call("HSET", KEYS[1], "t", ARGV[1], "u", ARGV[2])
if lapsed == 1 then redis.call("HSET", KEYS[1], "l", "1") else redis.call("HDEL", KEYS[1], "l") end
redis.call("PEXPIRE", KEYS[1], math.max(expires, tonumber(ARGV[2]) + ${LAPSED_KEPT_MS}) - now)
return { state, lapsed }`;

/**
 * Writes the state and gives the lease back, unless another turn has it.
 *
 *   KEYS  session   ARGV  token, state, expires, now
 *   returns 1 written, 0 not
 */
const SETTLE = `
if redis.call("HGET", KEYS[1], "t") ~= ARGV[1] then return 0 end
redis.call("HSET", KEYS[1], "s", ARGV[2], "e", ARGV[3])
redis.call("HDEL", KEYS[1], "t", "u", "l")
redis.call("PEXPIRE", KEYS[1], math.max(1, tonumber(ARGV[3]) - tonumber(ARGV[4])))
return 1`;

/** KEYS  session   ARGV  token: where there is nothing to keep the key goes. */
const RELEASE = `
if redis.call("HGET", KEYS[1], "t") ~= ARGV[1] then return 0 end
local held = redis.call("HMGET", KEYS[1], "s", "l")
if not held[1] and not held[2] then return redis.call("DEL", KEYS[1]) end
return redis.call("HDEL", KEYS[1], "t")`;

/**
 * Sessions on a Redis server, 7 or later, which forgets them by itself. What a restart of it may
 * lose is its own setting: `appendfsync always` loses nothing. Rejects when it cannot be reached.
 * @example
 * const store = await redisAppStore({ url: "redis://localhost:6379" });
 * await serveApp(app, { protocol: "ola", port: 8081, store, secret });
 */
export async function redisAppStore(options: RedisAppStoreOptions): Promise<AppStore> {
  const { prefix = PREFIX } = options;
  const client = (await openRedis(options, {
    dialyardOpen: OPEN,
    dialyardSettle: SETTLE,
    dialyardRelease: RELEASE,
  })) as Redis & Scripts;
  let isClosed = false;
  return {
    async open({ key, nowMs, leaseMs }) {
      const token = randomBytes(12).toString("base64url");
      const held = await client.dialyardOpen(prefix + key, token, nowMs + leaseMs, nowMs);
      if (held === null) return { type: "busy" };
      const [state, lapsed] = held;
      return {
        type: "leased",
        lease: { key, token },
        state: state ?? undefined,
        lapsed: lapsed === 1,
      };
    },
    async settle({ key, token }, { state, nowMs, expiresAtMs }) {
      const settled = client.dialyardSettle(prefix + key, token, state, expiresAtMs, nowMs);
      return (await settled) === 1;
    },
    async release({ key, token }) {
      await client.dialyardRelease(prefix + key, token);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await closeRedis(client);
    },
  };
}

/** What ioredis makes of the scripts: EVALSHA, and EVAL where the server does not know one. */
type Scripts = {
  dialyardOpen: (
    key: string,
    token: string,
    untilMs: number,
    nowMs: number,
  ) => Promise<readonly [state: string | null, lapsed: number] | null>;
  dialyardSettle: (
    key: string,
    token: string,
    state: string,
    expiresAtMs: number,
    nowMs: number,
  ) => Promise<number>;
  dialyardRelease: (key: string, token: string) => Promise<number>;
};
