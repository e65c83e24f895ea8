/** What every store of app sessions does, as tests: a store's own test file is one call. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AppHeld, AppLease, AppStore } from "./store.ts";

const NOW_MS = 1_750_000_000_000;
const LEASE_MS = 5_000;
const TTL_MS = 300_000;

type Leased = Extract<AppHeld, { type: "leased" }>;
export type StartedAppStore = {
  readonly store: AppStore;
  /** The same sessions after a kill -9; absent where nothing outlives the process. */
  readonly restart?: () => Promise<AppStore>;
};
type Case = readonly [title: string, run: (started: StartedAppStore) => Promise<void>];

/**
 * Runs every case of the contract against a store, each on a fresh one.
 * @example
 * testAppStore("memory", async () => ({ store: memoryAppStore() }));
 */
export function testAppStore(name: string, start: () => Promise<StartedAppStore>): void {
  for (const [title, run] of CASES) {
    test(`${name}: ${title}`, async () => {
      const started = await start();
      try {
        await run(started);
      } finally {
        await started.store.close();
      }
    });
  }
}

async function take(store: AppStore, key: string, nowMs = NOW_MS): Promise<Leased> {
  const held = await store.open({ key, nowMs, leaseMs: LEASE_MS });
  assert.equal(held.type, "leased");
  return held;
}

function settle(store: AppStore, lease: AppLease, state: string, nowMs = NOW_MS) {
  return store.settle(lease, { state, nowMs, expiresAtMs: nowMs + TTL_MS });
}

const CASES: readonly Case[] = [
  [
    "a session that was never settled has no state",
    async ({ store }) => {
      const held = await take(store, "a");
      assert.deepEqual([held.state, held.lapsed], [undefined, false]);
    },
  ],
  [
    "what was settled is what the next turn finds, to the letter",
    async ({ store }) => {
      const state = JSON.stringify({ text: 'São "5" €\n\\ \u0000 😀', deep: [{ n: 1.5 }] });
      assert.equal(await settle(store, (await take(store, "a")).lease, state), true);
      assert.equal((await take(store, "a")).state, state);
    },
  ],
  [
    "a settled state is replaced whole",
    async ({ store }) => {
      await settle(store, (await take(store, "a")).lease, "first, and long");
      await settle(store, (await take(store, "a")).lease, "second");
      assert.equal((await take(store, "a")).state, "second");
    },
  ],
  [
    "one turn at a time: a second is told that the session is busy",
    async ({ store }) => {
      await take(store, "a");
      const second = await store.open({ key: "a", nowMs: NOW_MS + 1, leaseMs: LEASE_MS });
      assert.deepEqual(second, { type: "busy" });
    },
  ],
  [
    "of a hundred turns that open at once, one gets the lease",
    async ({ store }) => {
      const ask = { key: "a", nowMs: NOW_MS, leaseMs: LEASE_MS };
      const all = await Promise.all(Array.from({ length: 100 }, () => store.open(ask)));
      assert.equal(all.filter(({ type }) => type === "leased").length, 1);
    },
  ],
  [
    "sessions do not hold each other up",
    async ({ store }) => {
      const [a, b] = await Promise.all([take(store, "a"), take(store, "b")]);
      await Promise.all([settle(store, a.lease, "A"), settle(store, b.lease, "B")]);
      assert.equal((await take(store, "a")).state, "A");
      assert.equal((await take(store, "b")).state, "B");
    },
  ],
  [
    "a lease that was never settled lapses, and the next turn is told so",
    async ({ store }) => {
      await settle(store, (await take(store, "a")).lease, "before");
      await take(store, "a");
      const next = await take(store, "a", NOW_MS + LEASE_MS);
      assert.deepEqual([next.state, next.lapsed], ["before", true]);
    },
  ],
  [
    "a lapsed first turn is remembered too",
    async ({ store }) => {
      await take(store, "a");
      const next = await take(store, "a", NOW_MS + LEASE_MS);
      assert.deepEqual([next.state, next.lapsed], [undefined, true]);
    },
  ],
  [
    "whoever lost the lease settles nothing",
    async ({ store }) => {
      const first = await take(store, "a");
      const second = await take(store, "a", NOW_MS + LEASE_MS);
      assert.equal(await settle(store, first.lease, "late", NOW_MS + LEASE_MS), false);
      assert.equal(await settle(store, second.lease, "mine", NOW_MS + LEASE_MS), true);
      assert.equal((await take(store, "a", NOW_MS + LEASE_MS)).state, "mine");
    },
  ],
  [
    "a lease settles once",
    async ({ store }) => {
      const { lease } = await take(store, "a");
      assert.equal(await settle(store, lease, "once"), true);
      assert.equal(await settle(store, lease, "twice"), false);
      assert.equal((await take(store, "a")).state, "once");
    },
  ],
  [
    "that a turn was lost is forgotten once one settles, not when one gives its lease back",
    async ({ store }) => {
      await take(store, "a");
      const next = await take(store, "a", NOW_MS + LEASE_MS);
      await store.release(next.lease);
      const again = await take(store, "a", NOW_MS + LEASE_MS);
      assert.equal(again.lapsed, true);
      await settle(store, again.lease, "done", NOW_MS + LEASE_MS);
      assert.equal((await take(store, "a", NOW_MS + LEASE_MS)).lapsed, false);
    },
  ],
  [
    "a lease given back leaves the session as it was and free",
    async ({ store }) => {
      await settle(store, (await take(store, "a")).lease, "kept");
      const { lease } = await take(store, "a");
      await store.release(lease);
      const next = await take(store, "a");
      assert.deepEqual([next.state, next.lapsed], ["kept", false]);
      await store.release(lease);
      const busy = await store.open({ key: "a", nowMs: NOW_MS, leaseMs: LEASE_MS });
      assert.deepEqual(busy, { type: "busy" }, "a lease given back twice frees nobody else's");
    },
  ],
  [
    "a session is gone when its time is over, not before",
    async ({ store }) => {
      await settle(store, (await take(store, "a")).lease, "old");
      const inTime = await take(store, "a", NOW_MS + TTL_MS - 1);
      assert.equal(inTime.state, "old");
      await store.release(inTime.lease);
      assert.equal((await take(store, "a", NOW_MS + TTL_MS)).state, undefined);
    },
  ],
  [
    "sessions and leases outlive a crash, where anything does",
    async ({ store, restart }) => {
      await settle(store, (await take(store, "a")).lease, "kept");
      await take(store, "a");
      if (restart === undefined) return;
      const again = await restart();
      try {
        const ask = { key: "a", nowMs: NOW_MS, leaseMs: LEASE_MS };
        assert.deepEqual(await again.open(ask), { type: "busy" });
        const next = await take(again, "a", NOW_MS + LEASE_MS);
        assert.deepEqual([next.state, next.lapsed], ["kept", true]);
      } finally {
        await again.close();
      }
    },
  ],
];
