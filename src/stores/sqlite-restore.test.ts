/** Rows are written behind their turns: whatever a kill interrupts, a start makes it good. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import type { Store } from "../types.ts";
import { askOf, sessionId, sessionOf, settlementOf } from "./conformance.ts";
import { createDigest, createSealer } from "./seal.ts";
import { sqliteStore } from "./sqlite.ts";

const root = mkdtempSync(join(tmpdir(), "dialyard-restore-"));
after(() => rmSync(root, { recursive: true, force: true }));
const options = (folder: string) => ({
  file: join(folder, "dialyard.db"),
  sealer: createSealer([Buffer.alloc(32, 1)]),
  digest: createDigest(Buffer.alloc(32, 2)),
  synchronous: "normal" as const,
});

type Step =
  | { readonly type: "turn"; readonly key: number; readonly ends: boolean; readonly typed: boolean }
  | { readonly type: "begin" | "undelivered" | "lease"; readonly key: number }
  | { readonly type: "sweep" }
  | { readonly type: "read" };
const key = fc.integer({ min: 0, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("turn" as const),
      key,
      ends: fc.boolean(),
      typed: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom("begin", "undelivered", "lease"), key }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom("sweep", "read") }) },
);

/** Takes a step as the gateway would, at a time of its own. */
async function take({ sessions, records }: Store, now: Step, nowMs: number, fresh: number) {
  if (now.type === "sweep") return void (await sessions.sweep(nowMs, 0));
  if (now.type === "read") return void (await records.countLive(nowMs));
  const name = `key-${now.key}`;
  if (now.type === "undelivered") return sessions.undelivered(name, sessionId(now.key));
  const freshId = sessionId(100 + fresh);
  const held = await sessions.open(askOf({ key: name, freshId, nowMs, leaseMs: 10 }));
  if (held.type === "busy" || now.type === "lease") return undefined;
  const before = now.type === "begin" ? undefined : held.session;
  const ended = now.type === "turn" && now.ends;
  const inputs = now.type === "turn" && now.typed ? ["1", "2"] : [];
  const session = sessionOf({
    ...(before ?? { id: held.lease.freshId }),
    turns: (before?.turns ?? 0) + 1,
    inputs,
    ended,
    outcome: ended ? "completed" : undefined,
  });
  return void (await sessions.settle(held.lease, settlementOf({ session, nowMs })));
}

/** What the next message of every session would find, and what operators read. */
async function state({ sessions, records }: Store, nowMs: number) {
  const found = await records.findSessions({ nowMs, limit: 100 });
  const details = await Promise.all(found.sessions.map(({ id }) => records.getSession(id)));
  const held = [];
  for (let index = 0; index < 5; index += 1) {
    const ask = askOf({ key: `key-${index}`, freshId: sessionId(900), nowMs, leaseMs: 10 });
    const answer = await sessions.open(ask);
    const { type, ...rest } = answer;
    held.push({ type, ...rest, lease: undefined });
  }
  return { details, held };
}

function isUndelivered(held: object | undefined): boolean {
  return held !== undefined && "undelivered" in held && held.undelivered === true;
}

test("a killed process left all that a running one knew", async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      runs += 1;
      const folder = join(root, String(runs));
      const copy = join(root, `${runs}-killed`);
      const store = await sqliteStore(options(folder));
      let nowMs = 1_000_000;
      for (const [index, now] of steps.entries()) {
        nowMs += 25;
        await take(store, now, nowMs, index);
      }
      cpSync(folder, copy, { recursive: true });
      const killed = await sqliteStore(options(copy));
      const [there, here] = [await state(killed, nowMs + 25), await state(store, nowMs + 25)];
      assert.deepEqual(there.details, here.details);
      // Whether the last answers were written is not known after a kill: they may not have been.
      for (const [index, held] of here.held.entries()) {
        const restored = there.held[index];
        assert.ok(!("undelivered" in held && held.undelivered) || isUndelivered(restored));
        assert.deepEqual({ ...restored, undelivered: true }, { ...held, undelivered: true });
      }
      await killed.close();
      await store.close();
      rmSync(folder, { recursive: true });
      rmSync(copy, { recursive: true });
    }),
    { numRuns: 150 },
  );
});

/** The files as they are at this moment, opened by another process's store. */
async function killed(folder: string, name: string): Promise<{ store: Store; folder: string }> {
  const copy = join(root, name);
  cpSync(folder, copy, { recursive: true });
  return { store: await sqliteStore(options(copy)), folder: copy };
}

test("a session survives a second kill before its row is written", async () => {
  const nowMs = 1_000_000;
  const folder = join(root, "twice");
  const first = await sqliteStore(options(folder));
  await first.sessions.open(askOf({ digest: "a", nowMs, leaseMs: 10 }));
  const second = await killed(folder, "twice-1");
  const held = await second.store.sessions.open(
    askOf({ digest: "b", freshId: sessionId(2), nowMs: nowMs + 100, leaseMs: 10 }),
  );
  assert.ok(held.type === "leased");
  const session = sessionOf({ id: held.lease.freshId });
  const settlement = settlementOf({ session, nowMs: nowMs + 110 });
  assert.equal(await second.store.sessions.settle(held.lease, settlement), true);
  const third = await killed(second.folder, "twice-2");
  const again = await third.store.sessions.open(askOf({ digest: "c", nowMs: nowMs + 200 }));
  assert.ok(again.type === "leased");
  assert.deepEqual(again.session, session);
  for (const store of [first, second.store, third.store]) await store.close();
});

for (const inputs of [[], ["1"]]) {
  const kept = inputs.length === 0 ? "no inputs are" : "inputs are";
  test(`an answer settled just before a kill may not have been written (F59): ${kept} kept`, async () => {
    const nowMs = 1_000_000;
    const folder = join(root, `f59-${inputs.length}`);
    const store = await sqliteStore(options(folder));
    const held = await store.sessions.open(askOf({ nowMs }));
    assert.ok(held.type === "leased");
    const session = sessionOf({ id: held.lease.freshId, inputs });
    await store.sessions.settle(held.lease, settlementOf({ session, nowMs: nowMs + 5 }));
    const after = await killed(folder, `f59-${inputs.length}-killed`);
    const again = await after.store.sessions.open(askOf({ nowMs: nowMs + 200 }));
    assert.equal(again.type === "leased" && again.undelivered, true);
    await store.close();
    await after.store.close();
  });
}

test("a sweep between an answer and a kill takes no doubt about its delivery away (F59)", async () => {
  const nowMs = 1_000_000;
  const folder = join(root, "f59-swept");
  const store = await sqliteStore(options(folder));
  const held = await store.sessions.open(askOf({ nowMs }));
  assert.ok(held.type === "leased");
  const session = sessionOf({ id: held.lease.freshId, ended: true, outcome: "completed" });
  await store.sessions.settle(held.lease, settlementOf({ session, nowMs: nowMs + 5 }));
  await store.records.countLive(nowMs + 6);
  await store.sessions.sweep(nowMs + 7, 0);
  const after = await killed(folder, "f59-swept-killed");
  const again = await after.store.sessions.open(askOf({ nowMs: nowMs + 200 }));
  assert.equal(again.type === "leased" && again.undelivered, true);
  await after.store.close();
  // A clean stop leaves none: its answers were written before it closed.
  await store.close();
  const reopened = await sqliteStore(options(folder));
  const calm = await reopened.sessions.open(askOf({ nowMs: nowMs + 200 }));
  assert.equal(calm.type === "leased" && calm.undelivered, false);
  await reopened.close();
});

test("nobody waits for the lease of a process that was killed", async () => {
  const nowMs = 1_000_000;
  const folder = join(root, "lease");
  const store = await sqliteStore(options(folder));
  await store.sessions.open(askOf({ digest: "a", nowMs, leaseMs: 22_000 }));
  const after = await killed(folder, "lease-killed");
  const again = await after.store.sessions.open(askOf({ digest: "a", nowMs: nowMs + 200 }));
  assert.equal(again.type === "leased" && again.redriven, true);
  await store.close();
  await after.store.close();
});
