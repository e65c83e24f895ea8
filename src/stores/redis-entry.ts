/** What the Redis store writes: sessions, leases, and the records that go on to SQL. */
import type { Ask, Held, Lease, Session, SessionOutcome, Settlement } from "../types.ts";
import type { HeldLease } from "./lease.ts";
import type { Sealer } from "./seal.ts";
import type { SettledRow, UnknownRow } from "./sql-drain.ts";
import type { State, StaticColumns } from "./session-row.ts";
import {
  openMsisdn,
  outcomeOf,
  readStatics,
  sessionFrom,
  stateOf,
  writeAttempts,
} from "./session-row.ts";
import type { StreamEntry } from "./redis-scripts.ts";

/** A session as its key holds it; `id` first, where a script looks for it. */
type StoredSession = StaticColumns & {
  readonly id: string;
  readonly outcome: SessionOutcome | null;
  readonly expires_at: number;
  readonly last_at: number;
  readonly turns: number;
  readonly channel: string;
  readonly msisdn_hash: string | null;
  /** The process that settled it last; sessions of earlier releases name none. */
  readonly run?: string;
  readonly state: State;
};
export type SealedMsisdn = { readonly text: string; readonly hash: string };
/** What of a stored session is not in the Session. */
export type FoundSession = {
  readonly id: string;
  readonly run: string | undefined;
  readonly lastAtMs: number;
  readonly seenDigest: string;
  readonly expiresAtMs: number;
  readonly isUndelivered: boolean;
  readonly read: (named: Ask["msisdn"], sealer: Sealer) => Session;
};
export type StoredLease = HeldLease & { readonly sealed: string | null };

/** `call` tells one settle from another. */
export function writeSession(
  settlement: Settlement,
  msisdn: SealedMsisdn,
  { call, run }: { readonly call: string; readonly run: string },
  sealer: Sealer,
): string {
  const { session, channel, nowMs, expiresAtMs, isUnread } = settlement;
  const stored: StoredSession = {
    id: session.id,
    outcome: outcomeOf(session),
    expires_at: expiresAtMs,
    last_at: nowMs,
    turns: session.turns,
    channel,
    network_id: session.networkSessionId ?? null,
    service_code: session.serviceCode ?? null,
    backend_id: session.backendId ?? null,
    provider: session.provider,
    msisdn_hash: msisdn.hash,
    msisdn_sealed: msisdn.text,
    run,
    state: stateOf(session, sealer),
  };
  return `${isUnread() ? 1 : 0}|${call}|${JSON.stringify(stored)}`;
}

export function findSession(text: string | null): FoundSession | undefined {
  if (text === null) return undefined;
  const stored = storedOf(text);
  const { id, outcome, turns, state } = stored;
  return {
    id,
    run: stored.run,
    lastAtMs: stored.last_at,
    seenDigest: state.seenDigest,
    expiresAtMs: stored.expires_at,
    isUndelivered: text.startsWith("1"),
    read(named, sealer) {
      // A message that names the MSISDN has it in its key: the session's is the same.
      const statics = readStatics(id, stored, named ?? openMsisdn(id, stored, sealer));
      return sessionFrom({ id, outcome, turns }, state, statics, sealer);
    },
  };
}

export function writeLease(lease: StoredLease): string {
  const { token, ...rest } = lease;
  return `${token}|${JSON.stringify(rest)}`;
}

export function readLease(text: string): StoredLease {
  const bar = text.indexOf("|");
  const token = text.slice(0, bar);
  const rest = JSON.parse(text.slice(bar + 1)) as Omit<StoredLease, "token">;
  // What a script wrote again has no members that were null.
  return { ...rest, sealed: rest.sealed ?? null, token: token === "-" ? "" : token };
}

export function leaseOf(
  ask: Ask,
  { token, freshId }: Pick<Lease, "token" | "freshId">,
  { redriven, lost }: Pick<HeldLease, "redriven" | "lost">,
  sealed: string | null,
): StoredLease {
  const { nowMs: takenAtMs, leaseMs, digest } = ask;
  return {
    token,
    takenAtMs,
    untilMs: takenAtMs + leaseMs,
    digest,
    freshId,
    redriven,
    lost,
    sealed,
  };
}

export function heldOf(
  found: FoundSession | undefined,
  ask: Ask,
  lease: Lease,
  { redriven, lost }: Pick<HeldLease, "redriven" | "lost">,
  sealer: Sealer,
  isDoubted = false,
): Held {
  const isThere = found !== undefined && found.expiresAtMs > ask.nowMs;
  return {
    type: "leased",
    lease,
    session: isThere ? found.read(ask.msisdn, sealer) : undefined,
    redriven,
    lostTurns: lost,
    undelivered: isThere && (found.isUndelivered || isDoubted),
  };
}

/** A turn's record; what its session has become is beside it in the stream. */
export function writeRecord({ token }: Lease, { record }: Settlement): string {
  const turn: SettledRow["turn"] = {
    record_id: token,
    at: record.startedAtMs,
    took_ms: record.tookMs,
    backend_ms: record.backendMs,
    outcome: record.outcome,
    input: record.input,
    screen: record.screen,
    action: record.action ?? null,
    attempts: writeAttempts(record.attempts),
    request_octets: record.requestOctets,
    reply_octets: record.replyOctets,
    flaw: record.flaw ?? null,
  };
  return JSON.stringify(turn);
}

/** Nobody settled it and nobody will. `isOver`: its session is over with it. */
export function writeUnknown(lease: StoredLease, hash: string | null, isOver: boolean): string {
  const { token, freshId, takenAtMs, untilMs, sealed } = lease;
  const unknown: Omit<UnknownRow, "type" | "key"> = {
    // A lease that was given back has no token.
    record_id: token === "" ? `${freshId}.${takenAtMs}` : token,
    // One kept for its numbers: no turn of it is in doubt.
    isTurn: lease.digest !== "",
    isOver,
    freshId,
    takenAtMs,
    untilMs,
    msisdn_hash: hash,
    msisdn_sealed: sealed,
  };
  return JSON.stringify(unknown);
}

export function readEntry([, fields]: StreamEntry): SettledRow | UnknownRow | undefined {
  if (fields === null) return undefined;
  const named = new Map<string, string>();
  for (let at = 0; at + 1 < fields.length; at += 2) named.set(fields[at]!, fields[at + 1]!);
  const key = named.get("k") ?? "";
  const session = named.get("s");
  const record = JSON.parse(named.get("r") ?? "null") as unknown;
  if (session === undefined) return { ...(record as UnknownRow), type: "unknown", key };
  const { state, run: _, ...columns } = storedOf(session);
  const row = { ...columns, key, state: JSON.stringify(state) };
  return { type: "settled", key, row, turn: record as SettledRow["turn"] };
}

function storedOf(text: string): StoredSession {
  return JSON.parse(text.slice(text.indexOf("{"))) as StoredSession;
}
