import assert from "node:assert/strict";
import { test } from "node:test";
import { testAppStore } from "./store-conformance.ts";
import { memoryAppStore } from "./store.ts";

testAppStore("memory app store", async () => ({ store: memoryAppStore() }));

test("a full memory app store takes no more sessions, until old ones are over", async () => {
  const store = memoryAppStore(3);
  const begin = async (key: string, nowMs: number): Promise<void> => {
    const held = await store.open({ key, nowMs, leaseMs: 10 });
    assert.ok(held.type === "leased");
    await store.settle(held.lease, { state: "{}", nowMs, expiresAtMs: nowMs + 1_000 });
  };
  for (const key of ["a", "b", "c"]) await begin(key, 0);
  await assert.rejects(begin("d", 999), /more than 3 app sessions/);
  await begin("d", 1_000);
  assert.equal(store.size(), 1);
});

test("ten thousand sessions leave nothing behind once they are over", async () => {
  const store = memoryAppStore();
  for (let n = 0; n < 10_000; n += 1) {
    const held = await store.open({ key: `k${n}`, nowMs: n, leaseMs: 5 });
    assert.ok(held.type === "leased");
    await store.settle(held.lease, { state: "{}", nowMs: n, expiresAtMs: n + 100 });
  }
  // 100 live, and a quarter as many begin while a sweep goes once round.
  assert.ok(store.size() <= 126, `${store.size()} sessions are kept`);
});
