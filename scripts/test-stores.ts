/**
 * `npm run test:stores`: the tests of the whole gateway, each gateway on a database of its own on a
 * PostgreSQL server that is started here. Part of `npm test`, which runs them on SQLite too.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { noPostgres, startPostgres } from "../test/support/postgres-server.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Whole sessions through a gateway; what is left out looks into SQLite's own files. */
const FILES = ["crash", "duplicates", "pairs", "drain", "documents", "operations", "faults"];

process.exitCode = await main(process.argv.slice(2));

async function main(patterns: readonly string[]): Promise<number> {
  if (noPostgres !== false) {
    console.error(`✖ skipped: ${noPostgres}`);
    return process.env["CI"] === undefined ? 0 : 1;
  }
  const server = await startPostgres();
  try {
    const files = FILES.filter((name) => patterns.length === 0 || patterns.includes(name));
    const args = ["--test", "--test-concurrency=2", "--test-timeout=300000"];
    const child = spawn(
      process.execPath,
      [
        ...args,
        "--test-reporter=spec",
        "--disable-warning=ExperimentalWarning",
        ...files.map((name) => `test/${name}.test.ts`),
      ],
      {
        cwd: ROOT,
        stdio: ["ignore", "inherit", "inherit"],
        env: { ...process.env, DIALYARD_TEST_POSTGRES: server.url() },
      },
    );
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? 1;
  } finally {
    await server.stop();
  }
}
