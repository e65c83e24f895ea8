import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { Client } from "pg";
import { until } from "../../test/support/operator.ts";
import {
  noPostgres,
  type PostgresServer,
  startPostgres,
} from "../../test/support/postgres-server.ts";
import {
  askOf,
  backendOf,
  recordOf,
  sessionId,
  sessionOf,
  settlementOf,
  T0,
  testStore,
} from "./conformance.ts";
import { postgresStore } from "./postgres.ts";
import type { Store } from "../types.ts";
import { createDigest, createSealer } from "./seal.ts";

describe("PostgreSQL", { skip: noPostgres }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  const open = (url: string): Promise<Store> =>
    postgresStore({
      url,
      sealer: createSealer([Buffer.alloc(32, 1)]),
      digest: createDigest(Buffer.alloc(32, 2)),
      connectionsMax: 5,
      report: () => undefined,
    });

  testStore("postgres", async () => {
    const url = await server.newDatabase();
    // Another node on the same database: what a kill of the first one leaves it.
    return { store: await open(url), restart: () => open(url) };
  });

  test("one of a hundred opens at once has the lease, whatever the node", async () => {
    const url = await server.newDatabase();
    const nodes = [await open(url), await open(url)];
    const held = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        nodes[index % 2]!.sessions.open(askOf({ freshId: sessionId(index) })),
      ),
    );
    assert.equal(held.filter(({ type }) => type === "leased").length, 1);
    await Promise.all(nodes.map((node) => node.close()));
  });

  test("a server that dies between two statements of a transaction ends no process", async () => {
    const url = await server.newDatabase();
    const store = (await open(url)) as Awaited<ReturnType<typeof postgresStore>>;
    const cut = store.side.db.transaction().execute(async (trx) => {
      await sql`SELECT 1`.execute(trx);
      await server.kill();
      await wait(100);
      await sql`SELECT 1`.execute(trx);
    });
    await assert.rejects(cut);
    await server.start();
    await store.ping();
    await store.close();
  });

  test("turns of one session on two nodes: none is lost, each sees the one before", async () => {
    const url = await server.newDatabase();
    const nodes = [await open(url), await open(url)];
    let done = 0;
    const take = async (index: number): Promise<void> => {
      const { sessions } = nodes[index % 2]!;
      for (;;) {
        const held = await sessions.open(askOf({ digest: `d${index}`, nowMs: 1_000 + index }));
        if (held.type === "busy") continue;
        const turns = (held.session?.turns ?? 0) + 1;
        const session = sessionOf({ id: held.lease.freshId, ...held.session, turns });
        const settlement = settlementOf({ session, nowMs: 1_000 + index, expiresAtMs: 9_000_000 });
        assert.equal(await sessions.settle(held.lease, settlement), true);
        done += 1;
        return;
      }
    };
    await Promise.all(Array.from({ length: 40 }, (_, index) => take(index)));
    assert.equal(done, 40);
    const held = await nodes[0]!.sessions.open(askOf({ nowMs: 2_000 }));
    assert.equal(held.type === "leased" && held.session?.turns, 40);
    await Promise.all(nodes.map((node) => node.close()));
  });

  describe("a session that another node settled last", () => {
    /** Whether a node sees the answer as doubtful, a while after the other one did what `end` does. */
    const isDoubted = async (
      end: (node: ChildProcess) => Promise<unknown>,
      afterMs = 1_000,
    ): Promise<boolean> => {
      const url = await server.newDatabase();
      const here = await open(url);
      const script = fileURLToPath(new URL("postgres-killed.fixture.ts", import.meta.url));
      const node = fork(script, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
      node.send(url);
      await once(node, "message"); // it has its lease
      const [settledAtMs] = (await once(node, "message")) as [number];
      await end(node);
      const nowMs = settledAtMs + afterMs;
      const held = await here.sessions.open(askOf({ digest: "other", nowMs }));
      node.kill("SIGKILL");
      await here.close();
      return held.type === "leased" && held.session !== undefined && held.undelivered;
    };
    const kill = async (node: ChildProcess): Promise<void> => {
      node.kill("SIGKILL");
      await once(node, "close");
      await wait(200); // the server reads the end of its connections
    };
    const stop = async (node: ChildProcess): Promise<void> => {
      node.send("stop");
      await once(node, "close");
    };

    test("was answered, while that node lives", async () => {
      assert.equal(await isDoubted(async () => undefined), false);
    });
    test("may not have been answered, when that node was killed (F59)", async () => {
      assert.equal(await isDoubted(kill), true);
    });
    test("was answered, when that node stopped by itself", async () => {
      assert.equal(await isDoubted(stop), false);
    });
    test("may not have been answered, when that node stands still since", async () => {
      const stopped = async (node: ChildProcess): Promise<void> => {
        node.kill("SIGSTOP");
        await wait(2_500);
      };
      assert.equal(await isDoubted(stopped, 2_500), true);
    });
    test("was answered, when that node stood still only later", async () => {
      const stopped = async (node: ChildProcess): Promise<void> => {
        await wait(1_500); // more beats
        node.kill("SIGSTOP");
        await wait(2_500);
      };
      assert.equal(await isDoubted(stopped, 4_000), false);
    });
    test("may not have been answered either where settling took its time", async () => {
      const url = await server.newDatabase();
      const here = await open(url);
      const script = fileURLToPath(new URL("postgres-killed.fixture.ts", import.meta.url));
      const node = fork(script, ["stop"], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
      const blocker = new Client({ connectionString: url });
      await blocker.connect();
      node.send(url);
      await once(node, "message");
      await blocker.query("BEGIN; LOCK TABLE leases IN ACCESS EXCLUSIVE MODE");
      node.send("settle");
      await wait(1_600); // more beats
      await blocker.query("COMMIT");
      await wait(2_500); // stopped as soon as it was settled
      const held = await here.sessions.open(askOf({ digest: "other", nowMs: Date.now() }));
      assert.deepEqual([held.type, held.type === "leased" && held.undelivered], ["leased", true]);
      node.kill("SIGKILL");
      await blocker.end();
      await here.close();
    });
    test("is in doubt for a minute, not for good", async () => {
      assert.equal(await isDoubted(kill, 61_000), false);
    });
  });

  test("a turn is two round trips, as the server counts them", async () => {
    const url = await server.newDatabase();
    const counter = new Client({ connectionString: server.url() });
    await counter.connect();
    const transactions = async (): Promise<number> => {
      await wait(300); // a connection reports when it closes
      const { rows } = await counter.query<{ n: string }>(
        "SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = $1",
        [url.split("/").at(-1)],
      );
      return Number(rows[0]!.n);
    };
    /** What a node costs that takes so many turns, one after another. */
    const costOf = async (turns: number): Promise<number> => {
      const before = await transactions();
      const { sessions, close } = await open(url);
      for (let turn = 0; turn < turns; turn += 1) {
        const held = await sessions.open(askOf({ nowMs: turn, digest: String(turn) }));
        assert.ok(held.type === "leased");
        const session = sessionOf({ id: held.session?.id ?? held.lease.freshId });
        await sessions.settle(
          held.lease,
          settlementOf({ session, nowMs: turn, expiresAtMs: 9e12 }),
        );
      }
      await close();
      return (await transactions()) - before;
    };
    await costOf(0); // the migrations
    const idle = await costOf(0);
    assert.equal((await costOf(50)) - idle, 100);
    await counter.end();
  });

  test("a change of a backend on one node is known on the other within a second", async () => {
    const url = await server.newDatabase();
    const [here, there] = [await open(url), await open(url)];
    const told = new Promise<void>(
      (done) => void there.watchBackends!(done).then((stop) => stops.push(stop)),
    );
    const stops: (() => Promise<void>)[] = [];
    await wait(200);
    await here.backends.insert(backendOf("*365#"), "2026-01-01T00:00:00Z");
    await Promise.race([told, wait(1_000).then(() => assert.fail("nothing was heard"))]);
    await Promise.all(stops.map((stop) => stop()));
    await Promise.all([here.close(), there.close()]);
  });

  test("each node hears what the others let in, by channel, address and minute", async () => {
    const url = await server.newDatabase();
    const stores = [await open(url), await open(url), await open(url)];
    const minute = Math.floor(Date.now() / 60_000);
    const tell = async (node: number, counts: Record<string, number>, at = minute, on = "ixo") => {
      const told = { nodeId: `n${node}`, channel: on, minute: at };
      const given = new Map(Object.entries(counts));
      return Object.fromEntries(await stores[node]!.cluster!.count({ ...told, counts: given }));
    };
    assert.deepEqual(await tell(0, { "10.0.0.1": 3, "10.0.0.2": 1 }), {});
    assert.deepEqual(await tell(1, { "10.0.0.1": 4, "::1": 2 }), { "10.0.0.1": 3 });
    assert.deepEqual(await tell(2, { "10.0.0.1": 1 }), { "10.0.0.1": 7 });
    // A count is that of the minute so far: told again it is not more.
    assert.deepEqual(await tell(0, { "10.0.0.1": 5 }), { "10.0.0.1": 5 });
    assert.deepEqual(await tell(0, { "10.0.0.1": 5 }), { "10.0.0.1": 5 });
    assert.deepEqual(await tell(1, { "10.0.0.1": 4 }), { "10.0.0.1": 6 });
    assert.deepEqual(await tell(1, { "10.0.0.1": 1 }, minute + 1), {});
    assert.deepEqual(await tell(1, { "10.0.0.1": 1 }, minute, "kairos"), {});
    assert.doesNotMatch(await server.dump(url), /10\.0\.0\.1/, "no address in the clear");
    await Promise.all(stores.map((store) => store.close()));
  });

  test("many nodes tell the same addresses at once, and old minutes go with their beats", async () => {
    const url = await server.newDatabase();
    const stores = [await open(url), await open(url), await open(url)];
    const minute = Math.floor(Date.now() / 60_000);
    const beatOf = (id: string) => {
      const figures = { turns: 0, turnsPerSecond: 0, cpuShare: 0, rssOctets: 0, loopDelayMs: 0 };
      const node = { id, host: "", pid: 1, version: "", startedAtMs: 0, isDraining: false };
      return { ...node, figures: { ...figures, openBreakers: [], eventsDropped: 0 } };
    };
    const addresses = Array.from({ length: 500 }, (_, nth) => `10.0.${nth >> 8}.${nth & 255}`);
    const work = stores.map(async ({ cluster }, nth) => {
      for (let time = 0; time < 20; time += 1) {
        const given = time % 2 === 0 ? addresses : addresses.toReversed();
        const counts = new Map(given.map((address) => [address, time + 1]));
        const told = { nodeId: `n${nth}`, channel: "ixo", counts };
        await cluster!.count({ ...told, minute: time < 10 ? minute - 5 : minute });
        await cluster!.beat(beatOf(`n${nth}`));
      }
    });
    await Promise.all(work);
    await stores[0]!.cluster!.beat(beatOf("n0"));
    const dump = await server.dump(url);
    assert.doesNotMatch(dump, new RegExp(`^${minute - 5}\t`, "m"));
    assert.equal(dump.match(new RegExp(`^${minute}\t`, "gm"))?.length, 3 * addresses.length);
    await Promise.all(stores.map((store) => store.close()));
  });

  test("turns older than what is kept go with their day's partition", async () => {
    const url = await server.newDatabase();
    const { sessions, records, close } = await open(url);
    const day = 86_400_000;
    const nowMs = 20_000 * day + 1_000;
    await sessions.sweep(nowMs, 0);
    const held = await sessions.open(askOf({ nowMs }));
    assert.ok(held.type === "leased");
    const session = sessionOf({ id: held.lease.freshId, ended: true, outcome: "completed" });
    const record = recordOf({ startedAtMs: nowMs });
    const settlement = settlementOf({ session, record, nowMs, expiresAtMs: nowMs + 1_000 });
    await sessions.settle(held.lease, settlement);
    assert.equal((await records.getSession(session.id))?.records.length, 1);
    assert.match(await server.dump(url), /TABLE public\.turns_20000 /);
    await sessions.sweep(nowMs + 3 * day, nowMs + 2 * day);
    assert.doesNotMatch(await server.dump(url), /turns_20000/);
    assert.equal(await records.getSession(session.id), undefined);
    await close();
  });

  test("turns change a session's row in its page: no index hears of them", async () => {
    const url = await server.newDatabase();
    const { sessions, close } = await open(url);
    for (let turns = 1; turns <= 10; turns += 1) {
      const nowMs = T0 + turns * 1_000;
      const held = await sessions.open(askOf({ nowMs, digest: `turn ${turns}` }));
      assert.ok(held.type === "leased");
      const session = sessionOf({ id: held.session?.id ?? held.lease.freshId, turns });
      await sessions.settle(
        held.lease,
        settlementOf({ session, nowMs, expiresAtMs: nowMs + 9_000 }),
      );
    }
    await close();
    const client = new Client(url);
    await client.connect();
    const asked = `SELECT n_tup_upd::int AS changed, n_tup_hot_upd::int AS within
      FROM pg_stat_user_tables WHERE relname = 'sessions'`;
    const counted = async () => (await client.query(asked)).rows[0] as Record<string, number>;
    await until("the server to have counted", async () => (await counted())["changed"]! >= 9);
    const { changed, within } = await counted();
    assert.equal(within, changed);
    await client.end();
  });

  test("sessions that ended before what is kept go, however many began before one that lives", async () => {
    const url = await server.newDatabase();
    const { sessions, records, close } = await open(url);
    const [day, old] = [86_400_000, 1_100];
    const settle = async (key: string, startedAtMs: number, expiresAtMs: number) => {
      const held = await sessions.open(askOf({ key, freshId: `sess_${key}`, nowMs: startedAtMs }));
      assert.ok(held.type === "leased");
      const settlement = { session: sessionOf({ id: held.lease.freshId }), expiresAtMs };
      const record = recordOf({ startedAtMs });
      const all = settlementOf({ ...settlement, record, nowMs: startedAtMs });
      assert.equal(await sessions.settle(held.lease, all), true);
    };
    await settle("lives", T0, T0 + 4 * day);
    for (let n = 0; n < old; n += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, nth) => settle(`old-${n + nth}`, T0 + n, T0 + n + 1_000)),
      );
    await settle("kept", T0 + 2 * day, T0 + 2 * day + 1_000);
    await sessions.sweep(T0 + 3 * day, T0 + day);
    const found = await records.findSessions({ nowMs: T0 + 3 * day, limit: 100 });
    assert.deepEqual(found.sessions.map(({ id }) => id).sort(), ["sess_kept", "sess_lives"]);
    await close();
  });

  test("while the server is away turns are refused, and it is found again when it is back", async () => {
    const own = await startPostgres();
    const store = await open(await own.newDatabase());
    await store.ping();
    await own.kill();
    const startedAtMs = performance.now();
    await assert.rejects(store.sessions.open(askOf()));
    assert.ok(performance.now() - startedAtMs < 4_000);
    await own.start();
    assert.equal((await store.sessions.open(askOf())).type, "leased");
    await store.close();
    await own.stop();
  });
});
