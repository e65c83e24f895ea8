/**
 * From a view to a screen: numbered lines, reserved keys, and pages where it does not fit. Counted
 * on the final text, in septets or UCS-2 units (APP-FRAMEWORK R8). Pure.
 */
import { cleanScreen, fitScreen, measureScreen, transliterate } from "../core/screen.ts";
import type { PageLabels, ScreenLimits } from "../core/screen.ts";
import type { Keys } from "./app.ts";
import type { FitPolicy } from "./screens.ts";

/** A view in the subscriber's language. */
export type PlainView = {
  readonly text: string;
  readonly lines: readonly PlainLine[] | undefined;
  /** The reserved keys that work here, in the order they are shown. */
  readonly footer: readonly Footer[];
  /** An empty line above the footer. */
  readonly gap?: boolean;
  readonly fit: FitPolicy;
};
export type PlainLine = { readonly id: string; readonly label: string };
export type Footer = { readonly key: string; readonly label: string };

/** What of a screen has to be remembered to understand the answer to it. Plain JSON. */
export type Marks = {
  /** Ids of the lines on the phone, in the order of their numbers. */
  readonly m?: readonly string[];
  /** First lines of the pages leafed through, the one on the phone last. */
  readonly o?: readonly number[];
  /** Page of a long text. */
  readonly g?: number;
  /** Key for more, where there is more. */
  readonly f?: string;
  /** Key for the page before, where there is one. */
  readonly b?: string;
};
export type LaidOut = { readonly screen: string; readonly marks: Marks };
export type Layout = {
  readonly limits: ScreenLimits;
  readonly keys: Keys;
  readonly labels: PageLabels;
};

/** A title leaves no room for one line, or a text is longer than all pages. */
export class ScreenTooLong extends Error {
  override readonly name = "ScreenTooLong";
}

/** `notice` stands above the text. `at` says which page, as the marks of an earlier screen do. */
export function layOut(view: PlainView, notice: string, at: Marks, layout: Layout): LaidOut {
  const text = notice === "" ? view.text : `${notice}\n${view.text}`;
  return view.lines === undefined || view.lines.length === 0
    ? layOutText(text, view, at, layout)
    : layOutLines(text, view.lines, view, at, layout);
}

function layOutText(text: string, view: PlainView, at: Marks, layout: Layout): LaidOut {
  const footer = footerText(view.footer, view.gap);
  const whole = plainSpaces(text + footer);
  if (view.fit === "truncate") return { screen: truncate(text, footer, layout), marks: {} };
  const fitted = fitScreen(whole, layout.limits, layout.labels);
  switch (fitted.type) {
    case "fits":
      return { screen: fitted.screen, marks: {} };
    case "too_long":
      throw new ScreenTooLong("a text is longer than all its pages");
    case "paged": {
      if (view.fit === "error") throw new ScreenTooLong("a text that may not be paged");
      const { pages, moreKey, backKey } = fitted;
      const page = Math.min(at.g ?? 0, pages.length - 1);
      const more = page < pages.length - 1 ? { f: moreKey } : {};
      const back = page > 0 ? { b: backKey } : {};
      return { screen: pages[page] ?? "", marks: { g: page, ...more, ...back } };
    }
  }
}

const CUT = "...";

function truncate(text: string, footer: string, { limits }: Layout): string {
  const whole = prepare(text + footer, limits);
  if (fits(whole, limits)) return whole;
  const characters = [...text];
  let low = 0;
  let high = characters.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const cut = prepare(characters.slice(0, middle).join("") + CUT + footer, limits);
    if (fits(cut, limits)) low = middle;
    else high = middle - 1;
  }
  return prepare(characters.slice(0, low).join("") + CUT + footer, limits);
}

/** Labels are never split; numbers begin at 1 on every page, so that they say what is there. */
function layOutLines(
  text: string,
  lines: readonly PlainLine[],
  { footer, gap }: Pick<PlainView, "footer" | "gap">,
  at: Marks,
  { limits, keys, labels }: Layout,
): LaidOut {
  const trail = at.o ?? [0];
  const first = Math.min(trail.at(-1) ?? 0, Math.max(lines.length - 1, 0));
  // The back key leads to the page before, then out of the screen.
  const backKey = keys.back === false ? undefined : keys.back;
  const onward = trail.length > 1 && backKey !== undefined;
  const plain = onward ? footer.filter(({ key }) => key !== backKey) : footer;
  const below = onward ? [{ key: backKey, label: labels.back }, ...plain] : plain;
  const compose = (count: number, isMore: boolean): string => {
    let screen = text;
    for (let index = 0; index < count; index += 1) {
      screen += `\n${index + 1}. ${lines[first + index]?.label ?? ""}`;
    }
    const more = isMore ? [{ key: keys.more, label: labels.more }] : [];
    return prepare(screen + footerText([...more, ...below], gap), limits);
  };
  const numbers = numbersMax([keys.more, ...footer.map(({ key }) => key)]);
  let count = Math.min(lines.length - first, numbers);
  let isMore = first + count < lines.length;
  let screen = compose(count, isMore);
  while (!fits(screen, limits)) {
    count -= 1;
    isMore = true;
    if (count < 1) throw new ScreenTooLong("no line fits beside the title and the keys");
    screen = compose(count, isMore);
  }
  const marks = {
    m: lines.slice(first, first + count).map(({ id }) => id),
    ...(trail.length > 1 || isMore ? { o: trail } : {}),
    ...(isMore ? { f: keys.more } : {}),
    ...(onward ? { b: backKey } : {}),
  };
  return { screen, marks };
}

const LINES_MAX = 99;

/** Numbers below the lowest reserved key that is one: an answer never means two things. */
function numbersMax(keys: readonly string[]): number {
  let max = LINES_MAX;
  for (const key of keys) {
    if (/^[1-9]\d*$/.test(key)) max = Math.min(max, Number(key) - 1);
  }
  return max;
}

/** The marks that lead to the page after, or before; undefined when the key is neither's. */
export function leaf(marks: Marks, typed: string): Marks | undefined {
  const { m = [], o = [0], g } = marks;
  if (typed === marks.f) {
    return g === undefined ? { o: [...o, (o.at(-1) ?? 0) + m.length] } : { g: g + 1 };
  }
  if (typed === marks.b) {
    return g === undefined ? { o: o.slice(0, -1) } : { g: Math.max(0, g - 1) };
  }
  return undefined;
}

function footerText(footer: readonly Footer[], gap = false): string {
  let text = gap && footer.length > 0 ? "\n" : "";
  for (const { key, label } of footer) text += `\n${key}. ${label}`;
  return text;
}

function prepare(text: string, { transliterate: isPlain }: ScreenLimits): string {
  const cleaned = cleanScreen(plainSpaces(text));
  return isPlain ? transliterate(cleaned) : cleaned;
}

function fits(screen: string, { octetsMax }: ScreenLimits): boolean {
  return screen.length * 2 <= octetsMax || measureScreen(screen).octets <= octetsMax;
}

// What Intl puts into amounts; one of them turns 182 characters into 80 (APP-FRAMEWORK 9.1).
const UNICODE_SPACES = /[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g;

function plainSpaces(text: string): string {
  return text.search(UNICODE_SPACES) < 0 ? text : text.replace(UNICODE_SPACES, " ");
}
