/**
 * The turn path on SQLite. Everything here runs inside the transaction of the group commit.
 *
 * A page that a transaction touches costs 4 KiB of log, more than a statement does. So `open`
 * writes nothing but a lease, all leases share a few pages, `settle` appends a record, and the
 * session's own page is written later, together with others (sqlite-hot.ts).
 */
import type { DatabaseSync } from "node:sqlite";
import type { Ask, Held, Lease, Msisdn, Session, Settlement, TurnRecord } from "../types.ts";
import type { HeldLease } from "./lease.ts";
import { UNSETTLED_KEPT_MS, afterRelease, takeOver, unknownTurn } from "./lease.ts";
import type { Digest, Sealer } from "./seal.ts";
import { randomIds } from "./seal.ts";
import type { Recent } from "./recent.ts";
import { createRecent } from "./recent.ts";
import { createHotSessions, type Hot, type HotSessions } from "./sqlite-hot.ts";
import type { TurnStatements } from "./sqlite-statements.ts";
import { prepareTurnStatements } from "./sqlite-statements.ts";
import type { State, StaticColumns, Statics, TurnColumns } from "./session-row.ts";
import {
  asEnded,
  equalStatics,
  openMsisdn,
  outcomeOf,
  readSession,
  readStatics,
  stateOf,
  staticsOf,
  writeAttempts,
  writeState,
} from "./session-row.ts";

/** The database as the turn path uses it. Its functions run inside a transaction. */
export type TurnTables = {
  readonly sql: TurnStatements;
  readonly sealer: Sealer;
  readonly digest: Digest;
  readonly newToken: () => string;
  /** Opening a sealed MSISDN costs 6 µs, and a session comes back every few seconds. */
  readonly known: Recent<number, Statics>;
  /** Sealed for the lease of a first turn, and needed again by its settle. */
  readonly sealed: Recent<string, SealedMsisdn>;
  readonly hot: HotSessions;
  /** Sessions are numbered here: a row is written after its turns. */
  readonly nextSession: () => number;
};
type SealedMsisdn = { readonly msisdn: Msisdn; readonly text: string; readonly hash: string };

const ANSWER_MS_MAX = 5_000;
const STATICS_REMEMBERED_MAX = 65_536;
const SEALED_REMEMBERED_MAX = 8_192;
// A session may hold some 20 KiB of pages: no more of them than fit in memory at their worst.
const HOT_MAX = 16_384;

export function createTurnTables(
  database: DatabaseSync,
  sealer: Sealer,
  digest: Digest,
): TurnTables {
  const sql = prepareTurnStatements(database);
  let lastSession = (sql.lastSession.get() as { readonly n: number }).n;
  return {
    sql,
    sealer,
    digest,
    newToken: randomIds().newToken,
    known: createRecent(STATICS_REMEMBERED_MAX),
    sealed: createRecent(SEALED_REMEMBERED_MAX),
    hot: createHotSessions(HOT_MAX),
    nextSession: () => (lastSession += 1),
  };
}

export function open(tables: TurnTables, ask: Ask): Held {
  const { sql, hot } = tables;
  const { key, nowMs, freshId } = ask;
  const found = hot.get(key) ?? load(tables, key, ask.msisdn);
  const token = tokenFor(tables, found);
  const untilMs = nowMs + ask.leaseMs;
  const sealed = sealedForLease(tables, found, freshId, ask);
  const { changes } = sql.take.run(key, token, nowMs, untilMs, ask.digest, freshId, sealed);
  if (changes === 0) return openOver(tables, ask);
  return leased({ key, token, freshId }, found, ask, FIRST_DRIVE);
}

export function settle(tables: TurnTables, lease: Lease, settlement: Settlement): boolean {
  const { sql, hot } = tables;
  const { key } = lease;
  if (sql.giveBack.run(key, lease.token).changes === 0) return false;
  const { session, record, channel, nowMs, expiresAtMs } = settlement;
  const { n: heldN, lastTurn: heldTurn } = rowOf(lease.token);
  const isHeld = heldN !== 0 && isSession(tables, key, heldN, session.id);
  if (heldN !== 0 && !isHeld) {
    writeBack(tables, key);
    sql.retire.run(nowMs, "replaced", "abandoned", heldN);
  }
  const before = hot.get(key);
  const n = isHeld ? heldN : tables.nextSession();
  const hasRow = isHeld && (before?.hasRow ?? true);
  // Sealed inputs and states are dropped at the end (DESIGN §5), so they go to the row, which is
  // rewritten, and never to a record, which is not.
  const isBehind = (session.inputs ?? []).length === 0 && session.appState === undefined;
  const startedAtMs = before?.startedAtMs ?? record.startedAtMs;
  const times = { startedAtMs, lastAtMs: nowMs, expiresAtMs };
  const after = isBehind
    ? writeAfter(tables, key, { session, channel, ...times }, !isHeld || session.turns === 1)
    : null;
  const lastTurn = insertTurn(tables, n, isHeld ? heldTurn : 0, record, after);
  const unwrittenFrom = before?.session.id === session.id ? before.unwrittenFrom : 0;
  hot.set(key, {
    n,
    session: session.ended ? asEnded(session) : session,
    channel,
    ...times,
    lastTurn,
    undelivered: false,
    hasRow,
    unwrittenFrom: unwrittenFrom === 0 ? lastTurn : unwrittenFrom,
    unwrittenSinceMs: unwrittenFrom === 0 ? nowMs : (before?.unwrittenSinceMs ?? nowMs),
  });
  if (!isBehind) writeRow(tables, key);
  if (settlement.isUnread()) markUndelivered(tables, key, session.id);
  const overflowing = hot.overflow();
  if (overflowing !== undefined) writeBack(tables, overflowing);
  return true;
}

export function release({ sql }: TurnTables, lease: Lease): void {
  const row = sql.loadLease.get(lease.key) as LeaseRow | undefined;
  if (row?.token !== lease.token) return;
  const left = afterRelease(heldLease(row));
  if (left === "nothing") sql.giveBack.run(lease.key, lease.token);
  else sql.keepLease.run(left === "unsettled" ? row.digest : "", lease.key, lease.token);
}

export function markUndelivered(tables: TurnTables, key: string, sessionId: string): void {
  writeBack(tables, key);
  tables.sql.markUndelivered.run(key, sessionId);
}

/** Brings a session's row up to date. */
export function writeRow(tables: TurnTables, key: string): void {
  const hot = tables.hot.get(key);
  if (hot === undefined || hot.unwrittenFrom === 0) return;
  if (hot.hasRow) updateSession(tables, hot);
  else insertSession(tables, key, hot);
  tables.hot.set(key, { ...hot, hasRow: true, unwrittenFrom: 0 });
}

/** For what is done to rows by statements: the row is up to date, and the only truth. */
export function writeBack(tables: TurnTables, key: string): void {
  if (tables.hot.get(key) === undefined) return;
  writeRow(tables, key);
  tables.hot.delete(key);
}

/**
 * Notes from which turn on a start after a crash has to bring rows up to date. `answered`: no
 * answer is still on its way to its network, as it may be while turns are taken.
 */
export function noteWritten({ sql, hot }: TurnTables, answered: boolean): void {
  let first = (sql.lastTurn.get() as { n: number }).n + 1;
  for (const key of hot.unwritten()) first = Math.min(first, hot.get(key)?.unwrittenFrom ?? first);
  // Their rows may be up to date: whether their answers were written is still to be doubted.
  if (!answered) first = Math.min(first, (sql.firstDoubted.get(ANSWER_MS_MAX) as { n: number }).n);
  sql.written.run(first - 1);
}

/** A start after a crash: rows as the records of their last turns left them. */
export function restoreRows({ sql }: TurnTables): void {
  // Who held a lease had this file open alone, and is gone: nobody waits for it to lapse.
  sql.lapseAll.run();
  const settledAtMs = new Map<number, number>();
  let newestMs = 0;
  for (const row of sql.unwritten.iterate()) {
    const { n: turn, session: n, after, ended_at: endedAt } = row as UnwrittenRow;
    settledAtMs.set(n, endedAt);
    newestMs = Math.max(newestMs, endedAt);
    if (after === null) continue; // its row was written with it
    const { key, outcome, expiresAt, lastAt, turns, state, statics } = JSON.parse(after) as After;
    const dynamic = [turns, turn, JSON.stringify(state)] as const;
    if (statics !== undefined) {
      const { startedAt, columns } = statics;
      sql.restoreRow.run(n, key, outcome, expiresAt, startedAt, lastAt, ...dynamic, ...columns);
    }
    sql.restoreTurn.run(outcome, expiresAt, lastAt, ...dynamic, n);
  }
  // Settled so shortly before the kill that the answer may not have been written (F59).
  for (const [n, atMs] of settledAtMs) {
    if (newestMs - atMs <= ANSWER_MS_MAX) sql.doubtDelivery.run(n);
  }
}

type UnwrittenRow = {
  readonly n: number;
  readonly session: number;
  readonly after: string | null;
  readonly ended_at: number;
};

/** What `restoreRows` needs of a turn; of a session's first turn also what never changes. */
type After = {
  readonly key: string;
  readonly outcome: string | null;
  readonly expiresAt: number;
  readonly lastAt: number;
  readonly turns: number;
  readonly state: State;
  readonly statics?: {
    readonly startedAt: number;
    readonly columns: readonly (string | number | null)[];
  };
};

type Written = Pick<Hot, "session" | "channel" | "startedAtMs" | "lastAtMs" | "expiresAtMs">;

function writeAfter(tables: TurnTables, key: string, written: Written, isFirst: boolean): string {
  const { session, channel, startedAtMs, lastAtMs, expiresAtMs } = written;
  const after: After = {
    key,
    outcome: outcomeOf(session),
    expiresAt: expiresAtMs,
    lastAt: lastAtMs,
    turns: session.turns,
    state: stateOf(session, tables.sealer),
    ...(isFirst
      ? {
          statics: {
            startedAt: startedAtMs,
            columns: [session.id, ...staticColumns(tables, session, channel)],
          },
        }
      : {}),
  };
  return JSON.stringify(after);
}

/** Appends the record of a turn that nobody will drive again. */
export function recordUnknown(
  tables: TurnTables,
  n: number,
  lastTurn: number,
  takenAtMs: number,
): void {
  tables.sql.linkTurn.run(insertTurn(tables, n, lastTurn, unknownTurn(takenAtMs), null), n);
}

/** A row for a session of which no turn was ever settled: all that is known is its lease. */
export function insertUnsettled(
  { sql, sealer, digest, nextSession }: TurnTables,
  key: string,
  lease: Pick<LeaseRow, "fresh_id" | "taken_at" | "until" | "msisdn_sealed">,
): number {
  const { fresh_id, taken_at, until, msisdn_sealed } = lease;
  const hash = msisdn_sealed === null ? null : digest(sealer.open(msisdn_sealed, fresh_id));
  const n = nextSession();
  sql.insertUnsettled.run(
    n,
    key,
    until + UNSETTLED_KEPT_MS,
    taken_at,
    taken_at,
    fresh_id,
    hash,
    msisdn_sealed,
  );
  return n;
}

type SessionRow = Omit<TurnColumns, "state"> & {
  readonly n: number;
  readonly expires_at: number;
  readonly undelivered: number;
  readonly last_turn: number;
  readonly state: string | null;
};
type LeaseRow = {
  readonly token: string;
  readonly taken_at: number;
  readonly until: number;
  readonly digest: string;
  readonly fresh_id: string;
  readonly msisdn_sealed: string | null;
  readonly redriven: number;
  readonly lost: number;
};

const FIRST_DRIVE = { redriven: false, lost: 0 };

/** Somebody took a lease before and has not given it back. */
function openOver(tables: TurnTables, ask: Ask): Held {
  const { sql } = tables;
  const { key, nowMs } = ask;
  const lease = sql.loadLease.get(key) as LeaseRow;
  const held = heldLease(lease);
  const before = tables.hot.get(key) ?? load(tables, key, ask.msisdn);
  const taking = takeOver(
    held,
    ask,
    before?.session === undefined ? undefined : before.expiresAtMs,
  );
  if (taking.type === "busy") return taking;
  if (taking.gaveUp) {
    writeBack(tables, key);
    const n = before?.n ?? insertUnsettled(tables, key, lease);
    recordUnknown(tables, n, before?.lastTurn ?? 0, held.takenAtMs);
  }
  if (taking.type === "over") {
    writeBack(tables, key);
    sql.retireKey.run("unknown", key);
  }
  const found = tables.hot.get(key) ?? load(tables, key, ask.msisdn);
  const token = tokenFor(tables, found);
  const { freshId, redriven, lost } = taking;
  const untilMs = nowMs + ask.leaseMs;
  const sealed = sealedForLease(tables, found, freshId, ask);
  const flag = redriven ? 1 : 0;
  sql.takeOver.run(token, nowMs, untilMs, ask.digest, freshId, sealed, flag, lost, key);
  return leased({ key, token, freshId }, found, ask, taking);
}

/** What a turn needs of a session: a hot one's, or a row's. */
type Found = Pick<Hot, "n" | "lastTurn" | "expiresAtMs" | "undelivered"> & {
  /** Undefined where no turn was ever settled. */
  readonly session: Session | undefined;
};

function load(tables: TurnTables, key: string, msisdn: Msisdn | undefined): Found | undefined {
  const row = tables.sql.load.get(key) as SessionRow | undefined;
  if (row === undefined) return undefined;
  return {
    n: row.n,
    lastTurn: row.last_turn,
    expiresAtMs: row.expires_at,
    undelivered: row.undelivered === 1,
    session: row.state === null ? undefined : readRow(tables, row, msisdn),
  };
}

function leased(
  lease: Lease,
  found: Found | undefined,
  ask: Ask,
  { redriven, lost }: typeof FIRST_DRIVE,
): Held {
  const isThere = found?.session !== undefined && found.expiresAtMs > ask.nowMs;
  return {
    type: "leased",
    lease,
    session: isThere ? found.session : undefined,
    redriven,
    lostTurns: lost,
    undelivered: isThere && found.undelivered,
  };
}

function readRow(
  { sql, sealer, known }: TurnTables,
  row: SessionRow,
  msisdn: Msisdn | undefined,
): Session {
  let statics = known.get(row.n);
  if (statics?.id !== row.id) {
    const columns = sql.loadStatics.get(row.n) as StaticColumns;
    // A message that names the MSISDN has it in its key: the session's is the same.
    statics = readStatics(row.id, columns, msisdn ?? openMsisdn(row.id, columns, sealer));
    known.set(row.n, statics);
  }
  return readSession(row as TurnColumns, statics, sealer);
}

/** Tells settle where the session is. Nothing moves it while the lease holds. */
function tokenFor({ newToken }: TurnTables, found: Found | undefined): string {
  return found === undefined ? `${newToken()}.0.0` : `${newToken()}.${found.n}.${found.lastTurn}`;
}

function rowOf(token: string): { readonly n: number; readonly lastTurn: number } {
  const dot = token.indexOf(".");
  const secondDot = token.indexOf(".", dot + 1);
  return { n: +token.slice(dot + 1, secondDot), lastTurn: +token.slice(secondDot + 1) };
}

function isSession({ sql, known, hot }: TurnTables, key: string, n: number, id: string): boolean {
  const held = hot.get(key);
  if (held !== undefined) return held.session.id === id;
  return known.get(n)?.id === id || sql.isSession.get(n, id) !== undefined;
}

function insertSession(tables: TurnTables, key: string, hot: Hot): void {
  const { n, session, startedAtMs, lastAtMs, expiresAtMs, lastTurn } = hot;
  tables.sql.insertSession.run(
    n,
    key,
    outcomeOf(session),
    expiresAtMs,
    startedAtMs,
    lastAtMs,
    session.turns,
    lastTurn,
    writeState(session, tables.sealer),
    hot.undelivered ? 1 : 0,
    session.id,
    ...staticColumns(tables, session, hot.channel),
  );
  tables.known.set(n, staticsOf(session));
}

function updateSession(tables: TurnTables, hot: Hot): void {
  const { sql, sealer, known } = tables;
  const { n, session, lastAtMs, expiresAtMs, lastTurn } = hot;
  const state = writeState(session, sealer);
  const outcome = outcomeOf(session);
  const flag = hot.undelivered ? 1 : 0;
  sql.updateSession.run(outcome, expiresAtMs, lastAtMs, session.turns, lastTurn, state, flag, n);
  const statics = known.get(n);
  if (statics !== undefined && equalStatics(statics, session)) return;
  sql.updateStatics.run(...staticColumns(tables, session, hot.channel), n);
  known.set(n, staticsOf(session));
}

/** channel, network_id, service_code, backend_id, provider, msisdn_hash, msisdn_sealed */
function staticColumns(tables: TurnTables, session: Session, channel: string) {
  const { id, networkSessionId, serviceCode, backendId, provider, msisdn } = session;
  const sealed = sealFor(tables, id, msisdn);
  return [
    channel,
    networkSessionId ?? null,
    serviceCode ?? null,
    backendId ?? null,
    provider,
    sealed.hash,
    sealed.text,
  ] as const;
}

function sealFor(tables: TurnTables, id: string, msisdn: Msisdn): SealedMsisdn {
  const before = tables.sealed.get(id);
  if (before?.msisdn === msisdn) return before;
  const sealed = { msisdn, text: tables.sealer.seal(msisdn, id), hash: tables.digest(msisdn) };
  tables.sealed.set(id, sealed);
  return sealed;
}

/** A lease keeps the MSISDN of a first turn, whose session is not there to say who dialled. */
function sealedForLease(tables: TurnTables, found: Found | undefined, id: string, ask: Ask) {
  if (found !== undefined || ask.msisdn === undefined) return null;
  return sealFor(tables, id, ask.msisdn).text;
}

function insertTurn(
  { sql }: TurnTables,
  n: number,
  prev: number,
  record: TurnRecord,
  after: string | null,
): number {
  const { lastInsertRowid } = sql.insertTurn.run(
    n,
    prev,
    record.startedAtMs,
    record.tookMs,
    record.backendMs,
    record.outcome,
    record.input,
    record.screen,
    record.action ?? null,
    writeAttempts(record.attempts),
    record.requestOctets,
    record.replyOctets,
    record.flaw ?? null,
    after,
  );
  return Number(lastInsertRowid);
}

function heldLease(row: LeaseRow): HeldLease {
  return {
    token: row.token,
    takenAtMs: row.taken_at,
    untilMs: row.until,
    digest: row.digest,
    freshId: row.fresh_id,
    redriven: row.redriven === 1,
    lost: row.lost,
  };
}
