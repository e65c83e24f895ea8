/** What one turn may look at, and what it comes to. */
import type { AnyRoutes, App, Keys } from "./app.ts";
import type { Footer, Layout } from "./layout.ts";
import type { Frame, Tries } from "./state.ts";
import { systemText, type SystemText, type Text } from "./text.ts";
import type { AppReply, AppTurn } from "./turn.ts";

export type AnyApp = App<AnyRoutes, unknown>;

/** Everything a turn may look at. */
export type Given = {
  readonly app: AnyApp;
  readonly ctx: unknown;
  readonly turn: AppTurn;
  readonly layout: Layout;
  readonly tries: Tries;
  /** The same turn in another language. */
  readonly speak: (locale: string) => Given;
};

export type Shown = {
  readonly type: "shown";
  /** Empty when the session is over. */
  readonly stack: readonly Frame[];
  readonly reply: AppReply;
  /** The next input is a secret: the host masks it. */
  readonly secret: boolean;
  /** The input was no answer to what was asked. */
  readonly invalid: boolean;
  readonly tries: Tries;
  /** Of what is shown. */
  readonly locale: string;
};
/** All was asked and confirmed. `stack` is what was on the phone. */
export type Effect = {
  readonly type: "effect";
  readonly flow: string;
  readonly idempotent: boolean;
  readonly stack: readonly Frame[];
  readonly tries: Tries;
  readonly run: (effectKey: string) => Promise<Text>;
};
export type Outcome = Shown | Effect;

/** One of the framework's texts, as the app words it. */
export function own({ app, turn }: Given, key: SystemText): string {
  return turn.say(app.texts[key] ?? systemText(key, turn.locale));
}

/** The keys that screens share, where they work; only what is shown does anything (R9). */
export function reservedKeys(
  given: Given,
  depth: number,
  isBack: boolean,
  { back, home, exit }: Omit<Keys, "more"> = given.app.keys,
): readonly Footer[] {
  const footer: Footer[] = [];
  if (isBack && back !== false) footer.push({ key: back, label: own(given, "back") });
  if (depth > 2 && home !== false) footer.push({ key: home, label: own(given, "home") });
  if (exit !== false) footer.push({ key: exit, label: own(given, "exit") });
  return footer;
}

/** Numbers compare as numbers, and only digits are one: not "1e0", "+1" or "1.0" (R3). */
export function chosenId(shown: readonly string[], typed: string): string | undefined {
  return /^\d{1,3}$/.test(typed) ? shown[Number(typed) - 1] : undefined;
}

/**
 * As a store gives it back, so that the first turn with a value is like all others. Throws for what
 * no store can keep.
 */
export function plain(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return JSON.parse(JSON.stringify(value)) as unknown;
}
