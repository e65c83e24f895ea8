import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import {
  moveSlot,
  type RedisCluster,
  startRedisCluster,
} from "../../test/support/redis-cluster.ts";
import { until } from "../../test/support/operator.ts";
import { testFailover } from "../../test/support/redis-failover.ts";
import { noRedis } from "../../test/support/redis-server.ts";
import {
  createRedisStores,
  playTurns,
  QUIET,
  recordedOf,
  settleTurns,
} from "../../test/support/redis-stores.ts";
import { askOf, settlementOf, testStore } from "./conformance.ts";
import { createPartitions } from "./redis-keys.ts";

describe("a Redis Cluster", { skip: noRedis }, () => {
  let cluster: RedisCluster;
  const stores = createRedisStores(() => cluster.url);
  before(async () => {
    cluster = await startRedisCluster();
  });
  after(async () => {
    await cluster.stop();
    stores.remove();
  });

  testStore("redis cluster and sqlite", stores.start);

  const countOf = async (pattern: string): Promise<readonly number[]> =>
    Promise.all(
      cluster.masters.map(async (master) => {
        const keys = (await master.say(`KEYS ${pattern}`)).match(/^dialyard:/gm);
        return keys?.length ?? 0;
      }),
    );

  test("sessions are on all masters, and the records of all reach SQL", async (t) => {
    const digest = stores.newDigest();
    const store = await stores.open(stores.newFile(), digest, QUIET);
    t.after(() => store.close());
    const deployment = /\{(.*)\./.exec(createPartitions(digest)[0]!.lock)![1]!;
    assert.equal(await recordedOf(store), 0); // its first look is over
    await settleTurns(store, 0, 300);
    const sessions = await countOf(`dialyard:{${deployment}.*}:s:*`);
    assert.equal(
      sessions.reduce((sum, count) => sum + count, 0),
      300,
    );
    assert.ok(Math.min(...sessions) >= 10, sessions.join(", "));
    assert.equal(await store.undrained?.(), 300);
    assert.equal(await recordedOf(store), 300);
    assert.equal(await store.undrained?.(), 0);
  });

  test("a slot that is moved to another master costs no turn", async (t) => {
    const digest = stores.newDigest();
    const store = await stores.open(stores.newFile(), digest);
    t.after(() => store.close());
    const playing = playTurns(store, 20);
    t.after(() => playing.stop());
    const [first, second] = cluster.masters;
    for (let round = 0; round < 2; round += 1) {
      for (const partition of createPartitions(digest)) {
        const said = await first!.say(`CLUSTER KEYSLOT ${partition.lock}`);
        const slot = Number(/:(\d+)/.exec(said)?.[1]);
        const isFirst = /^:/.test(await first!.say(`EXISTS ${partition.lock}`));
        const isSecond = /^:/.test(await second!.say(`EXISTS ${partition.lock}`));
        if (isFirst) await moveSlot(slot, first!, second!);
        else if (isSecond) await moveSlot(slot, second!, first!);
        await wait(50);
      }
    }
    await playing.stop();
    assert.deepEqual(playing.failures, []);
    assert.equal(await store.records.countLive(settlementOf().nowMs), playing.settled.length);
  });

  test("while it is away turns are refused at once, and it is found again when it is back", async (t) => {
    const store = await stores.open(stores.newFile(), stores.newDigest());
    t.after(() => store.close());
    const ask = async () => store.sessions.open(askOf());
    await ask();
    await Promise.all(cluster.masters.map((master) => master.kill()));
    const startedMs = performance.now();
    await assert.rejects(ask());
    await assert.rejects(store.ping());
    assert.ok(performance.now() - startedMs < 4_000);
    await Promise.all(cluster.masters.map((master) => master.start()));
    const isTaken = () =>
      ask().then(
        () => true,
        () => false,
      );
    await until("turns are taken", isTaken, 15_000);
    await store.ping();
  });

  test("a store that is opened while a master is away has it when it is back", async (t) => {
    const [master, other] = cluster.masters;
    await master!.kill();
    const isFailed = async () => (await other!.say("CLUSTER INFO")).includes("cluster_state:fail");
    await until("the others know it", isFailed);
    const opening = stores.open(stores.newFile(), stores.newDigest());
    await wait(500);
    await master!.start();
    const store = await opening;
    t.after(() => store.close());
    await store.ping();
  });

  testFailover("a failover in a Cluster", async () => {
    const { url, masters, replicas, stop } = await startRedisCluster({ replicated: true });
    return { url, master: masters[0]!, replica: replicas[0]!, stop };
  });
});
