/**
 * When a turn calls its backend: at once, then after 1 s, 2 s, 4 s (OLA API reference, "Retry
 * Strategy"), each attempt cut by what the network's patience leaves (RELIABILITY 1).
 */

/** Kept for settling the turn and writing the reply. */
export const RESERVE_MS = 300;
/** With less left, a call that may charge somebody is not begun. */
export const ATTEMPT_MS_MIN = 500;
const FIRST_WAIT_MS = 1_000;

export type AttemptAsk = {
  /** 0 for the first. */
  readonly attempt: number;
  /** Since the turn's request arrived. */
  readonly elapsedMs: number;
  readonly budgetMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  /** `Retry-After` of the reply before; obeyed only if it fits the budget. */
  readonly retryAfterMs?: number | undefined;
};
export type AttemptStep = { readonly waitMs: number; readonly timeoutMs: number };

export function nextAttempt(ask: AttemptAsk): AttemptStep | undefined {
  const { attempt, retries, retryAfterMs = 0 } = ask;
  if (attempt > retries) return undefined;
  const waitMs = attempt === 0 ? 0 : FIRST_WAIT_MS * 2 ** (attempt - 1);
  if (attempt > 0 && retryAfterMs > waitMs) {
    const asked = stepAfter(ask, retryAfterMs);
    if (asked !== undefined) return asked;
  }
  return stepAfter(ask, waitMs);
}

function stepAfter(ask: AttemptAsk, waitMs: number): AttemptStep | undefined {
  const leftMs = ask.budgetMs - RESERVE_MS - ask.elapsedMs - waitMs;
  const timeoutMs = Math.min(ask.timeoutMs, leftMs);
  return timeoutMs < ATTEMPT_MS_MIN ? undefined : { waitMs, timeoutMs };
}

export type AttemptPlan = {
  readonly attempts: readonly { readonly startMs: number; readonly endMs: number }[];
  /** What timeout and retries ask for when nothing cuts them. */
  readonly wantedMs: number;
  /** The budget shortens an attempt or leaves some out. */
  readonly isCut: boolean;
};

/** The schedule against a backend that accepts every call and never answers. */
export function planAttempts(
  backend: { readonly timeoutMs: number; readonly retries: number },
  budgetMs: number,
): AttemptPlan {
  const { timeoutMs, retries } = backend;
  const attempts: { startMs: number; endMs: number }[] = [];
  let elapsedMs = 0;
  // Finite whatever `retries` is: every attempt uses up at least ATTEMPT_MS_MIN of the budget.
  for (let attempt = 0; ; attempt++) {
    const step = nextAttempt({ attempt, elapsedMs, budgetMs, timeoutMs, retries });
    if (step === undefined) break;
    const startMs = elapsedMs + step.waitMs;
    elapsedMs = startMs + step.timeoutMs;
    attempts.push({ startMs, endMs: elapsedMs });
  }
  const wantedMs = timeoutMs * (retries + 1) + FIRST_WAIT_MS * (2 ** retries - 1);
  return { attempts, wantedMs, isCut: elapsedMs < wantedMs };
}
