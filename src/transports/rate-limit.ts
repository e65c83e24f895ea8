/** Requests a minute and key, in fixed windows, bounded in memory. */
export type RateLimit = { readonly take: (key: string) => boolean };

/** Beyond so many addresses in a minute the rest share one allowance: memory stays bounded. */
export const KEYS_MAX = 50_000;
export const OTHERS = "others";
export const WINDOW_MS = 60_000;

export function createRateLimit(options: {
  readonly perMinuteMax: number;
  readonly nowMs: () => number;
}): RateLimit {
  const taken = new Map<string, number>();
  let windowStartMs = options.nowMs();
  return {
    take(key) {
      const nowMs = options.nowMs();
      if (nowMs - windowStartMs >= WINDOW_MS) {
        taken.clear();
        windowStartMs = nowMs;
      }
      const slot = taken.size < KEYS_MAX || taken.has(key) ? key : OTHERS;
      const count = (taken.get(slot) ?? 0) + 1;
      taken.set(slot, count);
      return count <= options.perMinuteMax;
    },
  };
}
