/**
 * Deadlines that cost next to nothing: turns of one dialogue all have the same budget, so they end
 * in the order they began, and one timer waits for the first of them (DESIGN 8).
 */

/** A handler took longer than the turn may. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

export type Deadlines = {
  /** Rejects with DeadlineError, and calls `expire` first, when `work` takes too long. */
  readonly within: <T>(work: Promise<T>, expire: () => void) => Promise<T>;
};

type Waiting = { readonly untilMs: number; readonly expire: () => void };

export function createDeadlines(budgetMs: number): Deadlines {
  const waiting = new Set<Waiting>();
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    const [first] = waiting;
    if (first === undefined) {
      timer = undefined;
      return;
    }
    timer = setTimeout(ring, Math.max(1, first.untilMs - performance.now()));
  };
  const ring = (): void => {
    const nowMs = performance.now();
    for (const one of waiting) {
      if (one.untilMs > nowMs) break;
      waiting.delete(one);
      one.expire();
    }
    arm();
  };
  return {
    within: (work, expire) =>
      new Promise((resolve, reject) => {
        const one = {
          untilMs: performance.now() + budgetMs,
          expire() {
            expire();
            reject(new DeadlineError(`no answer within ${budgetMs} ms`));
          },
        };
        waiting.add(one);
        if (timer === undefined) arm();
        else timer.ref();
        const leave = (): void => {
          waiting.delete(one);
          // A timer that nobody waits for holds up no process.
          if (waiting.size === 0) timer?.unref();
        };
        work.then(
          (value) => {
            leave();
            resolve(value);
          },
          (error: unknown) => {
            leave();
            reject(error instanceof Error ? error : new Error("not an error", { cause: error }));
          },
        );
      }),
  };
}
