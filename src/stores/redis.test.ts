import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  noPostgres,
  type PostgresServer,
  startPostgres,
} from "../../test/support/postgres-server.ts";
import { noRedis, type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import {
  createRedisStores,
  QUIET,
  recordedOf,
  sealer,
  settleTurns,
  SILENT,
} from "../../test/support/redis-stores.ts";
import { askOf, sessionId, sessionOf, settlementOf, T0, testStore } from "./conformance.ts";
import { postgresStore } from "./postgres.ts";
import { type RedisOptions, redisStore } from "./redis.ts";
import { createDigest } from "./seal.ts";
import { sqliteStore } from "./sqlite.ts";

describe("Redis", { skip: noRedis }, () => {
  let server: RedisServer;
  let postgres: PostgresServer | undefined;
  const stores = createRedisStores(() => server.url);
  const { newFile, newDigest, open } = stores;
  before(async () => {
    server = await startRedis();
    if (noPostgres === false) postgres = await startPostgres();
  });
  after(async () => {
    await server.stop();
    await postgres?.stop();
    stores.remove();
  });

  testStore("redis and sqlite", stores.start);

  describe("with PostgreSQL", { skip: noPostgres }, () => {
    const openNode = async (databaseUrl: string, digest: RedisOptions["digest"]) => {
      const report = () => undefined;
      const sql = await postgresStore({ url: databaseUrl, sealer, digest, report });
      return redisStore({ url: server.url, sql, sealer, digest, report, tell: SILENT });
    };
    testStore("redis and postgres", async () => {
      const [databaseUrl, digest] = [await postgres!.newDatabase(), newDigest()];
      return {
        store: await openNode(databaseUrl, digest),
        restart: () => openNode(databaseUrl, digest),
      };
    });
  });

  describe("the same words, in a session that another node settled last", () => {
    const { digest: said } = sessionOf().seen;
    /** Whether the answer is in doubt, a while after the other node did what `end` does. */
    const isDoubted = async (
      end: (node: ChildProcess) => Promise<unknown>,
      { words = said, afterMs = 1_000 } = {},
    ): Promise<boolean> => {
      const secret = stores.newSecret();
      const here = await open(newFile(), createDigest(Buffer.alloc(32, secret)));
      const script = fileURLToPath(new URL("redis-killed.fixture.ts", import.meta.url));
      const node = fork(script, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
      node.send({ url: server.url, file: newFile(), secret });
      await once(node, "message");
      await end(node);
      const held = await here.sessions.open(askOf({ digest: words, nowMs: T0 + afterMs }));
      node.kill("SIGKILL");
      await here.close();
      return held.type === "leased" && held.session !== undefined && held.undelivered;
    };
    const kill = async (node: ChildProcess): Promise<void> => {
      node.kill("SIGKILL");
      await once(node, "close");
    };
    const stop = async (node: ChildProcess): Promise<void> => {
      node.send("stop");
      await once(node, "close");
    };

    test("were answered, while that node lives", async () => {
      assert.equal(await isDoubted(async () => undefined), false);
    });
    test("may not have been answered, when that node was killed a moment ago (F59)", async () => {
      assert.equal(await isDoubted(kill), true);
    });
    test("were answered, when that node stopped by itself", async () => {
      assert.equal(await isDoubted(stop), false);
    });
    test("are in doubt for a minute, not for good", async () => {
      assert.equal(await isDoubted(kill, { afterMs: 61_000 }), false);
    });
    test("and others are no repeat, so nobody waits", async () => {
      assert.equal(await isDoubted(kill, { words: "other" }), false);
    });
  });

  test("a turn is two round trips, as the server counts them", async () => {
    const store = await open(newFile(), newDigest(), QUIET);
    const calls = async (): Promise<number> => {
      const said = await server.say("INFO commandstats");
      const counts = [...said.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)];
      return counts.reduce((sum, [, count]) => sum + Number(count), 0);
    };
    await settleTurns(store, 0, 16); // the scripts are known from here on
    await wait(100);
    const before = await calls();
    await settleTurns(store, 16, 66);
    assert.equal((await calls()) - before, 100);
    await store.close();
  });

  test("two nodes drain one stream: each record is in SQL once", { skip: noPostgres }, async () => {
    const [databaseUrl, digest] = [await postgres!.newDatabase(), newDigest()];
    const node = async () => {
      const sql = await postgresStore({ url: databaseUrl, sealer, digest, report: () => {} });
      const options = { sql, sealer, digest, report: () => {}, tell: SILENT, drainEveryMs: 1 };
      return redisStore({ url: server.url, ...options });
    };
    const nodes = [await node(), await node()];
    await Promise.all(
      nodes.map((store, index) => settleTurns(store, index * 200, index * 200 + 200)),
    );
    assert.equal(await recordedOf(nodes[0]!), 400);
    for (const n of [0, 399]) {
      assert.equal((await nodes[1]!.records.getSession(sessionId(n)))?.records.length, 1);
    }
    await Promise.all(nodes.map((store) => store.close()));
  });

  test("while SQL is away turns go on; their records reach it when it is back", async (t) => {
    if (noPostgres !== false) return t.skip(noPostgres);
    const own = await startPostgres();
    const digest = newDigest();
    const sql = await postgresStore({
      url: await own.newDatabase(),
      sealer,
      digest,
      report: () => {},
    });
    const told: string[] = [];
    const store = await redisStore({
      ...{ url: server.url, sql, sealer, digest, report: () => {}, drainEveryMs: 10 },
      tell: { ...SILENT, stalled: () => told.push("stalled"), resumed: () => told.push("resumed") },
    });
    await own.kill();
    await settleTurns(store, 0, 50);
    while (told.length === 0) await wait(20);
    assert.equal(await store.undrained?.(), 50);
    await own.start();
    while ((await store.undrained?.()) !== 0) await wait(50);
    assert.deepEqual(told, ["stalled", "resumed"]);
    assert.equal(await recordedOf(store), 50);
    await store.close();
    await own.stop();
  });

  test("after a batch that SQL did not take, no record is left behind, nor counted as lost", async () => {
    const [file, digest] = [newFile(), newDigest()];
    const sql = await sqliteStore({ file, sealer, digest });
    let isAway = true;
    const lock = async () => {
      if (isAway) throw new Error("SQL is away");
    };
    const own = await startRedis({ appendonly: "yes", appendfsync: "always" });
    let lost = 0;
    const store = await redisStore({
      ...{ ...QUIET, url: own.url, sealer, digest, report: () => undefined },
      sql: { ...sql, side: { ...sql.side, lock } },
      tell: { ...SILENT, lost: (count) => (lost += count) },
    });
    await settleTurns(store, 0, 20);
    assert.equal(await recordedOf(store), 0);
    await settleTurns(store, 20, 60);
    isAway = false;
    assert.equal(await recordedOf(store), 60);
    isAway = true;
    await settleTurns(store, 60, 80);
    assert.equal(await recordedOf(store), 60);
    await settleTurns(store, 80, 100);
    isAway = false;
    await own.kill();
    await own.start();
    await settleTurns(store, 100, 101);
    assert.equal(await recordedOf(store), 101);
    await wait(100); // its audit
    assert.equal(lost, 0);
    await store.close();
    await own.stop();
  });

  test("a stream that is full drops its oldest records, and says how many", async () => {
    let dropped = 0;
    const tell = { ...SILENT, dropped: (count: number) => (dropped += count) };
    const store = await open(newFile(), newDigest(), { ...QUIET, backlogMax: 160, tell });
    await wait(100); // its first look
    await settleTurns(store, 0, 400);
    const recorded = await recordedOf(store);
    assert.ok(recorded >= 100 && recorded <= 160, `${recorded} recorded`);
    assert.equal(recorded + dropped, 400);
    await store.close();
  });

  test("what Redis loses is counted: all that was settled and is not in SQL", async () => {
    for (const lose of ["FLUSHALL", "kill"] as const) {
      const own = await startRedis();
      let lost = 0;
      const tell = { ...SILENT, lost: (count: number) => (lost += count) };
      const options = { ...QUIET, url: own.url, tell };
      const store = await open(newFile(), newDigest(), options);
      await settleTurns(store, 0, 30);
      assert.equal(await recordedOf(store), 30);
      await settleTurns(store, 30, 50);
      if (lose === "FLUSHALL") await own.say("FLUSHALL");
      else {
        await own.kill(); // it saves nothing
        await own.start();
      }
      await settleTurns(store, 50, 60);
      assert.equal(await recordedOf(store), 40);
      for (let n = 0; n < 100 && lost === 0; n += 1) await wait(20);
      assert.equal(lost, 20, lose);
      await store.close();
      await own.stop();
    }
  });

  test("while the server is away turns are refused, and it is found again when it is back", async () => {
    const own = await startRedis({ appendonly: "yes", appendfsync: "always" });
    const store = await open(newFile(), newDigest(), { url: own.url });
    await settleTurns(store, 0, 5);
    await own.kill();
    const startedAtMs = performance.now();
    await assert.rejects(store.sessions.open(askOf({ key: "key-9" })));
    assert.ok(performance.now() - startedAtMs < 4_000);
    await own.start();
    const untilMs = performance.now() + 5_000;
    for (;;) {
      const held = await store.sessions.open(askOf({ key: "key-1" })).catch(() => undefined);
      if (held?.type === "leased") {
        assert.equal(held.session?.id, sessionId(1));
        break;
      }
      assert.ok(performance.now() < untilMs, "RELIABILITY G10: 5 s to the first success");
      await wait(50);
    }
    assert.equal(await recordedOf(store), 5);
    await store.close();
    await own.stop();
  });

  test("a lease that a server takes late is given back: nobody waits for it to lapse", async () => {
    const own = await startRedis();
    const store = await open(newFile(), newDigest(), { ...QUIET, url: own.url });
    process.kill(own.pid(), "SIGSTOP");
    await assert.rejects(store.sessions.open(askOf()));
    process.kill(own.pid(), "SIGCONT");
    await wait(200);
    const held = await store.sessions.open(askOf({ digest: "other words" }));
    assert.equal(held.type, "leased");
    await store.close();
    await own.stop();
  });

  test("every key of a session has a TTL, and neither input nor MSISDN is readable", async () => {
    const own = await startRedis();
    const store = await open(newFile(), newDigest(), { ...QUIET, url: own.url });
    const pin = "90417735";
    const held = await store.sessions.open(askOf());
    assert.ok(held.type === "leased");
    await store.sessions.settle(
      held.lease,
      settlementOf({ session: sessionOf({ inputs: [pin] }) }),
    );
    await store.sessions.open(askOf({ key: "key-b" }));
    const keys = (await own.say("KEYS *")).match(/dialyard:\S+/g) ?? [];
    const ofSessions = keys.filter((key) => /:[sl]:key-/.test(key));
    assert.equal(ofSessions.length, 2);
    for (const key of ofSessions) assert.match(await own.say(`TTL ${key}`), /^:\d/m);
    const said = await Promise.all([
      ...ofSessions.map((key) => own.say(`GET ${key}`)),
      ...keys.filter((key) => key.endsWith("records")).map((key) => own.say(`XRANGE ${key} - +`)),
    ]);
    const text = said.join("\n");
    assert.ok(text.includes("Saldo"), "what may be read has to be there");
    assert.ok(!text.includes(pin), "an input");
    assert.ok(!text.includes(sessionOf().msisdn), "an MSISDN");
    await store.close();
    await own.stop();
  });
});
