import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseMsisdn } from "../core/address.ts";
import type { Session, SessionStore } from "../types.ts";
import { createDigest, createSealer } from "./seal.ts";
import { sqliteStore } from "./sqlite.ts";

const T0 = 1_795_000_000_000;
const msisdn = parseMsisdn("258841234567");

async function answer(sessions: SessionStore, id: string, nowMs: number, expiresAtMs: number) {
  const ask = { key: id, freshId: id, msisdn, digest: "d", nowMs, leaseMs: 1_000 };
  const held = await sessions.open(ask);
  assert.equal(held.type, "leased");
  if (held.type !== "leased") return;
  const session: Session = {
    id,
    msisdn,
    networkSessionId: id,
    serviceCode: undefined,
    backendId: undefined,
    provider: "test",
    turns: 1,
    calls: 1,
    seen: { length: 0, digest: "d" },
    messageId: undefined,
    inputs: [],
    lastReply: { action: "continue", screen: "Hello" },
    lastFailure: undefined,
    paging: undefined,
    asksSecret: false,
    ended: false,
    outcome: undefined,
  };
  const record = {
    outcome: "ok",
    startedAtMs: nowMs,
    tookMs: 1,
    backendMs: 1,
    input: "",
    screen: "Hello",
    action: "continue",
    attempts: [],
    requestOctets: 1,
    replyOctets: 1,
    flaw: undefined,
  } as const;
  const settlement = {
    session,
    channel: "test",
    record,
    nowMs,
    expiresAtMs,
    isUnread: () => false,
  };
  assert.equal(await sessions.settle(held.lease, settlement), true);
}

test("each of thousands of sessions is ended by the first sweep after its TTL, and once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dialyard-sweep-"));
  const key = Buffer.alloc(32, 1);
  const store = await sqliteStore({
    file: join(folder, "test.db"),
    sealer: createSealer([key]),
    digest: createDigest(key),
  });
  const { sessions } = store;
  try {
    // Session n expires after n ms, in an order of its own within each slice of the sweep.
    const numbers = Array.from({ length: 2_600 }, (_, n) => (n % 2 === 0 ? n : 2_600 - n));
    await Promise.all(numbers.map((n) => answer(sessions, `sess_${n}`, T0, T0 + n + 1)));
    const ended: number[] = [];
    for (let ms = 0; ms <= 2_400; ms += 300) {
      // One goes on as long as it is answered.
      if (ms < 1_800) await answer(sessions, "sess_2000", T0 + ms, T0 + ms + 2_001);
      const swept = await sessions.sweep(T0 + ms, 0);
      const found = swept.map(({ id }) => Number(id.slice("sess_".length)));
      assert.ok(found.every((n) => n < ms && n >= ms - 300 && n !== 2_000));
      ended.push(...found);
    }
    const wanted = numbers.filter((n) => n < 2_400 && n !== 2_000).toSorted((a, b) => a - b);
    assert.deepEqual(
      ended.toSorted((a, b) => a - b),
      wanted,
    );
    const last = await sessions.sweep(T0 + 1_500 + 2_001, 0);
    assert.equal(last.length, 2_600 - wanted.length);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
});
