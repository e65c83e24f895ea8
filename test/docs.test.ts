import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { withSettings } from "../scripts/docs.ts";
import { hasCaptures, PAGES as PROTOCOLS, protocolPages } from "../scripts/protocol-docs.ts";
import { codeBlocks } from "./support/markdown.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PAGES = ["README.md", ...globSync("docs/**/*.md", { cwd: ROOT }).sort()];

const page = readFileSync(new URL("../docs/configuration.md", import.meta.url), "utf8");

test("docs/configuration.md lists the settings as the schema has them (npm run docs)", () => {
  assert.equal(withSettings(page), page);
});

test("docs/protocols/ is what the codecs and their vectors say (npm run docs)", async () => {
  const pages = await protocolPages();
  assert.deepEqual(readdirSync(PROTOCOLS).toSorted(), [...pages.keys()].toSorted());
  for (const [name, text] of pages) {
    const kept = readFileSync(PROTOCOLS + name, "utf8");
    assert.equal(comparable(kept), comparable(text), name);
  }
});

/** Where the captures are not beside the checkout, what they came to is not compared. */
function comparable(text: string): string {
  if (hasCaptures) return text;
  const cells = text.replace(/ *\|[^|\n]*\|[^|\n]*\|[^|\n]*\|$/gm, "");
  return cells.replace(/\n+(?:Captures: |Nobody's captures)[^]*/, "\n");
}

/** What the applications of docs/migrating.md call; test/migrating.test.ts runs them. */
const SERVICES = `
export function fetchBalance(phone: string): Promise<number>;
export function buyAirtime(phone: string, amount: number, key?: string): Promise<string>;
export function sendMoney(phone: string, amount: number, key?: string): Promise<string>;
export function checkPin(phone: string, pin: string): Promise<boolean>;
`;

test("TypeScript in the documentation type checks, and its tests pass", () => {
  // Inside the checkout, where "dialyard/app" is this package.
  const folder = mkdtempSync(fileURLToPath(new URL("docs-", import.meta.url)));
  try {
    const tests = PAGES.flatMap((name) =>
      writeBlocks(name, join(folder, name.replace(/\W/g, "-"))),
    );
    const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false };
    const options = { extends: "../../tsconfig.json", compilerOptions, include: ["."] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(options));
    const checked = runNode(["node_modules/typescript/bin/tsc", "-p", folder]);
    assert.equal(checked.status, 0, checked.stdout);
    assert.ok(tests.length >= 2, "docs/app.md and docs/first-app.md have a test each");
    const tested = runNode(["--test", ...tests]);
    assert.equal(tested.status, 0, tested.stdout + tested.stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the application of docs/pins.md runs as printed, PIN and all", () => {
  const [block] = codeBlocks(readFileSync(join(ROOT, "docs/pins.md"), "utf8"));
  const app = block?.code ?? "";
  const talk = `
    import { phone } from "dialyard/testing";
    await pins.set("258823456789", "83057391");
    const p = phone(app, { msisdn: "258823456789", companion: false });
    (await (await p.dial("*700#")).send("50", "00000000")).expectText(/2 attempts left/);
    (await p.send("83057391", "1")).expectEnd("Paid 50.");`;
  const folder = mkdtempSync(fileURLToPath(new URL("docs-", import.meta.url)));
  try {
    writeFileSync(join(folder, "bank.ts"), app + talk);
    const env = { ...process.env, PIN_ENCRYPTION_KEY: Buffer.alloc(32, 9).toString("base64") };
    const file = join(folder, "bank.ts");
    const run = spawnSync(process.execPath, [file], { encoding: "utf8", env, cwd: folder });
    assert.equal(run.status, 0, run.stdout + run.stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Writes a page's whole blocks as files, and gives those that are tests. */
function writeBlocks(name: string, folder: string): readonly string[] {
  const text = readFileSync(join(ROOT, name), "utf8");
  const whole = codeBlocks(text).filter(
    ({ language, isFragment }) => language === "ts" && !isFragment,
  );
  const tests: string[] = [];
  for (const { file: named, line, code } of whole) {
    const file = named ?? `line-${line}.ts`;
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code);
    if (code.includes('"./services.js"')) writeFileSync(join(path, "../services.d.ts"), SERVICES);
    if (/\.test\.ts$/.test(file)) tests.push(path);
  }
  return tests;
}

function runNode(args: readonly string[]) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return spawnSync(process.execPath, args, { encoding: "utf8", env, cwd: ROOT });
}
