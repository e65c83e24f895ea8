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
  /**
   * The same sessions through another connection, as after a kill -9; absent where nothing outlives
   * the process.
   */
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
  [
    "of two hundred turns through two connections, one at a time has the lease",
    async ({ store, restart }) => {
      const other = (await restart?.()) ?? store;
      const ask = { key: "a", nowMs: NOW_MS, leaseMs: LEASE_MS };
      for (let round = 0; round < 5; round += 1) {
        const all = Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? store : other).open(ask));
        const leased = (await Promise.all(all)).filter((held) => held.type === "leased");
        assert.equal(leased.length, 1, `round ${round}`);
        // A lease is the session's, not the connection's.
        assert.equal(await settle(other, leased[0]!.lease, `round ${round}`), true);
        assert.equal(await settle(store, leased[0]!.lease, "twice"), false);
      }
      const last = await take(store, "a");
      assert.deepEqual([last.state, last.lapsed], ["round 4", false]);
      if (other !== store) await other.close();
    },
  ],
  [
    "a lease that lapsed is still settled while nobody else has taken it",
    async ({ store }) => {
      const { lease } = await take(store, "a");
      assert.equal(await settle(store, lease, "late", NOW_MS + 2 * LEASE_MS), true);
      const next = await take(store, "a", NOW_MS + 2 * LEASE_MS);
      assert.deepEqual([next.state, next.lapsed], ["late", false]);
    },
  ],
  [
    "whoever lost the lease gives nothing back",
    async ({ store }) => {
      const first = await take(store, "a");
      await take(store, "a", NOW_MS + LEASE_MS);
      await store.release(first.lease);
      const third = { key: "a", nowMs: NOW_MS + LEASE_MS + 1, leaseMs: LEASE_MS };
      assert.deepEqual(await store.open(third), { type: "busy" });
    },
  ],
  [
    "a lost turn is remembered when the session's time is over, and forgotten some minutes later",
    async ({ store }) => {
      await settle(store, (await take(store, "a")).lease, "before");
      await take(store, "a", NOW_MS + TTL_MS - 1);
      const soon = await take(store, "a", NOW_MS + TTL_MS + LEASE_MS);
      assert.deepEqual([soon.state, soon.lapsed], [undefined, true]);
      const muchLater = NOW_MS + TTL_MS + 2 * LEASE_MS + 3_600_000;
      const later = await take(store, "a", muchLater);
      assert.deepEqual([later.state, later.lapsed], [undefined, false]);
    },
  ],
  [
    "a session that was over begins anew, and lives as long as any",
    async ({ store }) => {
      await settle(store, (await take(store, "a")).lease, "old");
      const later = NOW_MS + TTL_MS;
      assert.equal(await settle(store, (await take(store, "a", later)).lease, "new", later), true);
      assert.equal((await take(store, "a", later + TTL_MS - 1)).state, "new");
    },
  ],
  [
    "a settled turn makes the session live longer",
    async ({ store }) => {
      for (const nowMs of [0, 1, 2, 3].map((nth) => NOW_MS + nth * (TTL_MS - 1))) {
        const { lease, state } = await take(store, "a", nowMs);
        assert.equal(state, nowMs === NOW_MS ? undefined : "kept");
        await settle(store, lease, "kept", nowMs);
      }
    },
  ],
  [
    "a state of a quarter of a million characters comes back whole",
    async ({ store }) => {
      const state = JSON.stringify({ list: Array.from({ length: 25_000 }, (_, n) => `€ç😀 ${n}`) });
      assert.ok(state.length > 250_000);
      await settle(store, (await take(store, "a")).lease, state);
      const held = await take(store, "a");
      assert.ok(held.state === state, "it is another state");
      await settle(store, held.lease, "");
      assert.equal((await take(store, "a")).state, "", "an empty state is a state");
    },
  ],
  [
    "keys are taken to the letter",
    async ({ store }) => {
      const keys = [
        "bank\ns1\n258",
        "bank\ns1\n2580",
        "BANK\ns1\n258",
        "a'b\"c%_*{}",
        "é😀",
        "x".repeat(500),
      ];
      for (const key of keys) await settle(store, (await take(store, key)).lease, `of ${key}`);
      for (const key of keys) assert.equal((await take(store, key)).state, `of ${key}`);
    },
  ],
];
