/**
 * One machine, all cores: `dialyard start --workers N`. The primary forks workers that share the
 * port, starts again those that die, and passes signals on; it opens no store and answers nothing.
 */
import cluster from "node:cluster";
import { availableParallelism } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import type { Config } from "../config.ts";
import type { Log } from "../observe/log.ts";
import { createWorkerMetrics } from "./worker-metrics.ts";

export const WORKERS_MAX = 64;
/** From primary to worker: which of them it is; main.ts takes it out of the environment. */
export const WORKER_ENV = "DIALYARD_WORKER";
const AGAIN_MS_MIN = 250;
const AGAIN_MS_MAX = 30_000;
/** A worker that lived so long starts again without the wait of those that die at once. */
const LONG_LIFE_MS = 30_000;
/** What a worker may take beyond its own limits before it is ended by force. */
const SPARE_MS = 5_000;

/** Undefined where the text is no number of workers. */
export function parseWorkers(text: string): number | undefined {
  if (text === "auto") return Math.min(WORKERS_MAX, availableParallelism());
  const count = /^[0-9]{1,2}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= WORKERS_MAX ? count : undefined;
}

/** Why this configuration cannot be served by several processes, or undefined. */
export function refuseWorkers({ databaseUrl }: Pick<Config, "databaseUrl">): string | undefined {
  if (databaseUrl !== "") return undefined;
  return (
    "--workers needs PostgreSQL: a SQLite file has one writing process, and its group commit and " +
    "caches are of one process. Set DATABASE_URL, or leave out --workers"
  );
}

type Ready = { readonly type: "dialyard:ready" };

/** Resolves with the exit status when no worker is left. */
export async function runWorkers(
  count: number,
  { preStopMs, drainSeconds }: Pick<Config, "preStopMs" | "drainSeconds">,
  log: Log,
): Promise<number> {
  const metrics = createWorkerMetrics();
  const state = { isStopping: false, wasReady: false, status: 0 };
  const timers = new Set<NodeJS.Timeout>();
  const everybody = () => Object.values(cluster.workers ?? {}).filter((one) => one !== undefined);
  const kill = (signal: NodeJS.Signals) => {
    for (const worker of everybody()) worker.process.kill(signal);
  };
  const { promise: over, resolve: finish } = Promise.withResolvers<void>();
  const stop = () => {
    if (state.isStopping) return kill("SIGKILL");
    state.isStopping = true;
    for (const timer of timers) clearTimeout(timer);
    kill("SIGTERM");
    const late = preStopMs + drainSeconds * 1_000 + SPARE_MS;
    void wait(late, undefined, { ref: false }).then(() => kill("SIGKILL"));
    if (everybody().length === 0) finish();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);

  function start(number: number, deaths: number): void {
    const worker = cluster.fork({ [WORKER_ENV]: String(number) });
    const startedMs = performance.now();
    metrics.add(worker);
    worker.on("message", (message: Ready | { readonly type: string }) => {
      // The first alone makes tables and apps, and says once what is wrong.
      if (message.type !== "dialyard:ready" || state.wasReady) return;
      state.wasReady = true;
      for (let next = 2; next <= count && !state.isStopping; next += 1) start(next, 0);
    });
    worker.on("exit", (code, signal) => {
      if (state.isStopping || !state.wasReady) {
        if (code !== 0) state.status = 1;
        if (everybody().every((one) => one.isDead())) finish();
        return;
      }
      const isShort = performance.now() - startedMs < LONG_LIFE_MS;
      const after = isShort ? deaths : 0;
      const againMs = Math.min(AGAIN_MS_MAX, AGAIN_MS_MIN * 2 ** Math.min(after, 10));
      const ended = signal ?? `status ${code}`;
      log.error("worker_ended", { reason: `worker ${number}: ${ended}; again in ${againMs} ms` });
      const timer = setTimeout(() => {
        timers.delete(timer);
        start(number, after + 1);
      }, againMs);
      timers.add(timer);
    });
  }
  start(1, 0);
  await over;
  return state.status;
}

/** In a worker: it takes turns now. */
export function tellReady(): void {
  process.send?.({ type: "dialyard:ready" } satisfies Ready);
}
