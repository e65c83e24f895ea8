/** Ends what nobody answers and deletes what is old, every few seconds. */
import type { FinishedSession, SessionStore } from "../types.ts";

export type SweeperOptions = {
  readonly sessions: SessionStore;
  /** How long sessions that are over are kept. */
  readonly keepMs: () => number;
  readonly wallMs: () => number;
  readonly onFinished: (session: FinishedSession) => void;
  readonly report: (error: unknown) => void;
};

const SWEEP_EVERY_MS = 5_000;

export function startSweeper(options: SweeperOptions): { readonly stop: () => Promise<void> } {
  const { sessions, keepMs, wallMs, onFinished, report } = options;
  let running: Promise<void> | undefined;
  let isStopped = false;
  const sweep = async () => {
    const nowMs = wallMs();
    const finished = await sessions.sweep(nowMs, nowMs - keepMs(), () => isStopped);
    for (const session of finished) onFinished(session);
  };
  const timer = setInterval(() => {
    running ??= sweep()
      .catch(report)
      .finally(() => {
        running = undefined;
      });
  }, SWEEP_EVERY_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      isStopped = true;
      await running;
    },
  };
}
