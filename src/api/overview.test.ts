/** GET /api/v1/overview: how many sessions live, beside a store that takes its time to count. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import fastify from "fastify";
import type { NodeSeen } from "../types.ts";
import { overviewRoutes } from "./overview.ts";

function open(count: () => Promise<number>) {
  const app = fastify();
  let counts = 0;
  const records = {
    countLive() {
      counts += 1;
      return count();
    },
  };
  const seen = { startedAtMs: Date.now(), figures: {} } as unknown as NodeSeen;
  const node = { list: () => Promise.resolve([seen]) };
  overviewRoutes(app, { node, records, wallMs: () => Date.now() });
  const read = async () => {
    const answer = await app.inject("/api/v1/overview");
    return { status: answer.statusCode, live: answer.json<{ live: number | null }>().live };
  };
  return { read, counts: () => counts };
}

test("what is counted at once is told at once", async () => {
  const { read } = open(() => Promise.resolve(3));
  assert.deepEqual(await read(), { status: 200, live: 3 });
});

test("nobody waits for millions to be counted, and they are counted once for all who look", async () => {
  const { read, counts } = open(() => wait(600, 1_000_000));
  const first = await Promise.all([read(), read(), read()]);
  assert.deepEqual(
    first.map(({ live }) => live),
    [null, null, null],
  );
  await wait(600);
  assert.deepEqual(await read(), { status: 200, live: 1_000_000 });
  assert.equal(counts(), 1);
});

test("a store that cannot count says so", async () => {
  const { read } = open(() => Promise.reject(new Error("the store is down")));
  assert.equal((await read()).status, 500);
});
