/**
 * What keeps one failing backend from hurting others, itself or its subscribers: a breaker, a
 * limit of attempts in flight and a retry budget (RELIABILITY 1 "Retry amplification", 2.10).
 * One per backend, never shared. No clock and no IO in here: `nowMs` is passed in.
 */
import type { FailureCode, RetryClass } from "../core/failure.ts";
import { FAILURES } from "../core/failure.ts";

export type BreakerLimits = {
  /** Failed attempts in a row that open it; more than a developer's first tries come to. */
  readonly failuresInRowMax: number;
  /** Opens too when half of the last so many attempts failed. */
  readonly windowSize: number;
  /** One probe per this; it changes state no more often (F18, F19). */
  readonly probeEveryMs: number;
  /** Attempts older than this say nothing about now. */
  readonly memoryMs: number;
  /** Share of the turns of the last 10 s that may be in retry, and its floor. */
  readonly retryShareMax: number;
  readonly retriesMin: number;
};
export type Admission = "admitted" | "open" | "full";
/** For metrics and API. */
export type BreakerState = {
  readonly isOpen: boolean;
  /** When it last opened or closed; undefined while it never did. */
  readonly changedAtMs: number | undefined;
  readonly inFlight: number;
  readonly retriesInFlight: number;
  readonly failuresInRow: number;
  readonly turnsOfLast10s: number;
};
export type Breaker = {
  /** Whether an attempt may begin now; every admitted attempt is settled once. */
  admit(nowMs: number, inFlightMax: number): Admission;
  /** `code` is undefined where a good reply came. True when this opened or closed it. */
  settle(nowMs: number, code: FailureCode | undefined): boolean;
  countTurn(nowMs: number): void;
  /** Takes a retry out of the budget; every retry taken is given back once, after its attempt. */
  takeRetry(nowMs: number): boolean;
  giveBackRetry(): void;
  state(nowMs: number): BreakerState;
};

const LIMITS: BreakerLimits = {
  failuresInRowMax: 10,
  windowSize: 20,
  probeEveryMs: 5_000,
  memoryMs: 30_000,
  retryShareMax: 0.1,
  retriesMin: 3,
};

export function createBreaker(limits: Partial<BreakerLimits> = {}): Breaker {
  const { failuresInRowMax, windowSize, probeEveryMs, memoryMs, retryShareMax, retriesMin } = {
    ...LIMITS,
    ...limits,
  };
  const turns = createTurnCount();
  let window: boolean[] = []; // true where the attempt failed; at most windowSize
  let failuresInRow = 0;
  let settledAtMs = -Infinity;
  let isOpen = false;
  let changedAtMs = -Infinity;
  let probeAtMs = Infinity;
  let inFlight = 0;
  let retriesInFlight = 0;

  function change(nowMs: number, opens: boolean): boolean {
    if (opens === isOpen || nowMs - changedAtMs < probeEveryMs) return false;
    isOpen = opens;
    changedAtMs = nowMs;
    probeAtMs = nowMs + probeEveryMs;
    window = [];
    failuresInRow = 0;
    return true;
  }

  return {
    admit(nowMs, inFlightMax) {
      if (isOpen && nowMs < probeAtMs) return "open";
      if (inFlight >= inFlightMax) return "full";
      // A probe that hangs does not stop the next one: they are a probe time apart.
      if (isOpen) probeAtMs = nowMs + probeEveryMs;
      inFlight += 1;
      return "admitted";
    },
    settle(nowMs, code) {
      inFlight -= 1;
      const verdict = verdictOf(code);
      if (verdict === "none") return false;
      if (nowMs - settledAtMs > memoryMs) {
        window = [];
        failuresInRow = 0;
      }
      settledAtMs = nowMs;
      if (isOpen) return verdict === "alive" && change(nowMs, false);

      failuresInRow = verdict === "failed" ? failuresInRow + 1 : 0;
      if (window.length === windowSize) window.shift();
      window.push(verdict === "failed");
      const hasHalfFailed =
        window.length === windowSize && window.filter(Boolean).length * 2 >= windowSize;
      return (failuresInRow >= failuresInRowMax || hasHalfFailed) && change(nowMs, true);
    },
    countTurn: turns.add,
    takeRetry(nowMs) {
      // An open breaker stops the retries of turns that are under way as well (G12).
      if (isOpen) return false;
      if (retriesInFlight >= Math.max(retriesMin, retryShareMax * turns.count(nowMs))) return false;
      retriesInFlight += 1;
      return true;
    },
    giveBackRetry() {
      retriesInFlight -= 1;
    },
    state: (nowMs) => ({
      isOpen,
      changedAtMs: changedAtMs === -Infinity ? undefined : changedAtMs,
      inFlight,
      retriesInFlight,
      failuresInRow,
      turnsOfLast10s: turns.count(nowMs),
    }),
  };
}

/** A complete reply that breaks the contract is bad, but the backend that sent it is there. */
function verdictOf(code: FailureCode | undefined): "alive" | "failed" | "none" {
  if (code === undefined) return "alive";
  const retryClass: RetryClass = FAILURES[code].class;
  if (retryClass === "done_bad") return "alive";
  return retryClass === "not_tried" ? "none" : "failed";
}

const BUCKETS = 10; // of one second each

/** Turns of the last ten seconds, counted by the second. */
function createTurnCount() {
  const counts = new Float64Array(BUCKETS);
  let newestSecond = -Infinity;

  function forward(nowMs: number): number {
    const second = Math.floor(nowMs / 1_000);
    if (second > newestSecond) {
      const firstStale = Math.max(newestSecond + 1, second - BUCKETS + 1);
      for (let stale = firstStale; stale <= second; stale++) counts[bucketOf(stale)] = 0;
      newestSecond = second;
    }
    return bucketOf(second);
  }

  return {
    add(nowMs: number): void {
      const bucket = forward(nowMs);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    },
    count(nowMs: number): number {
      forward(nowMs);
      let sum = 0;
      for (const count of counts) sum += count;
      return sum;
    },
  };
}

function bucketOf(second: number): number {
  return ((second % BUCKETS) + BUCKETS) % BUCKETS;
}
