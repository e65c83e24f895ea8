/**
 * When what is read now may have come. A process that stood still (stopped, swapped out, busy
 * beyond its means) finds requests that waited in the kernel, for nobody knows how long: their
 * networks may have given up, and asked another node that answered. So their budgets begin where
 * they may have come, and what has no time left is not begun (RELIABILITY F61).
 */
export type Standstill = {
  /** Now; while the event loop is late, the earliest moment for what it reads. */
  readonly cameAtMs: () => number;
  readonly close: () => void;
};
type StandstillOptions = {
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly beatMs?: number;
};

const BEAT_MS = 50;
/**
 * A round of the event loop has one beat at most. What is read in this one was accepted in the
 * round before, and came after connections had been accepted in the round before that.
 */
const BEATS = 3;
/** Less than this makes no difference to a budget. */
const LATE_MS = 200;

export function watchStandstill({ nowMs, beatMs = BEAT_MS }: StandstillOptions): Standstill {
  const beats = Array.from({ length: BEATS }, nowMs);
  let newest = 0;
  let oldestMs = nowMs();
  const timer = setInterval(() => {
    newest = (newest + 1) % BEATS;
    beats[newest] = nowMs();
    oldestMs = beats[(newest + 1) % BEATS] ?? oldestMs;
  }, beatMs);
  timer.unref();
  return {
    cameAtMs() {
      const now = nowMs();
      return now - oldestMs > BEATS * beatMs + LATE_MS ? oldestMs : now;
    },
    close: () => clearInterval(timer),
  };
}
