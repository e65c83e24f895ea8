import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { until } from "../../test/support/operator.ts";
import { testFailover } from "../../test/support/redis-failover.ts";
import { type RedisSentinels, startRedisSentinels } from "../../test/support/redis-sentinels.ts";
import { noRedis, type RedisServer } from "../../test/support/redis-server.ts";
import { createRedisStores, playTurns } from "../../test/support/redis-stores.ts";
import { testStore } from "./conformance.ts";

describe("Redis behind Sentinels", { skip: noRedis }, () => {
  let servers: RedisSentinels;
  const stores = createRedisStores(() => servers.url);
  before(async () => {
    servers = await startRedisSentinels();
  });
  after(async () => {
    await servers.stop();
    stores.remove();
  });

  testStore("redis sentinels and sqlite", stores.start);

  test("a store that is closed leaves no connection to a Sentinel", async () => {
    const connected = async (sentinel: RedisServer): Promise<boolean> =>
      (await sentinel.say("CLIENT LIST")).includes("name=dialyard");
    const store = await stores.open(stores.newFile(), stores.newDigest());
    for (const sentinel of servers.sentinels) {
      await until("it listens", () => connected(sentinel));
    }
    await store.close();
    for (const sentinel of servers.sentinels) {
      await until("it is gone", async () => !(await connected(sentinel)));
    }
  });

  test("a master and a Sentinel that hang cost seconds, and no restart", async (t) => {
    const store = await stores.open(stores.newFile(), stores.newDigest());
    t.after(() => store.close());
    const hung = [servers.master, servers.sentinels[0]!];
    const playing = playTurns(store, 5);
    t.after(() => playing.stop());
    await until("turns are taken", () => playing.settled.length > 50);
    for (const server of hung) process.kill(server.pid(), "SIGSTOP");
    await until("a turn is refused", () => playing.failures.length > 0);
    const before = playing.settled.length;
    await until("turns are taken again", () => playing.settled.length > before + 50, 15_000);
    for (const server of hung) process.kill(server.pid(), "SIGCONT");
    await playing.stop();
    assert.ok(playing.longestMs() < 4_500, `a turn took ${playing.longestMs()} ms`);
  });

  test("a start without any Sentinel says so", async () => {
    await Promise.all(servers.sentinels.map((sentinel) => sentinel.kill()));
    const startedMs = performance.now();
    await assert.rejects(
      stores.open(stores.newFile(), stores.newDigest()),
      /^Error: Redis: All sent/,
    );
    assert.ok(performance.now() - startedMs < 5_000);
  });

  testFailover("a failover behind Sentinels", startRedisSentinels);
});
