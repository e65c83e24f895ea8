/**
 * How long a connection may have waited to be accepted. The event loop accepts one in each of its
 * rounds, so behind a burst, or in a process that is busy beyond its means, a request can wait for
 * seconds in a queue that nobody sees: its network's patience runs meanwhile (RELIABILITY F61).
 * The queue was empty when a round brought no connection. While each brings one, we stand in it
 * ourselves: who is accepted after a connection of our own came after it.
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
  /** A connection of our own to this server; undefined where it might meet another process. */
  readonly stand: () => Socket | undefined;
};

/**
 * Of connections that wait. Beyond so many the kernel lets callers try again in a second or three,
 * of which nobody knows; it may hold fewer (net.core.somaxconn).
 */
export const BACKLOG = 1_023;
const ROUNDS = 3;
/** Less than this makes no difference to a budget. */
const LATE_MS = 200;
const STAND_EVERY_MS = 100;

export function createAcceptQueue(options: AcceptQueueOptions): AcceptQueue {
  const { nowMs, cameAtMs: foundFromMs, stand } = options;
  const waited = new WeakMap<Socket, number>();
  /** Whoever is accepted now came after that. */
  let busyFromMs: number | undefined;
  let isQuiet = true;
  let own: { readonly socket: Socket; readonly atMs: number } | undefined;
  let standsAgainMs = 0;

  /** Between two of these the loop has looked for connections, and waited for none. */
  function look(): void {
    if (isQuiet) busyFromMs = undefined;
    else setImmediate(look);
    isQuiet = true;
  }

  function standIn(now: number): void {
    standsAgainMs = now + STAND_EVERY_MS;
    const socket = stand();
    if (socket === undefined) return;
    const standing = { socket, atMs: now };
    own = standing;
    // Refused or reset: the next one tells.
    socket
      .on("error", () => undefined)
      .on("close", () => {
        if (own === standing) own = undefined;
      });
    socket.unref();
  }

  function isOwn(socket: Socket): boolean {
    return (
      own !== undefined &&
      socket.remotePort === own.socket.localPort &&
      socket.remoteAddress?.endsWith(own.socket.localAddress ?? "no address") === true
    );
  }

  return {
    accepted(socket) {
      const now = nowMs();
      isQuiet = false;
      if (busyFromMs === undefined) {
        busyFromMs = foundFromMs();
        setImmediate(look);
      }
      if (own !== undefined && isOwn(socket)) {
        busyFromMs = Math.max(busyFromMs, own.atMs);
        own.socket.destroy();
        own = undefined;
        return void socket.destroy();
      }
      const waitedMs = now - busyFromMs;
      if (waitedMs > STAND_EVERY_MS && own === undefined && now >= standsAgainMs) standIn(now);
      if (waitedMs <= LATE_MS) return;
      waited.set(socket, busyFromMs);
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
