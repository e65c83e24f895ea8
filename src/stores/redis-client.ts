/** A connection to Redis or Valkey, alone, behind Sentinels or a Cluster, that comes back by itself. */
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { Cluster, Redis } from "ioredis";
import { readRedisUrl, type RedisPlace } from "../config-redis.ts";
import { SCRIPTS, type ScriptCommands } from "./redis-scripts.ts";

export type RedisClient = (Redis | Cluster) & ScriptCommands;

const CONNECT_MS_MAX = 2_000;
/** A turn does not wait longer, whether the server is slow or gone. */
const COMMAND_MS_MAX = 2_000;
/** A server that owes an answer for so long is gone, though nobody said so: another connection. */
const SILENCE_MS_MAX = 2_500;
const RETRY_MS_MAX = 1_000;

/** Sentinels and Clusters may be looked for without end. */
const OPEN_MS_MAX = 10_000;
/** A Sentinel that says nothing is passed over. */
const SENTINEL_MS_MAX = 1_000;
const SENTINEL_RETRY_MS = 5_000;

const retryStrategy = (times: number) => Math.min(25 * 2 ** Math.min(times, 6), RETRY_MS_MAX);

export async function openRedisClient(
  url: string,
  report: (error: unknown) => void,
): Promise<RedisClient> {
  const client = createClient(url) as RedisClient;
  client.on("error", report);
  const isOver = new AbortController();
  const { signal } = isOver;
  const late = wait(OPEN_MS_MAX, undefined, { signal }).then(() => {
    throw new Error(`no server that takes commands within ${OPEN_MS_MAX / 1_000} s`);
  });
  try {
    // A Cluster that becomes whole later is ready, though `connect` never says so.
    await Promise.race([client.connect(), once(client, "ready", { signal }), late]);
    return client;
  } catch (error) {
    client.disconnect();
    throw new Error(`Redis: ${(error as Error).message}`, { cause: error });
  } finally {
    isOver.abort();
  }
}

export async function closeRedisClient(client: RedisClient): Promise<void> {
  await client.quit().catch(() => undefined);
  // Also nodes of a Cluster that were found meanwhile.
  client.disconnect();
}

function createClient(url: string): Redis | Cluster {
  const place = readRedisUrl(url);
  if (place === undefined) throw new Error("this is no address of a Redis server");
  const { hosts, isTls } = place;
  const options = {
    ...connectionOf(place),
    commandTimeout: COMMAND_MS_MAX,
    socketTimeout: SILENCE_MS_MAX,
    // Scripts recognise their own work, so what had no reply may be sent again.
    maxRetriesPerRequest: 1,
    // A master that became a replica says so: the connection is made anew, to the master of now.
    reconnectOnError: (error: Error) => (/^READONLY\b/.test(error.message) ? (2 as const) : false),
  };
  const common = { scripts: SCRIPTS, lazyConnect: true };
  if (place.type === "cluster") {
    return new TimelyCluster([...hosts], {
      ...common,
      clusterRetryStrategy: retryStrategy,
      slotsRefreshInterval: 2_000,
      // For two seconds in all. Turns wait for a node that is being connected, too.
      retryDelayOnFailover: 25,
      maxRedirections: 80,
      // While no node is there turns are refused: a queue would take their leases when it is late.
      enableOfflineQueue: false,
      // No pipelines: one that names several slots is not sent again when one of them has moved.
      redisOptions: options,
    });
  }
  const single = { ...common, ...options, retryStrategy, enableAutoPipelining: true };
  if (place.type === "sentinel") {
    const { username, password } = place;
    const client = new Redis({
      ...single,
      sentinels: [...hosts],
      name: place.master,
      db: place.db,
      ...(isTls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
      ...(password !== undefined && { sentinelPassword: password }),
      ...(username !== undefined && { sentinelUsername: username }),
      sentinelRetryStrategy: retryStrategy,
      sentinelCommandTimeout: SENTINEL_MS_MAX,
    });
    hearSentinels(client, place, place.master);
    return client;
  }
  const [{ host, port } = { host: "", port: 0 }] = hosts;
  return new Redis({ ...single, host, port, db: place.db });
}

/** Commands that timed out are not sent again: whoever asked has gone on. */
class TimelyCluster extends Cluster {
  override sendCommand(...sent: Parameters<Cluster["sendCommand"]>): unknown {
    const [command] = sent;
    const promise = super.sendCommand(...sent);
    const sendAgain = command.reject;
    command.reject = (error) => {
      if (!command.isSettled) sendAgain.call(command, error);
    };
    return promise;
  }
}

function connectionOf({ username, password, isTls }: RedisPlace) {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(isTls && { tls: {} }),
    connectTimeout: CONNECT_MS_MAX,
    connectionName: "dialyard",
  };
}

/**
 * A master that others replaced may not know it, and take writes that will be lost: the Sentinels
 * say so. Not by ioredis's `failoverDetector`, which ends a client for good that is just asking a
 * Sentinel, and outlives one that was closed.
 */
function hearSentinels(client: Redis, place: RedisPlace, master: string): void {
  let heard = "";
  const sentinels = place.hosts.map(({ host, port }) => {
    const sentinel = new Redis({
      ...connectionOf(place),
      ...{ host, port, enableReadyCheck: false, maxRetriesPerRequest: null },
      retryStrategy: () => SENTINEL_RETRY_MS,
    });
    // One that is away is none of our troubles, while others are there.
    sentinel.on("error", () => undefined);
    sentinel.on("message", (_, message: string) => {
      // Each of them says the same.
      if (message === heard || !message.startsWith(`${master} `)) return;
      heard = message;
      // A client that is connecting asks them anyway.
      if (client.status === "ready") client.disconnect(true);
    });
    sentinel.subscribe("+switch-master").catch(() => undefined);
    return sentinel;
  });
  client.once("end", () => {
    for (const sentinel of sentinels) sentinel.disconnect();
  });
}
