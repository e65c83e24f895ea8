/**
 * What one message means, given the session we hold: a dial, an answer, or something said before.
 * Pure. Histories are stripped of what was seen, never split at "*": subscribers type it too.
 */
import { withDigits } from "../core/address.ts";
import type { Inbound } from "../types.ts";
import type { AppState } from "./state.ts";

export type Reading =
  /** The stored reply answers it. */
  | { readonly type: "repeat"; readonly reply: AppState["reply"] }
  /** The network says that the dialogue is over; nobody reads a screen. */
  | { readonly type: "abort" }
  | { readonly type: "begin"; readonly dialled: string | undefined; readonly isLost: boolean }
  | { readonly type: "input"; readonly text: string }
  /** Typed to a screen that is not the one on the phone by now: shown, not answered (R2). */
  | { readonly type: "show" };

export type ReadingGiven = {
  /** A keyed hash, handed in: this file needs neither the key nor node:crypto. */
  readonly digest: (text: string) => string;
  /** Another turn of this session was under way when this message came. */
  readonly waited: boolean;
};

export function readInbound(
  inbound: Inbound,
  state: AppState | undefined,
  given: ReadingGiven,
): Reading {
  const { phase, input, messageId } = inbound;
  if (phase === "abort") return { type: "abort" };
  if (state === undefined || state.sid !== sessionIdOf(inbound)) return begin(inbound);
  if (messageId !== undefined && messageId === state.turn) return repeat(state);
  if (input.kind === "history") return readHistory(inbound, state, given);

  const isLive = state.stack.length > 0;
  // Safaricom sends a session's begin twice; a twin of what was answered meanwhile says the same.
  const isFirstAgain = phase === "begin" && state.n === 1 && isLive;
  if (messageId === undefined && (isFirstAgain || given.waited)) {
    if (isSeen(input.text, state, given)) return repeat(state);
  }
  if (phase === "begin") return begin(inbound);
  if (!isLive) return phase === "unknown" ? begin(inbound) : repeat(state);
  if (given.waited || state.off === 1) return { type: "show" };
  return { type: "input", text: input.text };
}

function readHistory(inbound: Inbound, state: AppState, given: ReadingGiven): Reading {
  const { text } = inbound.input;
  const length = state.seen?.[0] ?? 0;
  if (text.length === length && isSeen(text, state, given)) return repeat(state);
  if (text === "") return begin(inbound);
  // A late copy of an old turn never runs a step twice.
  if (text.length < length) return repeat(state);
  const isLonger =
    (length === 0 || text.charCodeAt(length) === STAR) &&
    isSeen(text.slice(0, length), state, given);
  if (!isLonger) return begin(inbound);
  if (state.stack.length === 0) return repeat(state);
  if (given.waited || state.off === 1) return { type: "show" };
  return { type: "input", text: length === 0 ? text : text.slice(length + 1) };
}
const STAR = 0x2a;

/** Without a session: a dial, or an answer whose session is lost; both begin at the start. */
function begin({ phase, dialled, input }: Inbound): Reading {
  if (phase === "continue") return { type: "begin", dialled: undefined, isLost: true };
  if (dialled === undefined || input.kind === "latest" || input.text === "") {
    return { type: "begin", dialled, isLost: false };
  }
  // Where the wire sends history, a first text is what was dialled after the code.
  const whole = withDigits(dialled, input.text);
  return { type: "begin", dialled: whole ?? dialled, isLost: whole === undefined };
}

/** What is kept of a message, so that its repetition is known. */
export function seenOf(
  { input, messageId }: Inbound,
  digest: (text: string) => string,
): AppState["seen"] {
  if (input.kind === "latest" && messageId !== undefined) return undefined;
  return [input.text.length, digest(input.text)];
}

/** Where a wire has no id of the dialogue, the subscriber is all there is. */
export function sessionIdOf({ sessionId, msisdn }: Inbound): string {
  return sessionId ?? msisdn ?? "";
}

function repeat({ reply }: AppState): Reading {
  return { type: "repeat", reply };
}

function isSeen(text: string, { seen }: AppState, { digest }: ReadingGiven): boolean {
  return seen !== undefined && text.length === seen[0] && digest(text) === seen[1];
}
