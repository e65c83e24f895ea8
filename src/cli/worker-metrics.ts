/** `/metrics` of several workers on one port: the sum of all, whoever of them is asked. */
import type { Worker } from "node:cluster";
import { setTimeout as wait } from "node:timers/promises";
import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue } from "prom-client";
import type { MetricsTold, ShareMetrics } from "../observe/metrics.ts";

type FromWorker =
  | { readonly type: "dialyard:metrics"; readonly id: number }
  | { readonly type: "dialyard:told"; readonly ask: number; readonly told: MetricsTold };
type ToWorker =
  | { readonly type: "dialyard:tell"; readonly ask: number }
  | { readonly type: "dialyard:metrics"; readonly id: number; readonly text: string };

/** Who says nothing for so long is taken as last heard. */
const TELL_MS_MAX = 2_000;

export type WorkerMetrics = {
  /** From now on, until it dies. */
  readonly add: (worker: Worker) => void;
};

/** In the primary. What a worker had counted stays in the sums when it dies: they never fall. */
export function createWorkerMetrics(): WorkerMetrics {
  const workers = new Set<Worker>();
  const last = new Map<Worker, MetricsTold>();
  /** By the number of the question: who has not answered it yet. */
  const open = new Map<number, { readonly silent: Set<Worker>; readonly done: () => void }>();
  let gone: MetricsTold = [];
  let asks = 0;

  function hear(worker: Worker, ask: number): void {
    const asked = open.get(ask);
    asked?.silent.delete(worker);
    if (asked?.silent.size === 0) asked.done();
  }
  async function askAll(): Promise<void> {
    const ask = (asks += 1);
    const silent = new Set([...workers].filter((worker) => worker.isConnected()));
    if (silent.size === 0) return;
    const { promise: answered, resolve: done } = Promise.withResolvers<void>();
    open.set(ask, { silent, done });
    for (const worker of silent) worker.send({ type: "dialyard:tell", ask } satisfies ToWorker);
    await Promise.race([answered, wait(TELL_MS_MAX, undefined, { ref: false })]);
    open.delete(ask);
  }
  async function answer(worker: Worker, id: number): Promise<void> {
    await askAll();
    const text = await sumOf([...last.values(), gone]).metrics();
    if (worker.isConnected())
      worker.send({ type: "dialyard:metrics", id, text } satisfies ToWorker);
  }

  return {
    add(worker) {
      workers.add(worker);
      worker.on("message", (message: FromWorker) => {
        if (message.type === "dialyard:metrics") void answer(worker, message.id);
        if (message.type !== "dialyard:told") return;
        last.set(worker, message.told);
        hear(worker, message.ask);
      });
      worker.on("exit", () => {
        workers.delete(worker);
        for (const ask of open.keys()) hear(worker, ask);
        const counted = (last.get(worker) ?? []).filter(isCounted);
        last.delete(worker);
        void sumOf([gone, counted])
          .getMetricsAsJSON()
          .then((sum) => (gone = sum));
      });
    },
  };
}

function sumOf(all: readonly MetricsTold[]): ReturnType<typeof AggregatorRegistry.aggregate> {
  // Its types ask for arrays that may be written to, and it writes to none.
  return AggregatorRegistry.aggregate(all as MetricObjectWithValues<MetricValue<string>>[][]);
}

/** What only grows; a gauge says how things are, and is of those who live. */
function isCounted({ type }: MetricsTold[number]): boolean {
  return String(type) === "counter" || String(type) === "histogram";
}

/** In a worker. */
export const shareMetrics: ShareMetrics = (tell) => {
  const waiting = new Map<number, (text: string) => void>();
  let asked = 0;
  const send = (message: FromWorker): void => void process.send?.(message);
  process.on("message", (message: ToWorker) => {
    if (message.type === "dialyard:tell") {
      const { ask } = message;
      void tell().then((told) => send({ type: "dialyard:told", ask, told }));
    }
    if (message.type !== "dialyard:metrics") return;
    waiting.get(message.id)?.(message.text);
    waiting.delete(message.id);
  });
  return () => {
    const id = (asked += 1);
    return new Promise((done) => {
      waiting.set(id, done);
      send({ type: "dialyard:metrics", id });
    });
  };
};
