/**
 * Sessions as their last turns left them, in memory: their rows are written later and together.
 *
 * A turn appends its record, with all that its session has become (`after`), and is as durable as
 * that: a start after a crash brings the rows up to date from the records. So a session's own page
 * of the database is written a few times in its life and not with every turn, and a session that
 * goes on is not read from the database at all.
 */
import type { Session } from "../types.ts";

/** A session and what of its row is not in the session itself. */
export type Hot = {
  readonly n: number;
  readonly session: Session;
  readonly channel: string;
  readonly startedAtMs: number;
  readonly lastAtMs: number;
  readonly expiresAtMs: number;
  readonly lastTurn: number;
  readonly undelivered: boolean;
  readonly hasRow: boolean;
  /** The first turn that the row knows nothing of; 0 when it knows all. */
  readonly unwrittenFrom: number;
  readonly unwrittenSinceMs: number;
};
export type HotSessions = {
  get(key: string): Hot | undefined;
  /** The session answered longest ago, where more are held than may be. */
  overflow(): string | undefined;
  set(key: string, hot: Hot): void;
  delete(key: string): void;
  /** Keys whose rows are behind, in the order in which they fell behind. */
  unwritten(): Iterable<string>;
  unwrittenCount(): number;
  /** Begins to note what changes, for `undo`. */
  begin(): void;
  /** The transaction was rolled back: as it was at `begin`. */
  undo(): void;
};

export function createHotSessions(sessionsMax: number): HotSessions {
  const held = new Map<string, Hot>();
  const behind = new Set<string>();
  let before: [key: string, hot: Hot | undefined][] = [];

  function put(key: string, hot: Hot | undefined): void {
    // Set anew, so that the map is in the order of the last turns.
    held.delete(key);
    if (hot !== undefined) held.set(key, hot);
    if (hot === undefined || hot.unwrittenFrom === 0) behind.delete(key);
    else behind.add(key);
  }
  function change(key: string, hot: Hot | undefined): void {
    before.push([key, held.get(key)]);
    put(key, hot);
  }

  return {
    get: (key) => held.get(key),
    overflow() {
      if (held.size <= sessionsMax) return undefined;
      const [oldest] = held.keys();
      return oldest;
    },
    set: change,
    delete: (key) => change(key, undefined),
    unwritten: () => behind,
    unwrittenCount: () => behind.size,
    begin() {
      before = [];
    },
    undo() {
      for (const [key, hot] of before.toReversed()) put(key, hot);
      before = [];
    },
  };
}
