/** What a load test says: its progress, its table, its JSON. Pure text. */
import type { LatencySummary } from "./latencies.ts";
import type { LoadResult, LoadTally } from "./load-run.ts";

export type LoadAbout = {
  readonly url: string;
  readonly channel: string;
  readonly protocol: string;
  readonly dialled: string;
  readonly inputs: readonly string[];
  readonly ratePerS: number;
  readonly sessions: number;
};

const BAR_COLUMNS = 24;
/** A sender as late as this measures itself. */
const LATE_MS = 50;

export function progressLine(tally: LoadTally, { sessions }: LoadAbout): string {
  const begun = tally.started + tally.notStarted;
  const share = sessions === 0 ? 1 : begun / sessions;
  const done = Math.floor(share * BAR_COLUMNS);
  const bar = "█".repeat(done) + "░".repeat(BAR_COLUMNS - done);
  const percent = String(Math.floor(share * 100)).padStart(3);
  const errors = [...tally.errors.values()].reduce((sum, count) => sum + count, 0);
  return `${bar} ${percent} %  ${tally.open} open  ${tally.turns} turns  ${errors} errors`;
}

export function loadTable(result: LoadResult, about: LoadAbout): string {
  const { started, finished, failed, notStarted, endedEarly, turns, tookMs } = result;
  const seconds = tookMs / 1_000;
  const typed = about.inputs.length === 0 ? "" : `, then ${about.inputs.join(", ")}`;
  const perSecond = (turns / seconds).toFixed(1);
  const early = endedEarly === 0 ? "" : `, ${endedEarly} of them before all was typed`;
  const rows = [
    `${about.dialled}${typed} on ${about.channel} (${about.protocol}) at ${about.url}`,
    "",
    `Sessions  ${started} begun at ${about.ratePerS} a second, ${finished} finished${early}`,
    `          ${failed} failed, ${notStarted} not begun because too many were open`,
    `Turns     ${turns} answered in ${seconds.toFixed(1)} s, ${perSecond} a second`,
    "",
    `${"".padEnd(30)}${["p50", "p95", "p99", "max"].map((name) => name.padStart(9)).join("")}  ms`,
    latencyRow("From when a turn was due", result.latency),
    "",
    ...errorRows(result.errors),
    ...lateRows(result.sentLate),
  ];
  return `${rows.join("\n").trimEnd()}\n`;
}

export function loadJson(result: LoadResult, about: LoadAbout): string {
  const { started, finished, failed, notStarted, endedEarly, turns, tookMs } = result;
  return JSON.stringify({
    url: about.url,
    channel: about.channel,
    protocol: about.protocol,
    dialled: about.dialled,
    sessions_per_second: about.ratePerS,
    seconds: round(tookMs / 1_000),
    sessions: {
      ...{ started, finished, failed },
      ...{ ended_early: endedEarly, not_started: notStarted },
    },
    turns,
    turns_per_second: round((turns * 1_000) / tookMs),
    latency_ms: figures(result.latency),
    sent_late_ms: figures(result.sentLate),
    errors: Object.fromEntries([...result.errors].sort(byCount)),
  });
}

function latencyRow(label: string, summary: LatencySummary | undefined): string {
  if (summary === undefined) return `${label.padEnd(30)}${"–".padStart(9)}`;
  const { p50, p95, p99, max } = summary;
  const cells = [p50, p95, p99, max].map((ms) => ms.toFixed(1).padStart(9));
  return `${label.padEnd(30)}${cells.join("")}`;
}

function errorRows(errors: ReadonlyMap<string, number>): readonly string[] {
  if (errors.size === 0) return ["No errors."];
  const rows = [...errors].sort(byCount);
  return ["Errors", ...rows.map(([kind, count]) => `  ${kind.padEnd(26)}${count}`)];
}

function lateRows(sentLate: LatencySummary | undefined): readonly string[] {
  if (sentLate === undefined || sentLate.p99 <= LATE_MS) return [];
  const late = sentLate.p99.toFixed(0);
  return [
    "",
    `This process sent up to ${late} ms late (p99): it could not keep up, and that is part of`,
    "the latencies. Lower --rate, or run it on another machine.",
  ];
}

function figures(summary: LatencySummary | undefined) {
  if (summary === undefined) return null;
  const { p50, p95, p99, max } = summary;
  return { p50: round(p50), p95: round(p95), p99: round(p99), max: round(max) };
}

function byCount(left: readonly [string, number], right: readonly [string, number]): number {
  return right[1] - left[1];
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
