import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { codecs } from "../src/codecs/index.ts";
import { withSettings } from "../scripts/docs.ts";

const page = readFileSync(new URL("../docs/configuration.md", import.meta.url), "utf8");

test("docs/configuration.md lists the settings as the schema has them (npm run docs)", () => {
  assert.equal(withSettings(page), page);
});

test("docs/configuration.md names every option of every codec, with its default", () => {
  for (const { name, options } of codecs) {
    for (const [option, { default: fallback }] of Object.entries(options)) {
      const cells = [
        "`" + name + "`",
        "`" + option + "`",
        fallback === "" ? "" : `\`"${fallback}"\``,
      ];
      const row = new RegExp(`\\| ${cells.map((cell) => `${cell} *`).join("\\| ")}\\|`);
      assert.match(page, row);
    }
  }
});

test("the application of docs/app.md and its test run as printed", () => {
  const text = readFileSync(new URL("../docs/app.md", import.meta.url), "utf8");
  const [app, check] = [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? "");
  assert.ok(app !== undefined && app.includes("serveApp"));
  assert.ok(check !== undefined && check.includes("phone"));
  // Inside the checkout, where "dialyard/app" is this package.
  const folder = mkdtempSync(fileURLToPath(new URL("docs-", import.meta.url)));
  try {
    writeFileSync(join(folder, "airtime.ts"), app);
    writeFileSync(join(folder, "airtime.test.ts"), check);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const file = join(folder, "airtime.test.ts");
    const run = spawnSync(process.execPath, ["--test", file], { encoding: "utf8", env });
    assert.equal(run.status, 0, run.stdout + run.stderr);
    assert.match(run.stdout, /pass 1/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
