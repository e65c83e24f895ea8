/**
 * The chaos harness itself: its checkers find what is wrong in histories made for them, its proxy
 * does what it says, and a short run of `npm run chaos` finds nothing (RELIABILITY F44 to F72).
 */
import assert from "node:assert/strict";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { judge, type Histories } from "../bench/chaos/check.ts";
import { startFaultProxy } from "../bench/chaos/fault-proxy.ts";
import type { LedgerCall } from "../bench/chaos/ledger.ts";
import {
  CODES,
  planFaults,
  planSessions,
  type Options,
  type SessionPlan,
} from "../bench/chaos/plan.ts";
import { runChaos } from "../bench/chaos/run.ts";
import { screenAfter } from "../bench/chaos/wires.ts";
import { noPostgres } from "./support/postgres-server.ts";
import { noRedis } from "./support/redis-server.ts";
import { until } from "./support/operator.ts";

const BUDGET_MS = 4_000;
const plan: SessionPlan = {
  ...{ atMs: 0, msisdn: "258840000001", networkId: "n1", wire: "kairos", code: CODES.remembers },
  ...{ inputs: ["1", "2"], node: 0, thinkMs: 0, isImpatient: false, isAfterwards: false },
};
const screens = [[], ["1"], ["1", "2"]].map((inputs) => screenAfter(plan.msisdn, inputs));
const call = (nth: number, input: string): LedgerCall => ({
  ...{ msisdn: plan.msisdn, sessionId: "s1", transactionId: `s1_${nth}`, input, did: true },
});
const slow = { node: 1, networkId: "n1", sentAt: 10_000, answered: true, lagMs: 0 };
/** A session that went well. */
const good: Histories = {
  sessions: [{ plan, screens, end: "done", sent: 3, story: [] }],
  slow: [],
  calls: [call(1, ""), call(2, "1"), call(3, "2")],
  records: screens.map((screen) => ({ networkId: "n1", outcome: "ok", screen })),
  away: [],
  died: [],
  budgetMs: BUDGET_MS,
};

describe("the checkers", () => {
  const rulesOf = (changed: Partial<Histories>): readonly string[] =>
    judge({ ...good, ...changed }).violations.map(({ rule }) => rule);
  const cut = { plan, screens: screens.slice(0, 2), end: "maybe_done", sent: 3, story: [] };

  test("find nothing in a session that went well", () => {
    const { violations, accepted, missing, transfers, ends } = judge(good);
    assert.deepEqual([violations, accepted, missing, transfers], [[], 3, 0, 1]);
    assert.deepEqual(ends, { done: 1 });
  });

  test("find nothing where a call came again and was known, or a turn is in doubt", () => {
    const again = { ...call(3, "2"), did: false };
    assert.deepEqual(rulesOf({ calls: [...good.calls, again] }), []);
    assert.deepEqual(rulesOf({ sessions: [cut] }), [], "done, and nobody saw it");
    const records = good.records.slice(0, 2);
    assert.deepEqual(rulesOf({ sessions: [cut], records, calls: good.calls.slice(0, 2) }), []);
  });

  test("find a transfer that was made twice", () => {
    const twice = { ...call(4, "2") };
    assert.deepEqual(rulesOf({ calls: [...good.calls, twice] }), ["double_effect"]);
    const forgot = call(3, "2");
    assert.deepEqual(rulesOf({ calls: [...good.calls, forgot] }), ["double_effect"]);
  });

  test("find a transfer that was shown and not made", () => {
    assert.deepEqual(rulesOf({ calls: good.calls.slice(0, 2) }), ["lost_transfer"]);
  });

  test("find steps out of order, left out or done again", () => {
    const [dial, first, last] = good.calls as [LedgerCall, LedgerCall, LedgerCall];
    assert.deepEqual(rulesOf({ calls: [first, dial, last] }), ["out_of_order"]);
    assert.deepEqual(rulesOf({ calls: [dial, last] }), ["out_of_order"]);
    assert.deepEqual(rulesOf({ calls: [dial, first, call(4, "1"), last] }), ["out_of_order"]);
  });

  test("find an accepted screen without a record, and one with two", () => {
    assert.deepEqual(rulesOf({ records: good.records.slice(1) }), ["lost_record"]);
    const [first] = good.records as [Histories["records"][number]];
    assert.deepEqual(rulesOf({ records: [...good.records, first] }), ["double_record"]);
    const other = { ...first, screen: "Ledger of 258840000002" };
    assert.deepEqual(rulesOf({ records: [...good.records, other] }), ["surplus_record"]);
  });

  test("find 'nothing was charged' said of a transfer that was made", () => {
    const sessions = [{ ...cut, end: "not_sent" }];
    assert.deepEqual(rulesOf({ sessions }), ["false_promise"]);
  });

  test("find ids that two subscribers or two inputs share", () => {
    const stranger = { ...call(3, "2"), msisdn: "258840000002", did: false };
    assert.deepEqual(rulesOf({ calls: [...good.calls, stranger] }), ["shared_session"]);
    const other = { ...call(3, "1"), did: false };
    assert.deepEqual(rulesOf({ calls: [...good.calls, other] }), ["shared_transaction"]);
  });

  test("find a screen of somebody else, and a subscriber left without an answer", () => {
    for (const end of ["wrong_screen", "no_answer"])
      assert.deepEqual(rulesOf({ sessions: [{ ...cut, end }] }), [end]);
  });

  test("find that the service is not well again after the last fault", () => {
    const afterwards = { ...plan, isAfterwards: true };
    const lost = { ...good.sessions[0]!, plan: afterwards, screens: [], end: "not_sent" };
    const histories = { sessions: [lost], calls: [], records: [] };
    assert.deepEqual(rulesOf(histories), ["not_recovered"]);
    assert.deepEqual(rulesOf({ sessions: [{ ...good.sessions[0]!, plan: afterwards }] }), []);
  });

  test("find a late answer, but not one of a node that was asleep, or seen late", () => {
    const late = { ...slow, tookMs: BUDGET_MS + 300 };
    assert.deepEqual(rulesOf({ slow: [late] }), ["late"]);
    assert.deepEqual(rulesOf({ slow: [{ ...late, answered: false }] }), ["late"]);
    assert.deepEqual(rulesOf({ slow: [{ ...late, tookMs: BUDGET_MS + 200 }] }), []);
    assert.deepEqual(rulesOf({ slow: [{ ...late, lagMs: 100 }] }), []);
    const asleep = { node: 1, from: 9_000, to: 11_000 };
    assert.deepEqual(rulesOf({ slow: [{ ...late, tookMs: 5_200 }], away: [asleep] }), []);
    assert.deepEqual(rulesOf({ slow: [late], away: [{ ...asleep, node: 2 }] }), ["late"]);
  });

  test("find a node that ended by itself", () => {
    assert.deepEqual(rulesOf({ died: ["out of memory"] }), ["node_died"]);
  });

  test("want losses of a Redis without a disk counted exactly", () => {
    const records = good.records.slice(1);
    assert.deepEqual(rulesOf({ records, countedLost: 1 }), []);
    assert.deepEqual(rulesOf({ records, countedLost: 2 }), ["miscounted_loss"]);
    assert.deepEqual(rulesOf({ countedLost: 1 }), ["miscounted_loss"]);
    const killed = { records, lostCounters: true };
    assert.deepEqual(rulesOf({ ...killed, countedLost: 0 }), []);
    assert.deepEqual(rulesOf({ ...killed, countedLost: 2 }), ["miscounted_loss"]);
  });

  test("let a session that was lost run again, where its wire says all of it again", () => {
    const again = [call(4, ""), call(5, "1"), call(6, "2")];
    const lost = { calls: [...good.calls, ...again], countedLost: 0 };
    const seen = good.sessions[0]!;
    const sessions = [{ ...seen, plan: { ...plan, wire: "africastalking" as const } }];
    assert.deepEqual(rulesOf({ ...lost, sessions }), []);
    assert.deepEqual(rulesOf(lost), ["double_effect"]);
  });
});

describe("the plan", () => {
  const options: Options = {
    ...{ seed: 11, minutes: 10, sessions: 1_000, kills: 100, stops: 20, postgresKills: 5 },
    ...{ redisKills: 5, cuts: 60, store: "redis", redisDisk: "everysec", budgetMs: BUDGET_MS },
    // Beside other tests of the suite: a screen that hangs is found, a busy machine is not.
    spareMs: 2_000,
  };

  test("is the same for the same seed, and another for another", () => {
    assert.deepEqual(planSessions(options), planSessions(options));
    assert.deepEqual(planFaults(options), planFaults(options));
    assert.notDeepEqual(planFaults(options), planFaults({ ...options, seed: 12 }));
  });

  test("has every kind of fault, on every node, in order of time", () => {
    const faults = planFaults(options);
    assert.equal(faults.length, 100 + 20 + 5 + 5 + 60);
    assert.ok(faults.every(({ atMs }, index) => atMs >= (faults[index - 1]?.atMs ?? 0)));
    const killed = new Set(faults.flatMap((fault) => (fault.type === "kill" ? [fault.node] : [])));
    assert.deepEqual([...killed].sort(), [0, 1, 2]);
    const kinds = new Set(faults.map(({ type }) => type));
    assert.deepEqual([...kinds].sort(), ["kill", "kill_server", "sever", "slow", "stall", "stop"]);
  });
});

describe("the fault proxy", () => {
  async function open(t: TestContext) {
    const server = createServer((socket) => socket.on("error", () => undefined).pipe(socket));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const proxy = await startFaultProxy(() => (server.address() as AddressInfo).port);
    const client: Socket = connect(proxy.port, "127.0.0.1");
    let echoed = "";
    let isBroken = false;
    client.on("data", (chunk: Buffer) => (echoed += chunk.toString("latin1")));
    client.on("error", () => (isBroken = true));
    t.after(async () => {
      client.destroy();
      await proxy.close();
      server.close();
    });
    return { proxy, client, echoed: () => echoed, isBroken: () => isBroken };
  }

  test("passes octets in order, also while it becomes slow and fast again", async (t) => {
    const { proxy, client, echoed } = await open(t);
    client.write("a");
    await until("it is there", () => echoed() === "a");
    proxy.slow(80);
    const startMs = performance.now();
    client.write("b");
    await wait(20);
    proxy.slow(0);
    client.write("c");
    await until("all is there", () => echoed() === "abc");
    assert.ok(performance.now() - startMs >= 80);
  });

  test("stalls without closing, and flows again with all that was said", async (t) => {
    const { proxy, client, echoed, isBroken } = await open(t);
    client.write("a");
    await until("it is there", () => echoed() === "a");
    proxy.stall();
    client.write("b");
    await wait(150);
    assert.deepEqual([echoed(), isBroken()], ["a", false]);
    proxy.flow();
    await until("the rest is there", () => echoed() === "ab");
  });

  test("severs what is there, and takes new connections", async (t) => {
    const { proxy, client, echoed, isBroken } = await open(t);
    client.write("a");
    await until("it is there", () => echoed() === "a");
    proxy.sever();
    await until("it is broken", isBroken);
    const again = connect(proxy.port, "127.0.0.1");
    const heard = new Promise((done) => again.once("data", done));
    again.write("x");
    await heard;
    again.destroy();
  });
});

const short: Options = {
  ...{ seed: 0, minutes: 0.12, sessions: 100, kills: 3, stops: 1, postgresKills: 1, redisKills: 0 },
  ...{ cuts: 3, store: "postgres", redisDisk: "everysec", budgetMs: BUDGET_MS },
  // Beside other tests of the suite: a screen that hangs is found, a busy machine is not.
  spareMs: 2_000,
};

test("a short run on PostgreSQL: killed gateways, a killed database", { skip: noPostgres }, (t) =>
  run(t, { ...short, seed: Date.now() % 2 ** 31 }),
);

test(
  "a short run on Redis with an append-only file, which is killed too",
  { skip: noPostgres || noRedis },
  (t) => run(t, { ...short, seed: Date.now() % 2 ** 31, store: "redis", redisKills: 1, kills: 2 }),
);

async function run(t: TestContext, options: Options): Promise<void> {
  t.diagnostic(`seed ${options.seed}`);
  const { verdict, faults, countedLost } = await runChaos(options, () => undefined);
  assert.deepEqual(verdict.violations, []);
  assert.ok((verdict.ends["done"] ?? 0) > 0, JSON.stringify(verdict.ends));
  assert.ok((faults["kill"] ?? 0) > 0 && faults["kill_postgres"] === 1, JSON.stringify(faults));
  assert.equal(countedLost ?? 0, 0);
}
