/**
 * Ends what nobody ended, and deletes what is old: in slices, each in a transaction of its own
 * together with the turns of its tick, so that turns never wait for a sweep.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setImmediate as nextTick } from "node:timers/promises";
import type { FinishedSession, SessionOutcome } from "../types.ts";
import type { GroupCommit } from "./group-commit.ts";
import { isOver } from "./lease.ts";
import type { TurnTables } from "./sqlite-sessions.ts";
import { insertUnsettled, recordUnknown } from "./sqlite-sessions.ts";

export type Sweep = (nowMs: number, keepFromMs: number) => Promise<readonly FinishedSession[]>;

const SLICE_ROWS = 500;

const LAPSED = `
SELECT leases.key, leases.taken_at, leases.until, leases.digest, leases.fresh_id,
  leases.msisdn_sealed,
  sessions.n, sessions.id, sessions.channel, sessions.outcome, sessions.last_turn,
  iif(sessions.state IS NULL, NULL, sessions.expires_at) AS expires_at
FROM leases LEFT JOIN sessions ON sessions.key = leases.key
WHERE leases.key > ? AND leases.until <= ?
ORDER BY leases.key LIMIT ${SLICE_ROWS}`;
const DROP_LEASE = `DELETE FROM leases WHERE key = ?`;
const RETIRE_KEY = `
UPDATE sessions SET key = NULL, state = json_remove(state, '$.inputs'),
  outcome = coalesce(outcome, ?)
WHERE key = ?`;
/** Read from the index on key alone, which holds no row whose time is over and swept. */
const FIRST_UNSWEPT = `SELECT min(n) AS n FROM sessions WHERE key IS NOT NULL`;
const LAST = `SELECT max(n) AS n FROM sessions`;
/** A lease means that a turn is under way or unsettled: LAPSED decides about those. */
const EXPIRED = `
SELECT n, key, id, channel, outcome FROM sessions
WHERE n >= ? AND n < ? AND key IS NOT NULL AND expires_at <= ?
  AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.key = sessions.key)`;
// The newest row always stays: the next n is one more than it, so no n is ever used twice and no
// session is shown the turns of another.
const DELETE_SESSIONS = `
DELETE FROM sessions WHERE last_at < ?1 AND key IS NULL
  AND n IN (SELECT n FROM sessions ORDER BY n LIMIT ${SLICE_ROWS})
  AND n < (SELECT max(n) FROM sessions)`;
const DELETE_TURNS = `
DELETE FROM turns WHERE at < ?1
  AND n IN (SELECT n FROM turns ORDER BY n LIMIT ${SLICE_ROWS})
  AND n < (SELECT max(n) FROM turns)`;

const FIRST_LEFT = `
SELECT min(n) AS n FROM sessions WHERE n >= ? AND n < ? AND +key IS NOT NULL`;

type LapsedRow = {
  readonly key: string;
  readonly taken_at: number;
  readonly until: number;
  readonly digest: string;
  readonly fresh_id: string;
  readonly msisdn_sealed: string | null;
  readonly n: number | null;
  readonly id: string | null;
  readonly channel: string | null;
  readonly outcome: SessionOutcome | null;
  readonly last_turn: number | null;
  readonly expires_at: number | null;
};
type ExpiredRow = {
  readonly n: number;
  readonly key: string;
  readonly id: string;
  readonly channel: string;
  readonly outcome: SessionOutcome | null;
};

/** What a slice did, and where the next one starts: undefined after the last. */
type Slice<Cursor> = {
  readonly finished: readonly FinishedSession[];
  readonly next: Cursor | undefined;
};

export function createSweep(
  database: DatabaseSync,
  tables: TurnTables,
  { submit }: GroupCommit,
): Sweep {
  const sql = prepareAll(database);
  /** No row below it has a key. */
  let unsweptFrom: number | undefined;

  /** Runs slices until one has no next, and lets turns go between them. */
  async function walk<Cursor>(
    start: Cursor,
    slice: (cursor: Cursor) => Slice<Cursor>,
    finished: FinishedSession[],
  ): Promise<void> {
    for (let cursor: Cursor | undefined = start; cursor !== undefined;) {
      const from: Cursor = cursor;
      const done = await submit(() => slice(from));
      finished.push(...done.finished);
      cursor = done.next;
      await nextTick();
    }
  }

  return async (nowMs, keepFromMs) => {
    const finished: FinishedSession[] = [];
    await walk("", (after) => giveUpLapsed(sql, tables, nowMs, after), finished);
    unsweptFrom ??= rowNumber(sql.firstUnswept.get());
    const last = rowNumber(sql.last.get());
    let firstLeft = 0;
    const endSlice = (from: number): Slice<number> => {
      const slice = endExpired(sql, nowMs, from, last);
      if (firstLeft === 0) firstLeft = rowNumber(sql.firstLeft.get(from, from + SLICE_ROWS));
      return slice;
    };
    await walk(unsweptFrom, endSlice, finished);
    unsweptFrom = firstLeft === 0 ? last : firstLeft;
    await walk(0, () => deleteOld(sql.deleteSessions, keepFromMs), finished);
    await walk(0, () => deleteOld(sql.deleteTurns, keepFromMs), finished);
    return finished;
  };
}

/** Turns that a crash left and nobody drove again (RELIABILITY 2.3, the sweeper). */
function giveUpLapsed(
  sql: Statements,
  tables: TurnTables,
  nowMs: number,
  after: string,
): Slice<string> {
  const rows = sql.lapsed.all(after, nowMs) as LapsedRow[];
  const finished: FinishedSession[] = [];
  for (const row of rows) {
    if (!isOver(row.until, row.expires_at ?? undefined, nowMs)) continue;
    sql.dropLease.run(row.key);
    // A released lease kept for its numbers: no turn of it is in doubt.
    if (row.digest !== "") {
      const n = row.n ?? insertUnsettled(tables, row.key, row);
      recordUnknown(tables, n, row.last_turn ?? 0, row.taken_at);
    } else if (row.n === null) continue;
    sql.retireKey.run("unknown", row.key);
    if (row.outcome !== null) continue;
    finished.push({ id: row.id ?? row.fresh_id, channel: row.channel ?? "", outcome: "unknown" });
  }
  return { finished, next: rows.length < SLICE_ROWS ? undefined : rows.at(-1)?.key };
}

function endExpired(sql: Statements, nowMs: number, from: number, last: number): Slice<number> {
  const rows = sql.expired.all(from, from + SLICE_ROWS, nowMs) as ExpiredRow[];
  const finished: FinishedSession[] = [];
  for (const row of rows) {
    sql.retireKey.run("abandoned", row.key);
    if (row.outcome !== null) continue;
    finished.push({ id: row.id, channel: row.channel, outcome: "abandoned" });
  }
  return { finished, next: from + SLICE_ROWS > last ? undefined : from + SLICE_ROWS };
}

function deleteOld(statement: StatementSync, keepFromMs: number): Slice<number> {
  const { changes } = statement.run(keepFromMs);
  return { finished: [], next: Number(changes) < SLICE_ROWS ? undefined : 0 };
}

function rowNumber(row: unknown): number {
  return (row as { readonly n: number | null } | undefined)?.n ?? 0;
}

type Statements = ReturnType<typeof prepareAll>;

function prepareAll(database: DatabaseSync) {
  return {
    lapsed: database.prepare(LAPSED),
    dropLease: database.prepare(DROP_LEASE),
    retireKey: database.prepare(RETIRE_KEY),
    firstUnswept: database.prepare(FIRST_UNSWEPT),
    last: database.prepare(LAST),
    firstLeft: database.prepare(FIRST_LEFT),
    expired: database.prepare(EXPIRED),
    deleteSessions: database.prepare(DELETE_SESSIONS),
    deleteTurns: database.prepare(DELETE_TURNS),
  };
}
