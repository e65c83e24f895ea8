/** How sessions and records lie in the columns of a SQL store. */
import type {
  AttemptRecord,
  Msisdn,
  Paging,
  Reply,
  ServiceCode,
  Session,
  SessionOutcome,
  TurnRecord,
} from "../types.ts";
import type { FailureCode } from "../core/failure.ts";
import type { TurnsTable } from "./migrations.ts";
import type { Sealer } from "./seal.ts";

/** What of a session hardly ever changes: written with its first turn. */
export type Statics = Pick<
  Session,
  "id" | "msisdn" | "networkSessionId" | "serviceCode" | "backendId" | "provider"
>;
/** The columns that every turn reads. */
export type TurnColumns = {
  readonly id: string;
  readonly outcome: SessionOutcome | null;
  readonly turns: number;
  readonly state: string;
};
export type StaticColumns = {
  readonly network_id: string | null;
  readonly service_code: ServiceCode | null;
  readonly backend_id: number | null;
  readonly provider: string;
  readonly msisdn_sealed: string | null;
};
/** `undefined` is not in JSON: a missing member stands for it. */
export type State = {
  readonly calls: number;
  readonly seenLength: number;
  readonly seenDigest: string;
  readonly messageId?: string | undefined;
  readonly olderMessageIds?: readonly string[] | undefined;
  /** A sealed JSON list; "" where there are none yet, missing where none are kept. */
  readonly inputs?: string | undefined;
  readonly lastReply?: Reply | undefined;
  readonly lastFailure?: FailureCode | undefined;
  readonly paging?: Paging | undefined;
  readonly asksSecret?: true | undefined;
  readonly pushed?: true | undefined;
  /** Sealed: answers are people's data. */
  readonly app?: string | undefined;
};

export function writeState(session: Session, sealer: Sealer): string {
  return JSON.stringify(stateOf(session, sealer));
}

export function stateOf(session: Session, sealer: Sealer): State {
  const { id, inputs } = session;
  return {
    calls: session.calls,
    seenLength: session.seen.length,
    seenDigest: session.seen.digest,
    messageId: session.messageId,
    olderMessageIds: session.olderMessageIds,
    // DESIGN 5: sealed, and dropped at the end.
    inputs: session.ended ? undefined : inputs && sealInputs(inputs, id, sealer),
    lastReply: session.lastReply,
    lastFailure: session.lastFailure,
    paging: session.paging,
    asksSecret: session.asksSecret ? true : undefined,
    pushed: session.pushed,
    app:
      session.appState === undefined || session.ended
        ? undefined
        : sealer.seal(session.appState, appPlace(id)),
  };
}

export function readSession(columns: TurnColumns, statics: Statics, sealer: Sealer): Session {
  return sessionFrom(columns, JSON.parse(columns.state) as State, statics, sealer);
}

export function sessionFrom(
  { id, outcome, turns }: Omit<TurnColumns, "state">,
  state: State,
  statics: Statics,
  sealer: Sealer,
): Session {
  return {
    id,
    msisdn: statics.msisdn,
    networkSessionId: statics.networkSessionId,
    serviceCode: statics.serviceCode,
    backendId: statics.backendId,
    provider: statics.provider,
    turns,
    calls: state.calls,
    seen: { length: state.seenLength, digest: state.seenDigest },
    messageId: state.messageId,
    ...(state.olderMessageIds === undefined ? {} : { olderMessageIds: state.olderMessageIds }),
    inputs: state.inputs === undefined ? undefined : openInputs(state.inputs, id, sealer),
    lastReply: state.lastReply,
    lastFailure: state.lastFailure,
    paging: state.paging,
    asksSecret: state.asksSecret === true,
    ...(state.pushed && { pushed: true }),
    ...(state.app !== undefined && { appState: sealer.open(state.app, appPlace(id)) }),
    ended: outcome !== null,
    outcome: outcome ?? undefined,
  };
}

/** What is kept of a session that is over: neither what was typed nor what an app made of it. */
export function asEnded({ appState: _, ...session }: Session): Session {
  return { ...session, inputs: undefined };
}

export function readLastReply(state: string | null): Reply | undefined {
  return state === null ? undefined : (JSON.parse(state) as State).lastReply;
}

export function readStatics(id: string, columns: StaticColumns, msisdn: Msisdn): Statics {
  return {
    id,
    msisdn,
    networkSessionId: columns.network_id ?? undefined,
    serviceCode: columns.service_code ?? undefined,
    backendId: columns.backend_id ?? undefined,
    provider: columns.provider,
  };
}

/** A copy of its own: to remember a session whole would keep screens and inputs in memory. */
export function staticsOf(session: Session): Statics {
  const { id, msisdn, networkSessionId, serviceCode, backendId, provider } = session;
  return { id, msisdn, networkSessionId, serviceCode, backendId, provider };
}

export function equalStatics(a: Statics, b: Statics): boolean {
  return (
    a.id === b.id &&
    a.serviceCode === b.serviceCode &&
    a.backendId === b.backendId &&
    a.provider === b.provider &&
    a.networkSessionId === b.networkSessionId &&
    a.msisdn === b.msisdn
  );
}

export function outcomeOf(session: Session): SessionOutcome | null {
  return session.ended ? (session.outcome ?? "completed") : null;
}

/** "" where no turn was ever settled and no message named it. */
export function openMsisdn(
  id: string,
  { msisdn_sealed }: Pick<StaticColumns, "msisdn_sealed">,
  sealer: Sealer,
): Msisdn {
  // It was parsed before it was sealed, and opens only as it was sealed.
  return (msisdn_sealed === null ? "" : sealer.open(msisdn_sealed, id)) as Msisdn;
}

export function readTurn(row: Omit<TurnsTable, "n">): TurnRecord {
  return {
    outcome: row.outcome,
    startedAtMs: row.at,
    tookMs: row.took_ms,
    backendMs: row.backend_ms,
    input: row.input,
    screen: row.screen,
    action: row.action ?? undefined,
    attempts: readAttempts(row.attempts),
    requestOctets: row.request_octets,
    replyOctets: row.reply_octets,
    flaw: row.flaw ?? undefined,
  };
}

export function writeAttempts(attempts: readonly AttemptRecord[]): string {
  return attempts.length === 0 ? "" : JSON.stringify(attempts);
}

function readAttempts(text: string): readonly AttemptRecord[] {
  if (text === "") return [];
  const attempts = JSON.parse(text) as readonly Partial<AttemptRecord>[];
  return attempts.map((attempt) => ({
    transactionId: attempt.transactionId ?? "",
    startMs: attempt.startMs ?? 0,
    tookMs: attempt.tookMs ?? 0,
    status: attempt.status,
    failure: attempt.failure,
  }));
}

function sealInputs(inputs: readonly string[], id: string, sealer: Sealer): string {
  return inputs.length === 0 ? "" : sealer.seal(JSON.stringify(inputs), inputsPlace(id));
}

function openInputs(text: string, id: string, sealer: Sealer): readonly string[] {
  return text === "" ? [] : (JSON.parse(sealer.open(text, inputsPlace(id))) as readonly string[]);
}

function appPlace(id: string): string {
  return `app:${id}`;
}

/** Not the MSISDN's place, so that one sealed text cannot stand in for the other. */
function inputsPlace(id: string): string {
  return `inputs:${id}`;
}
