/** One wide event for each turn, and all that is made of it. */
import type { TurnEvent } from "../gateway.ts";
import type { BackendTimes } from "./backend-times.ts";
import { turnEvent, type Events } from "./events.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Pulse } from "./pulse.ts";

const FLAWS_TOLD_MAX = 1_000;

export function createObserver(options: {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly events: Pick<Events, "isWatched" | "publish">;
  readonly times: Pick<BackendTimes, "turn">;
  readonly pulse: Pick<Pulse, "turn">;
  readonly countTurn: () => void;
  readonly wallMs: () => number;
}): (event: TurnEvent) => void {
  const { log, metrics, events, times, pulse, countTurn, wallMs } = options;
  const told = new Set<string>();
  /** A backend that leaves out CON says so once, not with every turn. */
  function tellFlawOnce({ record, session }: TurnEvent): void {
    const flaw = record?.flaw;
    const backendId = session?.backendId;
    if (flaw === undefined || backendId === undefined) return;
    const key = `${flaw} ${backendId}`;
    if (told.has(key) || told.size >= FLAWS_TOLD_MAX) return;
    told.add(key);
    log.warn("backend_flaw", { reason: flaw, backend_id: backendId });
  }
  return (event) => {
    log.turn(event);
    metrics.turn(event);
    times.turn(event);
    pulse.turn(event);
    countTurn();
    if (events.isWatched()) events.publish(turnEvent(event, new Date(wallMs()).toISOString()));
    tellFlawOnce(event);
  };
}
