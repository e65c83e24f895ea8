/**
 * One turn: (stack, input) ▶ outcome. No IO of its own and no state: everything is passed in, and
 * an effect is handed back unstarted. R2, R3 and R9 of APP-FRAMEWORK 6 are kept here.
 */
import { chain, type MaybePromise } from "./answers.ts";
import { answerFlow } from "./answer-flow.ts";
import type { AnyRoutes } from "./app.ts";
import {
  type AnyApp,
  chosenId,
  type Given,
  type Outcome,
  own,
  plain,
  type Shown,
} from "./given.ts";
import { leaf } from "./layout.ts";
import type { Answered } from "./screens.ts";
import { argsOf, end, frameOf, goHome, keysOf, type PlainScreen } from "./show.ts";
import { refuse, screenKeys, show, withMarks } from "./show.ts";
import { END, type Frame, RESUME } from "./state.ts";

const STACK_MAX = 32;

/** Without an input: show, don't answer. */
export function advance(
  given: Given,
  saved: readonly Frame[],
  input: string | undefined,
): MaybePromise<Outcome> {
  const alive = saved.filter((frame) => isAlive(given.app, frame));
  const top = alive.at(-1);
  // R2: an input belongs to what was shown. Gone after a deploy? Drop the input and say so.
  if (top === undefined) return show(given, [], saved.length === 0 ? "" : own(given, "updated"));
  if (top !== saved.at(-1)) return show(given, alive, own(given, "updated"));
  if (input === undefined) return show(given, alive, "");

  const typed = input.trim();
  const turned = leaf(top, typed);
  if (turned !== undefined) return show(given, [...alive.slice(0, -1), withMarks(top, turned)], "");
  if (top.s === END) return show(given, alive, "");
  if (top.s === RESUME) return answerResume(given, alive, typed);
  const def = given.app.screens[top.s]!;
  if (def.kind === "flow") return answerFlow(given, def, alive, typed);
  return answerScreen(given, def, alive, typed);
}

/** Gone: the screen or the step on the phone, or a flow and a screen changed places. */
export function isAlive(app: AnyApp, { s, k }: Frame): boolean {
  if (s === END || s === RESUME) return true;
  const def = Object.hasOwn(app.screens, s) ? app.screens[s] : undefined;
  if (def === undefined) return false;
  if (def.kind !== "flow") return k === undefined;
  return def.steps.some(({ key }) => key === k);
}

/** Whether what is on the phone asks for a secret. */
export function asksSecret(app: AnyApp, stack: readonly Frame[]): boolean {
  const top = stack.at(-1);
  if (top === undefined || !isAlive(app, top)) return false;
  const def = app.screens[top.s];
  if (def?.kind !== "flow") return false;
  return def.steps.some(({ key, kind }) => key === top.k && kind === "secret");
}

function answerScreen(
  given: Given,
  def: PlainScreen,
  alive: readonly Frame[],
  typed: string,
): MaybePromise<Outcome> {
  const top = alive.at(-1)!;
  const args = argsOf(given, top);
  if (screenKeys(given, def, alive.length).some(({ key }) => key === typed)) {
    const { home, exit } = keysOf(given, def);
    if (typed === home) return goHome(given, alive);
    if (typed === exit) return end(given, own(given, "goodbye"));
    const left = def.zero === undefined ? args.back() : def.zero.to(args);
    return chain(left, (next) => move(given, alive, next));
  }
  const id = chosenId(top.m ?? [], typed);
  return chain(def.answer(typed, id, args), (next) => move(given, alive, next));
}

function move(
  given: Given,
  alive: readonly Frame[],
  next: Answered<AnyRoutes>,
): MaybePromise<Shown> {
  const below = alive.slice(0, -1);
  const { m: _shown, f: _more, b: _back, ...here } = alive.at(-1)!;
  switch (next.type) {
    case "go": {
      const opened = frameOf(given.app, next.screen, plain(next.params), given.ctx);
      const stack = next.replace ? [...below, opened] : [...below, here, opened];
      // The start stays, so that Home and the last Back have somewhere to go.
      if (stack.length > STACK_MAX) stack.splice(1, stack.length - STACK_MAX);
      return show(given, stack, "");
    }
    case "end":
      return end(given, next.text);
    case "back":
      return show(given, below.length > 0 ? below : alive, "");
    case "home":
      return goHome(given, alive);
    case "stay":
      return refuse(given, alive, next.refusal);
    case "speak":
      return move(given.speak(next.locale), alive, next.next);
    case "invalid":
    case "updated":
      return show(given, alive, own(given, next.type), true);
  }
}

function answerResume(given: Given, alive: readonly Frame[], typed: string): MaybePromise<Shown> {
  const id = chosenId(alive.at(-1)?.m ?? [], typed);
  if (id === "continue") return show(given, alive.slice(0, -1), "");
  if (id === "restart") return show(given, [], "");
  return show(given, alive, own(given, "invalid"), true);
}
