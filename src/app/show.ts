/** From the top of a stack to what the subscriber reads, and back into the stack what was shown. */
import { chain, type MaybePromise, type Refusal } from "./answers.ts";
import type { AnyRoutes, Keys } from "./app.ts";
import { flowView, openFlow, type Seen } from "./flow-steps.ts";
import { type AnyApp, type Given, own, reservedKeys, type Shown } from "./given.ts";
import type { Footer, Marks } from "./layout.ts";
import { layOut } from "./layout.ts";
import type { Args, Nav, Next, Screen } from "./screens.ts";
import { bareOf, END, type Frame, RESUME } from "./state.ts";
import type { Text } from "./text.ts";

export type PlainScreen = Screen<AnyRoutes, unknown, unknown>;

/** A place in the app as a frame. */
export function frameOf(app: AnyApp, s: string, params: unknown, ctx: unknown): Frame {
  const def = Object.hasOwn(app.screens, s) ? app.screens[s] : undefined;
  if (def === undefined) throw new Error(`app "${app.name}" has no screen "${s}"`);
  return def.kind === "flow" ? openFlow(def, s, params, ctx) : { s, p: params };
}

/** Shows the top of a stack, or the start screen of an empty one. */
export function show(
  given: Given,
  stack: readonly Frame[],
  notice: Text,
  invalid = false,
): MaybePromise<Shown> {
  const start = given.app.start;
  const whole = stack.length === 0 ? [frameOf(given.app, start, {}, given.ctx)] : stack;
  const seen = viewOf(given, whole.at(-1)!, whole.length);
  return chain(seen, (view) => shownOf(given, whole, view, { notice, invalid }));
}

function shownOf(
  given: Given,
  whole: readonly Frame[],
  seen: Seen,
  { notice, invalid }: { readonly notice: Text; readonly invalid: boolean },
): Shown {
  const top = whole.at(-1)!;
  const { screen, marks } = layOut(seen.view, given.turn.say(notice), top, given.layout);
  const frame = withMarks(
    top,
    seen.confirms === undefined ? marks : { ...marks, m: seen.confirms },
  );
  const isLast = top.s === END && marks.f === undefined;
  return {
    type: "shown",
    stack: isLast ? [] : [...whole.slice(0, -1), frame],
    reply: { action: isLast ? "end" : "continue", screen },
    secret: seen.secret,
    invalid,
    tries: given.tries,
    locale: given.turn.locale,
  };
}

/** The same screen again. A refusal that stands alone leaves what can be answered as it was. */
export function refuse(
  given: Given,
  stack: readonly Frame[],
  { text, alone }: Refusal,
): MaybePromise<Shown> {
  if (!alone) return show(given, stack, text, true);
  return chain(viewOf(given, stack.at(-1)!, stack.length), ({ secret }) => {
    const { screen } = layOut(aloneView(given.turn.say(text), "error"), "", {}, given.layout);
    const reply = { action: "continue", screen } as const;
    const { tries, turn } = given;
    return { type: "shown", stack, reply, secret, invalid: true, tries, locale: turn.locale };
  });
}

/** The last text of a session, in pages where it is long. */
export function end(given: Given, text: Text): MaybePromise<Shown> {
  return show(given, [{ s: END, p: given.turn.say(text) }], "");
}

export function goHome(given: Given, alive: readonly Frame[]): MaybePromise<Shown> {
  const [first] = alive;
  return show(given, first?.s === given.app.start ? [first] : [], "");
}

function viewOf(given: Given, top: Frame, depth: number): MaybePromise<Seen> {
  const { app, turn } = given;
  const plain = { secret: false, confirms: undefined } as const;
  if (top.s === END) return { ...plain, view: aloneView(String(top.p), "paginate") };
  if (top.s === RESUME) {
    const lines = [
      { id: "continue", label: own(given, "continue") },
      { id: "restart", label: own(given, "restart") },
    ];
    return { ...plain, view: { ...aloneView(own(given, "resume"), "error"), lines } };
  }
  const def = app.screens[top.s]!;
  if (def.kind === "flow") return flowView(given, def, top, depth);
  return chain(def.render(argsOf(given, top)), (rendered) => {
    const { text, lines, fit = "paginate", gap = false } = rendered;
    const view = {
      text: turn.say(text),
      lines: lines?.map(({ id, label }) => ({ id, label: turn.say(label) })),
      footer: screenKeys(given, def, depth),
      gap,
      fit,
    };
    return { ...plain, view };
  });
}

function aloneView(text: string, fit: "error" | "paginate") {
  return { text, lines: undefined, footer: [], fit } as const;
}

/** The reserved keys that work on a screen, as they are shown. */
export function screenKeys(given: Given, def: PlainScreen, depth: number): readonly Footer[] {
  if (!def.keys) return [];
  const keys = keysOf(given, def);
  const { back } = keys;
  const rest = reservedKeys(given, depth, def.zero === undefined && depth > 1, keys);
  if (def.zero === undefined) return rest;
  return [{ key: back === false ? "0" : back, label: given.turn.say(def.zero.label) }, ...rest];
}

/** The app's keys, as this screen has them. */
export function keysOf({ app }: Given, { ownKeys }: PlainScreen): Keys {
  return ownKeys === undefined ? app.keys : { ...app.keys, ...ownKeys };
}

/** R1: one frozen object, made for this call. */
export function argsOf({ ctx, turn }: Given, { p }: Frame): Args<AnyRoutes, unknown, unknown> {
  return Object.freeze({ ...nav, params: p, ctx, turn });
}

const nav: Nav<AnyRoutes> = {
  go: (screen, ...[params]) => ({ type: "go", screen, params: params ?? {}, replace: false }),
  replace: (screen, ...[params]) => ({ type: "go", screen, params: params ?? {}, replace: true }),
  end: (text) => ({ type: "end", text }),
  back: () => ({ type: "back" }),
  home: () => ({ type: "home" }),
  speak: (locale, next) => ({ type: "speak", locale, next }),
  stay: (error): Next<AnyRoutes> => ({ type: "stay", refusal: refusalOf(error) }),
};

function refusalOf(error: Text | Refusal): Refusal {
  if (typeof error === "object" && "type" in error) return error;
  return { type: "bad", text: error, alone: false };
}

/** A frame with other marks than before. */
export function withMarks(frame: Frame, marks: Marks): Frame {
  return { ...bareOf(frame), ...marks };
}
