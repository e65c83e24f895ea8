import assert from "node:assert/strict";
import { test } from "node:test";
import { askOf, sessionId, sessionOf, settlementOf, testStore } from "./conformance.ts";
import { memoryStore } from "./memory.ts";

testStore("memory", async () => ({ store: memoryStore() }));

test("a full memory store makes room by forgetting history, and refuses when all live", async () => {
  const { sessions, records } = memoryStore(2);
  const begin = async (n: number, ended: boolean): Promise<void> => {
    const ask = askOf({ key: `key-${n}`, freshId: sessionId(n) });
    const held = await sessions.open(ask);
    assert.ok(held.type === "leased");
    const session = sessionOf({ id: sessionId(n), ended });
    await sessions.settle(held.lease, settlementOf({ session }));
  };
  await begin(1, true);
  await begin(2, false);
  await assert.rejects(begin(3, false), /more than 2 sessions/);
  await sessions.sweep(settlementOf().expiresAtMs, 0);
  await begin(4, false);
  assert.equal(await records.getSession(sessionId(1)), undefined);
  assert.notEqual(await records.getSession(sessionId(4)), undefined);
});
