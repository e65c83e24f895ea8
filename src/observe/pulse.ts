/** The last hour by the minute: turns, their time, sessions begun and over. In memory. */
import type { TurnEvent } from "../gateway.ts";
import type { PulseMinute, SessionOutcome } from "../types.ts";

export type Pulse = {
  readonly turn: (event: TurnEvent) => void;
  /** A session that ended by itself, as nobody answered. */
  readonly finished: (outcome: SessionOutcome) => void;
  /** Oldest first, without minutes in which nothing happened. */
  readonly read: () => readonly PulseMinute[];
};
type Counts = { turns: number; begun: number; completed: number; failed: number; over: number };
type Minute = Counts & { readonly minute: number; readonly timesMs: Float64Array; p95Ms: number };

export const PULSE_MINUTES = 60;
const MINUTE_MS = 60_000;
/** Of a minute the newest are enough for a percentile. */
const TIMES_KEPT = 500;
/** How sessions end that nobody has to look into. */
const CALM = new Set<SessionOutcome>(["completed", "cancelled", "abandoned", "replaced"]);

export function createPulse(wallMs: () => number): Pulse {
  const minutes: Minute[] = [];
  const timesMs = new Float64Array(TIMES_KEPT);
  const current = (): Minute => {
    const minute = Math.floor(wallMs() / MINUTE_MS);
    const last = minutes.at(-1);
    if (last?.minute === minute) return last;
    if (last !== undefined) last.p95Ms = p95Of(last);
    const fresh = { turns: 0, begun: 0, completed: 0, failed: 0, over: 0, p95Ms: 0 };
    minutes.push({ minute, timesMs, ...fresh });
    while ((minutes[0]?.minute ?? minute) <= minute - PULSE_MINUTES) minutes.shift();
    return minutes.at(-1)!;
  };
  const finished = (outcome: SessionOutcome) => {
    const minute = current();
    minute.over += 1;
    if (outcome === "completed") minute.completed += 1;
    if (!CALM.has(outcome)) minute.failed += 1;
  };
  return {
    turn({ session, outcome, tookMs }) {
      const minute = current();
      minute.timesMs[minute.turns % TIMES_KEPT] = tookMs;
      minute.turns += 1;
      if (session === undefined || outcome === "repeat") return;
      if (session.turns === 1 && outcome !== "abort") minute.begun += 1;
      // A notice may come for a session that had ended: it was counted then.
      const isOver = outcome === "abort" ? session.outcome === "cancelled" : session.ended;
      if (isOver && session.outcome !== undefined) finished(session.outcome);
    },
    finished,
    read() {
      const { minute: now } = current();
      return minutes
        .filter(({ minute, turns, over }) => minute > now - PULSE_MINUTES && turns + over > 0)
        .map(({ timesMs: times, p95Ms, ...counts }) => ({
          ...counts,
          p95Ms: counts.minute === now ? p95Of({ ...counts, timesMs: times }) : p95Ms,
        }));
    },
  };
}

/** Of several nodes, dense and oldest first. Their p95 is that of the slowest node. */
export function addPulses(
  pulses: readonly (readonly PulseMinute[])[],
  nowMs: number,
): readonly PulseMinute[] {
  const all = pulses.flat();
  const last = Math.floor(nowMs / MINUTE_MS);
  return Array.from({ length: PULSE_MINUTES }, (_, n) => {
    const minute = last - PULSE_MINUTES + 1 + n;
    const told = all.filter((one) => one.minute === minute);
    const sum = (name: keyof Counts) => told.reduce((total, one) => total + one[name], 0);
    return {
      ...{ minute, turns: sum("turns"), p95Ms: Math.max(0, ...told.map(({ p95Ms }) => p95Ms)) },
      ...{ begun: sum("begun"), completed: sum("completed"), failed: sum("failed") },
      over: sum("over"),
    };
  });
}

function p95Of({ turns, timesMs }: Pick<Minute, "turns" | "timesMs">): number {
  const sorted = timesMs.slice(0, Math.min(turns, TIMES_KEPT)).sort();
  return Math.round((sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0) * 10) / 10;
}
