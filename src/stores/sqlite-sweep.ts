/**
 * Ends what nobody ended, and deletes what is old: in slices, each in a transaction of its own
 * together with the turns of its tick, so that turns never wait for a sweep.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setImmediate as nextTick } from "node:timers/promises";
import type { FinishedSession, SessionOutcome, SessionStore } from "../types.ts";
import type { GroupCommit } from "./group-commit.ts";
import { isOver } from "./lease.ts";
import { atLeisure, type IsStopping, NEVER } from "./pace.ts";
import type { Hot } from "./sqlite-hot.ts";
import type { TurnTables } from "./sqlite-sessions.ts";
import {
  insertUnsettled,
  noteWritten,
  recordUnknown,
  writeBack,
  writeRow,
} from "./sqlite-sessions.ts";

export type Sweep = SessionStore["sweep"];

/** What is looked at in one step, or deleted: rows that stand together. */
const SLICE_ROWS = 500;
/** What is changed in one step: rows and index entries that are anywhere in the file. */
const STEP_ROWS = 50;

const LAPSED = `
SELECT leases.key, leases.taken_at, leases.until, leases.digest, leases.fresh_id,
  leases.msisdn_sealed,
  sessions.n, sessions.id, sessions.channel, sessions.outcome, sessions.last_turn,
  iif(sessions.state IS NULL, NULL, sessions.expires_at) AS expires_at
FROM leases LEFT JOIN sessions ON sessions.key = leases.key
WHERE leases.key > ? AND leases.until <= ?
ORDER BY leases.key LIMIT ${STEP_ROWS}`;
const DROP_LEASE = `DELETE FROM leases WHERE key = ?`;
const RETIRE_KEY = `
UPDATE sessions SET key = NULL, state = json_remove(state, '$.inputs', '$.app'),
  outcome = coalesce(outcome, ?)
WHERE key = ?`;
/** Read from the index on key alone, which holds no row whose time is over and swept. */
const FIRST_UNSWEPT = `SELECT min(n) AS n FROM sessions WHERE key IS NOT NULL`;
/** A lease means that a turn is under way or unsettled: LAPSED decides about those. */
const EXPIRED = `
SELECT n, key, id, channel, outcome FROM sessions
WHERE n >= ? AND n < ? AND key IS NOT NULL AND expires_at <= ?
  AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.key = sessions.key)
ORDER BY n LIMIT ${STEP_ROWS}`;
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

/** "+": by row number, as the index on key has nothing of when. */
const EARLIEST_END = `
SELECT min(expires_at) AS n FROM sessions WHERE n >= ? AND n < ? AND +key IS NOT NULL`;

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

/** For 10 million live sessions; slices beyond are looked at each time. */
const QUIET_SLICES_MAX = 20_000;

/** What a slice did, and where the next one starts: undefined after the last. */
type Slice<Cursor> = {
  readonly finished: readonly FinishedSession[];
  readonly next: Cursor | undefined;
};

type Sweeping = { readonly finished: FinishedSession[]; readonly isStopping: IsStopping };

export function createSweep(
  database: DatabaseSync,
  tables: TurnTables,
  { submit }: GroupCommit,
): Sweep {
  const sql = prepareAll(database);
  const quiet = createQuietSlices();
  let isStarted = false;

  /** Runs slices until one has no next, and lets turns go between them. */
  async function walk<Cursor>(
    start: Cursor,
    slice: (cursor: Cursor) => Slice<Cursor>,
    { finished, isStopping }: Sweeping,
  ): Promise<void> {
    for (let cursor: Cursor | undefined = start; cursor !== undefined && !isStopping();) {
      const from: Cursor = cursor;
      const done = await atLeisure(() => submit(() => slice(from)), isStopping);
      finished.push(...done.finished);
      cursor = done.next;
    }
  }

  return async (nowMs, keepFromMs, isStopping = NEVER) => {
    const finished: FinishedSession[] = [];
    const sweeping = { finished, isStopping };
    const last = await writeBehind(tables, submit, (hot) => isDue(hot, nowMs));
    await walk("", (after) => giveUpLapsed(sql, tables, nowMs, after), sweeping);
    if (!isStarted) quiet.startAt(rowNumber(sql.firstUnswept.get()));
    isStarted = true;
    for (
      let from = quiet.next(0, nowMs);
      from <= last && !isStopping();
      from = quiet.next(from + 1, nowMs)
    ) {
      const end = from + SLICE_ROWS;
      await walk(from, (at) => endExpired(sql, tables, nowMs, at, end), sweeping);
      const first = from;
      const untilMs = await submit(() => rowNumber(sql.earliestEnd.get(first, end)));
      // Not before it was committed: an end that was rolled back has to be found again.
      quiet.note(from, last, untilMs);
    }
    await walk(0, () => deleteSlice(sql.deleteSessions, keepFromMs), sweeping);
    await walk(0, () => deleteSlice(sql.deleteTurns, keepFromMs), sweeping);
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
  // What the statement reads of a session has to be in its row.
  const lapsed = sql.lapsed.all(after, nowMs) as LapsedRow[];
  const isBehind = lapsed.some(({ key }) => tables.hot.get(key) !== undefined);
  for (const { key } of lapsed) writeBack(tables, key);
  const rows = isBehind ? (sql.lapsed.all(after, nowMs) as LapsedRow[]) : lapsed;
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
  return { finished, next: rows.length < STEP_ROWS ? undefined : rows.at(-1)?.key };
}

/** Rows `from` to `end`, as many as a step may have. */
function endExpired(
  sql: Statements,
  tables: TurnTables,
  nowMs: number,
  from: number,
  end: number,
): Slice<number> {
  const rows = sql.expired.all(from, end, nowMs) as ExpiredRow[];
  const finished: FinishedSession[] = [];
  for (const row of rows) {
    const hot = tables.hot.get(row.key);
    // Answered since its row was written.
    if (hot !== undefined && hot.expiresAtMs > nowMs) continue;
    writeBack(tables, row.key);
    sql.retireKey.run("abandoned", row.key);
    if ((hot?.session.outcome ?? row.outcome ?? undefined) !== undefined) continue;
    finished.push({ id: row.id, channel: row.channel, outcome: "abandoned" });
  }
  return { finished, next: rows.length < STEP_ROWS ? undefined : (rows.at(-1)?.n ?? end) + 1 };
}

/** A session that goes on is written after so long: what a start after a crash catches up with. */
const UNWRITTEN_MS_MAX = 30_000;

/** New sessions and ended ones at once; those that go on now and then. */
function isDue({ hasRow, session, unwrittenSinceMs }: Hot, nowMs: number): boolean {
  return !hasRow || session.ended || nowMs - unwrittenSinceMs > UNWRITTEN_MS_MAX;
}

/**
 * Brings rows up to date with what is in memory, in slices. Resolves with the number of the last
 * session of which there is a row, and of all before it.
 */
export async function writeBehind(
  tables: TurnTables,
  submit: GroupCommit["submit"],
  isWanted: (hot: Hot) => boolean,
): Promise<number> {
  const { hot } = tables;
  const keys = [...hot.unwritten()].filter((key) => {
    const held = hot.get(key);
    return held !== undefined && isWanted(held);
  });
  for (let from = 0; from < keys.length; from += WRITE_SLICE) {
    const slice = keys.slice(from, from + WRITE_SLICE);
    await submit(() => slice.forEach((key) => writeRow(tables, key)));
    await nextTick();
  }
  return submit(() => {
    // What was settled meanwhile, so that no row is missing below the last one.
    for (const key of [...hot.unwritten()]) if (!hot.get(key)?.hasRow) writeRow(tables, key);
    noteWritten(tables, false);
    return rowNumber(tables.sql.lastSession.get());
  });
}
const WRITE_SLICE = 200;

/**
 * When the first session of each slice expires. One that goes on expires later, never earlier, so
 * until then a sweep need not read what may be a million rows.
 */
function createQuietSlices() {
  const untilMs = new Map<number, number>();
  /** No row below it has a key. A multiple of SLICE_ROWS, so that slices keep their bounds. */
  let start = 0;
  return {
    startAt(n: number) {
      start = n - (n % SLICE_ROWS);
    },
    /** The first slice from row `n` on that has to be looked at. */
    next(n: number, nowMs: number): number {
      let from = Math.max(start, Math.ceil(n / SLICE_ROWS) * SLICE_ROWS);
      while ((untilMs.get(from) ?? 0) > nowMs) from += SLICE_ROWS;
      return from;
    },
    /** `until` 0: no row of the slice has a key, and none will have where the slice is full. */
    note(from: number, last: number, until: number) {
      untilMs.delete(from);
      const isFull = from + SLICE_ROWS <= last;
      if (!isFull || untilMs.size >= QUIET_SLICES_MAX) return;
      untilMs.set(from, until === 0 ? Infinity : until);
      for (; untilMs.get(start) === Infinity; start += SLICE_ROWS) untilMs.delete(start);
    },
  };
}

function deleteSlice(statement: StatementSync, keepFromMs: number): Slice<number> {
  const { changes } = statement.run(keepFromMs);
  return { finished: [], next: Number(changes) < SLICE_ROWS ? undefined : 0 };
}

/** Retention alone, where sessions are not kept here. */
export async function deleteOld(
  database: DatabaseSync,
  keepFromMs: number,
  isStopping: IsStopping,
): Promise<void> {
  for (const text of [DELETE_SESSIONS, DELETE_TURNS]) {
    const statement = database.prepare(text);
    const slice = () => Promise.resolve(deleteSlice(statement, keepFromMs));
    while (!isStopping() && (await atLeisure(slice, isStopping)).next !== undefined);
  }
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
    earliestEnd: database.prepare(EARLIEST_END),
    expired: database.prepare(EXPIRED),
    deleteSessions: database.prepare(DELETE_SESSIONS),
    deleteTurns: database.prepare(DELETE_TURNS),
  };
}
