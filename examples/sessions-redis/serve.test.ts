/** Two processes of the bank on one Redis: a dialogue goes on in the other when one is killed. */
import { test } from "node:test";
import { noRedis, startRedis } from "../../test/support/redis-server.ts";
import { survivesKill } from "../../test/support/example-processes.ts";

const SERVE = new URL("serve.ts", import.meta.url);

test("a session outlives the process that began it", { skip: noRedis }, async () => {
  const server = await startRedis();
  try {
    await survivesKill(SERVE, { REDIS_URL: server.url });
  } finally {
    await server.stop();
  }
});
