/** lint, graph and crawl as their user has them: commands, and the examples without a fault. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "dialyard-inspect-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function dialyard(...args: readonly string[]) {
  const flags = ["--disable-warning=ExperimentalWarning", MAIN, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, flags, {
    cwd: ROOT,
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr };
}

for (const name of ["bank", "bills", "voicepact", "ixo"]) {
  test(`lint --strict finds nothing in examples/${name}`, () => {
    const { status, out, err } = dialyard("lint", `examples/${name}/app.ts`, "--strict");
    assert.deepEqual([status, out, err], [0, "No faults found.\n", ""]);
  });
}

test("crawl walks the bank to its end, graph draws it", () => {
  const crawled = dialyard("crawl", "examples/bank/app.ts", "--json");
  assert.equal(crawled.status, 0, crawled.err);
  const { walked, neverReached, threw } = JSON.parse(crawled.out) as {
    readonly walked: readonly { readonly place: string }[];
    readonly neverReached: readonly string[];
    readonly threw: readonly unknown[];
  };
  assert.ok(walked.some(({ place }) => place === "transfer.$confirm (end)"));
  assert.deepEqual([neverReached, threw], [[], []]);
  assert.match(dialyard("graph", "examples/bank/app.ts").out, /^flowchart TD\n/);
});

test("crawl walks an app in every language of its catalogs, unless told which", () => {
  const file = join(folder, "spoken.ts");
  const app = JSON.stringify(fileURLToPath(new URL("../src/app/index.ts", import.meta.url)));
  writeFileSync(
    file,
    `import { catalog, ussd } from ${app};
    const t = catalog({ en: { hi: "Hello" }, pt: { hi: "Bom dia" } });
    const u = ussd();
    export const app = u.app({ name: "s", start: "a", screens: { a: u.text({ body: t.hi() }) } });`,
  );
  const languages = (...options: readonly string[]) => {
    const { walked } = JSON.parse(dialyard("crawl", file, "--json", ...options).out) as {
      readonly walked: readonly { readonly locale: string }[];
    };
    return [...new Set(walked.map(({ locale }) => locale))].sort();
  };
  assert.deepEqual(languages(), ["en", "pt"]);
  assert.deepEqual(languages("--locale", "pt"), ["pt"]);
});

test("a faulty app fails with its faults; a mistake, a missing file and no file are said", () => {
  const write = (name: string, code: string): string => {
    const file = join(folder, name);
    const app = JSON.stringify(fileURLToPath(new URL("../src/app/index.ts", import.meta.url)));
    writeFileSync(file, `import { ussd } from ${app};\nconst u = ussd();\n${code}`);
    return file;
  };
  const lost = write(
    "lost.ts",
    `export const app = u.app({ name: "lost", start: "a", screens: {
      a: u.text({ body: "A" }), b: u.text({ body: "B" }) } } as never);`,
  );
  const found = dialyard("lint", lost);
  assert.equal(found.status, 1);
  assert.match(found.out, /error {4}unreachable {7}b: neither the start nor a code leads here/);
  const mistaken = write(
    "mistaken.ts",
    `export const app = u.app({ name: "m", start: "x", screens: {} } as never);`,
  );
  assert.match(dialyard("lint", mistaken).out, /error {4}unknown-target/);
  assert.equal(dialyard("lint", mistaken).status, 1);
  assert.deepEqual([dialyard("lint", "nowhere.ts").status, dialyard("crawl").status], [2, 2]);
  assert.match(dialyard("lint", "nowhere.ts").err, /no app at .*nowhere.ts/);
});
