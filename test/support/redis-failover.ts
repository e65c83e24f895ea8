/** What a store does when a Redis master is killed and its replica takes over, as tests. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { askOf, sessionId, settlementOf } from "../../src/stores/conformance.ts";
import type { Store } from "../../src/types.ts";
import { until } from "./operator.ts";
import type { RedisServer } from "./redis-server.ts";
import { createRedisStores, playTurns, QUIET, settleTurns, SILENT } from "./redis-stores.ts";

export type Replicated = {
  readonly url: string;
  /** The one that is killed, and the one that follows it. */
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly stop: () => Promise<void>;
};

/** A command of the store gives up after 2 s, and a turn is two of them. */
const REFUSED_MS_MAX = 4_500;
const TAKEN_MS_MAX = 15_000;
const SESSIONS_MAX = 100_000;

export function testFailover(name: string, start: () => Promise<Replicated>): void {
  /** A store on servers of its own, and how many records it said are lost. */
  async function open(t: TestContext, change: object) {
    const servers = await start();
    const stores = createRedisStores(() => servers.url);
    let lost = 0;
    const tell = { ...SILENT, lost: (count: number) => (lost += count) };
    const store = await stores.open(stores.newFile(), stores.newDigest(), { tell, ...change });
    t.after(async () => {
      await store.close();
      await servers.stop();
      stores.remove();
    });
    return { servers, store, lost: () => lost };
  }

  describe(name, { concurrency: true }, () => {
    test("a master is killed under load, and turns go on without a restart", async (t) => {
      const { servers, store, lost } = await open(t, {});
      await settleTurns(store, 0, 30);
      await isReplicated(servers);
      const playing = playTurns(store, 10, 1_000);
      t.after(() => playing.stop());
      await wait(1_000);
      const killedMs = performance.now();
      await servers.master.kill();
      await until("turns are refused", () => playing.failures.length > 0);
      await until("each session's turns are taken", () => isTaken(store, 30), TAKEN_MS_MAX);
      const awayMs = performance.now() - killedMs;
      await wait(500);
      await playing.stop();

      assert.ok(playing.longestMs() < REFUSED_MS_MAX, `a turn took ${playing.longestMs()} ms`);
      const recorded = await recordedIds(store);
      const missing = playing.settled.filter((n) => !recorded.has(sessionId(n))).length;
      await until("what is lost is counted", () => lost() >= missing);
      assert.equal(lost(), missing);
      t.diagnostic(
        `away for ${(awayMs / 1_000).toFixed(1)} s; ${playing.settled.length} turns were ` +
          `acknowledged, ${playing.failures.length} refused, ${missing} lost; ` +
          `the longest took ${(playing.longestMs() / 1_000).toFixed(1)} s`,
      );
    });

    test("a master that hangs is left, and it may come back", async (t) => {
      const { servers, store } = await open(t, {});
      await settleTurns(store, 0, 30);
      await isReplicated(servers);
      const playing = playTurns(store, 5, 1_000);
      t.after(() => playing.stop());
      process.kill(servers.master.pid(), "SIGSTOP");
      await until("turns are refused", () => playing.failures.length > 0);
      await until("each session's turns are taken", () => isTaken(store, 30), TAKEN_MS_MAX);
      process.kill(servers.master.pid(), "SIGCONT");
      const failures = playing.failures.length;
      await wait(2_000);
      await playing.stop();
      assert.equal(playing.failures.length, failures, playing.failures.at(-1));
      assert.ok(playing.longestMs() < REFUSED_MS_MAX, `a turn took ${playing.longestMs()} ms`);
    });

    test("what the replica had not received is lost, and counted", async (t) => {
      const { servers, store, lost } = await open(t, QUIET);
      await settleTurns(store, 0, 30);
      await isReplicated(servers);
      const before = await sessionsOn(servers.master);
      process.kill(servers.replica.pid(), "SIGSTOP");
      await servers.master.say("CLIENT KILL TYPE replica");
      await settleTurns(store, 30, 60);
      const unreplicated = (await sessionsOn(servers.master)) - before;
      assert.ok(unreplicated > 0);
      await servers.master.kill();
      process.kill(servers.replica.pid(), "SIGCONT");
      await until("each session's turns are taken", () => isTaken(store, 30), TAKEN_MS_MAX);
      await until("they are counted", () => lost() > 0);
      assert.equal(lost(), unreplicated);
      assert.equal((await recordedIds(store)).size, 60 - unreplicated);
    });
  });
}

/** Of all sessions `0` to `count`, each as it was before, on whatever partition it is. */
async function isTaken(store: Store, count: number): Promise<boolean> {
  for (let n = 0; n < count; n += 1) {
    const held = await store.sessions.open(askOf({ key: `key-${n}` })).catch(() => undefined);
    if (held?.type !== "leased") return false;
    assert.equal(held.session?.id, sessionId(n), "a session that was replicated");
    await store.sessions.release(held.lease);
  }
  return true;
}

async function recordedIds({ records }: Store): Promise<ReadonlySet<string>> {
  const filter = { nowMs: settlementOf().nowMs, limit: SESSIONS_MAX };
  return new Set((await records.findSessions(filter)).sessions.map(({ id }) => id));
}

async function isReplicated({ master, replica }: Replicated): Promise<void> {
  const offsetOf = async (server: RedisServer, field: string): Promise<number> =>
    Number(new RegExp(`${field}:(\\d+)`).exec(await server.say("INFO replication"))?.[1]);
  const written = await offsetOf(master, "master_repl_offset");
  await until(
    "the replica has it all",
    async () => (await offsetOf(replica, "slave_repl_offset")) >= written,
  );
}

async function sessionsOn(server: RedisServer): Promise<number> {
  return (await server.say("KEYS dialyard:*:s:*")).match(/^dialyard:/gm)?.length ?? 0;
}
