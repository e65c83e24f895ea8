/**
 * An answer to a step of a flow: it reaches the step that was on the phone, or nobody. R4, R5, R6
 * and R10 of APP-FRAMEWORK 6 are kept here.
 */
import { MASK } from "../core/redact.ts";
import { chain, type MaybePromise, type Parsed, type Refusal } from "./answers.ts";
import {
  asFlowFrame,
  CHANGE,
  findOpen,
  type FlowFrame,
  isPassed,
  liveAnswers,
  NO,
  questionsBefore,
  stepKeys,
  YES,
} from "./flow-steps.ts";
import type { FlowDef, FlowStep } from "./flow.ts";
import { chosenId, type Given, type Outcome, own, plain, type Shown } from "./given.ts";
import { end, goHome, refuse, show } from "./show.ts";
import { bareOf, type Frame, type Tries } from "./state.ts";
import type { Text } from "./text.ts";

type Asked = {
  readonly given: Given;
  readonly def: FlowDef<unknown>;
  readonly alive: readonly Frame[];
  readonly frame: FlowFrame;
  readonly step: FlowStep;
};

export function answerFlow(
  given: Given,
  def: FlowDef<unknown>,
  alive: readonly Frame[],
  typed: string,
): MaybePromise<Outcome> {
  const frame = asFlowFrame(alive.at(-1)!);
  const step = def.steps.find(({ key }) => key === frame.k)!;
  const asked = { given, def, alive, frame, step };
  if (step.kind === "confirm") return answerConfirm(asked, typed);
  if (stepKeys(given, step, alive.length).some(({ key }) => key === typed)) {
    const { home, exit } = given.app.keys;
    if (typed === home) return goHome(given, alive);
    if (typed === exit) return end(given, own(given, "goodbye"));
    return goBack(asked);
  }
  if (step.kind === "choose") return answerChoice(asked, typed);
  const v = liveAnswers(def, frame.v, given.ctx);
  return chain<Parsed<unknown>, Outcome>(step.parse(typed, v, given.ctx, given.turn), (parsed) =>
    step.kind === "secret" ? answerSecret(asked, typed, parsed) : answerAsk(asked, parsed),
  );
}

function answerAsk(asked: Asked, parsed: Parsed<unknown>): MaybePromise<Outcome> {
  const { given, alive, frame, step } = asked;
  switch (parsed.type) {
    case "ok":
      return proceed(asked, { ...frame, v: { ...frame.v, [step.key]: plain(parsed.value) } });
    case "bad":
      return refuse(given, alive, parsed);
    case "stop":
      return end(given, parsed.text);
  }
}

/** R3: the number is of an option that was on the phone, whatever the options are by now. */
async function answerChoice(asked: Asked, typed: string): Promise<Outcome> {
  const { given, def, alive, frame, step } = asked;
  const id = chosenId(frame.m ?? [], typed);
  if (id === undefined) return show(given, alive, own(given, "invalid"), true);
  const v = liveAnswers(def, frame.v, given.ctx);
  const options = await step.options(v, given.ctx, given.turn);
  const option = options.find((candidate) => candidate.id === id);
  if (option === undefined) return show(given, alive, own(given, "updated"), true);
  return proceed(asked, { ...frame, v: { ...frame.v, [step.key]: plain(option.value) } });
}

/** R5: counted, locked, and neither kept nor said back. */
async function answerSecret(
  asked: Asked,
  typed: string,
  parsed: Parsed<unknown>,
): Promise<Outcome> {
  const { given, def, alive, frame, step } = asked;
  const counter = `${frame.s}.${step.key}`;
  const { [counter]: failed = 0, ...others } = given.tries;
  const quiet = (text: Text): string => hide(given.turn.say(text), typed);
  switch (parsed.type) {
    case "ok": {
      const passed = { ...frame, d: [...frame.d, step.key] };
      return proceed({ ...asked, given: { ...given, tries: others } }, passed);
    }
    case "bad": {
      const isLast = step.attempts !== undefined && failed + 1 >= step.attempts;
      if (isLast) {
        const v = liveAnswers(def, frame.v, given.ctx);
        await step.onLocked(v, given.ctx, given.turn);
        return end({ ...given, tries: others }, step.locked ?? own(given, "locked"));
      }
      const tries: Tries = { ...others, [counter]: failed + 1 };
      const refusal: Refusal = { ...parsed, text: quiet(parsed.text) };
      return refuse({ ...given, tries }, alive, refusal);
    }
    case "stop":
      return end(given, quiet(parsed.text));
  }
}

function answerConfirm(asked: Asked, typed: string): MaybePromise<Outcome> {
  const { given, def, alive, frame, step } = asked;
  const { cancelled, invalid, back } = step.confirm;
  // Some of what is to be confirmed is on a page not read yet.
  if (frame.f !== undefined) return show(given, alive, "", true);
  if (typed === NO) return end(given, cancelled ?? own(given, "cancelled"));
  if (typed === CHANGE && back !== undefined) return changeAnswer(asked, back);
  if (typed !== YES) {
    if (invalid === undefined) return show(given, alive, own(given, "invalid"), true);
    return refuse(given, alive, { type: "bad", text: invalid, alone: true });
  }
  const open = findOpen(def, frame, given.ctx);
  // R4: what came in between is asked first, and the confirm is shown again.
  if (open !== undefined && def.steps.indexOf(open) < def.steps.indexOf(step)) {
    return replaceTop(asked, { ...frame, k: open.key, d: unconfirmed(frame.d) }, "");
  }
  const confirms = questionsBefore(def, step, frame.v, given.ctx);
  if (!sameKeys(frame.m ?? [], confirms)) return show(given, alive, own(given, "updated"));
  return proceed(asked, { ...frame, d: [...frame.d, step.key] });
}

/** On to the next open step, or to the effect when there is none. */
function proceed(asked: Asked, after: FlowFrame): MaybePromise<Outcome> {
  const { given, def, alive } = asked;
  const open = findOpen(def, after, given.ctx);
  if (open !== undefined) {
    // R4: a question before a confirm that was passed takes the confirm back.
    const index = def.steps.indexOf(open);
    const isEarlier = def.steps.slice(index).some((later) => after.d.includes(later.key));
    const d = isEarlier ? unconfirmed(after.d) : after.d;
    return replaceTop(asked, { ...after, k: open.key, d }, "");
  }
  const { ctx, turn, tries } = given;
  const v = liveAnswers(def, after.v, ctx);
  return {
    type: "effect",
    flow: after.s,
    idempotent: def.idempotent,
    stack: alive,
    tries,
    run: async (effectKey) => def.run(v, ctx, effectKey, turn),
  };
}

/** Back to the step before, which is asked again; out of the flow from its first. */
function goBack(asked: Asked): MaybePromise<Shown> {
  const { given, def, alive, frame, step } = asked;
  const before = def.steps.slice(0, def.steps.indexOf(step));
  const previous = before.findLast((one) => isPassed(frame, one) && one.kind !== "confirm");
  if (previous === undefined) return show(given, alive.slice(0, -1), "");
  return replaceTop(asked, without(frame, previous), "");
}

/** R10: to the last answer; secrets after it are asked again, or stay passed. Never replayed. */
function changeAnswer(asked: Asked, mode: "ask" | "skip"): MaybePromise<Shown> {
  const { given, def, alive, frame, step } = asked;
  const questions = questionsBefore(def, step, frame.v, given.ctx);
  const previous = questions.findLast(({ kind }) => kind !== "secret");
  if (previous === undefined) return show(given, alive.slice(0, -1), "");
  const later = def.steps.slice(def.steps.indexOf(previous)).map(({ key }) => key);
  const kept = mode === "skip" ? frame.d : frame.d.filter((key) => !later.includes(key));
  return replaceTop(asked, without({ ...frame, d: unconfirmed(kept) }, previous), "");
}

function without(frame: FlowFrame, { key }: FlowStep): FlowFrame {
  const { [key]: _dropped, ...v } = frame.v;
  return { ...frame, k: key, v, d: frame.d.filter((passed) => passed !== key) };
}

function replaceTop(
  { given, alive }: Asked,
  frame: FlowFrame,
  notice: string,
): MaybePromise<Shown> {
  return show(given, [...alive.slice(0, -1), bareOf(frame)], notice);
}

function unconfirmed(passed: readonly string[]): readonly string[] {
  return passed.filter((key) => !key.startsWith("$"));
}

function sameKeys(shown: readonly string[], steps: readonly FlowStep[]): boolean {
  return shown.length === steps.length && steps.every(({ key }, index) => shown[index] === key);
}

const SECRET_CHARS_MIN = 3;

function hide(text: string, secret: string): string {
  return secret.length < SECRET_CHARS_MIN ? text : text.replaceAll(secret, MASK);
}
