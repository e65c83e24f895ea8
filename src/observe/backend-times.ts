/** How long backends took of late: the newest turns of each, in memory, of this node alone. */
import type { TurnEvent } from "../gateway.ts";

export type BackendTimes = {
  readonly turn: (event: TurnEvent) => void;
  /** Undefined where it was not called since this node started. */
  readonly of: (id: number) => { readonly turns: number; readonly p95Ms: number } | undefined;
};

const TURNS_KEPT = 200;
const BACKENDS_MAX = 1_000;

export function createBackendTimes(): BackendTimes {
  const byId = new Map<number, { readonly ms: Float64Array; count: number }>();
  return {
    turn({ session, record }) {
      const id = session?.backendId;
      if (id === undefined || record === undefined || record.attempts.length === 0) return;
      let times = byId.get(id);
      if (times === undefined) {
        if (byId.size >= BACKENDS_MAX) return;
        byId.set(id, (times = { ms: new Float64Array(TURNS_KEPT), count: 0 }));
      }
      times.ms[times.count % TURNS_KEPT] = record.backendMs;
      times.count += 1;
    },
    of(id) {
      const times = byId.get(id);
      if (times === undefined) return undefined;
      const turns = Math.min(times.count, TURNS_KEPT);
      const sorted = times.ms.slice(0, turns).sort();
      return { turns, p95Ms: sorted[Math.ceil(turns * 0.95) - 1] ?? 0 };
    },
  };
}
