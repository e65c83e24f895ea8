/**
 * Ends what nobody ended, and drops what is old, on PostgreSQL: in slices, by any number of nodes
 * at once, since each skips the rows that another has in hand.
 */
import type { Pool } from "pg";
import type { FinishedSession, SessionOutcome } from "../types.ts";
import { UNSETTLED_KEPT_MS } from "./lease.ts";
import { atLeisure, type IsStopping, NEVER } from "./pace.ts";
import type { Digest, Sealer } from "./seal.ts";

const SLICE_ROWS = 500;
/** Their pages are anywhere: a commit that writes many holds up those of turns behind it. */
const ENDED_ROWS = 100;
const LOOKED_ROWS = 1_000;
const DAY_MS = 86_400_000;

/** Turns that nobody will drive again (lease.ts, isOver), with the sessions that they are of. */
const LAPSED = `
SELECT l.key, l.taken_at, l.until, l.digest, l.fresh_id, l.msisdn_sealed, s.n
FROM leases l LEFT JOIN sessions s ON s.key = l.key
WHERE l.until <= $1 AND l.until + $2 <= $1
  AND (s.state IS NULL OR s.expires_at <= $1)
LIMIT ${SLICE_ROWS} FOR UPDATE OF l SKIP LOCKED`;
/** A session of which no turn was ever settled: all that is known is its lease. */
const INSERT_UNSETTLED = `
INSERT INTO sessions (key, expires_at, started_at, last_at, turns, id, channel, provider,
  msisdn_hash, msisdn_sealed)
VALUES ($1, $2, $3, $3, 0, $4, '', '', $5, $6) RETURNING n`;
const INSERT_UNKNOWN = `
INSERT INTO turns (session, at, took_ms, backend_ms, outcome, input, screen, attempts,
  request_octets, reply_octets)
VALUES ($1, $2, 0, 0, 'unknown', '', '', '', 0, 0)`;
const DROP_LEASE = `DELETE FROM leases WHERE key = $1`;
/** The outcome that was, and null where this gives one. */
const RETIRE = `
WITH before AS (SELECT n, outcome FROM sessions WHERE key = $1 FOR UPDATE)
UPDATE sessions SET key = NULL, state = (state::jsonb - '{inputs,app}'::text[])::text,
  outcome = coalesce(sessions.outcome, $2)
FROM before WHERE sessions.n = before.n
RETURNING sessions.id, sessions.channel, before.outcome`;
/**
 * A lease means that a turn is under way or unsettled: LAPSED decides about those. From key to key,
 * so that a sweep passes each row once, and none that a slice before has ended. What is looked at
 * has its bound too: of millions that live, most have not expired.
 */
const END_EXPIRED = `
WITH looked AS (
  SELECT n, key, expires_at FROM sessions WHERE key > $2 ORDER BY key LIMIT ${LOOKED_ROWS}
), over AS (
  SELECT s.n, s.key, s.outcome FROM looked JOIN sessions s ON s.n = looked.n
  WHERE looked.expires_at <= $1 AND s.key IS NOT NULL AND s.expires_at <= $1
    AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.key = s.key)
  ORDER BY s.key LIMIT ${ENDED_ROWS} FOR UPDATE OF s SKIP LOCKED
), ended AS (
  UPDATE sessions SET key = NULL, state = (state::jsonb - '{inputs,app}'::text[])::text,
    outcome = coalesce(sessions.outcome, 'abandoned')
  FROM over WHERE sessions.n = over.n
  RETURNING sessions.id, sessions.channel, over.outcome
)
SELECT set_config('synchronous_commit', 'off', true),
  (SELECT coalesce(json_agg(ended), '[]') FROM ended) AS ended,
  (SELECT CASE WHEN count(*) = ${ENDED_ROWS} THEN max(key) END FROM over) AS ended_to,
  (SELECT CASE WHEN count(*) = ${LOOKED_ROWS} THEN max(key) END FROM looked) AS looked_to`;
/**
 * From the first session on, in the order in which they began: an index by when they ended would
 * change with every turn, and with it all others (postgres-schema.ts).
 */
const DELETE_SESSIONS = `
WITH looked AS (
  SELECT n, started_at FROM sessions WHERE n > $2 ORDER BY n LIMIT ${SLICE_ROWS}
), old AS (
  SELECT s.n FROM looked JOIN sessions s ON s.n = looked.n
  WHERE s.key IS NULL AND s.last_at < $1 FOR UPDATE OF s SKIP LOCKED
), gone AS (DELETE FROM sessions WHERE n IN (SELECT n FROM old))
SELECT CASE WHEN count(*) = ${SLICE_ROWS} AND min(started_at) < $1 THEN max(n) END AS looked_to
FROM looked`;
const DELETE_REST = `
DELETE FROM turns_rest WHERE ctid IN (
  SELECT ctid FROM turns_rest WHERE at < $1 LIMIT ${SLICE_ROWS})`;
const PARTITIONS = `
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'turns'::regclass`;

type LapsedRow = {
  readonly key: string;
  readonly taken_at: number;
  readonly until: number;
  readonly digest: string;
  readonly fresh_id: string;
  readonly msisdn_sealed: string | null;
  readonly n: number | null;
};
/** `ended_to` and `looked_to`: the last key of a slice that was full. */
type EndedSlice = {
  readonly ended: readonly EndedRow[];
  readonly ended_to: string | null;
  readonly looked_to: string | null;
};
/** `looked_to`: null where all that come after began later than what is kept. */
type DeletedSlice = { readonly looked_to: number | null };
type EndedRow = {
  readonly id: string;
  readonly channel: string;
  readonly outcome: SessionOutcome | null;
};

export function createPostgresSweep(pool: Pool, sealer: Sealer, digest: Digest) {
  return async (
    nowMs: number,
    keepFromMs: number,
    isStopping = NEVER,
  ): Promise<readonly FinishedSession[]> => {
    await keepPartitions(pool, nowMs, keepFromMs);
    const finished: FinishedSession[] = [];
    const giveUp = () => giveUpLapsed(pool, sealer, digest, nowMs, finished);
    while (!isStopping() && (await atLeisure(giveUp, isStopping)) === SLICE_ROWS);
    for (let after: string | undefined = ""; after !== undefined && !isStopping();) {
      const from: string = after;
      after = await atLeisure(() => endExpired(pool, nowMs, from, finished), isStopping);
    }
    await deleteOld(pool, keepFromMs, isStopping);
    return finished;
  };
}

/** Resolves with the key that the next slice begins after; undefined where this was the last. */
async function endExpired(
  pool: Pool,
  nowMs: number,
  after: string,
  finished: FinishedSession[],
): Promise<string | undefined> {
  const { rows } = await pool.query<EndedSlice>(END_EXPIRED, [nowMs, after]);
  const { ended, ended_to: endedTo, looked_to: lookedTo } = rows[0]!;
  finished.push(...ended.flatMap((row) => finishedOf(row, "abandoned")));
  return endedTo ?? lookedTo ?? undefined;
}

/** Retention alone, where sessions are not kept here. */
export async function dropOld(
  pool: Pool,
  nowMs: number,
  keepFromMs: number,
  isStopping: IsStopping,
): Promise<void> {
  await keepPartitions(pool, nowMs, keepFromMs);
  await deleteOld(pool, keepFromMs, isStopping);
}

async function deleteOld(pool: Pool, keepFromMs: number, isStopping: IsStopping): Promise<void> {
  for (let after: number | null = 0; after !== null && !isStopping();) {
    const from: number = after;
    const slice = () => pool.query<DeletedSlice>(DELETE_SESSIONS, [keepFromMs, from]);
    after = (await atLeisure(slice, isStopping)).rows[0]!.looked_to;
  }
  const rest = () => pool.query(DELETE_REST, [keepFromMs]);
  while (!isStopping() && (await atLeisure(rest, isStopping)).rowCount === SLICE_ROWS);
}

/** Resolves with the leases given up. */
async function giveUpLapsed(
  pool: Pool,
  sealer: Sealer,
  digest: Digest,
  nowMs: number,
  finished: FinishedSession[],
): Promise<number> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const { rows } = await client.query<LapsedRow>(LAPSED, [nowMs, UNSETTLED_KEPT_MS]);
    const ended: FinishedSession[] = [];
    for (const row of rows) {
      const { key, taken_at, until, fresh_id, msisdn_sealed } = row;
      await client.query(DROP_LEASE, [key]);
      // A released lease kept for its numbers: no turn of it is in doubt.
      if (row.digest !== "") {
        const hash = msisdn_sealed === null ? null : digest(sealer.open(msisdn_sealed, fresh_id));
        const values = [key, until + UNSETTLED_KEPT_MS, taken_at, fresh_id, hash, msisdn_sealed];
        const n = row.n ?? (await client.query<{ n: number }>(INSERT_UNSETTLED, values)).rows[0]!.n;
        await client.query(INSERT_UNKNOWN, [n, taken_at]);
      } else if (row.n === null) continue;
      const retired = await client.query<EndedRow>(RETIRE, [key, "unknown"]);
      ended.push(...retired.rows.flatMap((one) => finishedOf(one, "unknown")));
    }
    await client.query("COMMIT");
    finished.push(...ended);
    return rows.length;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

function finishedOf({ id, channel, outcome }: EndedRow, given: SessionOutcome): FinishedSession[] {
  return outcome === null ? [{ id, channel, outcome: given }] : [];
}

/** A partition for each day, made the day before; those whose turns are all too old are dropped. */
async function keepPartitions(pool: Pool, nowMs: number, keepFromMs: number): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(PARTITIONS);
  const days = new Set(rows.flatMap(({ name }) => dayOf(name) ?? []));
  const today = Math.floor(nowMs / DAY_MS);
  for (const day of [today, today + 1]) {
    if (!days.has(day)) await makePartition(pool, day);
  }
  for (const day of days) {
    if ((day + 1) * DAY_MS > keepFromMs) continue;
    await pool.query(`DROP TABLE IF EXISTS turns_${day}`);
  }
}

async function makePartition(pool: Pool, day: number): Promise<void> {
  const from = day * DAY_MS;
  try {
    await pool.query(
      `CREATE TABLE IF NOT EXISTS turns_${day} PARTITION OF turns
       FOR VALUES FROM (${from}) TO (${from + DAY_MS})`,
    );
  } catch (error) {
    // Turns of that day are in the default partition already, or another node was faster.
    const { code } = error as { readonly code?: string };
    if (code !== "23514" && code !== "42P07" && code !== "42P17") throw error;
  }
}

/** "turns_20418": the day's number since 1970. */
function dayOf(name: string): number | undefined {
  const day = /^turns_(\d+)$/.exec(name)?.[1];
  return day === undefined ? undefined : Number(day);
}
