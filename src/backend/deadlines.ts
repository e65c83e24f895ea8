/**
 * One tick for all deadlines. A timer per turn costs more than the turn's routing, and an
 * `AbortSignal.timeout` 11 µs (DESIGN 8); undici's own timeouts fire up to 500 ms late
 * (RELIABILITY 1). Adding and cancelling are O(1); a deadline fires at most a tick late.
 */
export type Deadline = {
  readonly atMs: number;
  /** Undefined once fired or cancelled. */
  onPassed: (() => void) | undefined;
  before: Deadline | undefined;
  after: Deadline | undefined;
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

/**
 * A linked list, not a Set: with a turn's deadline in a Set for some milliseconds, garbage
 * collection made a call a fifth dearer (6 of 30 µs).
 */
export function createDeadlines({ nowMs, tickMs = 10 }: DeadlinesOptions): Deadlines {
  let first: Deadline | undefined;
  let last: Deadline | undefined;
  let count = 0;
  let interval: NodeJS.Timeout | undefined;
  let isHeld = false; // the interval keeps the process alive
  let idleTicks = 0;
  // Never later than the earliest deadline: most ticks compare one number and look at no entry.
  let earliestMs = Infinity;

  function remove(deadline: Deadline): void {
    const { before, after } = deadline;
    if (before === undefined) first = after;
    else before.after = after;
    if (after === undefined) last = before;
    else after.before = before;
    // What is old and dead must not hold what is young.
    deadline.before = undefined;
    deadline.after = undefined;
    deadline.onPassed = undefined;
    count -= 1;
  }

  function tick(): void {
    if (count === 0) return idle();
    const now = nowMs();
    if (now < earliestMs) return;
    // Collected first: what fires may add and cancel.
    const passing: Deadline[] = [];
    earliestMs = Infinity;
    for (let deadline = first; deadline !== undefined; deadline = deadline.after) {
      if (deadline.atMs <= now) passing.push(deadline);
      else if (deadline.atMs < earliestMs) earliestMs = deadline.atMs;
    }
    for (const deadline of passing) {
      const { onPassed } = deadline;
      if (onPassed === undefined) continue; // cancelled by one that fired before it
      remove(deadline);
      fire(onPassed);
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
      const deadline: Deadline = { atMs, onPassed, before: last, after: undefined };
      if (last === undefined) first = deadline;
      else last.after = deadline;
      last = deadline;
      count += 1;
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
      if (deadline.onPassed !== undefined) remove(deadline);
    },
    count: () => count,
    close() {
      while (first !== undefined) remove(first);
      clearInterval(interval);
      interval = undefined;
      isHeld = false;
    },
  };
}

/** One that throws must not keep the others from firing. */
function fire(onPassed: () => void): void {
  try {
    onPassed();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
