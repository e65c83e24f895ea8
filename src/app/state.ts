/** What is kept of a session between two turns: small JSON, names and values, never code. */
import type { Answers } from "./flow.ts";
import type { Marks } from "./layout.ts";
import type { AppReply } from "./turn.ts";

/** One entry of the navigation stack: a screen (p) or a flow (k, v, d). */
export type Frame = Marks & {
  /** Screen name; END and RESUME are the framework's own. */
  readonly s: string;
  /** Params; the text of END. */
  readonly p?: unknown;
  /** Key of the step on the phone: the cursor is a name, never a position. */
  readonly k?: string;
  /** Answers. */
  readonly v?: Answers;
  /** Secrets and confirms passed. */
  readonly d?: readonly string[];
};

/** What is there of a frame without its marks, field by field: every turn does this. */
export function bareOf({ s, p, k, v, d }: Frame): Frame {
  if (k !== undefined && v !== undefined && d !== undefined) return { s, k, v, d };
  return p === undefined ? { s } : { s, p };
}

/** A last text in pages. */
export const END = "$end";
/** "Continue where you left off?" above the stack it is about. */
export const RESUME = "$resume";

/** Wrong answers to secrets, by flow and step. */
export type Tries = Readonly<Record<string, number>>;

export type AppState = {
  /** Format: a session of another one counts as none. */
  readonly v: 1;
  /** The session that the effect key is made of; stays when another dial resumes it. */
  readonly id: string;
  /** The network's session that is on the phone. */
  readonly sid: string;
  /** Transaction id answered last: its repetition gets `reply` (R6). */
  readonly turn: string;
  /** Turns answered. */
  readonly n: number;
  /** What the wire said last, as length and keyed digest: histories contain PINs. */
  readonly seen?: readonly [length: number, digest: string];
  /** Empty when the session is over. */
  readonly stack: readonly Frame[];
  readonly reply: AppReply;
  /** What is on the phone is not the top of the stack: the next input is answered by showing it. */
  readonly off?: 1;
  readonly tries?: Tries;
  /** The language chosen in this session. */
  readonly l?: string;
  readonly at: number;
};

/** Undefined for text that is not such a state: a deploy may have changed the format. */
export function parseState(text: string | undefined): AppState | undefined {
  if (text === undefined) return undefined;
  const state = parseJson(text) as Partial<AppState> | null | undefined;
  return state?.v === 1 && Array.isArray(state.stack) ? (state as AppState) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
