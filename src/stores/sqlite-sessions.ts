/**
 * The turn path on SQLite. Everything here runs inside the transaction of the group commit.
 *
 * A page that a transaction touches costs 4 KiB of log, more than a statement does. So `open`
 * writes nothing but a lease, all leases share a few pages, records are appended, and only
 * `settle` touches the session's own page.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Ask, Held, Lease, Msisdn, Session, Settlement, TurnRecord } from "../types.ts";
import type { HeldLease } from "./lease.ts";
import { UNSETTLED_KEPT_MS, afterRelease, takeOver, unknownTurn } from "./lease.ts";
import type { Digest, Sealer } from "./seal.ts";
import { randomIds } from "./seal.ts";
import type { Recent } from "./recent.ts";
import { createRecent } from "./recent.ts";
import type { TurnStatements } from "./sqlite-statements.ts";
import { prepareTurnStatements } from "./sqlite-statements.ts";
import type { StaticColumns, Statics, TurnColumns } from "./session-row.ts";
import {
  equalStatics,
  openMsisdn,
  outcomeOf,
  readSession,
  readStatics,
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
};
type SealedMsisdn = { readonly msisdn: Msisdn; readonly text: string };

const STATICS_REMEMBERED_MAX = 65_536;
const SEALED_REMEMBERED_MAX = 8_192;

export function createTurnTables(
  database: DatabaseSync,
  sealer: Sealer,
  digest: Digest,
): TurnTables {
  return {
    sql: prepareTurnStatements(database),
    sealer,
    digest,
    newToken: randomIds().newToken,
    known: createRecent(STATICS_REMEMBERED_MAX),
    sealed: createRecent(SEALED_REMEMBERED_MAX),
  };
}

export function open(tables: TurnTables, ask: Ask): Held {
  const { sql } = tables;
  const { key, nowMs, freshId } = ask;
  const row = sql.load.get(key) as SessionRow | undefined;
  const token = tokenFor(tables, row);
  const untilMs = nowMs + ask.leaseMs;
  const sealed = row === undefined ? sealFor(tables, freshId, ask.msisdn) : null;
  const { changes } = sql.take.run(key, token, nowMs, untilMs, ask.digest, freshId, sealed);
  if (changes === 0) return openOver(tables, ask, row);
  return leased(tables, { key, token, freshId }, row, ask, FIRST_DRIVE);
}

export function settle(tables: TurnTables, lease: Lease, settlement: Settlement): boolean {
  const { sql } = tables;
  if (sql.giveBack.run(lease.key, lease.token).changes === 0) return false;
  const { session, record, nowMs } = settlement;
  const { n, lastTurn } = rowOf(lease.token);
  if (n !== 0 && isSession(tables, n, session.id)) {
    updateSession(tables, n, insertTurn(tables, n, lastTurn, record), settlement);
    return true;
  }
  if (n !== 0) sql.retire.run(nowMs, "replaced", "abandoned", n);
  insertTurn(tables, insertSession(tables, lease.key, settlement), 0, record);
  return true;
}

export function release({ sql }: TurnTables, lease: Lease): void {
  const row = sql.loadLease.get(lease.key) as LeaseRow | undefined;
  if (row?.token !== lease.token) return;
  const left = afterRelease(heldLease(row));
  if (left === "nothing") sql.giveBack.run(lease.key, lease.token);
  else sql.keepLease.run(left === "unsettled" ? row.digest : "", lease.key, lease.token);
}

export function markUndelivered({ sql }: TurnTables, key: string, sessionId: string): void {
  sql.markUndelivered.run(key, sessionId);
}

/** Appends the record of a turn that nobody will drive again. */
export function recordUnknown(
  tables: TurnTables,
  n: number,
  lastTurn: number,
  takenAtMs: number,
): void {
  tables.sql.linkTurn.run(insertTurn(tables, n, lastTurn, unknownTurn(takenAtMs)), n);
}

/** A row for a session of which no turn was ever settled: all that is known is its lease. */
export function insertUnsettled(
  { sql, sealer, digest }: TurnTables,
  key: string,
  lease: Pick<LeaseRow, "fresh_id" | "taken_at" | "until" | "msisdn_sealed">,
): number {
  const { fresh_id, taken_at, until, msisdn_sealed } = lease;
  const hash = msisdn_sealed === null ? null : digest(sealer.open(msisdn_sealed, fresh_id));
  const { lastInsertRowid } = sql.insertUnsettled.run(
    key,
    until + UNSETTLED_KEPT_MS,
    taken_at,
    taken_at,
    fresh_id,
    hash,
    msisdn_sealed,
  );
  return Number(lastInsertRowid);
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
function openOver(tables: TurnTables, ask: Ask, found: SessionRow | undefined): Held {
  const { sql } = tables;
  const { key, nowMs } = ask;
  const lease = sql.loadLease.get(key) as LeaseRow;
  const held = heldLease(lease);
  const expiresAtMs = found === undefined || found.state === null ? undefined : found.expires_at;
  const taking = takeOver(held, ask, expiresAtMs);
  if (taking.type === "busy") return taking;
  if (taking.gaveUp) {
    const n = found?.n ?? insertUnsettled(tables, key, lease);
    recordUnknown(tables, n, found?.last_turn ?? 0, held.takenAtMs);
  }
  if (taking.type === "over") sql.retireKey.run("unknown", key);
  const row = sql.load.get(key) as SessionRow | undefined;
  const token = tokenFor(tables, row);
  const { freshId, redriven, lost } = taking;
  const untilMs = nowMs + ask.leaseMs;
  const sealed = row === undefined ? sealFor(tables, freshId, ask.msisdn) : null;
  const flag = redriven ? 1 : 0;
  sql.takeOver.run(token, nowMs, untilMs, ask.digest, freshId, sealed, flag, lost, key);
  return leased(tables, { key, token, freshId }, row, ask, taking);
}

function leased(
  tables: TurnTables,
  lease: Lease,
  row: SessionRow | undefined,
  ask: Ask,
  { redriven, lost }: typeof FIRST_DRIVE,
): Held {
  const isThere = row !== undefined && row.state !== null && row.expires_at > ask.nowMs;
  return {
    type: "leased",
    lease,
    session: isThere ? readRow(tables, row, ask.msisdn) : undefined,
    redriven,
    lostTurns: lost,
    undelivered: isThere && row.undelivered === 1,
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
function tokenFor({ newToken }: TurnTables, row: SessionRow | undefined): string {
  return row === undefined ? `${newToken()}.0.0` : `${newToken()}.${row.n}.${row.last_turn}`;
}

function rowOf(token: string): { readonly n: number; readonly lastTurn: number } {
  const dot = token.indexOf(".");
  const secondDot = token.indexOf(".", dot + 1);
  return { n: +token.slice(dot + 1, secondDot), lastTurn: +token.slice(secondDot + 1) };
}

function isSession({ sql, known }: TurnTables, n: number, id: string): boolean {
  return known.get(n)?.id === id || sql.isSession.get(n, id) !== undefined;
}

function insertSession(tables: TurnTables, key: string, settlement: Settlement): number {
  const { session, record, channel, nowMs, expiresAtMs } = settlement;
  const { lastInsertRowid } = tables.sql.insertSession.run(
    key,
    outcomeOf(session),
    expiresAtMs,
    record.startedAtMs,
    nowMs,
    session.turns,
    session.id,
    channel,
    session.networkSessionId ?? null,
    session.serviceCode ?? null,
    session.backendId ?? null,
    session.provider,
    tables.digest(session.msisdn),
    sealFor(tables, session.id, session.msisdn),
    writeState(session, tables.sealer),
  );
  const n = Number(lastInsertRowid);
  tables.known.set(n, staticsOf(session));
  return n;
}

function updateSession(
  tables: TurnTables,
  n: number,
  lastTurn: number,
  { session, channel, nowMs, expiresAtMs }: Settlement,
): void {
  const { sql, sealer, known } = tables;
  const state = writeState(session, sealer);
  sql.updateSession.run(outcomeOf(session), expiresAtMs, nowMs, session.turns, lastTurn, state, n);
  const statics = known.get(n);
  if (statics !== undefined && equalStatics(statics, session)) return;
  sql.updateStatics.run(
    channel,
    session.networkSessionId ?? null,
    session.serviceCode ?? null,
    session.backendId ?? null,
    session.provider,
    tables.digest(session.msisdn),
    sealFor(tables, session.id, session.msisdn),
    n,
  );
  known.set(n, staticsOf(session));
}

function sealFor(tables: TurnTables, id: string, msisdn: Msisdn): string;
function sealFor(tables: TurnTables, id: string, msisdn: Msisdn | undefined): string | null;
function sealFor(tables: TurnTables, id: string, msisdn: Msisdn | undefined): string | null {
  if (msisdn === undefined) return null;
  const before = tables.sealed.get(id);
  if (before?.msisdn === msisdn) return before.text;
  const text = tables.sealer.seal(msisdn, id);
  tables.sealed.set(id, { msisdn, text });
  return text;
}

function insertTurn({ sql }: TurnTables, n: number, prev: number, record: TurnRecord): number {
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
