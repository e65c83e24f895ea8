/** Numbers of the overview, made of an hour. Pure. */
import type { OverviewShown, SessionRow } from "../lib/shapes.ts";

export const HOUR_MS = 3_600_000;
const BUCKETS = 30;
const GOOD = new Set(["completed", "live", "cancelled", "abandoned", "replaced"]);

export type Minute = OverviewShown["minutes"][number];
/** Numbers of the hour, and how each went: oldest first. */
export type Stats = {
  readonly total: number;
  readonly completed: number;
  readonly ended: number;
  readonly failed: number;
  readonly begun: readonly number[];
  readonly completing: readonly number[];
  readonly failing: readonly number[];
};
export type CodeRow = {
  readonly code: string;
  readonly total: number;
  readonly ended: number;
  readonly completed: number;
  readonly failed: number;
  /** Of the failures, the most frequent. */
  readonly lastFailure: string | undefined;
};

export function isFailure(outcome: string): boolean {
  return !GOOD.has(outcome);
}

/** Of sessions that are all there. */
export function statsOfRows(rows: readonly SessionRow[], nowMs: number): Stats {
  const spread = (wanted: (outcome: string) => boolean) => {
    const counts = Array.from({ length: BUCKETS }, () => 0);
    for (const { started_at, outcome } of rows) {
      const agoMs = nowMs - Date.parse(started_at);
      const at = BUCKETS - 1 - Math.floor((agoMs / HOUR_MS) * BUCKETS);
      if (at >= 0 && at < BUCKETS && wanted(outcome)) counts[at] = (counts[at] ?? 0) + 1;
    }
    return counts;
  };
  const count = (wanted: (outcome: string) => boolean) =>
    rows.filter(({ outcome }) => wanted(outcome)).length;
  return {
    total: rows.length,
    completed: count((outcome) => outcome === "completed"),
    ended: count((outcome) => outcome !== "live"),
    failed: count(isFailure),
    begun: spread(() => true),
    completing: spread((outcome) => outcome === "completed"),
    failing: spread(isFailure),
  };
}

/** Where there are more sessions than one reads: as the gateway counted them. */
export function statsOfMinutes(minutes: readonly Minute[]): Stats {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const begun = minutes.map((minute) => minute.begun);
  const completing = minutes.map((minute) => minute.completed);
  const failing = minutes.map((minute) => minute.failed);
  return {
    total: sum(begun),
    completed: sum(completing),
    ended: sum(minutes.map(({ over }) => over)),
    failed: sum(failing),
    ...{ begun, completing, failing },
  };
}

/** How many lived at the end of each minute, reckoned back from those that live now. */
export function livingOf(minutes: readonly Minute[], live: number): readonly number[] {
  let living = live;
  return minutes
    .toReversed()
    .map(({ begun, over }) => {
      const then = Math.max(0, living);
      living -= begun - over;
      return then;
    })
    .reverse();
}

export function codesOf(rows: readonly SessionRow[]): readonly CodeRow[] {
  const byCode = Map.groupBy(rows, ({ service_code }) => service_code ?? "–");
  return [...byCode]
    .map(([code, sessions]) => ({
      code,
      total: sessions.length,
      ended: sessions.filter(({ outcome }) => outcome !== "live").length,
      completed: sessions.filter(({ outcome }) => outcome === "completed").length,
      failed: sessions.filter(({ outcome }) => isFailure(outcome)).length,
      lastFailure: sessions.find(({ outcome }) => isFailure(outcome))?.outcome,
    }))
    .sort((one, other) => other.total - one.total);
}

/** The value below which 95 of 100 are. */
export function p95(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))];
}
