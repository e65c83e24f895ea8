/** Stores on a Redis that a test started, records in SQLite, and turns that they take. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import {
  askOf,
  sessionId,
  sessionOf,
  settlementOf,
  type Started,
  T0,
} from "../../src/stores/conformance.ts";
import { type RedisOptions, redisStore } from "../../src/stores/redis.ts";
import { createDigest, createSealer } from "../../src/stores/seal.ts";
import { sqliteStore } from "../../src/stores/sqlite.ts";
import type { Store } from "../../src/types.ts";

export const sealer = createSealer([Buffer.alloc(32, 1)]);
export const SILENT = {
  stalled: () => undefined,
  resumed: () => undefined,
  dropped: () => undefined,
  lost: () => undefined,
  mayEvict: () => undefined,
};
/** Drains when it is asked, and not in between. */
export const QUIET = { drainEveryMs: 60_000 };

export type RedisStores = {
  readonly newFile: () => string;
  /** Each on keys of its own: they depend on the secret. */
  readonly newSecret: () => string;
  readonly newDigest: () => RedisOptions["digest"];
  readonly open: (
    file: string,
    digest: RedisOptions["digest"],
    change?: Partial<RedisOptions>,
  ) => Promise<Store>;
  /**
   * For conformance.ts: after a kill another process opens a copy of the file. The first one lives
   * on, and is not to drain into its own what the other looks for.
   */
  readonly start: () => Promise<Started>;
  readonly remove: () => void;
};

export function createRedisStores(url: () => string): RedisStores {
  const directory = mkdtempSync(join(tmpdir(), "dialyard-redis-store-"));
  let count = 0;
  const newFile = () => join(directory, String((count += 1)), "dialyard.db");
  const newSecret = () => `secret ${(count += 1)}`;
  const newDigest = () => createDigest(Buffer.alloc(32, newSecret()));
  const open: RedisStores["open"] = async (file, digest, change = {}) => {
    const sql = await sqliteStore({ file, sealer, digest });
    const options = { sql, sealer, digest, report: () => undefined, tell: SILENT };
    return redisStore({ url: url(), ...options, ...change });
  };
  return {
    newFile,
    newSecret,
    newDigest,
    open,
    async start() {
      const [file, digest] = [newFile(), newDigest()];
      const restart = async () => {
        const copy = newFile();
        cpSync(dirname(file), dirname(copy), { recursive: true });
        return open(copy, digest, QUIET);
      };
      const store = await open(file, digest, QUIET);
      await store.records.countLive(T0); // its first look is over
      return { store, restart };
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The first turn of session `n`, acknowledged; rejects where it is not. */
export async function settleTurn({ sessions }: Store, n: number): Promise<void> {
  const held = await sessions.open(askOf({ key: `key-${n}`, freshId: sessionId(n) }));
  assert.ok(held.type === "leased");
  const session = sessionOf({ id: held.lease.freshId });
  assert.equal(await sessions.settle(held.lease, settlementOf({ session })), true);
}

/** So many turns of sessions of their own, all acknowledged. */
export async function settleTurns(store: Store, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += 1) await settleTurn(store, n);
}

/** Of all sessions of the tests above. */
export async function recordedOf({ records }: Store): Promise<number> {
  const filter = { nowMs: settlementOf().nowMs, limit: 1_000 };
  return (await records.findSessions(filter)).sessions.length;
}

export type Playing = {
  /** The numbers of those that were acknowledged. */
  readonly settled: readonly number[];
  readonly failures: readonly string[];
  readonly longestMs: () => number;
  readonly stop: () => Promise<void>;
};
/** First turns of new sessions, so many at a time and numbered from there, until it is stopped. */
export function playTurns(store: Store, lanes: number, from = 0): Playing {
  let [next, longestMs, isOver] = [from, 0, false];
  const settled: number[] = [];
  const failures: string[] = [];
  const play = async (): Promise<void> => {
    while (!isOver) {
      const [n, startedMs] = [next, performance.now()];
      next += 1;
      await settleTurn(store, n).then(
        () => settled.push(n),
        (error: unknown) => failures.push((error as Error).message),
      );
      longestMs = Math.max(longestMs, performance.now() - startedMs);
      await wait(5);
    }
  };
  const playing = Array.from({ length: lanes }, play);
  return {
    settled,
    failures,
    longestMs: () => longestMs,
    async stop() {
      isOver = true;
      await Promise.all(playing);
    },
  };
}
