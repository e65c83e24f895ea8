/**
 * How long a connection may have waited to be accepted. The event loop accepts one in each of its
 * rounds, so behind a burst, or in a process that is busy beyond its means, a request can wait for
 * seconds in a queue that nobody sees: its network's patience runs meanwhile (RELIABILITY F61).
 * What is known is when the queue was last empty, and that it holds so many at most.
 */
import type { Socket } from "node:net";

export type AcceptQueue = {
  /** Of the server: each "connection". */
  readonly accepted: (socket: Socket) => void;
  /** When a request on it may have come; undefined where it did not wait to be accepted. */
  readonly cameAtMs: (socket: Socket) => number | undefined;
};
type AcceptQueueOptions = {
  /** Monotonic. */
  readonly nowMs: () => number;
  /** When what the loop finds now may have come (standstill.ts). */
  readonly cameAtMs: () => number;
  /** The server listens with this backlog. */
  readonly backlog?: number;
};

/**
 * Beyond so many the kernel lets callers try again in a second or three, of which nobody knows. It
 * may hold fewer (net.core.somaxconn), and holds one more.
 */
export const BACKLOG = 1_023;
const ROUNDS = 3;
/** Less than this makes no difference to a budget. */
const LATE_MS = 200;

export function createAcceptQueue(options: AcceptQueueOptions): AcceptQueue {
  const { nowMs, cameAtMs: foundFromMs, backlog = BACKLOG } = options;
  const waited = new WeakMap<Socket, number>();
  const places = backlog + 1;
  const times = new Float64Array(places);
  let count = 0;
  /** Since then each round had a connection: the queue was empty before. */
  let busyFromMs: number | undefined;
  let isQuiet = true;

  /** Between two of these the loop has looked for connections, and waited for none. */
  function look(): void {
    if (isQuiet) busyFromMs = undefined;
    else setImmediate(look);
    isQuiet = true;
  }

  return {
    accepted(socket) {
      const now = nowMs();
      isQuiet = false;
      if (busyFromMs === undefined) {
        busyFromMs = foundFromMs();
        count = 0;
        setImmediate(look);
      }
      const place = count % places;
      // Who was accepted so many places before it was there already when it came, or had gone.
      const fromMs = count < places ? busyFromMs : (times[place] ?? busyFromMs);
      times[place] = now;
      count += 1;
      if (now - fromMs <= LATE_MS) return;
      waited.set(socket, fromMs);
      // What waited with it is read in the next round; what is read later came later.
      afterRounds(ROUNDS, () => waited.delete(socket));
    },
    cameAtMs: (socket) => waited.get(socket),
  };
}

function afterRounds(rounds: number, then: () => void): void {
  if (rounds === 0) then();
  else setImmediate(afterRounds, rounds - 1, then);
}
