/** What every callback is told of the turn it runs in (APP-FRAMEWORK R11: no globals). */
import type { Text } from "./text.ts";

/**
 * One turn of one session. Each turn has its own; nothing of it may be kept for another.
 * @example
 * const context = async (turn: AppTurn) => ({ user: await users.find(turn.msisdn, turn.signal) });
 */
export type AppTurn = {
  /** The network's own id; the MSISDN where a wire has none. */
  readonly sessionId: string;
  /** A repeated delivery repeats it. */
  readonly transactionId: string;
  /** E.164 digits without "+"; "" where the wire names the subscriber on the first leg only. */
  readonly msisdn: string;
  /** The code as dialled, known at the first turn of most wires. */
  readonly dialled: string | undefined;
  readonly network: string | undefined;
  readonly locale: string;
  readonly nowMs: number;
  /** The subscriber gets the safe screen at this time. */
  readonly deadlineMs: number;
  /** Aborted at the deadline: pass it to every call that takes one. */
  readonly signal: AbortSignal;
  /** Between 0 and 1, from the mount: a test knows what comes. */
  readonly random: () => number;
  readonly log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
  /** A message in the subscriber's language, for use inside a longer text. */
  readonly say: (text: Text) => string;
};

/**
 * Runs around every turn. What `next` gives is the turn's reply; without calling it, what is
 * returned is shown instead and the subscriber stays where they were.
 * @example
 * const maintenance: Middleware = (turn, next) =>
 *   isDown(turn.nowMs) ? { action: "end", screen: "Back at 6:00" } : next();
 */
export type Middleware = (turn: AppTurn, next: () => Promise<AppReply>) => AppReplyOrPromise;
export type AppReply = { readonly action: "continue" | "end"; readonly screen: string };
type AppReplyOrPromise = AppReply | Promise<AppReply>;
