/** The servers that tests start: a kill is a kill, and what was committed is there again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { noPostgres, startPostgres } from "./postgres-server.ts";
import { noRedis, startRedis } from "./redis-server.ts";

test("a PostgreSQL server keeps its databases over a kill", { skip: noPostgres }, async () => {
  const server = await startPostgres();
  const url = await server.newDatabase();
  await server.kill();
  await server.start();
  assert.match(await server.dump(url), /PostgreSQL database dump/);
  await server.stop();
});

test(
  "a Redis server with an append-only file keeps its keys over a kill",
  { skip: noRedis },
  async () => {
    const server = await startRedis({ appendonly: "yes", appendfsync: "always" });
    assert.match(await server.say("SET greeting hello"), /OK/);
    await server.kill();
    await server.start();
    assert.match(await server.say("GET greeting"), /hello/);
    await server.stop();
  },
);
