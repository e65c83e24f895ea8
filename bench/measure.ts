/** Windows of load, taken in turn from contender to contender, and what comes of them. */
import type { Contender } from "./contenders.ts";
import type { Dialogue } from "./dialogues.ts";
import { median } from "./figures.ts";
import type { Order, Outcome } from "./load.ts";
import { cpuUs, nextMessage, type Running } from "./processes.ts";

/** One row of the table: a contender under one load. */
export type Row = {
  readonly id: string;
  readonly title: string;
  readonly contender: Contender;
  readonly dialogue: Dialogue;
  readonly connections: number;
};
export type Window = {
  readonly cpuUs: number;
  readonly stubCpuUs: number;
  readonly turnsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
};
export type Rig = { readonly load: Running; readonly stub: Running };

const WINDOW_SPARE_MS = 30_000;

/** All turns of the window and all processor time for them: nothing is under way at its ends. */
export async function measure(rig: Rig, row: Row, durationMs: number): Promise<Window> {
  const { contender, dialogue, connections } = row;
  const path = contender.pathOf(dialogue.channel);
  await contender.catchUp();
  const before = cpuUs(contender.pid);
  const stubBefore = cpuUs(rig.stub.pid);
  const order: Order = { port: contender.port, path, dialogue, connections, durationMs };
  rig.load.child.send(order);
  const outcome = await nextMessage<Outcome>(rig.load, durationMs + WINDOW_SPARE_MS);
  const { turns, errors, firstError, elapsedMs, p50Ms, p95Ms, p99Ms } = outcome;
  if (errors > 0 || turns === 0) {
    throw new Error(`${row.title}: ${errors} of ${turns + errors} turns failed: ${firstError}`);
  }
  await contender.catchUp();
  contender.tidy();
  return {
    cpuUs: (cpuUs(contender.pid) - before) / turns,
    stubCpuUs: (cpuUs(rig.stub.pid) - stubBefore) / turns,
    turnsPerSecond: (turns * 1000) / elapsedMs,
    p50Ms,
    p95Ms,
    p99Ms,
  };
}

export type Plan = {
  readonly rows: readonly Row[];
  readonly rounds: number;
  readonly windowMs: number;
  readonly warmUpMs: number;
};

/** A, B, C; B, C, A; …: a machine that gets slower or faster does it to all of them alike. */
export async function measureAll(
  rig: Rig,
  { rows, rounds, windowMs, warmUpMs }: Plan,
  progress: (text: string) => void,
): Promise<ReadonlyMap<string, readonly Window[]>> {
  const windows = new Map<string, Window[]>(rows.map(({ id }) => [id, []]));
  for (const row of rows) {
    progress(`warm-up: ${row.title}`);
    await measure(rig, row, warmUpMs);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (let index = 0; index < rows.length; index += 1) {
      const row = rows[(index + round) % rows.length];
      if (row === undefined) continue;
      progress(`round ${round + 1} of ${rounds}: ${row.title}`);
      windows.get(row.id)?.push(await measure(rig, row, windowMs));
    }
  }
  return windows;
}

/** Median over the rounds of one row's figure. */
export function medianOf(windows: readonly Window[], key: keyof Window): number {
  return median(windows.map((window) => window[key]));
}

/** Median of the ratios round by round: what disturbs one round disturbs both of its figures. */
export function ratioOf(above: readonly Window[], below: readonly Window[]): number {
  return median(above.map(({ cpuUs: cpu }, round) => cpu / (below[round]?.cpuUs ?? NaN)));
}
