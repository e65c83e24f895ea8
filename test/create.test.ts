/** What `dialyard create` writes, as its user has it: installed, tested, started and dialled. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { create, DEV_DEPENDENCIES } from "../src/cli/create.ts";
import { freePort } from "./support/gateway.ts";
import { install, pack, run, scratch, startUntil } from "./support/npm.ts";

const BIN = fileURLToPath(new URL("../bin/dialyard", import.meta.url));
const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly devDependencies: Readonly<Record<string, string>>;
};

/** npm test, npm run check, npm start and a dial, as the README of what was created says. */
async function useIt(t: TestContext, home: string, language: "ts" | "js"): Promise<void> {
  const tested = run(home, "npm", "test");
  assert.equal(tested.status, 0, tested.out);
  assert.match(tested.out, /pass 2/);
  if (language === "ts") {
    const checked = run(home, "npm", "run", "check");
    assert.equal(checked.status, 0, checked.out);
  }
  const env = { PORT: String(await freePort()) };
  const started = await startUntil(t, home, /: npx dialyard (dial .*)\n/, "npm", ["start"], env);
  const [, line = ""] = started.said;
  const dialled = run(home, "sh", "-c", `printf '1\\n50\\n1234\\n1\\n' | npx dialyard ${line}`);
  assert.match(dialled.out, /Welcome to [\w-]+\n\| 1\. Buy airtime/);
  assert.match(dialled.out, /Airtime for 50 is on its way/);
  await started.stop();
}

test("from a checkout: create, npm install, npm test, npm start, dial", async (t) => {
  const folder = scratch(t);
  const created = run(folder, BIN, "create", "my-shop");
  assert.equal(created.status, 0, created.out);
  const home = join(folder, "my-shop");
  assert.match(readFileSync(join(home, "package.json"), "utf8"), /"dialyard": "file:\.\.\//);
  if (!install(t, home)) return;
  await useIt(t, home, "ts");
});

test("from the packed package, in JavaScript: the same", async (t) => {
  const folder = scratch(t);
  const tarball = pack(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  if (!install(t, folder, tarball)) return;
  const protocol = ["--protocol", "africastalking"];
  const args = ["dialyard", "create", "js-shop", "--language", "js", ...protocol];
  const created = run(folder, "npx", "--offline", ...args);
  assert.equal(created.status, 0, created.out);
  const home = join(folder, "js-shop");
  assert.match(readFileSync(join(home, "package.json"), "utf8"), /"dialyard": "\^\d+\.\d+\.\d+"/);
  assert.match(readFileSync(join(home, "src/serve.js"), "utf8"), /protocol: "africastalking"/);
  // Not in a registry yet: the tarball is what one would give.
  if (!install(t, home, tarball)) return;
  await useIt(t, home, "js");
});

const plain = { language: "ts", protocol: "ola", version: "1.2.3", nodeMajor: 24 };

test("a folder that is not empty is left as it is; one with git alone is not in the way", (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, "taken"));
  writeFileSync(join(folder, "taken/notes.txt"), "mine");
  const refused = create({ ...plain, folder: join(folder, "taken") });
  assert.equal(refused.status, 1);
  assert.match(refused.text, /is not empty \(notes\.txt\); nothing was written/);
  assert.deepEqual(readdirSync(join(folder, "taken")), ["notes.txt"]);
  mkdirSync(join(folder, "cloned/.git"), { recursive: true });
  assert.equal(create({ ...plain, folder: join(folder, "cloned") }).status, 0);
});

test("what cannot be done is said, and nothing is written", (t) => {
  const folder = join(scratch(t), "shop");
  const cases = [
    [{ folder: undefined }, /which folder\?/],
    [{ folder, language: "php" }, /--language is ts or js/],
    [{ folder, protocol: "smoke" }, /--protocol is one of ola, /],
    // A link of the gateway's: no application is asked over it.
    [{ folder, protocol: "smpp" }, /--protocol is one of ola, /],
    [{ folder: join(folder, "$!") }, /is no name for a package/],
  ] as const;
  for (const [change, expected] of cases) {
    const { text, status } = create({ ...plain, ...change });
    assert.match(text, expected);
    assert.notEqual(status, 0);
  }
  assert.ok(!existsSync(folder));
});

test("a machine with an old Node gets one beside the app", (t) => {
  const folder = scratch(t);
  create({ ...plain, nodeMajor: 20, folder: join(folder, "old") });
  create({ ...plain, nodeMajor: 24, folder: join(folder, "new") });
  const text = (name: string): string => readFileSync(join(folder, name, "package.json"), "utf8");
  assert.match(text("old"), /"node": "\^24/);
  assert.doesNotMatch(text("new"), /"node": "\^24/);
});

test("the versions in what is created are the ones that Dialyard itself is developed with", () => {
  for (const [name, range] of Object.entries(DEV_DEPENDENCIES)) {
    assert.equal(range, manifest.devDependencies[name], name);
  }
});
