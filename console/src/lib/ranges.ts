/** Which sessions insights are of, and which they are compared with, as the page's address says. */
import type { Word } from "../i18n/index.ts";

export type Range = { readonly fromMs: number; readonly toMs: number };

const HOUR_MS = 3_600_000;
export const RANGES: Readonly<Record<string, number>> = {
  "1h": HOUR_MS,
  "24h": 24 * HOUR_MS,
  "7d": 168 * HOUR_MS,
  "30d": 720 * HOUR_MS,
};
/** Chosen instead of one of the others: two moments that are beside it. */
export const OWN = "own";

/** How long before: 0 is the range's own length, so that it ends where the range begins. */
export const COMPARISONS: Readonly<
  Record<string, { readonly word: Word; readonly agoMs: number }>
> = {
  "1": { word: "compareBefore", agoMs: 0 },
  "1d": { word: "compareDay", agoMs: 24 * HOUR_MS },
  "7d": { word: "compareWeek", agoMs: 168 * HOUR_MS },
  "28d": { word: "compareFourWeeks", agoMs: 672 * HOUR_MS },
};

type Asked = Readonly<Record<string, string>>;
/** Undefined where two moments of one's own are not there yet, or the wrong way round. */
export function rangeOf({ range = "", from = "", to = "" }: Asked, nowMs: number) {
  if (range === OWN) return between(from, to);
  const lengthMs = own(RANGES, range) ?? 24 * HOUR_MS;
  return { fromMs: nowMs - lengthMs, toMs: nowMs };
}

/** The range that `range` is compared with; undefined where it is with none. */
export function comparedRangeOf(
  { compare = "", compare_from: from = "", compare_to: to = "" }: Asked,
  range: Range | undefined,
): Range | undefined {
  if (compare === OWN) return between(from, to);
  const compared = own(COMPARISONS, compare);
  if (compared === undefined || range === undefined) return undefined;
  const { fromMs, toMs } = range;
  const agoMs = compared.agoMs === 0 ? toMs - fromMs : compared.agoMs;
  return { fromMs: fromMs - agoMs, toMs: toMs - agoMs };
}

/** What stands in an address may be anything. */
function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** As an input of type datetime-local writes them: in the reader's own time. */
function between(from: string, to: string): Range | undefined {
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  return fromMs < toMs ? { fromMs, toMs } : undefined;
}

export function localTime(ms: number): string {
  const shifted = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
