/** What is printed at the end, and written with --json. */
import { cpus } from "node:os";
import type { CoreFigure } from "./core.ts";
import { fixed, tableText, thousands } from "./figures.ts";
import { medianOf, ratioOf, type Row, type Window } from "./measure.ts";

export type Windows = ReadonlyMap<string, readonly Window[]>;
export type Machine = { readonly cores: number; readonly cpu: string; readonly node: string };
export type Goal = {
  readonly title: string;
  readonly wanted: string;
  readonly measured: string;
  /** "met", "missed by 12 %", or why there is no figure. */
  readonly verdict: string;
};

export function describeMachine(): Machine {
  const list = cpus();
  return { cores: list.length, cpu: list[0]?.model ?? "unknown", node: process.version };
}

/** The ids of the rows that goals are about. */
export const ROW = {
  bare: "bare",
  express: "express",
  gateway: "gateway",
  filled: "gateway-filled",
} as const;

export function summarise({ id, title, connections }: Row, windows: Windows) {
  const own = windows.get(id) ?? [];
  const bare = windows.get(ROW.bare) ?? [];
  return {
    id,
    title,
    connections,
    cpuUsPerTurn: medianOf(own, "cpuUs"),
    ratioToBare: ratioOf(own, bare),
    turnsPerSecond: medianOf(own, "turnsPerSecond"),
    p50Ms: medianOf(own, "p50Ms"),
    p95Ms: medianOf(own, "p95Ms"),
    p99Ms: medianOf(own, "p99Ms"),
    stubCpuUsPerTurn: medianOf(own, "stubCpuUs"),
  };
}

export function turnsTable(rows: readonly Row[], windows: Windows): string {
  const head = ["", "CPU µs/turn", "ratio", "turns/s", "p50 ms", "p95 ms", "p99 ms", "stub µs"];
  const cells = rows.map((row) => {
    const figures = summarise(row, windows);
    return [
      row.title,
      fixed(figures.cpuUsPerTurn, 1),
      fixed(figures.ratioToBare, 2),
      thousands(figures.turnsPerSecond),
      fixed(figures.p50Ms, 2),
      fixed(figures.p95Ms, 2),
      fixed(figures.p99Ms, 2),
      fixed(figures.stubCpuUsPerTurn, 1),
    ];
  });
  return tableText(head, cells);
}

export function coreTable(figures: readonly CoreFigure[]): string {
  const head = [
    ...["turns per CPU second", "decode + encode", "channel + core + backend"],
    "with the keyed digests",
  ];
  const cells = figures.map(({ codec, codecAlone, turnsPerCpuSecond, withDigests }) => [
    codec,
    thousands(codecAlone),
    thousands(turnsPerCpuSecond),
    thousands(withDigests),
  ]);
  return tableText(head, cells);
}

export function goalsOf(
  windows: Windows,
  core: readonly CoreFigure[],
  stored: string,
): readonly Goal[] {
  const of = (id: string): readonly Window[] => windows.get(id) ?? [];
  const gateway = of(ROW.gateway);
  return [
    atMost("gateway : bare proxy, CPU per turn", 1.3, ratioOf(gateway, of(ROW.bare))),
    atMost("gateway : Express + axios, CPU per turn", 0.3, ratioOf(gateway, of(ROW.express))),
    atMost(`with ${stored} sessions : with none`, 1.05, ratioOf(of(ROW.filled), gateway)),
    slowestGoal(
      "codec + core alone, slowest of the first four codecs",
      100_000,
      core.slice(0, 4).map(({ turnsPerCpuSecond }) => turnsPerCpuSecond),
    ),
    slowestGoal(
      "decode + encode, slowest codec",
      50_000,
      core.map(({ codecAlone }) => codecAlone),
    ),
    stubGoal(windows),
  ];
}

function atMost(title: string, max: number, ratio: number): Goal {
  const verdict = ratio <= max ? "met" : `missed by ${percent(ratio / max - 1)}`;
  return { title, wanted: `≤ ${max}`, measured: fixed(ratio, 3), verdict };
}

function slowestGoal(what: string, min: number, figures: readonly number[]): Goal {
  const slowest = Math.min(...figures);
  return {
    title: `${what}, turns per CPU second`,
    wanted: `≥ ${thousands(min)}`,
    measured: thousands(slowest),
    verdict: slowest >= min ? "met" : `missed by ${percent(1 - slowest / min)}`,
  };
}

/** Were it not so, the run would say more about the stub than about those that call it. */
function stubGoal(windows: Windows): Goal {
  const shares = [...windows.values()].map(
    (list) => medianOf(list, "stubCpuUs") / medianOf(list, "cpuUs"),
  );
  const share = Math.max(...shares);
  const verdict = share < 1 ? "met" : "missed";
  const title = "stub : contender, CPU per turn, worst row";
  return { title, wanted: "< 1", measured: fixed(share, 2), verdict };
}

function percent(share: number): string {
  return `${fixed(share * 100, 1)} %`;
}

export function goalsTable(goals: readonly Goal[]): string {
  const head = ["goal", "wanted", "measured", "verdict"];
  return tableText(
    head,
    goals.map(({ title, wanted, measured, verdict }) => [title, wanted, measured, verdict]),
  );
}
