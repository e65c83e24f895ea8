/** Slows down who guesses: by name and address together, and by address alone. */

export type Throttle = {
  /** Milliseconds to wait before the next try is looked at; 0 where it may be. */
  readonly waitMs: (name: string, address: string) => number;
  readonly failed: (name: string, address: string) => void;
  readonly succeeded: (name: string, address: string) => void;
};

const FREE_PAIR = 5;
const FREE_ADDRESS = 30;
const FIRST_WAIT_MS = 5_000;
const WAIT_MS_MAX = 15 * 60_000;
/** Failures older than this are forgiven. */
const MEMORY_MS = 15 * 60_000;
const KEYS_MAX = 20_000;

type Count = { failures: number; atMs: number };

export function createThrottle(nowMs: () => number): Throttle {
  const counts = new Map<string, Count>();
  const pairOf = (name: string, address: string) => `${address}\n${name}`;

  function waitOf(key: string, free: number): number {
    const count = counts.get(key);
    if (count === undefined || count.failures < free) return 0;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** (count.failures - free), WAIT_MS_MAX);
    return Math.max(0, count.atMs + wait - nowMs());
  }
  function countUp(key: string): void {
    const old = counts.get(key);
    const isFresh = old === undefined || nowMs() - old.atMs > MEMORY_MS;
    // Set anew, so that the map stays in the order of last failures.
    counts.delete(key);
    counts.set(key, { failures: isFresh ? 1 : old.failures + 1, atMs: nowMs() });
    if (counts.size <= KEYS_MAX) return;
    for (const oldest of counts.keys()) {
      counts.delete(oldest);
      break;
    }
  }
  return {
    waitMs: (name, address) =>
      Math.max(waitOf(pairOf(name, address), FREE_PAIR), waitOf(address, FREE_ADDRESS)),
    failed(name, address) {
      countUp(pairOf(name, address));
      countUp(address);
    },
    succeeded(name, address) {
      counts.delete(pairOf(name, address));
    },
  };
}
