/**
 * `npm test`: type check, lint, format check, the gateway on its other stores, then every test
 * file. Ends with node's own summary.
 * `npm test -- screen http`: only test files whose path contains one of these, and no checks.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TEST_FILES = [
  "src/**/*.test.ts",
  "test/**/*.test.ts",
  "examples/*/*.test.ts",
  "console/src/**/*.test.ts",
];
// Two test files at once: more would disturb suites that watch deadlines on small machines.
const CONCURRENCY = 2;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
// A test that hangs fails by this time, which leaves room for the rest inside 15 minutes.
const TEST_TIMEOUT_MS = 300_000;
// What node's own limit does not end, a server left behind by a failed hook among it.
const RUN_MS_MAX = 30 * 60_000;

type Check = { readonly name: string; readonly script: string; readonly args: readonly string[] };
const CHECKS: readonly Check[] = [
  { name: "typecheck", script: "node_modules/typescript/bin/tsc", args: ["--noEmit"] },
  {
    name: "typecheck of the console",
    script: "node_modules/typescript/bin/tsc",
    args: ["--noEmit", "-p", "console"],
  },
  {
    name: "lint",
    script: "node_modules/eslint/bin/eslint.js",
    args: [".", "--max-warnings", "0"],
  },
  {
    name: "format",
    script: "node_modules/prettier/bin/prettier.cjs",
    args: ["--check", "--log-level", "warn", "."],
  },
];
const STORES: Check = {
  name: "the gateway on PostgreSQL, and on Redis",
  script: "scripts/test-stores.ts",
  args: [],
};

process.exitCode = await main(process.argv.slice(2));

async function main(patterns: readonly string[]): Promise<number> {
  const files = globSync(TEST_FILES, { cwd: ROOT })
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .sort();
  if (files.length === 0) {
    console.error(`No test file's path contains ${patterns.join(" or ")}.`);
    return 1;
  }
  const checks = patterns.length === 0 ? [...CHECKS, STORES] : [];
  const failed: Check[] = [];
  for (const check of checks) if (!(await passes(check))) failed.push(check);
  const names = failed.map(({ name }) => name).join(", ");
  if (failed.length > 0) console.log(`✖ failed, tests run all the same: ${names}\n`);

  console.log(`▶ tests in ${files.length} file${files.length === 1 ? "" : "s"}`);
  const testsPass = await runNode([
    "--test",
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    "--test-reporter=spec",
    "--disable-warning=ExperimentalWarning",
    ...files,
  ]);
  // On the error stream: node's summary stays the end of the output.
  if (failed.length > 0) console.error(`\n✖ failed before the tests: ${names}`);
  return testsPass && failed.length === 0 ? 0 : 1;
}

async function passes({ name, script, args }: Check): Promise<boolean> {
  console.log(`▶ ${name}`);
  const startedAtMs = performance.now();
  const passed = await runNode([script, ...args]);
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
  console.log(`${passed ? "✔" : "✖"} ${name} (${seconds} s)\n`);
  return passed;
}

/** True when it ended by itself with status 0: not when a signal or the limit ended it. */
async function runNode(args: readonly string[]): Promise<boolean> {
  // A process group, so that nothing of it outlives the limit.
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
  });
  const end = (signal: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
  };
  const forward = (signal: NodeJS.Signals) => {
    end(signal);
    process.exitCode = 1;
  };
  const limit = setTimeout(() => {
    console.error(`✖ stopped after ${RUN_MS_MAX / 60_000} minutes: something hangs`);
    end("SIGKILL");
  }, RUN_MS_MAX);
  for (const signal of SIGNALS) process.on(signal, forward);
  const [status] = (await once(child, "exit")) as [number | null];
  clearTimeout(limit);
  for (const signal of SIGNALS) process.off(signal, forward);
  return status === 0;
}
