/**
 * Every decision about a turn, and no IO: what one message means given the session we hold
 * (openTurn), and what is kept of it once the answer is known (closeTurn). RELIABILITY 2.2.
 */
import type {
  Backend,
  Dialled,
  Inbound,
  Msisdn,
  Opening,
  Paging,
  Reply,
  Session,
  Turn,
} from "../types.ts";
import { canonicalDialled, withDigits } from "./address.ts";
import type { FailureCode } from "./failure.ts";
import { MASK, maskInput } from "./redact.ts";
import { findRoute, type Routes } from "./route.ts";

export type Opened = ToAsk | Answered;
/** A backend is to be asked, once for each call, one after another. */
export type ToAsk = {
  readonly type: "ask";
  readonly session: Session;
  readonly backend: Backend;
  readonly calls: readonly Turn[];
  readonly shownInput: string;
};
/** The answer is known without asking anybody. */
export type Answered =
  | {
      readonly type: "page";
      readonly session: Session;
      readonly reply: Reply;
      readonly shownInput: string;
    }
  | { readonly type: "repeat"; readonly session: Session }
  | { readonly type: "abort"; readonly session: Session }
  | Failed
  | Unkept;
export type Failed = {
  readonly type: "failed";
  readonly code: FailureCode;
  readonly session: Session;
  readonly shownInput: string;
};
/** Nothing is to be written; `code` undefined: a notice about nothing we hold. */
export type Unkept = { readonly type: "unkept"; readonly code: FailureCode | undefined };

export type Given = {
  readonly routes: Routes;
  readonly backendById: (id: number) => Backend | undefined;
  /** A keyed hash, handed in: this file needs neither the key nor node:crypto. */
  readonly digest: (text: string) => string;
  readonly freshId: string;
  readonly provider: string;
  /** This message was seen before and its answer may not have arrived. */
  readonly isRetransmit: boolean;
  /** The same message held a lease that lapsed: it may have reached the backend. */
  readonly redriven: boolean;
  readonly lostTurns: number;
  readonly turnsMax: number;
};

/** Digits dialled after the code that are fed to a backend one call after another (DESIGN §5). */
export const DIALLED_DIGITS_MAX = 5;
/** Numbers a turn may use up: the first call and one for each digit. */
const CALLS_PER_TURN_MAX = 1 + DIALLED_DIGITS_MAX;

/** Decides what one inbound message means, given the session we hold for it, if any. */
export function openTurn(inbound: Inbound, stored: Session | undefined, given: Given): Opened {
  const isOver = stored !== undefined && (isFutile(stored) || isAnothers(stored, inbound));
  const held = isOver ? undefined : withLost(stored, given);
  if (inbound.phase === "abort") {
    if (held === undefined || held.ended) return { type: "unkept", code: undefined };
    return { type: "abort", session: held };
  }
  const typed = readInput(inbound, held, given);
  switch (typed.type) {
    case "repeat":
      return { type: "repeat", session: typed.session };
    case "changed":
      return { type: "unkept", code: "message_changed" };
    case "begin":
      return begin(inbound, typed.dialled, given);
    case "lost":
      return lost(inbound, held, given);
    case "input":
      return proceed(inbound, typed.session, typed.text, given);
  }
}

/** Numbers of turns lost in a crash are used up, whatever this turn turns out to be. */
function withLost(held: Session | undefined, { lostTurns }: Given): Session | undefined {
  if (held === undefined || lostTurns === 0) return held;
  return { ...held, calls: held.calls + lostTurns * CALLS_PER_TURN_MAX };
}

/** No backend was asked, so nothing is repeated by asking now: it may be registered since. */
function isFutile({ ended, lastFailure, calls }: Session): boolean {
  const wasNobody = lastFailure === "backend_not_found" || lastFailure === "backend_inactive";
  return ended && wasNobody && calls === 0;
}

/** Where sessions are found by the network's id alone, a new MSISDN meets no old state. */
function isAnothers({ msisdn }: Session, inbound: Inbound): boolean {
  return inbound.msisdn !== undefined && inbound.msisdn !== msisdn;
}

type Typed =
  | { readonly type: "repeat"; readonly session: Session }
  | { readonly type: "changed" | "lost" }
  | { readonly type: "begin"; readonly dialled: Dialled }
  | { readonly type: "input"; readonly session: Session; readonly text: string };

/** Is this a new dial, an answer, the same message again, or a message of nothing we know? */
function readInput(inbound: Inbound, held: Session | undefined, given: Given): Typed {
  if (held === undefined) return dialOrLost(inbound);
  const { input, messageId, phase } = inbound;
  if (messageId !== undefined && messageId === held.messageId) {
    return isSeen(fingerprint(inbound), held, given)
      ? { type: "repeat", session: held }
      : { type: "changed" };
  }
  if (messageId !== undefined && held.olderMessageIds?.includes(messageId) === true) {
    return { type: "repeat", session: held };
  }
  if (input.kind === "history") return readHistory(inbound, held, given);
  // A latest-only wire can't tell a retransmit from the same digit typed again (DESIGN §5), so
  // one needs a sign: a twin, a reply not written, or the first dial sent twice (Safaricom did).
  const isDial = phase === "begin" || (phase === "unknown" && isDialOf(inbound));
  const isFirstAgain = isDial && held.turns === 1 && !held.ended;
  if (
    (given.isRetransmit || isFirstAgain) &&
    messageId === undefined &&
    isSeen(fingerprint(inbound), held, given)
  ) {
    return { type: "repeat", session: held };
  }
  if (phase === "begin" || (phase === "unknown" && held.ended)) return dialOrLost(inbound);
  if (phase === "unknown" && input.text === "" && isElsewhere(inbound, held, given))
    return dialOrLost(inbound);
  return held.ended ? { type: "lost" } : { type: "input", session: held, text: input.text };
}

/**
 * Some wires send what was dialled as the first input, and nothing tells it from an answer: sent
 * twice, it would be one (PROTOCOLS 0, rule 1).
 */
function isDialOf({ dialled, input }: Inbound): boolean {
  return dialled !== undefined && canonicalDialled(input.text) === dialled;
}

/** Names a code that is another backend's: a dial, not an empty answer to this one. */
function isElsewhere({ dialled }: Inbound, { backendId }: Session, { routes }: Given): boolean {
  if (dialled === undefined) return false;
  const route = findRoute(routes, dialled);
  return route !== undefined && route.backend.id !== backendId;
}

/** Cumulative text: the input is what follows the text answered last, "*" and all. */
function readHistory(inbound: Inbound, held: Session, given: Given): Typed {
  const { text } = inbound.input;
  const { length } = held.seen;
  if (text.length === length && isSeen(text, held, given)) return { type: "repeat", session: held };
  if (text === "") return dialOrLost(inbound);
  // A late copy of an old turn never runs a step twice.
  if (text.length < length) return { type: "repeat", session: held };
  const extends_ =
    (length === 0 || text.charCodeAt(length) === STAR) &&
    isSeen(text.slice(0, length), held, given);
  if (!extends_ || held.ended) return { type: "lost" };
  return { type: "input", session: held, text: length === 0 ? text : text.slice(length + 1) };
}
const STAR = 0x2a;

/** A message without a session: a dial, unless it says or shows that it continues one. */
function dialOrLost({ phase, dialled, input }: Inbound): Typed {
  if (phase === "continue" || dialled === undefined) return { type: "lost" };
  if (input.kind === "latest" || input.text === "") return { type: "begin", dialled };
  // Where the wire sends history, a first text is what was dialled after the code.
  const whole = withDigits(dialled, input.text);
  return whole === undefined ? { type: "lost" } : { type: "begin", dialled: whole };
}

/** A code dialled with nothing behind it: the first call of a backend, before anything is chosen. */
export function isPlainDial({ phase, dialled, input }: Inbound, routes: Routes): boolean {
  const isDial = phase === "begin" || (phase === "unknown" && input.text === "");
  if (!isDial || dialled === undefined) return false;
  return (findRoute(routes, dialled)?.digits.length ?? 0) === 0;
}

/** What identifies a message: its text, or what was dialled where a dial carries no text. */
export function fingerprint({ input, dialled, phase }: Inbound): string {
  const isDial = phase === "begin" || (phase === "unknown" && input.text === "");
  return isDial && input.kind === "latest" ? (dialled ?? "") : input.text;
}

function isSeen(text: string, { seen }: Session, { digest }: Given): boolean {
  return text.length === seen.length && digest(text) === seen.digest;
}

function begin(inbound: Inbound, dialled: Dialled, given: Given): Opened {
  const fresh = freshSession(inbound, given);
  if (fresh === undefined) return { type: "unkept", code: "session_lost" };
  const route = findRoute(given.routes, dialled);
  const fail = (code: FailureCode, session: Session): Opened => ({
    type: "failed",
    code,
    session,
    shownInput: maskDigits(dialled),
  });
  if (route === undefined) return fail("backend_not_found", fresh);
  const { backend, digits } = route;
  const { serviceCode } = backend;
  const session = { ...fresh, serviceCode, backendId: backend.id };
  const shownInput = digits.length === 0 ? serviceCode : `${serviceCode.slice(0, -1)}*${MASK}#`;
  const carries = backend.codec.carriesDialledDigits === true;
  if (!carries && digits.length > DIALLED_DIGITS_MAX) return fail("backend_not_found", session);
  const calls = firstCalls(session, backend, digits, given.lostTurns);
  return askOrFail(
    { type: "ask", session: keepInputs(session, backend, digits), backend, calls, shownInput },
    given,
  );
}

/** Begins a backend's dialogue: one call, or one for each of the digits after the first. */
function firstCalls(
  session: Session,
  backend: Backend,
  digits: readonly string[],
  lostTurns: number,
): readonly Turn[] {
  const { carriesDialledDigits } = backend.codec;
  // An answer to a screen of ours may be anything; a dial string holds digits alone.
  const carries = carriesDialledDigits === true && digits.every((text) => /^\d+$/.test(text));
  const inputs = carries
    ? [[...digits]]
    : [[], ...digits.map((_, index) => digits.slice(0, index + 1))];
  return inputs.map((typed, index) => ({
    ...callOf(session, backend, lostTurns * CALLS_PER_TURN_MAX + index + 1),
    input: carries ? "" : (typed.at(-1) ?? ""),
    inputs: typed,
    dialledDigits: carries ? digits : [],
  }));
}

function proceed(inbound: Inbound, held: Session, text: string, given: Given): Opened {
  const shownInput = maskInput(text, held.asksSecret);
  const seen = seenOf(inbound, given);
  const turns = held.turns + 1;
  const { messageId } = inbound;
  const { pushed, ...before } = held;
  const session: Session = { ...before, ...olderIds(held), seen, messageId, turns };
  const fail = (code: FailureCode): Opened => ({ type: "failed", code, session, shownInput });
  // Leafing counts too: every turn leaves a record (F29).
  if (turns > given.turnsMax) return fail("session_too_long");
  const leafed = held.paging && leaf(held.paging, text);
  if (leafed !== undefined) {
    return {
      type: "page",
      session: { ...session, paging: leafed.paging },
      reply: leafed.reply,
      shownInput: text,
    };
  }
  const backend = held.backendId === undefined ? undefined : given.backendById(held.backendId);
  if (backend === undefined) return fail(given.redriven ? "turn_unsettled" : "backend_inactive");
  // The answer to a screen of ours begins the backend's dialogue, as if dialled after its code.
  if (pushed) {
    const calls = firstCalls(session, backend, [text], 0);
    const kept = keepInputs(session, backend, [text]);
    return askOrFail({ type: "ask", session: kept, backend, calls, shownInput }, given);
  }
  // Registered anew in mid-session for a protocol that wants the history, of which half is gone:
  // the application would take the rest for all of it.
  if (backend.codec.wantsHistory === true && held.inputs === undefined) return fail("session_lost");
  const inputs = [...(held.inputs ?? []), text];
  const call = { ...callOf(session, backend, 1), input: text, inputs, dialledDigits: [] };
  const kept = keepInputs({ ...session, paging: undefined }, backend, inputs);
  return askOrFail({ type: "ask", session: kept, backend, calls: [call], shownInput }, given);
}

/** "*365****#": digits dialled after the first code may be a PIN. */
function maskDigits(dialled: string): string {
  const end = dialled.indexOf("*", 1);
  return end === -1 ? dialled : `${dialled.slice(0, end)}*${MASK}#`;
}

const MESSAGE_IDS_MAX = 8;
function olderIds({ messageId, olderMessageIds = [] }: Session): Partial<Session> {
  if (messageId === undefined) return {};
  return { olderMessageIds: [messageId, ...olderMessageIds].slice(0, MESSAGE_IDS_MAX) };
}

/** The last checks that hold for a first call and for later ones. */
function askOrFail(ask: ToAsk, { redriven }: Given): Opened {
  const { session, backend, shownInput } = ask;
  if (!backend.isActive && session.turns === 1) {
    const code = redriven ? "turn_unsettled" : "backend_inactive";
    return { type: "failed", code, session, shownInput };
  }
  // It may have been executed, and this backend must not be asked twice (RELIABILITY 2.3).
  if (redriven && !backend.idempotent) {
    return { type: "failed", code: "turn_unsettled", session, shownInput };
  }
  return ask;
}

/** Ids of the nth call of this turn. Numbers of turns lost in a crash are never used again. */
function callOf(session: Session, backend: Backend, nth: number) {
  const number = session.calls + nth;
  return {
    sessionId: session.id,
    transactionId: `txn_${session.id.slice("sess_".length)}_${number}`,
    number,
    msisdn: session.msisdn,
    serviceCode: backend.serviceCode,
    provider: session.provider,
  };
}

/** Inputs are kept for backends that want the history, and for nobody else (DESIGN §7). */
function keepInputs(session: Session, backend: Backend, inputs: readonly string[]): Session {
  return { ...session, inputs: backend.codec.wantsHistory === true ? inputs : undefined };
}

function seenOf(inbound: Inbound, { digest }: Given): Session["seen"] {
  const text = fingerprint(inbound);
  return { length: text.length, digest: digest(text) };
}

function freshSession(inbound: Inbound, given: Given): Session | undefined {
  if (inbound.msisdn === undefined) return undefined;
  return {
    id: given.freshId,
    msisdn: inbound.msisdn,
    networkSessionId: inbound.sessionId,
    serviceCode: undefined,
    backendId: undefined,
    provider: inbound.network ?? given.provider,
    turns: 1,
    calls: 0,
    seen: seenOf(inbound, given),
    messageId: inbound.messageId,
    inputs: undefined,
    lastReply: undefined,
    lastFailure: undefined,
    paging: undefined,
    asksSecret: false,
    ended: false,
    outcome: undefined,
  };
}

/** A live session whose history forked is over; a message of no session leaves its own trace. */
function lost(inbound: Inbound, held: Session | undefined, given: Given): Failed | Unkept {
  const live = held?.ended === false ? held : undefined;
  const session = live
    ? { ...live, turns: live.turns + 1, seen: seenOf(inbound, given), messageId: inbound.messageId }
    : freshSession(inbound, given);
  if (session === undefined) return { type: "unkept", code: "session_lost" };
  return { type: "failed", code: "session_lost", session, shownInput: MASK };
}

/** The page asked for; undefined when the input is an answer to the backend. */
function leaf(paging: Paging, input: string): { paging: Paging; reply: Reply } | undefined {
  const { pages, moreKey, backKey, action } = paging;
  const last = pages.length - 1;
  const step =
    input === moreKey && paging.shown < last ? 1 : input === backKey && paging.shown > 0 ? -1 : 0;
  if (step === 0 && action === "continue") return undefined;
  const shown = paging.shown + step;
  return { paging: { ...paging, shown }, reply: pageReply(pages, shown, action) };
}

/** A dialogue that the backend ended stays open until its last page was read. */
export function pageReply(pages: readonly string[], shown: number, action: Reply["action"]): Reply {
  const isLast = shown === pages.length - 1;
  return { action: isLast ? action : "continue", screen: pages[shown] ?? "" };
}

/** How a turn came out, as the gateway tells closeTurn. */
export type Closing = {
  readonly reply: Reply;
  readonly failure: FailureCode | undefined;
  readonly paging: Paging | undefined;
  readonly asksSecret: boolean;
  /** Backend calls that were made or begun: their numbers are used up. */
  readonly lastNumber: number | undefined;
};

/** The session to keep after a screen was decided. */
export function closeTurn(session: Session, closing: Closing): Session {
  const { reply, failure, paging, asksSecret, lastNumber } = closing;
  const ended = reply.action === "end";
  return {
    ...session,
    calls: lastNumber ?? session.calls,
    lastReply: { action: reply.action, screen: reply.screen },
    lastFailure: failure,
    paging,
    asksSecret,
    inputs: ended ? undefined : session.inputs,
    ended,
    outcome: ended ? (failure ?? "completed") : undefined,
  };
}

/** The session after a notice that the dialogue is over. */
export function abortSession(session: Session): Session {
  const over = { inputs: undefined, paging: undefined, appState: undefined };
  return { ...session, ...over, ended: true, outcome: "cancelled" };
}

/** A session that begins with a screen of ours. */
export function pushedSession(
  id: string,
  { msisdn, reply }: Pick<Opening, "msisdn" | "reply">,
  facts: Pick<
    Session,
    "networkSessionId" | "serviceCode" | "backendId" | "provider" | "asksSecret"
  >,
): Session {
  const ended = reply.action === "end";
  return {
    ...{ id, msisdn, ...facts, turns: 1, calls: 0, pushed: true },
    seen: { length: 0, digest: "" },
    messageId: undefined,
    inputs: undefined,
    lastReply: reply,
    lastFailure: undefined,
    paging: undefined,
    ended,
    outcome: ended ? "completed" : undefined,
  };
}

/** For a push to a backend that hears notices: the session's last call, nothing typed. */
export function noticeTurn(session: Session, msisdn: Msisdn, backend: Backend): Turn {
  const number = session.calls;
  return {
    sessionId: session.id,
    transactionId: `txn_${session.id.slice("sess_".length)}_${number}_end`,
    number,
    msisdn,
    serviceCode: backend.serviceCode,
    provider: session.provider,
    input: "",
    inputs: [],
    dialledDigits: [],
  };
}
