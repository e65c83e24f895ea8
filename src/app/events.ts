/** What listeners hear of a dialogue: no input ever, no MSISDN, no error of a secret step. */
import { measureScreen } from "../core/screen.ts";
import { END, type Frame } from "./state.ts";
import type { AppReply } from "./turn.ts";

type About = {
  readonly app: string;
  readonly version: string | undefined;
  readonly sessionId: string;
  readonly transactionId: string;
  readonly nowMs: number;
};
export type AppEvent = About &
  (
    | { readonly type: "session:start" | "session:resume" | "session:expired" }
    | { readonly type: "session:end"; readonly reason: "completed" | "aborted" }
    | {
        readonly type: "screen:enter" | "screen:exit" | "screen:invalid";
        /** "main", or "transfer.amount" for a step of a flow. */
        readonly screen: string;
      }
    | {
        readonly type: "flow:started" | "flow:done" | "flow:failed" | "flow:unknown";
        readonly flow: string;
      }
    /** A handler threw or took too long; the subscriber got the safe screen. */
    | { readonly type: "error"; readonly error: unknown }
    | {
        readonly type: "turn";
        readonly tookMs: number;
        readonly storeMs: number;
        readonly action: AppReply["action"] | undefined;
        /** Septets of GSM-7, or UTF-16 code units. */
        readonly units: number;
        readonly alphabet: "gsm7" | "ucs2";
      }
  );
/** One kind of event, without what all of them say. */
export type AppNote = AppEvent extends infer E
  ? E extends About
    ? Omit<E, keyof About>
    : never
  : never;

/** Where the cursor is, as a name. */
export function placeOf(stack: readonly Frame[]): string | undefined {
  const top = stack.at(-1);
  if (top === undefined || top.s === END) return undefined;
  return top.k === undefined ? top.s : `${top.s}.${top.k}`;
}

/** What happened between two stacks. */
export function notesBetween(
  before: readonly Frame[],
  after: readonly Frame[],
  invalid: boolean,
): readonly AppNote[] {
  const from = placeOf(before);
  const to = placeOf(after);
  if (from === to) {
    return invalid && to !== undefined ? [{ type: "screen:invalid", screen: to }] : [];
  }
  const notes: AppNote[] = [];
  if (from !== undefined) notes.push({ type: "screen:exit", screen: from });
  if (to !== undefined) notes.push({ type: "screen:enter", screen: to });
  const flow = after.at(-1);
  if (flow?.k !== undefined && before.at(-1)?.s !== flow.s) {
    notes.push({ type: "flow:started", flow: flow.s });
  }
  return notes;
}

export function turnNote(reply: AppReply | undefined, tookMs: number, storeMs: number): AppNote {
  const { units, alphabet } = measureScreen(reply?.screen ?? "");
  return { type: "turn", tookMs, storeMs, action: reply?.action, units, alphabet };
}
