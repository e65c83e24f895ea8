/**
 * What every store does, as tests: a store's own test file is one call (STYLE H4). A crash is a
 * restart without settle or close.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type {
  Ask,
  Held,
  Msisdn,
  NewBackendRow,
  ServiceCode,
  Session,
  SessionFilter,
  Settlement,
  Store,
  TurnRecord,
} from "../types.ts";
import { parseMsisdn } from "../core/address.ts";

export type Started = {
  readonly store: Store;
  /** The same data after a kill -9; absent where nothing outlives the process. */
  readonly restart?: () => Promise<Store>;
};
type Start = () => Promise<Started>;
type Case = readonly [
  title: string,
  run: (store: Store, t: TestContext, started: Started) => Promise<void>,
];

export const T0 = 1_750_000_000_000;
const LEASE_MS = 22_000;
const TTL_MS = 300_000;
const MSISDN = parseMsisdn("258841234567");
const CODE = "*365#" as ServiceCode;

export function testStore(name: string, start: Start): void {
  for (const [title, run] of [...TURNS, ...CRASHES, ...SWEEPS, ...RECORDS, ...BACKENDS]) {
    test(`${name}: ${title}`, async (t) => {
      const started = await start();
      try {
        await run(started.store, t, started);
      } finally {
        await started.store.close();
      }
    });
  }
}

export function askOf(change: Partial<Ask> = {}): Ask {
  return {
    key: "key-a",
    freshId: sessionId(1),
    msisdn: MSISDN,
    digest: "digest-1",
    nowMs: T0,
    leaseMs: LEASE_MS,
    ...change,
  };
}

export function sessionOf(change: Partial<Session> = {}): Session {
  return {
    id: sessionId(1),
    msisdn: MSISDN,
    networkSessionId: "net-1",
    serviceCode: CODE,
    backendId: 7,
    provider: "movitel",
    turns: 1,
    calls: 1,
    seen: { length: 0, digest: "seen-digest" },
    messageId: undefined,
    inputs: [],
    lastReply: { action: "continue", screen: "Olá\n1. Saldo" },
    lastFailure: undefined,
    paging: undefined,
    asksSecret: false,
    ended: false,
    outcome: undefined,
    ...change,
  };
}

export function recordOf(change: Partial<TurnRecord> = {}): TurnRecord {
  return {
    outcome: "ok",
    startedAtMs: T0,
    tookMs: 41.5,
    backendMs: 40.25,
    input: "",
    screen: "Olá\n1. Saldo",
    action: "continue",
    attempts: [{ transactionId: "tx-1", startMs: 1, tookMs: 40, status: 200, failure: undefined }],
    requestOctets: 90,
    replyOctets: 30,
    flaw: undefined,
    ...change,
  };
}

export function settlementOf(change: Partial<Settlement> = {}): Settlement {
  const nowMs = change.nowMs ?? T0;
  return {
    session: sessionOf(),
    channel: "movitel-mz",
    record: recordOf({ startedAtMs: nowMs }),
    nowMs,
    expiresAtMs: nowMs + TTL_MS,
    isUnread: () => false,
    ...change,
  };
}

export function sessionId(number: number): string {
  return `sess_${number.toString(16).padStart(32, "0")}`;
}

export function backendOf(code: string, change: Partial<NewBackendRow> = {}): NewBackendRow {
  return {
    callback_url: "https://bank.example/ussd",
    service_code: code,
    name: "Bank",
    type: "http",
    timeout: 5000,
    retries: 2,
    method: "POST",
    status: "active",
    protocol: "plain",
    protocol_options: { version: "2" },
    idempotent: false,
    headers: { "x-tenant": "mz" },
    secret: "whsec_dGVzdA",
    max_in_flight: 64,
    events_url: undefined,
    ...change,
  };
}

type Leased = Extract<Held, { readonly type: "leased" }>;

async function leased(store: Store, change: Partial<Ask> = {}): Promise<Leased> {
  const held = await store.sessions.open(askOf(change));
  assert.equal(held.type, "leased");
  return held;
}

/** One whole turn. */
async function turn(
  store: Store,
  ask: Partial<Ask> = {},
  settlement: Partial<Settlement> = {},
): Promise<void> {
  const { lease } = await leased(store, ask);
  const nowMs = ask.nowMs ?? T0;
  assert.equal(await store.sessions.settle(lease, settlementOf({ nowMs, ...settlement })), true);
}

async function outcomesOf(store: Store, id: string): Promise<readonly string[]> {
  const detail = await store.records.getSession(id);
  return (detail?.records ?? []).map(({ outcome }) => outcome);
}

const TURNS: readonly Case[] = [
  [
    "the first open leases, and there is no session yet",
    async (store) => {
      const held = await leased(store);
      assert.equal(held.lease.key, "key-a");
      assert.equal(held.lease.freshId, sessionId(1));
      assert.equal(held.session, undefined);
      assert.equal(held.redriven, false);
      assert.equal(held.lostTurns, 0);
      assert.equal(held.undelivered, false);
    },
  ],
  [
    "while a turn is under way the same message is its twin, another one is not",
    async (store) => {
      await leased(store);
      const twin = await store.sessions.open(askOf({ nowMs: T0 + 1 }));
      assert.deepEqual(twin, { type: "busy", twin: true });
      const other = await store.sessions.open(askOf({ digest: "digest-2", nowMs: T0 + 1 }));
      assert.deepEqual(other, { type: "busy", twin: false });
    },
  ],
  [
    "of twenty opens at once one gets the lease",
    async (store) => {
      const asks = Array.from({ length: 20 }, (_, n) => askOf({ freshId: sessionId(n) }));
      const all = await Promise.all(asks.map((ask) => store.sessions.open(ask)));
      assert.equal(all.filter(({ type }) => type === "leased").length, 1);
    },
  ],
  [
    "the next open gets the session as it was settled, every field of it",
    async (store) => {
      const session = sessionOf({
        networkSessionId: undefined,
        messageId: "message-9",
        inputs: ["1", "2*3", ""],
        lastReply: { action: "continue", screen: 'é\n"2"', flaw: "missing_prefix" },
        lastFailure: "backend_timeout",
        paging: { pages: ["a", "b"], shown: 1, moreKey: "98", backKey: "0", action: "end" },
        asksSecret: true,
      });
      await turn(store, {}, { session });
      const held = await leased(store, { freshId: sessionId(2), nowMs: T0 + 1000 });
      assert.deepEqual(held.session, session);
      assert.equal(held.redriven, false);
    },
  ],
  [
    "what changes from turn to turn is kept, the service code and backend found late included",
    async (store) => {
      await turn(
        store,
        {},
        { session: sessionOf({ serviceCode: undefined, backendId: undefined }) },
      );
      const second = sessionOf({ turns: 2, calls: 3, seen: { length: 3, digest: "other" } });
      await turn(store, { nowMs: T0 + 1 }, { session: second });
      assert.deepEqual((await leased(store, { nowMs: T0 + 2 })).session, second);
    },
  ],
  [
    "sessions under two keys do not mix",
    async (store) => {
      await turn(store);
      assert.equal((await leased(store, { key: "key-b" })).session, undefined);
    },
  ],
  [
    "an ended session is there until its TTL, without its inputs",
    async (store) => {
      const session = sessionOf({ ended: true, outcome: "completed", inputs: ["1"] });
      await turn(store, {}, { session });
      const held = await leased(store, { nowMs: T0 + TTL_MS - 1 });
      assert.deepEqual(held.session, { ...session, inputs: undefined });
    },
  ],
  [
    "a session whose TTL is over is not given",
    async (store) => {
      await turn(store);
      assert.equal((await leased(store, { nowMs: T0 + TTL_MS })).session, undefined);
    },
  ],
  [
    "a fresh session on a live key replaces the one before it, which stays in the records",
    async (store) => {
      await turn(store);
      const fresh = sessionOf({ id: sessionId(2) });
      const ask = { freshId: sessionId(2), nowMs: T0 + 1 };
      await turn(store, ask, { session: fresh });
      assert.deepEqual((await leased(store, { nowMs: T0 + 2 })).session, fresh);
      assert.equal((await store.records.getSession(sessionId(1)))?.outcome, "replaced");
      assert.deepEqual(await outcomesOf(store, sessionId(1)), ["ok"]);
      assert.deepEqual(await outcomesOf(store, sessionId(2)), ["ok"]);
    },
  ],
  [
    "a fresh session after an ended or abandoned one leaves their outcomes as they were",
    async (store) => {
      const ended = sessionOf({ ended: true, outcome: "backend_timeout" });
      await turn(store, {}, { session: ended });
      const second = { freshId: sessionId(2), nowMs: T0 + 1 };
      await turn(store, second, { session: sessionOf({ id: sessionId(2) }) });
      const third = { freshId: sessionId(3), nowMs: T0 + 1 + TTL_MS };
      await turn(store, third, { session: sessionOf({ id: sessionId(3) }) });
      assert.equal((await store.records.getSession(sessionId(1)))?.outcome, "backend_timeout");
      assert.equal((await store.records.getSession(sessionId(2)))?.outcome, "abandoned");
    },
  ],
  [
    "a released lease leaves nothing behind",
    async (store) => {
      const { lease } = await leased(store);
      await store.sessions.release(lease);
      assert.equal(await store.sessions.settle(lease, settlementOf()), false);
      const held = await leased(store, { freshId: sessionId(2), digest: "digest-2" });
      assert.equal(held.lease.freshId, sessionId(2));
      assert.equal(held.lostTurns, 0);
    },
  ],
  [
    "a lease is settled once",
    async (store) => {
      const { lease } = await leased(store);
      assert.equal(await store.sessions.settle(lease, settlementOf()), true);
      assert.equal(await store.sessions.settle(lease, settlementOf()), false);
      assert.deepEqual(await outcomesOf(store, sessionId(1)), ["ok"]);
    },
  ],
  [
    "an undelivered reply is told at each open until the next turn is settled",
    async (store) => {
      await turn(store);
      await store.sessions.undelivered("key-a", sessionId(9));
      const before = await leased(store, { nowMs: T0 + 1 });
      assert.equal(before.undelivered, false);
      await store.sessions.release(before.lease);
      await store.sessions.undelivered("key-a", sessionId(1));
      const first = await leased(store, { nowMs: T0 + 1 });
      assert.equal(first.undelivered, true);
      await store.sessions.release(first.lease);
      const second = await leased(store, { nowMs: T0 + 2 });
      assert.equal(second.undelivered, true);
      await store.sessions.settle(second.lease, settlementOf({ nowMs: T0 + 2 }));
      assert.equal((await leased(store, { nowMs: T0 + 3 })).undelivered, false);
    },
  ],
  [
    "a reply that nobody waited for is settled as undelivered, in one step",
    async (store) => {
      await turn(store, {}, { isUnread: () => true });
      const first = await leased(store, { nowMs: T0 + 1 });
      assert.equal(first.undelivered, true);
      const again = settlementOf({ nowMs: T0 + 1, isUnread: () => true });
      assert.equal(await store.sessions.settle(first.lease, again), true);
      assert.equal(await store.sessions.settle(first.lease, again), false);
      const second = await leased(store, { nowMs: T0 + 2 });
      assert.equal(second.undelivered, true);
      await store.sessions.settle(second.lease, settlementOf({ nowMs: T0 + 2 }));
      assert.equal((await leased(store, { nowMs: T0 + 3 })).undelivered, false);
      assert.deepEqual(await outcomesOf(store, sessionId(1)), ["ok", "ok", "ok"]);
    },
  ],
];

const LAPSED_MS = T0 + LEASE_MS;

const CRASHES: readonly Case[] = [
  [
    "a turn that a crash left is driven again under the same fresh id",
    async (store) => {
      await leased(store);
      const again = await leased(store, { freshId: sessionId(2), nowMs: LAPSED_MS });
      assert.equal(again.redriven, true);
      assert.equal(again.lease.freshId, sessionId(1));
      assert.equal(again.lostTurns, 0);
      assert.equal(await store.sessions.settle(again.lease, settlementOf()), true);
      assert.deepEqual(await outcomesOf(store, sessionId(1)), ["ok"]);
    },
  ],
  [
    "another message on an unsettled turn closes it as unknown and uses up its number",
    async (store) => {
      await turn(store);
      await leased(store, { nowMs: T0 + 1, digest: "digest-2" });
      const nowMs = LAPSED_MS + 1;
      const held = await leased(store, { nowMs, digest: "digest-3", freshId: sessionId(2) });
      assert.equal(held.lostTurns, 1);
      assert.equal(held.redriven, false);
      assert.deepEqual(held.session, sessionOf());
      assert.deepEqual(await outcomesOf(store, sessionId(1)), ["ok", "unknown"]);
      const session = sessionOf({ turns: 2, calls: 3 });
      const record = recordOf({ outcome: "page", startedAtMs: nowMs });
      await store.sessions.settle(held.lease, settlementOf({ nowMs, session, record }));
      assert.deepEqual(await outcomesOf(store, sessionId(1)), ["ok", "unknown", "page"]);
      assert.equal((await leased(store, { nowMs: nowMs + 1 })).lostTurns, 0);
    },
  ],
  [
    "numbers given up add up until a turn is settled, also over a release",
    async (store) => {
      await leased(store);
      const second = await leased(store, { nowMs: LAPSED_MS, digest: "digest-2" });
      assert.equal(second.lostTurns, 1);
      await store.sessions.release(second.lease);
      const third = await leased(store, { nowMs: LAPSED_MS + 1, digest: "digest-3" });
      assert.equal(third.lostTurns, 1);
      const nowMs = LAPSED_MS + 1 + LEASE_MS;
      const fourth = await leased(store, { nowMs, digest: "digest-4", freshId: sessionId(4) });
      assert.equal(fourth.lostTurns, 2);
      assert.equal(fourth.lease.freshId, sessionId(1));
      await store.sessions.settle(fourth.lease, settlementOf({ nowMs }));
      assert.deepEqual(await outcomesOf(store, sessionId(1)), ["unknown", "unknown", "ok"]);
      assert.equal((await store.records.getSession(sessionId(1)))?.msisdn, MSISDN);
      assert.deepEqual((await leased(store, { nowMs: nowMs + 1 })).session, sessionOf());
    },
  ],
  [
    "a turn driven again and then released can still be driven again",
    async (store) => {
      await leased(store);
      const again = await leased(store, { nowMs: LAPSED_MS });
      await store.sessions.release(again.lease);
      assert.equal((await leased(store, { nowMs: LAPSED_MS + 1 })).redriven, true);
    },
  ],
  [
    "a settle whose lease lapsed to another turn is refused and writes nothing",
    async (store) => {
      const first = await leased(store, { leaseMs: 0 });
      const second = await leased(store, { nowMs: T0 + 1 });
      const late = settlementOf({ session: sessionOf({ turns: 99 }) });
      assert.equal(await store.sessions.settle(first.lease, late), false);
      assert.equal(await store.records.getSession(sessionId(1)), undefined);
      assert.equal(await store.sessions.settle(second.lease, settlementOf()), true);
      assert.equal((await store.records.getSession(sessionId(1)))?.turns, 1);
    },
  ],
  [
    "a settle after the lease's time counts when no other turn took it",
    async (store) => {
      const { lease } = await leased(store, { leaseMs: 0 });
      const late = settlementOf({ nowMs: T0 + 5000 });
      assert.equal(await store.sessions.settle(lease, late), true);
    },
  ],
  [
    "a redial long after a lost turn is a new turn, not that one again",
    async (store) => {
      await leased(store);
      const nowMs = LAPSED_MS + 3_600_000;
      const held = await leased(store, { freshId: sessionId(2), nowMs });
      assert.equal(held.redriven, false);
      assert.equal(held.lostTurns, 0);
      assert.equal(held.lease.freshId, sessionId(2));
      const lost = await store.records.getSession(sessionId(1));
      assert.equal(lost?.outcome, "unknown");
      assert.deepEqual(
        lost.records.map(({ outcome }) => outcome),
        ["unknown"],
      );
    },
  ],
  [
    "of a first turn that was lost it is known who dialled, where the message named them",
    async (store) => {
      await leased(store);
      await leased(store, { key: "key-b", freshId: sessionId(2), msisdn: undefined });
      const nowMs = LAPSED_MS + TTL_MS;
      assert.equal((await store.sessions.sweep(nowMs, 0)).length, 2);
      const { sessions } = await store.records.findSessions({ msisdn: MSISDN, nowMs, limit: 9 });
      assert.deepEqual(
        sessions.map(({ id, msisdn }) => [id, msisdn]),
        [[sessionId(1), MSISDN]],
      );
      assert.equal((await store.records.getSession(sessionId(2)))?.msisdn, "");
    },
  ],
  [
    "a message that does not name the MSISDN gets it from the session",
    async (store, _t, { restart }) => {
      await turn(store);
      const after = restart === undefined ? store : await restart();
      const held = await leased(after, { nowMs: T0 + 1, msisdn: undefined });
      assert.equal(held.session?.msisdn, MSISDN);
      if (after !== store) await after.close();
    },
  ],
  [
    "after a kill sessions, records, leases, undelivered marks and backends are as acknowledged",
    async (store, t, { restart }) => {
      if (restart === undefined) return t.skip("nothing outlives the process");
      await turn(store);
      await store.sessions.undelivered("key-a", sessionId(1));
      await leased(store, { key: "key-b", freshId: sessionId(2) });
      const backend = await store.backends.insert(backendOf("*365#"), "2026-01-01T00:00:00Z");
      const after = await restart();
      try {
        const held = await leased(after, { nowMs: T0 + 1 });
        assert.deepEqual(held.session, sessionOf());
        assert.equal(held.undelivered, true);
        // Whether the lease is known to be a dead process's is the store's affair: it lapses.
        const again = await leased(after, {
          key: "key-b",
          nowMs: LAPSED_MS,
          freshId: sessionId(3),
        });
        assert.equal(again.redriven, true);
        assert.equal(again.lease.freshId, sessionId(2));
        const detail = await after.records.getSession(sessionId(1));
        assert.deepEqual(detail?.records, [recordOf()]);
        assert.deepEqual(await after.backends.list(), [backend]);
      } finally {
        await after.close();
      }
    },
  ],
];

const SWEEPS: readonly Case[] = [
  [
    "a sweep ends as abandoned, once, the sessions whose TTL is over",
    async (store) => {
      await turn(store);
      await turn(
        store,
        { key: "key-b" },
        { session: sessionOf({ id: sessionId(2) }), expiresAtMs: T0 + 999_999 },
      );
      const ended = sessionOf({ id: sessionId(3), ended: true, outcome: "cancelled" });
      await turn(store, { key: "key-c" }, { session: ended });
      assert.deepEqual(await store.sessions.sweep(T0 + TTL_MS - 1, 0), []);
      const expected = [{ id: sessionId(1), channel: "movitel-mz", outcome: "abandoned" }];
      assert.deepEqual(await store.sessions.sweep(T0 + TTL_MS, 0), expected);
      assert.deepEqual(await store.sessions.sweep(T0 + TTL_MS, 0), []);
      assert.equal((await store.records.getSession(sessionId(3)))?.outcome, "cancelled");
      const later = await store.sessions.sweep(T0 + 999_999, 0);
      assert.deepEqual(
        later.map(({ id }) => id),
        [sessionId(2)],
      );
    },
  ],
  [
    "a sweep that has to stop leaves the rest to the next one",
    async (store) => {
      for (let nth = 0; nth < 300; nth += 1)
        await turn(
          store,
          { key: `key-${nth}`, freshId: sessionId(nth) },
          {
            session: sessionOf({ id: sessionId(nth) }),
          },
        );
      let asked = 0;
      const overMs = T0 + TTL_MS;
      const first = await store.sessions.sweep(overMs, 0, () => (asked += 1) > 2);
      assert.ok(asked > 0 ? first.length < 300 : first.length === 300, `${first.length}`);
      const rest = await store.sessions.sweep(overMs, 0);
      const ended = new Set([...first, ...rest].map(({ id }) => id));
      assert.deepEqual([ended.size, first.length + rest.length], [300, 300]);
    },
  ],
  [
    "a sweep writes the unknown record of a turn that nobody drove again, once",
    async (store) => {
      await turn(store);
      await leased(store, { nowMs: T0 + 1 });
      await leased(store, { key: "key-b", freshId: sessionId(2) });
      assert.deepEqual(await store.sessions.sweep(LAPSED_MS + 1, 0), []);
      const overMs = LAPSED_MS + TTL_MS + 1;
      const swept = await store.sessions.sweep(overMs, 0);
      const ids = swept.map(({ id, outcome }) => [id, outcome]).sort();
      assert.deepEqual(ids, [
        [sessionId(1), "unknown"],
        [sessionId(2), "unknown"],
      ]);
      assert.deepEqual(await outcomesOf(store, sessionId(1)), ["ok", "unknown"]);
      assert.deepEqual(await outcomesOf(store, sessionId(2)), ["unknown"]);
      assert.deepEqual(await store.sessions.sweep(overMs + 1, 0), []);
      assert.equal((await leased(store, { nowMs: overMs + 2 })).redriven, false);
    },
  ],
  [
    "a dial on a reused network id keeps its session id when the older session's time ends",
    async (store) => {
      await turn(store);
      const nowMs = T0 + TTL_MS - 1_000;
      const dial = { digest: "another dial", freshId: sessionId(2), nowMs };
      await leased(store, dial);
      // Its node died; the older session's TTL ends before the network dials again.
      const againMs = nowMs + LAPSED_MS - T0 + 2_000;
      await store.sessions.sweep(againMs, 0);
      const again = await leased(store, { ...dial, freshId: sessionId(3), nowMs: againMs });
      assert.equal(again.session, undefined);
      assert.equal(again.redriven, true);
      assert.equal(again.lease.freshId, sessionId(2));
    },
  ],
  [
    "a sweep leaves a turn alone that is under way, whatever the age of its session",
    async (store) => {
      await turn(store);
      const held = await leased(store, { nowMs: T0 + TTL_MS - 1 });
      assert.deepEqual(await store.sessions.sweep(T0 + TTL_MS + 1, 0), []);
      const settlement = settlementOf({ nowMs: T0 + TTL_MS + 2 });
      assert.equal(await store.sessions.settle(held.lease, settlement), true);
    },
  ],
  [
    "a sweep deletes what is older than asked, and nothing that lives",
    async (store) => {
      const old = sessionOf({ ended: true, outcome: "completed" });
      await turn(store, {}, { session: old });
      const nowMs = T0 + 1_000_000;
      const kept = sessionOf({ id: sessionId(2) });
      await turn(store, { key: "key-b", nowMs, freshId: sessionId(2) }, { session: kept });
      await store.sessions.sweep(nowMs + 1, nowMs);
      assert.equal(await store.records.getSession(sessionId(1)), undefined);
      assert.deepEqual(await outcomesOf(store, sessionId(2)), ["ok"]);
      await store.sessions.sweep(nowMs + 2, nowMs + 2);
      assert.deepEqual((await leased(store, { key: "key-b", nowMs: nowMs + 3 })).session, kept);
    },
  ],
  [
    "after everything old is deleted no new session shows a record of an old one",
    async (store) => {
      for (let n = 1; n <= 5; n += 1) {
        const session = sessionOf({ id: sessionId(n) });
        const ask = { key: `key-${n}`, freshId: sessionId(n) };
        await turn(store, ask, { session, record: recordOf({ screen: `old ${n}` }) });
      }
      const nowMs = T0 + 10_000_000;
      await store.sessions.sweep(nowMs, nowMs);
      await turn(
        store,
        { nowMs, freshId: sessionId(9) },
        { session: sessionOf({ id: sessionId(9) }), record: recordOf({ screen: "new" }) },
      );
      const detail = await store.records.getSession(sessionId(9));
      assert.deepEqual(
        detail?.records.map(({ screen }) => screen),
        ["new"],
      );
    },
  ],
  [
    "a sweep over thousands of sessions misses none while turns go on",
    async (store) => {
      const count = 1700;
      const ids = Array.from({ length: count }, (_, n) => n + 1);
      await Promise.all(
        ids.map((n) =>
          turn(
            store,
            { key: `key-${n}`, freshId: sessionId(n) },
            { session: sessionOf({ id: sessionId(n) }) },
          ),
        ),
      );
      const nowMs = T0 + TTL_MS;
      const ask = { key: "key-late", nowMs, freshId: sessionId(count + 1) };
      const session = sessionOf({ id: sessionId(count + 1) });
      const [swept] = await Promise.all([
        store.sessions.sweep(nowMs, 0),
        turn(store, ask, { session }),
      ]);
      assert.equal(new Set(swept.map(({ id }) => id)).size, count);
      assert.equal(await store.records.countLive(nowMs), 1);
      const gone = await store.sessions.sweep(nowMs + 1, nowMs);
      assert.deepEqual(gone, []);
      assert.equal(await store.records.getSession(sessionId(1)), undefined);
      assert.notEqual(await store.records.getSession(sessionId(count + 1)), undefined);
    },
  ],
];

/** Ten sessions, a second apart, on two channels, two codes and two MSISDNs. */
async function tenSessions(store: Store): Promise<void> {
  for (let n = 0; n < 10; n += 1) {
    const session = sessionOf({
      id: sessionId(n),
      networkSessionId: `net-${n}`,
      msisdn: (n % 2 === 0 ? MSISDN : "254712345678") as Msisdn,
      serviceCode: (n < 5 ? CODE : "*384*1234#") as ServiceCode,
      ended: n === 3,
      outcome: n === 3 ? "backend_timeout" : undefined,
    });
    const nowMs = T0 + n * 1000;
    const channel = n < 8 ? "movitel-mz" : "sandbox";
    const ask = { key: `key-${n}`, freshId: sessionId(n), nowMs };
    const expiresAtMs = n === 4 ? nowMs : nowMs + TTL_MS;
    await turn(store, ask, { session, channel, expiresAtMs });
  }
}

const RECORDS: readonly Case[] = [
  [
    "the records of a session come in the order of its turns, as they were settled",
    async (store) => {
      const records = [
        recordOf({ startedAtMs: T0 }),
        recordOf({ startedAtMs: T0 + 1, outcome: "repeat", input: "***", attempts: [] }),
        recordOf({
          startedAtMs: T0 + 2,
          outcome: "backend_timeout",
          action: undefined,
          flaw: "missing_prefix",
          attempts: [
            {
              transactionId: "a",
              startMs: 0,
              tookMs: 5000,
              status: undefined,
              failure: "backend_timeout",
            },
            {
              transactionId: "b",
              startMs: 6000,
              tookMs: 9,
              status: 503,
              failure: "backend_failed",
            },
          ],
        }),
      ];
      for (const [n, record] of records.entries()) {
        await turn(store, { nowMs: T0 + n }, { record, session: sessionOf({ turns: n + 1 }) });
      }
      const detail = await store.records.getSession(sessionId(1));
      assert.deepEqual(detail?.records, records);
      assert.deepEqual(detail.lastReply, sessionOf().lastReply);
      assert.equal(detail.startedAtMs, T0);
      assert.equal(detail.lastAtMs, T0 + 2);
      assert.equal(detail.turns, 3);
      assert.equal(await store.records.getSession(sessionId(404)), undefined);
    },
  ],
  ...(
    [
      ["MSISDN", { msisdn: MSISDN }, [8, 6, 4, 2, 0]],
      ["MSISDN that never dialled", { msisdn: "2588400000" as Msisdn }, []],
      ["service code", { serviceCode: CODE }, [4, 3, 2, 1, 0]],
      ["channel", { channel: "sandbox" }, [9, 8]],
      ["failure", { outcome: "backend_timeout" }, [3]],
      ["outcome abandoned before a sweep came by", { outcome: "abandoned" }, [4]],
      ["outcome live", { outcome: "live", channel: "sandbox" }, [9, 8]],
      ["time, its end excluded", { fromMs: T0 + 2000, toMs: T0 + 5000 }, [4, 3, 2]],
      ["MSISDN and code together", { msisdn: MSISDN, serviceCode: CODE }, [4, 2, 0]],
    ] as readonly (readonly [string, Partial<SessionFilter>, readonly number[]])[]
  ).map(([by, filter, expected]): Case => [
    `sessions are found by ${by}, newest first`,
    async (store) => {
      await tenSessions(store);
      const nowMs = T0 + 10_000;
      const { sessions } = await store.records.findSessions({ nowMs, limit: 50, ...filter });
      assert.deepEqual(
        sessions.map(({ id }) => id),
        expected.map(sessionId),
      );
    },
  ]),
  [
    "pages of sessions follow each other without gap or overlap",
    async (store) => {
      await tenSessions(store);
      const seen: string[] = [];
      let after: string | undefined;
      for (let pages = 0; pages < 5; pages += 1) {
        const cursor = after === undefined ? {} : { after };
        const filter = { nowMs: T0, limit: 3, ...cursor };
        const { sessions, next } = await store.records.findSessions(filter);
        seen.push(...sessions.map(({ id }) => id));
        after = next;
        if (next === undefined) break;
      }
      assert.deepEqual(seen, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map(sessionId));
      assert.equal(after, undefined);
    },
  ],
  [
    "a summary says who, where, when and how it ended",
    async (store) => {
      await tenSessions(store);
      const filter = { outcome: "backend_timeout", nowMs: T0 + 10_000, limit: 1 };
      const { sessions } = await store.records.findSessions(filter);
      assert.deepEqual(sessions, [
        {
          id: sessionId(3),
          channel: "movitel-mz",
          msisdn: "254712345678",
          networkSessionId: "net-3",
          serviceCode: CODE,
          provider: "movitel",
          startedAtMs: T0 + 3000,
          lastAtMs: T0 + 3000,
          turns: 1,
          outcome: "backend_timeout",
        },
      ]);
    },
  ],
  [
    "live sessions are found by channel and by the network's id, others are not",
    async (store) => {
      await tenSessions(store);
      const nowMs = T0 + 10_000;
      const live = await store.records.findLive("movitel-mz", nowMs, 4);
      assert.deepEqual(
        live.map(({ id }) => id),
        [7, 6, 5, 2].map(sessionId),
      );
      assert.ok(live.every(({ outcome }) => outcome === "live"));
      const found = await store.records.findByNetworkId("movitel-mz", "net-2", nowMs);
      assert.equal(found?.id, sessionId(2));
      assert.equal(found.records.length, 1);
      assert.equal(await store.records.findByNetworkId("sandbox", "net-2", nowMs), undefined);
      assert.equal(await store.records.findByNetworkId("movitel-mz", "net-3", nowMs), undefined);
      assert.equal(await store.records.countLive(nowMs), 8);
      assert.equal(await store.records.countLive(T0 + TTL_MS + 8000), 1);
    },
  ],
];

const THEN = "2026-01-01T00:00:00Z";
const NOW = "2026-01-02T00:00:00Z";

const BACKENDS: readonly Case[] = [
  [
    "a backend is listed as it was registered, secret and options included",
    async (store) => {
      const first = await store.backends.insert(backendOf("*365#"), THEN);
      const plain = backendOf("*366#", { secret: undefined, events_url: "https://e.example" });
      const second = await store.backends.insert(plain, NOW);
      assert.ok(first !== undefined && second !== undefined);
      const stamps = { created_at: THEN, updated_at: THEN };
      assert.deepEqual(first, { ...backendOf("*365#"), id: first.id, ...stamps });
      assert.deepEqual(await store.backends.list(), [first, second]);
    },
  ],
  [
    "of twenty registrations of a service code at once exactly one succeeds",
    async (store) => {
      const rows = Array.from({ length: 20 }, (_, n) => backendOf("*365#", { name: `Bank ${n}` }));
      const all = await Promise.all(rows.map((row) => store.backends.insert(row, THEN)));
      assert.equal(all.filter((row) => row !== undefined).length, 1);
      assert.equal((await store.backends.list()).length, 1);
    },
  ],
  [
    "an update says what became of it: updated, not found, code taken or stale",
    async (store) => {
      const first = await store.backends.insert(backendOf("*365#"), THEN);
      await store.backends.insert(backendOf("*366#"), THEN);
      assert.ok(first !== undefined);
      const { id } = first;
      const change = backendOf("*367#", { secret: undefined, idempotent: true });
      const updated = await store.backends.update(id, change, NOW, THEN);
      const row = { ...change, id, created_at: THEN, updated_at: NOW };
      assert.deepEqual(updated, { type: "updated", row });
      assert.deepEqual((await store.backends.list())[0], row);
      const stale = await store.backends.update(id, change, NOW, THEN);
      assert.deepEqual(stale, { type: "stale" });
      const taken = await store.backends.update(id, backendOf("*366#"), NOW, undefined);
      assert.deepEqual(taken, { type: "code_taken" });
      const missing = await store.backends.update(404, change, NOW, undefined);
      assert.deepEqual(missing, { type: "not_found" });
    },
  ],
  [
    "a removed backend is gone, and its id is not given again",
    async (store) => {
      const first = await store.backends.insert(backendOf("*365#"), THEN);
      assert.ok(first !== undefined);
      assert.equal(await store.backends.remove(first.id), true);
      assert.equal(await store.backends.remove(first.id), false);
      assert.deepEqual(await store.backends.list(), []);
      const second = await store.backends.insert(backendOf("*365#"), THEN);
      assert.notEqual(second?.id, first.id);
    },
  ],
  [
    "a store that is open answers a ping",
    async (store) => {
      await store.ping();
    },
  ],
];
