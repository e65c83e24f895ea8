/**
 * `npm run test:stores`: tests of the whole gateway once more on other stores, each gateway on a
 * database of its own on servers that are started here. Part of `npm test`, which runs them on
 * SQLite too. `npm run test:stores -- redis`, `npm run test:stores -- crash`: only these.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { noPostgres, startPostgres } from "../test/support/postgres-server.ts";
import { noRedis, startRedis } from "../test/support/redis-server.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
type Suite = { readonly name: string; readonly isRedis: boolean; readonly files: string[] };
/** Whole sessions through a gateway; what is left out looks into SQLite's own files. */
const SUITES: readonly Suite[] = [
  {
    name: "postgres",
    isRedis: false,
    files: [
      "crash",
      "duplicates",
      "pairs",
      "drain",
      "documents",
      "operations",
      "faults",
      "settings",
    ],
  },
  // Twins and leases are what differs most between stores.
  { name: "redis", isRedis: true, files: ["duplicates", "pairs", "drain", "settings"] },
];

process.exitCode = await main(process.argv.slice(2));

async function main(patterns: readonly string[]): Promise<number> {
  const missing = [noPostgres, noRedis].filter((reason) => reason !== false);
  if (missing.length > 0) {
    console.error(`✖ skipped: ${missing.join("; ")}`);
    return process.env["CI"] === undefined ? 0 : 1;
  }
  const names = SUITES.map(({ name }) => name);
  const wanted = patterns.filter((pattern) => names.includes(pattern));
  const files = patterns.filter((pattern) => !names.includes(pattern));
  let code = 0;
  for (const suite of SUITES) {
    if (wanted.length > 0 && !wanted.includes(suite.name)) continue;
    const chosen = suite.files.filter((name) => files.length === 0 || files.includes(name));
    if (chosen.length === 0) continue;
    const startedMs = performance.now();
    const failed = await run(suite, chosen);
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
    console.log(`${failed === 0 ? "✔" : "✖"} the gateway on ${suite.name} (${seconds} s)`);
    if (failed !== 0) code = 1;
  }
  return code;
}

async function run({ isRedis }: Suite, files: readonly string[]): Promise<number> {
  const postgres = await startPostgres();
  const redis = isRedis ? await startRedis().catch(() => undefined) : undefined;
  try {
    if (isRedis && redis === undefined) return 1;
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
        env: {
          ...process.env,
          DIALYARD_TEST_POSTGRES: postgres.url(),
          ...(redis !== undefined && { DIALYARD_TEST_REDIS: redis.url }),
        },
      },
    );
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? 1;
  } finally {
    await redis?.stop();
    await postgres.stop();
  }
}
