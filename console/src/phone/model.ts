/** What a handset is between two keys. Pure: the hook beside it does what has to be done. */
import type { PhoneAnswer } from "../../../src/api/phone-schemas.ts";
import type { Language } from "../i18n/index.ts";

export type Sim = {
  readonly id: string;
  readonly name: string;
  readonly msisdn: string;
  /** What backends are told as the network; empty: the channel's own. */
  readonly network: string;
  /** The handset's own words: its buttons and its errors. */
  readonly language: Language;
};
export type Chaos = {
  readonly latencyMs: number;
  readonly patienceMs: number;
  readonly screenOctetsMax: number;
  /** Once: the next turn has it, and it is off again. */
  readonly losesReply: boolean;
  readonly sendsTwice: boolean;
};
export const CALM: Chaos = {
  ...{ latencyMs: 0, patienceMs: 0, screenOctetsMax: 160, losesReply: false, sendsTwice: false },
};

export type StepKind = "dial" | "send" | "again" | "edited" | "hangup" | "drop";
/** One thing done at the handset and what came of it. */
export type Step = {
  readonly kind: StepKind;
  /** Masked where the screen before asked for a secret. */
  readonly typed: string;
  readonly isSecret: boolean;
  readonly answer: PhoneAnswer | undefined;
  readonly problem: string | undefined;
};

export type Call = {
  readonly sessionId: string;
  readonly dialled: string;
  readonly inputs: readonly string[];
  readonly number: number;
  /** That of the answer before: a cookie, a client state. */
  readonly memo: string | undefined;
};
export type HandsetState = {
  readonly call: Call | undefined;
  readonly isBusy: boolean;
  readonly asksSecret: boolean;
  readonly memo: string | undefined;
  readonly steps: readonly Step[];
  readonly selected: number;
  readonly lastDialled: string;
  readonly channel: string;
  readonly simId: string;
  readonly chaos: Chaos;
};

export const MASK = "••••";
const STEPS_MAX = 100;

export function addStep(state: HandsetState, step: Step): HandsetState {
  const steps = [...state.steps, step].slice(-STEPS_MAX);
  const { answer } = step;
  const isScreen = answer?.outcome === "screen";
  const isOver =
    step.kind === "hangup" ||
    step.kind === "drop" ||
    answer?.outcome === "operator_timeout" ||
    answer?.outcome === "refused" ||
    (isScreen && answer.action === "end");
  const isFailedDial = step.kind === "dial" && step.problem !== undefined;
  return {
    ...state,
    steps,
    isBusy: false,
    selected: steps.length - 1,
    asksSecret: !isOver && (isScreen ? answer.asks_secret === true : state.asksSecret),
    memo: isScreen ? answer.memo : state.memo,
    call: isOver || isFailedDial ? undefined : state.call,
    chaos: { ...state.chaos, losesReply: false, sendsTwice: false },
  };
}

/** The next request: what was typed goes to the dialogue under way, else it is dialled. */
export function nextCall(state: HandsetState, text: string, newId: () => string): Call {
  const { call, memo } = state;
  if (call === undefined) {
    return { sessionId: newId(), dialled: text.trim(), inputs: [], number: 1, memo: undefined };
  }
  return { ...call, inputs: [...call.inputs, text], number: call.number + 1, memo };
}

export type Line = { readonly text: string; readonly key: string | undefined };

/** "1. Balance", "1) Balance", "1: Balance", "0 Back": what a tap on a line would type. */
export function linesOf(screen: string): readonly Line[] {
  return screen.split("\n").map((text) => {
    const [, key] = /^\s{0,4}([0-9]{1,3}|[*#])(?:[.):\]-]\s{0,3}|\s{1,3})\S/.exec(text) ?? [];
    return { text, key };
  });
}

export function isDiallable(text: string): boolean {
  return /^\*\d{1,20}(?:\*\d{1,20}){0,9}#$/.test(text.trim());
}

/** The screen that the handset shows: that of the last step that brought one. */
export function lastStep(state: HandsetState): Step | undefined {
  return state.steps.at(-1);
}
