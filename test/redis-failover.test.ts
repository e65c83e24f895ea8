/**
 * A gateway whose sessions are on Redis, while the master is killed and a replica takes over: what
 * subscribers read meanwhile, and that nothing has to be restarted (RELIABILITY G5, G10).
 */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startGateway } from "./support/gateway.ts";
import { createNumbering, phoneOn, SCREENS, until } from "./support/operator.ts";
import { type Phone, register, startApp } from "./support/phones.ts";
import { startRedisCluster } from "./support/redis-cluster.ts";
import type { Replicated } from "./support/redis-failover.ts";
import { startRedisSentinels } from "./support/redis-sentinels.ts";
import { noRedis } from "./support/redis-server.ts";

const CODE = "*770#";
const SLEEPERS = 20;
const LANES = 10;
const ANSWER_MS_MAX = 5_000;
const TAKEN_MS_MAX = 15_000;

async function open(t: TestContext, servers: Replicated) {
  const app = await startApp("ola", (_, nth) => ({ screen: `turn ${nth}`, end: false }));
  const gateway = await startGateway({
    env: { REDIS_URL: servers.url },
    configFile: `export const config = { channels: {
      kairos: { protocol: "kairos", requestsPerMinuteMax: 0 } } };`,
  });
  t.after(async () => {
    await gateway.stop();
    await app.close();
    await servers.stop();
  });
  await register(gateway.url, { service_code: CODE, callback_url: app.url });
  const newMsisdn = createNumbering("2588");
  const newPhone = (name: string): Phone =>
    phoneOn("kairos", gateway.url, newMsisdn(), `${name}-${newMsisdn()}`);
  return { gateway, newPhone };
}

/** Subscribers who dial and type twice, over and over: how often each read what. */
function playSessions(newPhone: (name: string) => Phone) {
  const seen = new Map<string, number>();
  let [longestMs, isOver] = [0, false];
  const play = async (): Promise<void> => {
    while (!isOver) {
      const phone = newPhone("player");
      for (let turn = 0; turn < 3; turn += 1) {
        const startedMs = performance.now();
        const { screen } = await (turn === 0 ? phone.dial(CODE) : phone.type(String(turn)));
        longestMs = Math.max(longestMs, performance.now() - startedMs);
        seen.set(screen, (seen.get(screen) ?? 0) + 1);
        await wait(20);
        if (screen !== `turn ${turn}`) break;
      }
    }
  };
  const playing = Array.from({ length: LANES }, play);
  return {
    seen,
    longestMs: () => longestMs,
    async stop() {
      isOver = true;
      await Promise.all(playing);
    },
  };
}

async function testKill(t: TestContext, servers: Replicated): Promise<void> {
  const { gateway, newPhone } = await open(t, servers);
  const sleepers = Array.from({ length: SLEEPERS }, () => newPhone("sleeper"));
  for (const phone of sleepers) assert.equal((await phone.dial(CODE)).screen, "turn 0");
  const isHealthy = async () => (await fetch(`${gateway.url}/health`)).status === 200;
  const playing = playSessions(newPhone);
  await wait(500);
  const killedMs = performance.now();
  await servers.master.kill();
  await until("it says that its store is away", async () => !(await isHealthy()));
  await until("it is well", isHealthy, TAKEN_MS_MAX);
  const awayMs = performance.now() - killedMs;
  for (const phone of sleepers) assert.equal((await phone.type("1")).screen, "turn 1");
  await playing.stop();

  const known = ["turn 0", "turn 1", "turn 2", SCREENS.notSent, SCREENS.maybeDone];
  assert.deepEqual(
    [...playing.seen.keys()].filter((screen) => !known.includes(screen)),
    [],
  );
  assert.ok(playing.seen.size > 3, "somebody was told");
  assert.ok(playing.longestMs() < ANSWER_MS_MAX, `an answer took ${playing.longestMs()} ms`);
  t.diagnostic(`away for ${(awayMs / 1_000).toFixed(1)} s; ${JSON.stringify([...playing.seen])}`);
}

describe("a Redis master is killed under a gateway", { skip: noRedis, concurrency: true }, () => {
  test("behind Sentinels: subscribers are told, and sessions go on with the replica", async (t) =>
    testKill(t, await startRedisSentinels()));

  test("in a Cluster: subscribers are told, and sessions go on with the replica", async (t) => {
    const { url, masters, replicas, stop } = await startRedisCluster({ replicated: true });
    await testKill(t, { url, master: masters[0]!, replica: replicas[0]!, stop });
  });
});
