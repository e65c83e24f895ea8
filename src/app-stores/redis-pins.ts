/** PINs on a Redis server. */
import type { Redis } from "ioredis";
import type { PinStore } from "../app/pin-store.ts";
import { closeRedis, openRedis, type RedisAppStoreOptions } from "./redis-client.ts";

const PREFIX = "dialyard:pin:";
/**
 *   KEYS  PIN   ARGV  has before, before, has after, after
 *   returns 1 replaced, 0 something else was there
 */
const REPLACE = `
local held = redis.call("GET", KEYS[1])
if ARGV[1] == "0" then
  if held then return 0 end
elseif held ~= ARGV[2] then
  return 0
end
if ARGV[3] == "0" then redis.call("DEL", KEYS[1]) else redis.call("SET", KEYS[1], ARGV[4]) end
return 1`;

/**
 * PINs on a Redis server that keeps what it is told: `appendonly yes`, `appendfsync always` and no
 * eviction. A counter that a restart forgets gives the attempts back.
 * @example
 * const store = await redisPinStore({ url: "redis://localhost:6379" });
 * const pins = pinVault({ app: "bank", keys, store });
 */
export async function redisPinStore(options: RedisAppStoreOptions): Promise<PinStore> {
  const { prefix = PREFIX } = options;
  const client = (await openRedis(options, { dialyardReplacePin: REPLACE })) as Redis & Scripts;
  let isClosed = false;
  return {
    load: async (key) => (await client.get(prefix + key)) ?? undefined,
    async replace(key, before, after) {
      const [hadBefore, old] = before === undefined ? ["0", ""] : ["1", before];
      const [hasAfter, text] = after === undefined ? ["0", ""] : ["1", after];
      const replaced = client.dialyardReplacePin(prefix + key, hadBefore, old, hasAfter, text);
      return (await replaced) === 1;
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await closeRedis(client);
    },
  };
}

type Scripts = {
  dialyardReplacePin: (
    key: string,
    hadBefore: string,
    before: string,
    hasAfter: string,
    after: string,
  ) => Promise<number>;
};
