/** The contract of app stores on real servers, and what each of them has to itself. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client } from "pg";
import {
  noPostgres,
  type PostgresServer,
  startPostgres,
} from "../../test/support/postgres-server.ts";
import { noRedis, type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import { testAppStore } from "../app/store-conformance.ts";
import { testPinStore } from "../app/pin-store-conformance.ts";
import { memoryAppStore, type AppStore } from "../app/store.ts";
import { postgresAppStore, postgresPinStore } from "./postgres.ts";
import { redisAppStore, redisPinStore } from "./redis.ts";
import { sealedAppStore } from "./sealed.ts";
import { SWEEP, withDollars } from "./sql.ts";
import { sqliteAppStore, sqlitePinStore } from "./sqlite.ts";

const folder = mkdtempSync(join(tmpdir(), "dialyard-app-stores-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = () => join(folder, `${(files += 1)}.db`);
const report = (): void => undefined;

describe("SQLite", () => {
  testAppStore("sqlite", async () => {
    const file = newFile();
    // Another process on the same file, beside the one that was killed.
    return { store: sqliteAppStore({ file }), restart: async () => sqliteAppStore({ file }) };
  });

  testPinStore("sqlite", async () => {
    const file = newFile();
    return { store: sqlitePinStore({ file }), again: async () => sqlitePinStore({ file }) };
  });

  test("processes share one session, and no turn is lost", async () => {
    const file = newFile();
    await checkCounting("sqlite", file, () => sqliteAppStore({ file }));
  });

  test("old sessions go while others come, and those that are needed stay", async () => {
    const file = newFile();
    const store = sqliteAppStore({ file, synchronous: "normal" });
    const { DatabaseSync } = await import("node:sqlite");
    await checkSweeping(store, async () => {
      const database = new DatabaseSync(file, { readOnly: true });
      const rows = database.prepare("SELECT key FROM dialyard_app_sessions").all();
      database.close();
      return rows.map(({ key }) => String(key));
    });
    await store.close();
  });
});

describe("Redis", { skip: noRedis }, () => {
  let server: RedisServer;
  let prefixes = 0;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  testAppStore("redis", async () => {
    const prefix = `t${(prefixes += 1)}:`;
    const open = () => redisAppStore({ url: server.url, prefix, report });
    return { store: await open(), restart: open };
  });

  testPinStore("redis", async () => {
    const prefix = `p${(prefixes += 1)}:`;
    const again = () => redisPinStore({ url: server.url, prefix, report });
    return { store: await again(), again };
  });

  test("a turn is two commands, as the server counts them", async () => {
    const store = await redisAppStore({ url: server.url, prefix: "count:", report });
    await turn(store, "a", 1_000);
    await server.say("CONFIG RESETSTAT");
    for (let index = 0; index < 50; index += 1) await turn(store, "a", 1_000);
    const stats = await server.say("INFO commandstats");
    assert.match(stats, /cmdstat_evalsha:calls=100,/);
    await store.close();
  });

  test("processes share one session, and no turn is lost", async () => {
    await checkCounting("redis", server.url, () => redisAppStore({ url: server.url, report }));
  });

  test("it forgets sessions by itself", async () => {
    const store = await redisAppStore({ url: server.url, prefix: "ttl:", report });
    await turn(store, "a", Date.now());
    const reply = await server.say("PTTL ttl:a");
    const leftMs = Number(/:(\d+)/.exec(reply)?.[1]);
    assert.ok(leftMs > 250_000 && leftMs <= 300_000, reply);
    await store.close();
  });

  test("a server that has lost its scripts is told them again", async () => {
    const store = await redisAppStore({ url: server.url, prefix: "flush:", report });
    await turn(store, "a", 1_000);
    await server.say("SCRIPT FLUSH");
    await turn(store, "a", 1_001);
    await store.close();
  });

  test("a turn fails in time while the server is away, and goes on when it is back", async () => {
    const own = await startRedis({ appendonly: "yes", appendfsync: "always" });
    const store = await redisAppStore({ url: own.url, report });
    await turn(store, "a", 1_000);
    await own.kill();
    const startedAtMs = performance.now();
    await assert.rejects(turn(store, "a", 1_001));
    assert.ok(performance.now() - startedAtMs < 4_500);
    await own.start();
    await untilTakes(store);
    const held = await store.open({ key: "a", nowMs: 1_002, leaseMs: 5_000 });
    assert.equal(held.type === "leased" && held.state, "state of a");
    await store.close();
    await own.stop();
  });

  test("a server that is not there is said at once", async () => {
    await assert.rejects(redisAppStore({ url: "redis://127.0.0.1:1", report }), /^Error: Redis: /);
  });
});

describe("PostgreSQL", { skip: noPostgres }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres({ shared_preload_libraries: "pg_stat_statements" });
  });
  after(() => server.stop());

  testAppStore("postgres", async () => {
    const url = await server.newDatabase();
    const open = () => postgresAppStore({ url, connectionsMax: 5, report });
    return { store: await open(), restart: open };
  });

  testPinStore("postgres", async () => {
    const url = await server.newDatabase();
    const again = () => postgresPinStore({ url, connectionsMax: 5, report });
    return { store: await again(), again };
  });

  test("a turn is two statements, as the server counts them", async () => {
    const url = await server.newDatabase();
    const store = await postgresAppStore({ url, report });
    const client = new Client(url);
    await client.connect();
    await client.query("CREATE EXTENSION pg_stat_statements");
    await turn(store, "a", 1_000);
    await client.query("SELECT pg_stat_statements_reset()");
    for (let index = 0; index < 50; index += 1) await turn(store, "a", 1_000);
    const counted = await client.query<{ first: string; calls: string }>(
      `SELECT split_part(query, ' ', 1) AS first, sum(calls) AS calls FROM pg_stat_statements
       JOIN pg_database ON dbid = pg_database.oid AND datname = current_database()
       WHERE query NOT LIKE '%pg_stat_statements%' GROUP BY 1 ORDER BY 1`,
    );
    const calls = counted.rows.map(({ first, calls }) => [first.trim(), Number(calls)]);
    assert.deepEqual(calls, [
      ["INSERT", 50],
      ["UPDATE", 50],
    ]);
    await client.end();
    await store.close();
  });

  test("processes share one session, and no turn is lost", async () => {
    const url = await server.newDatabase();
    await checkCounting("postgres", url, () => postgresAppStore({ url, report }));
  });

  test("a session that is taken while the sweep looks at it stays", async () => {
    const url = await server.newDatabase();
    const store = await postgresAppStore({ url, report });
    await turn(store, "a", 1_000);
    const [taker, sweeper] = [new Client(url), new Client(url)];
    await Promise.all([taker.connect(), sweeper.connect()]);
    await taker.query("BEGIN");
    await taker.query("UPDATE dialyard_app_sessions SET token = 'new', until = 9000000");
    const swept = sweeper.query(withDollars(SWEEP), ["", 8_999_000]);
    await wait(100); // it waits for the row
    await taker.query("COMMIT");
    assert.equal((await swept).rowCount, 0);
    await Promise.all([taker.end(), sweeper.end(), store.close()]);
  });

  test("old sessions go while others come, and those that are needed stay", async () => {
    const url = await server.newDatabase();
    const store = await postgresAppStore({ url, report });
    const client = new Client(url);
    await client.connect();
    await checkSweeping(store, async () => {
      const { rows } = await client.query<{ key: string }>("SELECT key FROM dialyard_app_sessions");
      return rows.map(({ key }) => key);
    });
    await client.end();
    await store.close();
  });

  test("a lease given back leaves what was stored, and no row where nothing was", async () => {
    const url = await server.newDatabase();
    const store = await postgresAppStore({ url, report });
    await turn(store, "a", 1_000);
    for (const key of ["a", "never settled"]) {
      const held = await store.open({ key, nowMs: 1_001, leaseMs: 5_000 });
      assert.ok(held.type === "leased");
      await store.release(held.lease);
    }
    const client = new Client(url);
    await client.connect();
    const { rows } = await client.query("SELECT key, state, token FROM dialyard_app_sessions");
    assert.deepEqual(rows, [{ key: "a", state: "state of a", token: null }]);
    await client.end();
    await store.close();
  });

  test("processes that start at once make the table once", async () => {
    const url = await server.newDatabase();
    const stores = await Promise.all([1, 2, 3, 4, 5].map(() => postgresAppStore({ url, report })));
    await Promise.all(stores.map((store) => store.close()));
  });

  test("a turn fails in time while the server is away, and goes on when it is back", async () => {
    const own = await startPostgres();
    const store = await postgresAppStore({ url: await own.newDatabase(), report });
    await turn(store, "a", 1_000);
    await own.kill();
    await assert.rejects(turn(store, "a", 1_001));
    await own.start();
    await untilTakes(store);
    await store.close();
    await own.stop();
  });

  test("a server that is not there is said at once", async () => {
    const url = "postgresql://postgres@127.0.0.1:1/x";
    await assert.rejects(postgresAppStore({ url, report }), /^Error: PostgreSQL: /);
  });
});

describe("a sealed store", () => {
  const keys = [Buffer.alloc(32, 1)];
  testAppStore("sealed", async () => ({ store: sealedAppStore(memoryAppStore(), keys) }));

  test("holds nothing that could be read, and what a new key seals an old one opened", async () => {
    const file = newFile();
    const plain = sqliteAppStore({ file });
    const before = sealedAppStore(plain, keys);
    await turn(before, "a", 1_000);
    assert.ok(!readFileSync(`${file}-wal`, "latin1").includes("state of a"));
    const rotated = sealedAppStore(plain, [Buffer.alloc(32, 2), ...keys]);
    const held = await rotated.open({ key: "a", nowMs: 1_001, leaseMs: 5_000 });
    assert.equal(held.type === "leased" && held.state, "state of a");
    await plain.close();
  });

  test("a state that was moved to another session does not open", async () => {
    const memory = memoryAppStore();
    const store = sealedAppStore(memory, keys);
    await turn(store, "a", 1_000);
    const held = await memory.open({ key: "b", nowMs: 1_000, leaseMs: 5_000 });
    assert.ok(held.type === "leased");
    const state = memory.peek("a")!;
    await memory.settle(held.lease, { state, nowMs: 1_000, expiresAtMs: 9_000 });
    await assert.rejects(store.open({ key: "b", nowMs: 1_001, leaseMs: 5_000 }));
  });
});

const FIXTURE = fileURLToPath(new URL("counting.fixture.ts", import.meta.url));
const PROCESSES = 3;
const TURNS = 100;

/** Processes that start at once, on a store that is not there yet. */
async function checkCounting(
  kind: string,
  where: string,
  open: () => AppStore | Promise<AppStore>,
) {
  const run = promisify(execFile);
  const args = ["--disable-warning=ExperimentalWarning", FIXTURE, kind, where, String(TURNS)];
  const all = Array.from({ length: PROCESSES }, () => run(process.execPath, args));
  await Promise.all(all);
  const store = await open();
  const held = await store.open({ key: "counter", nowMs: Date.now(), leaseMs: 1_000 });
  assert.equal(held.type === "leased" && held.state, String(PROCESSES * TURNS));
  await store.close();
}

/** Two sessions that are over for each that is needed; then turns of a few others. */
async function checkSweeping(store: AppStore, keys: () => Promise<readonly string[]>) {
  const nowMs = 9_000_000;
  for (let index = 0; index < 300; index += 1) {
    await turn(store, `over-${index}`, 1_000);
    await turn(store, `past-${index}`, 1_000);
  }
  for (let index = 0; index < 300; index += 1) await turn(store, `needed-${index}`, nowMs);
  // Somebody took its lease a while ago and was never heard of again: that is needed too.
  await store.open({ key: "past-7", nowMs: nowMs - 10_000, leaseMs: 5_000 });
  for (let index = 0; index < 900; index += 1) await turn(store, `busy-${index % 10}`, nowMs);
  const left = await keys();
  const needed = left.filter((key) => key.startsWith("needed-") || key === "past-7");
  assert.equal(needed.length, 301);
  assert.ok(left.length < 350, `${left.length} are left`);
}

async function turn(store: AppStore, key: string, nowMs: number): Promise<void> {
  const held = await store.open({ key, nowMs, leaseMs: 5_000 });
  assert.ok(held.type === "leased");
  const expiresAtMs = nowMs + 300_000;
  assert.ok(await store.settle(held.lease, { state: `state of ${key}`, nowMs, expiresAtMs }));
}

async function untilTakes(store: AppStore): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await turn(store, `back-${tries}`, 1_000);
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}
