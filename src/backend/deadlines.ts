/**
 * One tick for all deadlines. A timer per turn costs more than the turn's routing, and an
 * `AbortSignal.timeout` 11 µs (DESIGN 8); undici's own timeouts fire up to 500 ms late
 * (RELIABILITY 1). Adding and cancelling are O(1); a deadline fires at most a tick late.
 */
export type Deadline = {
  readonly atMs: number;
  readonly onPassed: () => void;
};
export type Deadlines = {
  add(atMs: number, onPassed: () => void): Deadline;
  /** Without effect on one that fired or was cancelled. */
  cancel(deadline: Deadline): void;
  /** Deadlines waited for. */
  count(): number;
  /** Forgets all of them, unfired. */
  close(): void;
};
type DeadlinesOptions = {
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly tickMs?: number;
};

/** Ticks without a deadline after which the interval is given up. */
const IDLE_TICKS_MAX = 50;

export function createDeadlines({ nowMs, tickMs = 10 }: DeadlinesOptions): Deadlines {
  const waiting = new Set<Deadline>();
  let interval: NodeJS.Timeout | undefined;
  let isHeld = false; // the interval keeps the process alive
  let idleTicks = 0;
  // Never later than the earliest deadline: most ticks compare one number and look at no entry.
  let earliestMs = Infinity;

  function tick(): void {
    if (waiting.size === 0) {
      idle();
      return;
    }
    const now = nowMs();
    if (now < earliestMs) return;
    earliestMs = Infinity;
    for (const deadline of waiting) {
      if (deadline.atMs > now) {
        if (deadline.atMs < earliestMs) earliestMs = deadline.atMs;
        continue;
      }
      waiting.delete(deadline);
      fire(deadline);
    }
  }

  function idle(): void {
    earliestMs = Infinity;
    idleTicks += 1;
    if (isHeld) interval?.unref();
    isHeld = false;
    if (idleTicks < IDLE_TICKS_MAX) return;
    clearInterval(interval);
    interval = undefined;
  }

  return {
    add(atMs, onPassed) {
      const deadline = { atMs, onPassed };
      waiting.add(deadline);
      if (atMs < earliestMs) earliestMs = atMs;
      idleTicks = 0;
      if (interval === undefined) {
        interval = setInterval(tick, tickMs);
        isHeld = true;
      } else if (!isHeld) {
        interval.ref();
        isHeld = true;
      }
      return deadline;
    },
    cancel(deadline) {
      waiting.delete(deadline);
    },
    count: () => waiting.size,
    close() {
      waiting.clear();
      clearInterval(interval);
      interval = undefined;
      isHeld = false;
    },
  };
}

/** One that throws must not keep the others from firing. */
function fire(deadline: Deadline): void {
  try {
    deadline.onPassed();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
