/**
 * Everything asked for in some ticks of the event loop becomes one transaction, so that one fsync
 * serves all their turns. A promise settles after the commit: durable when it resolves.
 */

export type Transaction = {
  begin(): void;
  commit(): void;
  /** Called after any failure, also of begin or commit. */
  rollback(): void;
  /** Trying again at once may help: somebody else held the lock (RELIABILITY F49). */
  isBusy(error: unknown): boolean;
  /** The fault lies with the database, not with one operation: all of them fail with it. */
  isOutage(error: unknown): boolean;
};
export type GroupCommit = {
  /** Runs `operation` inside the next transaction; it may run again after a rollback. */
  submit<T>(operation: () => T): Promise<T>;
  /** Commits what is waiting, and accepts nothing after it. */
  close(): void;
};

const WAITING_MAX = 10_000;
// So that no transaction holds up the event loop for more than about 5 ms.
const TOGETHER_MAX = 512;
const TRIES_MAX = 3;
// A commit costs far more than one more look at what else is asked for: while each tick brings
// more, it waits for the next. From so many on, a commit costs each of them next to nothing.
const GATHERED_ENOUGH = 64;
const GATHER_TICKS_MAX = 16;

type Job = {
  readonly run: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  value: unknown;
};

export function createGroupCommit(transaction: Transaction): GroupCommit {
  let waiting: Job[] = [];
  let scheduled = false;
  let closed = false;

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(gather, 0, 0);
  }

  /** Lets a tick pass as long as the last one brought more than `had`. */
  function gather(had: number, ticks: number): void {
    const has = waiting.length;
    if (has === had || has >= GATHERED_ENOUGH || ticks >= GATHER_TICKS_MAX) return flush();
    setImmediate(gather, has, ticks + 1);
  }

  function flush(): void {
    scheduled = false;
    if (waiting.length === 0) return;
    const jobs = waiting.length <= TOGETHER_MAX ? waiting : waiting.slice(0, TOGETHER_MAX);
    waiting = waiting.length <= TOGETHER_MAX ? [] : waiting.slice(TOGETHER_MAX);
    if (waiting.length > 0) schedule();
    settle(jobs);
  }

  function settle(jobs: readonly Job[]): void {
    const failure = runTogether(transaction, jobs);
    if (failure === undefined) {
      for (const job of jobs) job.resolve(job.value);
      return;
    }
    if (jobs.length === 1 || transaction.isOutage(failure.error)) {
      for (const job of jobs) job.reject(failure.error);
      return;
    }
    // One of them is at fault: each for itself, so that only that one fails.
    for (const job of jobs) settle([job]);
  }

  return {
    submit<T>(run: () => T): Promise<T> {
      if (closed) return Promise.reject(new Error("the store is closed"));
      if (waiting.length >= WAITING_MAX) {
        return Promise.reject(new Error(`more than ${WAITING_MAX} operations wait for the store`));
      }
      schedule();
      return new Promise<T>((resolve, reject) => {
        waiting.push({ run, resolve: resolve as Job["resolve"], reject, value: undefined });
      });
    },
    close() {
      closed = true;
      while (waiting.length > 0) flush();
    },
  };
}

function runTogether(
  transaction: Transaction,
  jobs: readonly Job[],
): { readonly error: unknown } | undefined {
  for (let tries = 1; ; tries += 1) {
    try {
      transaction.begin();
      for (const job of jobs) job.value = job.run();
      transaction.commit();
      return undefined;
    } catch (error) {
      transaction.rollback();
      if (tries >= TRIES_MAX || !transaction.isBusy(error)) return { error };
    }
  }
}
