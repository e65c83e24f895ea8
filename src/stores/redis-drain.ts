/**
 * Moves records from Redis to SQL: on any node, a partition in one node's hands at a time, because
 * a session's records have an order. What was acknowledged and is in neither is counted.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { FinishedSession } from "../types.ts";
import type { RedisClient } from "./redis-client.ts";
import { readEntry } from "./redis-entry.ts";
import type { Partition } from "./redis-keys.ts";
import type { TakeReply } from "./redis-scripts.ts";
import type { DrainedRow } from "./sql-drain.ts";

export type DrainOptions = {
  readonly client: RedisClient;
  readonly partitions: readonly Partition[];
  readonly drain: (rows: readonly DrainedRow[]) => Promise<readonly FinishedSession[]>;
  /** Which of these records are in SQL. */
  readonly known: (ids: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly tell: DrainTold;
  readonly everyMs?: number;
};
export type DrainTold = {
  /** SQL does not take records: they wait in Redis. Once when it begins. */
  readonly stalled: (error: unknown) => void;
  readonly resumed: () => void;
  /** The stream was full: so many records are gone that nobody drained. */
  readonly dropped: (count: number) => void;
  /** Redis lost so many records that this node had settled. */
  readonly lost: (count: number) => void;
  readonly failed: (error: unknown) => void;
};
export type Drainer = {
  /** Resolves when what was settled before the call is in SQL, or after so long. */
  readonly catchUp: (waitMsMax: number) => Promise<boolean>;
  /** Sessions that were given an outcome since the last call. */
  readonly finished: () => readonly FinishedSession[];
  /** Remembers what was acknowledged, until it is known to be in SQL or so many came later. */
  readonly settled: (recordId: string) => void;
  /** Redis may have lost data: counts what is neither there nor in SQL. */
  readonly audit: () => void;
  readonly stop: () => Promise<void>;
};

const EVERY_MS = 200;
const RETRY_MS = 1_000;
/** Of each partition, in one transaction: to read more of them at once would be felt by turns. */
const ENTRIES_MAX = 16;
/** Longer than any transaction may take: then its node is gone. */
const LOCK_MS = 15_000;
const BUSY_MS = 20;
/** Others ask meanwhile. */
const ROUNDS_MS_MAX = 1_000;
/** Some seconds of a busy node; a failover loses less. */
const REMEMBERED_MAX = 100_000;
const FINISHED_MAX = 10_000;
/** How long SQL may take to catch up before an audit says what is missing. */
const AUDIT_MS_MAX = 30_000;

type Round = "empty" | "more" | "locked";

export function createDrainer(options: DrainOptions): Drainer {
  const { client, partitions, drain, tell } = options;
  const me = randomBytes(9).toString("base64url");
  const seen = new Set<Partition>();
  const acknowledged = new Set<string>();
  const ended: FinishedSession[] = [];
  let isStalled = false;
  let isStopped = false;
  let audited: Promise<void> | undefined;
  let auditAgain = false;

  async function take(partition: Partition): Promise<TakeReply | null> {
    const { lock, records, dropped } = partition;
    const taken = await client.dialyardTake(lock, records, dropped, me, LOCK_MS, ENTRIES_MAX);
    if (taken === null) return null;
    const [made, droppedNow] = taken;
    // The group was there when this node looked before: Redis has lost its data.
    if (made === 1 && seen.has(partition)) audit();
    seen.add(partition);
    if (droppedNow > 0) tell.dropped(droppedNow);
    return taken;
  }

  /** One batch of all partitions together, so that sessions are numbered as they began. */
  async function round(): Promise<Round> {
    const taken = await Promise.all(partitions.map(take));
    const rows = taken.flatMap((reply) => reply?.[2].flatMap((one) => readEntry(one) ?? []) ?? []);
    let isDone = false;
    try {
      if (rows.length > 0) {
        const finished = await drain(rows);
        ended.push(...finished.slice(0, FINISHED_MAX - ended.length));
        if (isStalled) tell.resumed();
        isStalled = false;
        for (const row of rows) if (row.type === "settled") acknowledged.delete(row.turn.record_id);
      }
      isDone = true;
    } catch (error) {
      if (!isStalled) tell.stalled(error);
      isStalled = true;
      throw error;
    } finally {
      await Promise.all(
        partitions.map(async (partition, index) => {
          const entries = taken[index]?.[2] ?? [];
          if (entries.length === 0) return;
          const ids = isDone ? entries.map(([id]) => id) : [];
          await client.dialyardDone(partition.lock, partition.records, me, ...ids);
        }),
      );
    }
    if (taken.some((reply) => reply?.[2].length === ENTRIES_MAX)) return "more";
    return taken.includes(null) ? "locked" : "empty";
  }

  /** Until all were seen empty. What another node has in hand is waited for where it matters. */
  async function drainAll(untilMs: number, isPatient: boolean): Promise<boolean> {
    for (;;) {
      const came = await round();
      if (came === "empty") return true;
      if (performance.now() > untilMs || (came === "locked" && !isPatient)) return false;
      if (came === "locked") await wait(BUSY_MS);
    }
  }

  // One at a time on a node, whoever asks.
  let last: Promise<unknown> = Promise.resolve();
  function next(waitMsMax: number, isPatient = true): Promise<boolean> {
    const run = last.then(() => drainAll(performance.now() + waitMsMax, isPatient));
    last = run.catch(() => undefined);
    return run;
  }

  function audit(): void {
    if (audited !== undefined) {
      auditAgain = true;
      return;
    }
    audited = countLost()
      .catch(tell.failed)
      .finally(() => {
        audited = undefined;
        if (auditAgain && !isStopped) {
          auditAgain = false;
          audit();
        }
      });
  }
  async function countLost(): Promise<void> {
    const ids = [...acknowledged];
    const untilMs = performance.now() + AUDIT_MS_MAX;
    for (;;) {
      const isAll = await next(AUDIT_MS_MAX).catch(() => false);
      if (isAll) break;
      if (isStopped || performance.now() > untilMs) return;
      await wait(RETRY_MS);
    }
    const known = await options.known(ids);
    const lost = ids.filter((id) => !known.has(id)).length;
    for (const id of ids) acknowledged.delete(id);
    if (lost > 0) tell.lost(lost);
  }

  const pace = new AbortController();
  async function run(): Promise<void> {
    while (!isStopped) {
      const isFine = await next(ROUNDS_MS_MAX, false).then(
        () => true,
        (error: unknown) => {
          if (!isStalled) tell.failed(error);
          return false;
        },
      );
      const pauseMs = isFine ? (options.everyMs ?? EVERY_MS) : RETRY_MS;
      await wait(pauseMs, undefined, { signal: pace.signal, ref: false }).catch(() => undefined);
    }
  }
  const running = run();

  return {
    catchUp: (waitMsMax) => next(waitMsMax).catch(() => false),
    finished: () => ended.splice(0),
    settled(recordId) {
      acknowledged.add(recordId);
      if (acknowledged.size <= REMEMBERED_MAX) return;
      const [oldest] = acknowledged;
      if (oldest !== undefined) acknowledged.delete(oldest);
    },
    audit,
    async stop() {
      isStopped = true;
      pace.abort();
      await running;
      await audited;
    },
  };
}
