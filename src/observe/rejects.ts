/** The last requests that each channel refused, and why: in memory, of this node alone. */
import type { DoorOutcome } from "../transports/door.ts";

export type Reject = {
  readonly status: number;
  readonly reason: string;
  readonly count: number;
  readonly lastAtMs: number;
};
export type Rejects = {
  readonly note: (outcome: DoorOutcome) => void;
  /** Newest first. */
  readonly of: (channel: string) => readonly Reject[];
};

/** Equal refusals are one row: a flood of one kind does not push out the others. */
const ROWS_PER_CHANNEL_MAX = 20;
const REASON_CHARS_MAX = 120;

/** Channels are those of the configuration, so their number is bounded. */
export function createRejects(wallMs: () => number): Rejects {
  const byChannel = new Map<string, Map<string, Reject>>();
  return {
    note({ channel, status, reason }) {
      if (reason === undefined) return;
      let rows = byChannel.get(channel);
      if (rows === undefined) byChannel.set(channel, (rows = new Map<string, Reject>()));
      const shown = masked(reason);
      const key = `${status} ${shown}`;
      const count = (rows.get(key)?.count ?? 0) + 1;
      // A Map keeps the order of insertion: the newest is the last.
      rows.delete(key);
      rows.set(key, { status, reason: shown, count, lastAtMs: wallMs() });
      const [oldest] = rows.keys();
      if (rows.size > ROWS_PER_CHANNEL_MAX && oldest !== undefined) rows.delete(oldest);
    },
    of: (channel) => [...(byChannel.get(channel)?.values() ?? [])].reverse(),
  };
}

/** Reasons quote no values, but a wire that is not its protocol's may have a PIN for a name. */
function masked(reason: string): string {
  return reason.slice(0, REASON_CHARS_MAX).replaceAll(/\d{4,}/g, "••••");
}
