/** Which step of a flow is next, and what it shows. A step's key is its identity, never its place. */
import { chain, type MaybePromise } from "./answers.ts";
import type { Answers, FlowDef, FlowStep } from "./flow.ts";
import { type Given, own, reservedKeys } from "./given.ts";
import type { Footer, PlainView } from "./layout.ts";
import type { Frame } from "./state.ts";

export type FlowFrame = Frame & Required<Pick<Frame, "k" | "v" | "d">>;

export const YES = "1";
export const NO = "0";
/** Back from a confirm, where the flow offers it (R10). */
export const CHANGE = "2";

/** A flow from its first question that has no answer yet; `answers` are those given before. */
export function openFlow(def: FlowDef<unknown>, s: string, answers: unknown, ctx: unknown): Frame {
  const frame = { s, k: "", v: { ...(answers as Answers) }, d: [] };
  const open = findOpen(def, frame, ctx) ?? def.steps.at(-1)!;
  return { ...frame, k: open.key };
}

export function asFlowFrame(frame: Frame): FlowFrame {
  const { k = "", v = {}, d = [] } = frame;
  return { ...frame, k, v, d };
}

export function isPassed({ v, d }: FlowFrame, { key }: FlowStep): boolean {
  return Object.hasOwn(v, key) || d.includes(key);
}

/** The first step that applies and was not passed; undefined when all were. */
export function findOpen(
  def: FlowDef<unknown>,
  frame: FlowFrame,
  ctx: unknown,
): FlowStep | undefined {
  return def.steps.find((step) => !isPassed(frame, step) && step.applies(frame.v, ctx));
}

/** The questions before a step that apply: what a confirm confirms. */
export function questionsBefore(
  def: FlowDef<unknown>,
  step: FlowStep,
  v: Answers,
  ctx: unknown,
): readonly FlowStep[] {
  const before = def.steps.slice(0, def.steps.indexOf(step));
  return before.filter((one) => one.kind !== "confirm" && one.applies(v, ctx));
}

/** The answers to questions that still apply and still exist. */
export function liveAnswers(def: FlowDef<unknown>, v: Answers, ctx: unknown): Answers {
  // As a rule all of them do: `v` is this turn's own, so it is given as it is.
  const count = def.steps.filter(({ key, applies }) => Object.hasOwn(v, key) && applies(v, ctx));
  if (count.length === Object.keys(v).length) return Object.freeze(v);
  const live: Record<string, unknown> = {};
  for (const { key, applies } of def.steps) {
    if (Object.hasOwn(v, key) && applies(v, ctx)) live[key] = v[key];
  }
  return Object.freeze(live);
}

export type Seen = {
  readonly view: PlainView;
  readonly secret: boolean;
  /** Of a confirm: the questions that it confirms. */
  readonly confirms: readonly string[] | undefined;
};

export function flowView(
  given: Given,
  def: FlowDef<unknown>,
  top: Frame,
  depth: number,
): MaybePromise<Seen> {
  const { ctx, turn } = given;
  const frame = asFlowFrame(top);
  const step = def.steps.find(({ key }) => key === frame.k)!;
  const v = liveAnswers(def, frame.v, ctx);
  return chain(step.prompt(v, ctx, turn), (prompt) => {
    const secret = step.kind === "secret";
    const footer = stepKeys(given, step, depth);
    const view = { text: turn.say(prompt), lines: undefined, footer, fit: step.fit };
    if (step.kind === "confirm") {
      const keys = questionsBefore(def, step, frame.v, ctx).map(({ key }) => key);
      return { view, secret, confirms: keys };
    }
    if (step.kind !== "choose") return { view, secret, confirms: undefined };
    return chain(step.options(v, ctx, turn), (options) => {
      const lines = options.map(({ id, label }) => ({ id, label: turn.say(label) }));
      return { view: { ...view, lines }, secret, confirms: undefined };
    });
  });
}

export function stepKeys(given: Given, step: FlowStep, depth: number): readonly Footer[] {
  if (step.kind !== "confirm") return step.keys ? reservedKeys(given, depth, true) : [];
  const { yes, no, back } = step.confirm;
  const { turn } = given;
  return [
    { key: YES, label: yes === undefined ? own(given, "confirm") : turn.say(yes) },
    ...(back === undefined ? [] : [{ key: CHANGE, label: own(given, "back") }]),
    { key: NO, label: no === undefined ? own(given, "cancel") : turn.say(no) },
  ];
}
