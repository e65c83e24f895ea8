/**
 * Builds the console's pages (console/dist) when they are missing or older than what they are made
 * of: before `npm start`, `npm test` and `npm run package`. Seconds, and no network.
 */
import { createHash } from "node:crypto";
import { globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execFileSync } from "node:child_process";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = join(ROOT, "console");
/** The digest of what the pages were built from. */
const STAMP = join(FOLDER, "dist/.built-from");
/** The console's own, what it imports of the gateway, and what builds it. */
const SOURCES = [
  "console/{index.html,package.json,vite.config.ts}",
  "console/src/**/*",
  "src/core/*.ts",
  "package-lock.json",
];

export function buildConsole(): void {
  const wanted = digestOfSources();
  if (wanted === digestOfPages()) return;
  const startedAtMs = performance.now();
  const vite = join(ROOT, "node_modules/vite/bin/vite.js");
  execFileSync(process.execPath, [vite, "build", "--logLevel", "warn"], {
    cwd: FOLDER,
    stdio: ["ignore", "inherit", "inherit"],
  });
  writeFileSync(STAMP, wanted);
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
  console.error(`console: built in ${seconds} s`);
}

function digestOfPages(): string | undefined {
  try {
    return readFileSync(STAMP, "utf8");
  } catch {
    return undefined; // not built yet
  }
}

function digestOfSources(): string {
  const hash = createHash("sha256");
  for (const file of globSync(SOURCES, { cwd: ROOT }).sort()) {
    const path = join(ROOT, file);
    if (statSync(path).isFile()) hash.update(`${file}\n`).update(readFileSync(path));
  }
  return hash.digest("hex");
}

if (import.meta.main) buildConsole();
