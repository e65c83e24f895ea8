/** When each channel's network called last: in memory, of this node alone. */
import type { DoorOutcome } from "../transports/door.ts";

export type Calls = {
  readonly note: (outcome: DoorOutcome) => void;
  /** Undefined where it has not called since this node started. */
  readonly lastMs: (channel: string) => number | undefined;
};

/** The phone passes by the doors, so that what it dials is no network's request. */
export function createCalls(wallMs: () => number): Calls {
  const lastMs = new Map<string, number>();
  return {
    note({ channel }) {
      lastMs.set(channel, wallMs());
    },
    lastMs: (channel) => lastMs.get(channel),
  };
}
