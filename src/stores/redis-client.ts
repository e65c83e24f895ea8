/** A connection to Redis or Valkey, alone, behind Sentinels or a Cluster, that comes back by itself. */
import { Cluster, Redis } from "ioredis";
import { readRedisUrl } from "../config-redis.ts";
import { SCRIPTS, type ScriptCommands } from "./redis-scripts.ts";

export type RedisClient = (Redis | Cluster) & ScriptCommands;

const CONNECT_MS_MAX = 2_000;
/** A turn does not wait longer, whether the server is slow or gone. */
const COMMAND_MS_MAX = 2_000;
/** A server that owes an answer for so long is gone, though nobody said so: another connection. */
const SILENCE_MS_MAX = 2_500;
const RETRY_MS_MAX = 1_000;

const retryStrategy = (times: number) => Math.min(25 * 2 ** Math.min(times, 6), RETRY_MS_MAX);

export async function openRedisClient(
  url: string,
  report: (error: unknown) => void,
): Promise<RedisClient> {
  const client = createClient(url) as RedisClient;
  client.on("error", report);
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.disconnect();
    throw new Error(`Redis: ${(error as Error).message}`, { cause: error });
  }
}

export async function closeRedisClient(client: RedisClient): Promise<void> {
  await client.quit().catch(() => client.disconnect());
}

function createClient(url: string): Redis | Cluster {
  const place = readRedisUrl(url);
  if (place === undefined) throw new Error("this is no address of a Redis server");
  const { hosts, username, password, isTls } = place;
  const credentials = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
  const options = {
    ...credentials,
    ...(isTls && { tls: {} }),
    connectTimeout: CONNECT_MS_MAX,
    commandTimeout: COMMAND_MS_MAX,
    socketTimeout: SILENCE_MS_MAX,
    // Scripts recognise their own work, so what had no reply may be sent again.
    maxRetriesPerRequest: 1,
    // A master that became a replica says so: the connection is made anew, to the master of now.
    reconnectOnError: (error: Error) => (/^READONLY\b/.test(error.message) ? (2 as const) : false),
    connectionName: "dialyard",
  };
  const common = { scripts: SCRIPTS, lazyConnect: true, enableAutoPipelining: true };
  if (place.type === "cluster") {
    return new Cluster([...hosts], {
      ...common,
      clusterRetryStrategy: retryStrategy,
      slotsRefreshInterval: 2_000,
      retryDelayOnFailover: 200,
      redisOptions: options,
    });
  }
  if (place.type === "sentinel") {
    return new Redis({
      ...common,
      ...options,
      retryStrategy,
      sentinels: [...hosts],
      name: place.master,
      db: place.db,
      ...(isTls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
      ...(password !== undefined && { sentinelPassword: password }),
      ...(username !== undefined && { sentinelUsername: username }),
      sentinelRetryStrategy: retryStrategy,
      failoverDetector: true,
    });
  }
  const [{ host, port } = { host: "", port: 0 }] = hosts;
  return new Redis({ ...common, ...options, retryStrategy, host, port, db: place.db });
}
