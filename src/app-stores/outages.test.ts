/** What an app does while its store's server says nothing: the worst way for a server to be away. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  noPostgres,
  type PostgresServer,
  startPostgres,
} from "../../test/support/postgres-server.ts";
import { noRedis, type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import { startStallingProxy } from "../../test/support/stalling-proxy.ts";
import { createDialogue, keyedDigest, ussd, type AppStore } from "../app/index.ts";
import { asDialled, parseMsisdn } from "../core/address.ts";
import type { Inbound } from "../types.ts";
import { postgresAppStore } from "./postgres.ts";
import { redisAppStore } from "./redis.ts";

/** Below the 5 s that gateways give a backend by default (OLA API reference, timeout). */
const ANSWER_MS_MAX = 4_000;
const BACK_MS_MAX = 10_000;
const report = (): void => undefined;
const u = ussd<{ main: object }>();
const main = u.menu({ title: "Hello", items: [] });
const app = u.app({ name: "hello", start: "main", screens: { main } });

let messages = 0;
function dial(): Inbound {
  messages += 1;
  return {
    sessionId: `s${messages}`,
    msisdn: parseMsisdn("258841234567"),
    phase: "begin",
    dialled: asDialled("*1#"),
    input: { kind: "latest", text: "" },
    messageId: `m${messages}`,
    network: undefined,
    echo: {},
  };
}

async function checkSilence(serverPort: number, open: (port: number) => Promise<AppStore>) {
  const proxy = await startStallingProxy(serverPort);
  const store = await open(proxy.port);
  const { take } = createDialogue(app, { store, digest: keyedDigest() });
  const timed = async () => {
    const startedMs = performance.now();
    const { reply } = await take(dial());
    return { screen: reply?.screen ?? "", ms: performance.now() - startedMs };
  };
  try {
    assert.match((await timed()).screen, /^Hello/);
    proxy.stall();
    // More than there are connections, so that some wait for one.
    const answers = await Promise.all(Array.from({ length: 30 }, timed));
    for (const { screen, ms } of answers) {
      assert.match(screen, /^Service unavailable/);
      assert.ok(ms < ANSWER_MS_MAX, `answered after ${ms} ms`);
    }
    proxy.failOver();
    const untilMs = performance.now() + BACK_MS_MAX;
    let last = await timed();
    while (!last.screen.startsWith("Hello") && performance.now() < untilMs) last = await timed();
    assert.match(last.screen, /^Hello/, "new connections are made by themselves");
  } finally {
    await proxy.close();
    await store.close();
  }
}

describe("a store whose server is silent: every turn is answered in time, and it comes back", () => {
  let redis: RedisServer | undefined;
  let postgres: PostgresServer | undefined;
  before(async () => {
    if (noRedis === false) redis = await startRedis();
    if (noPostgres === false) postgres = await startPostgres();
  });
  after(async () => {
    await redis?.stop();
    await postgres?.stop();
  });

  test("Redis", { skip: noRedis }, () =>
    checkSilence(redis!.port, (port) =>
      redisAppStore({ url: `redis://127.0.0.1:${port}`, report }),
    ),
  );
  test("PostgreSQL", { skip: noPostgres }, () =>
    checkSilence(postgres!.port, (port) =>
      postgresAppStore({
        url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
        connectionsMax: 5,
        report,
      }),
    ),
  );

  test("Redis: a lease whose reply was lost is still one's own", { skip: noRedis }, async () => {
    const proxy = await startStallingProxy(redis!.port);
    const url = `redis://127.0.0.1:${proxy.port}`;
    const store = await redisAppStore({ url, prefix: "lost:", report });
    try {
      const ask = { key: "a", nowMs: 1_000, leaseMs: 5_000 };
      const first = await store.open(ask);
      assert.ok(first.type === "leased");
      await store.settle(first.lease, { state: "kept", nowMs: 1_000, expiresAtMs: 9_000 });

      const losing = proxy.loseReplies();
      const held = await store.open(ask);
      await losing;
      assert.ok(held.type === "leased", "the command was sent again, and found its own lease");
      assert.deepEqual([held.state, held.lapsed], ["kept", false]);
      assert.deepEqual(await store.open(ask), { type: "busy" });
    } finally {
      await proxy.close();
      await store.close();
    }
  });
});
