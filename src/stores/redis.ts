/**
 * Sessions on Redis or Valkey, for any number of nodes; records and backends in SQL. Every key of a
 * session goes with its TTL, every stream has a longest length.
 */
import type { RecordStore, SessionStore, Store } from "../types.ts";
import { closeRedisClient, openRedisClient, type RedisClient } from "./redis-client.ts";
import { NEVER } from "./pace.ts";
import { createDrainer, type Drainer, type DrainTold } from "./redis-drain.ts";
import { createPartitions, runKeys } from "./redis-keys.ts";
import { startRun } from "./redis-runs.ts";
import { createTurnStore, giveUpLapsed, leasedKeys, type TurnOptions } from "./redis-sessions.ts";
import type { Digest, Sealer } from "./seal.ts";
import { drainInto, endExpired, indexExpiry, knownRecords, type SqlSide } from "./sql-drain.ts";

export type RedisOptions = {
  /** As config-redis.ts reads it: one server, Sentinels or a Cluster. */
  readonly url: string;
  readonly sealer: Sealer;
  readonly digest: Digest;
  /** Where records and backends are. Closed with this store. */
  readonly sql: Store & { readonly side: SqlSide };
  /** Records that may wait for SQL, all partitions together. */
  readonly backlogMax?: number;
  readonly report: (error: unknown) => void;
  readonly tell: RedisTold;
  readonly drainEveryMs?: number;
};
export type RedisTold = Omit<DrainTold, "failed"> & {
  /** With `maxmemory` and a policy that evicts, live sessions may vanish. */
  readonly mayEvict: (policy: string) => void;
};

const BACKLOG_MAX = 1_000_000;
/** Operators read what was settled before they asked, where SQL keeps up. */
const CATCH_UP_MS_MAX = 2_000;
/** A sweep does not give an outcome to what it may not have heard of. */
const SWEEP_MS_MAX = 5_000;

export async function redisStore(options: RedisOptions): Promise<Store> {
  const { sql, digest, report, tell } = options;
  const client = await openRedisClient(options.url, report).catch(async (error: unknown) => {
    await sql.close();
    throw error;
  });
  await indexExpiry(sql.side.db);
  await warnOfEviction(client, tell);
  const partitions = createPartitions(digest);
  const drainer = createDrainer({
    client,
    partitions,
    drain: (rows) => drainInto(sql.side, rows),
    known: (ids) => knownRecords(sql.side.db, ids),
    tell: { ...tell, failed: report },
    ...(options.drainEveryMs !== undefined && { everyMs: options.drainEveryMs }),
  });
  // A connection that is made anew may be to a server that was restarted, or to another one.
  client.on("ready", drainer.audit);
  // In a Cluster a replica that was known before may have taken the place of a node that went.
  client.on("+node", drainer.audit);
  client.on("-node", drainer.audit);
  const recordsMax = Math.ceil((options.backlogMax ?? BACKLOG_MAX) / partitions.length);
  const runs = await startRun(client, runKeys(digest), report);
  const turns = { ...options, client, partitions, recordsMax, settled: drainer.settled, runs };
  const sessions = sessionStore(turns, sql.side, drainer);
  return {
    sessions,
    records: afterDraining(sql.records, drainer),
    backends: sql.backends,
    async ping() {
      // Any node of a Cluster answers a PING, whatever has become of the others.
      await Promise.all(partitions.map(({ lock }) => client.exists(lock)));
    },
    async undrained() {
      const lengths = await Promise.all(partitions.map(({ records }) => client.xlen(records)));
      return lengths.reduce((sum, length) => sum + length, 0);
    },
    ...(sql.watchBackends !== undefined && { watchBackends: sql.watchBackends }),
    ...(sql.cluster !== undefined && { cluster: sql.cluster }),
    async close() {
      await sessions.close();
      await runs.close();
      await closeRedisClient(client);
      await sql.close();
    },
  };
}

function sessionStore(turns: TurnOptions, side: SqlSide, drainer: Drainer): SessionStore {
  let isClosed = false;
  return {
    ...createTurnStore(turns),
    async sweep(nowMs, keepFromMs, isStopping = NEVER) {
      await giveUpLapsed(turns, nowMs);
      if (!(await drainer.catchUp(SWEEP_MS_MAX))) return drainer.finished();
      const leased = (keys: readonly string[]) => leasedKeys(turns, keys);
      const ended = await endExpired(side, nowMs, leased, isStopping);
      await side.dropOld(nowMs, keepFromMs, isStopping);
      return [...drainer.finished(), ...ended];
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await drainer.catchUp(CATCH_UP_MS_MAX);
      await drainer.stop();
    },
  };
}

function afterDraining(records: RecordStore, { catchUp }: Drainer): RecordStore {
  const drained = () => catchUp(CATCH_UP_MS_MAX);
  return {
    findSessions: (filter) => drained().then(() => records.findSessions(filter)),
    getSession: (id) => drained().then(() => records.getSession(id)),
    findLive: (...args) => drained().then(() => records.findLive(...args)),
    findByNetworkId: (...args) => drained().then(() => records.findByNetworkId(...args)),
    countLive: (nowMs) => drained().then(() => records.countLive(nowMs)),
  };
}

async function warnOfEviction(client: RedisClient, { mayEvict }: RedisTold): Promise<void> {
  // Servers that refuse INFO are run by others, who know.
  const memory = await client.info("memory").catch(() => "");
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? "noeviction";
  const limit = Number(/^maxmemory:(\d+)/m.exec(memory)?.[1] ?? 0);
  if (limit > 0 && policy !== "noeviction") mayEvict(policy);
}
