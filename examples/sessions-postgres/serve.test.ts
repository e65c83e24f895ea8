/** Two processes of the bank on one PostgreSQL: a dialogue goes on when one of them is killed. */
import { test } from "node:test";
import { noPostgres, startPostgres } from "../../test/support/postgres-server.ts";
import { survivesKill } from "../../test/support/example-processes.ts";

const SERVE = new URL("serve.ts", import.meta.url);

test("a session outlives the process that began it", { skip: noPostgres }, async () => {
  const server = await startPostgres();
  try {
    await survivesKill(SERVE, { DATABASE_URL: await server.newDatabase() });
  } finally {
    await server.stop();
  }
});
