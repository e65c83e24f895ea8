/**
 * A rate limit of all nodes together. A request is decided by what this node knows at once: its own
 * count, and those of the others as of a moment ago. Nodes tell each other beside the turns, so a
 * limit may be passed by what comes before a node has heard.
 */
import { KEYS_MAX, OTHERS, type RateLimit, WINDOW_MS } from "./rate-limit.ts";

export type SharedRateLimit = RateLimit & { readonly close: () => Promise<void> };

export const TELL_EVERY_MS = 250;
/** In one statement: longer ones would be felt by turns on the same event loop. */
const KEYS_TOLD_MAX = 1_000;

export function createSharedRateLimit(options: {
  readonly perMinuteMax: number;
  /** Minutes of the wall clock, so that nodes mean the same. */
  readonly wallMs: () => number;
  /** Tells what this node has taken in a minute so far; resolves with what all others have. */
  readonly count: (
    minute: number,
    own: ReadonlyMap<string, number>,
  ) => Promise<ReadonlyMap<string, number>>;
  readonly report: (error: unknown) => void;
}): SharedRateLimit {
  const { perMinuteMax, wallMs, count, report } = options;
  const taken = new Map<string, { own: number; others: number }>();
  const untold = new Set<string>();
  let minute = -1;
  let timer: NodeJS.Timeout | undefined;
  let telling: Promise<void> | undefined;
  let isClosed = false;
  let isAlone = false;

  function startMinute(): void {
    const now = Math.floor(wallMs() / WINDOW_MS);
    if (now === minute) return;
    minute = now;
    taken.clear();
    untold.clear();
  }
  function tellSoon(): void {
    if (isClosed || timer !== undefined || telling !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      void tell();
    }, TELL_EVERY_MS);
    timer.unref();
  }
  function tell(): Promise<void> {
    telling ??= tellAll().finally(() => {
      telling = undefined;
      if (untold.size > 0) tellSoon();
    });
    return telling;
  }
  async function tellAll(): Promise<void> {
    startMinute();
    const waiting = [...untold];
    for (let from = 0; from < waiting.length; from += KEYS_TOLD_MAX) {
      if (!(await tellSome(waiting.slice(from, from + KEYS_TOLD_MAX)))) return;
    }
  }
  /** False where the rest has to wait: nobody answers, or the minute is over. */
  async function tellSome(keys: readonly string[]): Promise<boolean> {
    const told = minute;
    for (const key of keys) untold.delete(key);
    try {
      const own = new Map(keys.map((key) => [key, taken.get(key)?.own ?? 0]));
      const others = await count(told, own);
      isAlone = false;
      if (minute !== told) return false;
      for (const [key, sum] of others) {
        const known = taken.get(key);
        // A store that lost its counts takes back nothing.
        if (known !== undefined) known.others = Math.max(known.others, sum);
      }
      return true;
    } catch (error) {
      if (!isAlone) report(error);
      isAlone = true;
      if (minute === told) for (const key of keys) untold.add(key);
      return false;
    }
  }

  return {
    take(key) {
      startMinute();
      const slot = taken.size < KEYS_MAX || taken.has(key) ? key : OTHERS;
      const known = taken.get(slot) ?? { own: 0, others: 0 };
      if (known.own + known.others >= perMinuteMax) return false;
      known.own += 1;
      taken.set(slot, known);
      untold.add(slot);
      tellSoon();
      return true;
    },
    /** What was taken last counts for the nodes that go on. */
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await telling;
      if (untold.size > 0) await tell();
    },
  };
}
