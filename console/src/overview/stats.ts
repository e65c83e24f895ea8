/** Numbers of the overview, made of the sessions of an hour. Pure. */
import type { SessionRow } from "../lib/shapes.ts";

export const HOUR_MS = 3_600_000;
const BUCKETS = 30;
const GOOD = new Set(["completed", "live", "cancelled", "abandoned", "replaced"]);

export type Stats = {
  readonly total: number;
  readonly live: number;
  readonly completed: number;
  readonly failed: number;
  /** Sessions begun and failed, each bucket two minutes, oldest first. */
  readonly begun: readonly number[];
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

export function statsOf(rows: readonly SessionRow[], nowMs: number): Stats {
  const begun = Array.from({ length: BUCKETS }, () => 0);
  const failing = Array.from({ length: BUCKETS }, () => 0);
  for (const { started_at, outcome } of rows) {
    const agoMs = nowMs - Date.parse(started_at);
    const at = BUCKETS - 1 - Math.floor((agoMs / HOUR_MS) * BUCKETS);
    if (at < 0 || at >= BUCKETS) continue;
    begun[at] = (begun[at] ?? 0) + 1;
    if (isFailure(outcome)) failing[at] = (failing[at] ?? 0) + 1;
  }
  const count = (wanted: (outcome: string) => boolean) =>
    rows.filter(({ outcome }) => wanted(outcome)).length;
  return {
    total: rows.length,
    live: count((outcome) => outcome === "live"),
    completed: count((outcome) => outcome === "completed"),
    failed: count(isFailure),
    ...{ begun, failing },
  };
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
