/** Latencies counted in steps of one per cent: any number of them in a few kilobytes. Pure. */

export type Latencies = {
  readonly add: (ms: number) => void;
  /** Undefined while there is none. */
  readonly summary: () => LatencySummary | undefined;
};
/** Milliseconds. A percentile is at most one per cent above the latency that it stands for. */
export type LatencySummary = {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
};

const LEAST_MS = 0.01;
const STEP = Math.log(1.01);
/** Up to an hour, far beyond any turn budget. */
const STEPS = Math.ceil(Math.log(3_600_000 / LEAST_MS) / STEP) + 1;

export function createLatencies(): Latencies {
  const counts = new Uint32Array(STEPS);
  let count = 0;
  let max = 0;
  const at = (share: number): number => {
    let seen = 0;
    for (let step = 0; step < STEPS; step += 1) {
      seen += counts[step] ?? 0;
      if (seen >= count * share) return Math.min(max, LEAST_MS * Math.exp(step * STEP));
    }
    return max;
  };
  return {
    add(ms) {
      const step = ms <= LEAST_MS ? 0 : Math.ceil(Math.log(ms / LEAST_MS) / STEP);
      const index = Math.min(step, STEPS - 1);
      counts[index] = (counts[index] ?? 0) + 1;
      count += 1;
      max = Math.max(max, ms);
    },
    summary() {
      if (count === 0) return undefined;
      return { count, p50: at(0.5), p95: at(0.95), p99: at(0.99), max };
    },
  };
}
