/** Where a dial begins: at the start, at a star code's screen, or where the subscriber left off. */
import { isAlive } from "./engine.ts";
import { asFlowFrame, findOpen } from "./flow-steps.ts";
import type { AnyApp, Given } from "./given.ts";
import { type AppState, bareOf, END, type Frame, RESUME } from "./state.ts";

export type Place = { readonly screen: string; readonly params: unknown };

/** The screen declared for what was dialled, or for the longest part of it (R12). */
export function placeOfCode({ codes }: AnyApp, dialled: string | undefined): Place | undefined {
  if (dialled === undefined || codes.size === 0) return undefined;
  // Digits beyond a declared code are dropped: no answer, and surely no PIN, is ever dialled.
  for (let code = dialled; code.length > 2;) {
    const screen = codes.get(code);
    if (screen !== undefined) return { screen, params: {} };
    const star = code.lastIndexOf("*");
    if (star < 1) return undefined;
    code = `${code.slice(0, star)}#`;
  }
  return undefined;
}

export type Resumed =
  | { readonly type: "none"; readonly isExpired: boolean }
  | { readonly type: "resume" }
  /** Whoever held the last turn may have carried out the effect: not to be repeated. */
  | { readonly type: "unknown" };

const NONE: Resumed = { type: "none", isExpired: false };
const EXPIRED: Resumed = { type: "none", isExpired: true };

export function findResumable(
  app: AnyApp,
  state: AppState | undefined,
  { nowMs, lapsed }: { readonly nowMs: number; readonly lapsed: boolean },
): Resumed {
  const { mode, withinMs, screens } = app.resume;
  const top = state?.stack.findLast(({ s }) => s !== RESUME);
  if (mode === "never" || state === undefined || top === undefined || top.s === END) return NONE;
  if (lapsed && isBeforeEffect(app, top)) return { type: "unknown" };
  if (nowMs - state.at > withinMs || !isAlive(app, top)) return EXPIRED;
  if (screens !== undefined && !screens.includes(top.s)) return NONE;
  return { type: "resume" };
}

function isBeforeEffect(app: AnyApp, { s, k }: Frame): boolean {
  const def = Object.hasOwn(app.screens, s) ? app.screens[s] : undefined;
  return def?.kind === "flow" && def.steps.at(-1)?.key === k;
}

/** Never past a secret: what was passed is forgotten, and asked again from the first of it on. */
export function rewind({ app, ctx }: Given, stack: readonly Frame[]): readonly Frame[] {
  const plain = stack.filter(({ s }) => s !== RESUME);
  const top = plain.at(-1);
  const def = top && app.screens[top.s];
  if (top === undefined || def?.kind !== "flow") return plain;
  const frame = { ...asFlowFrame(bareOf(top)), d: [] };
  const open = findOpen(def, frame, ctx);
  return [...plain.slice(0, -1), { ...frame, k: open?.key ?? frame.k }];
}
