/** The package as a registry would have it: installed where it was not made, and used there. */
import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "./support/gateway.ts";
import { install, pack, run, scratch, startUntil } from "./support/npm.ts";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
};
const TSC = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));
const TYPE_ROOTS = fileURLToPath(new URL("../node_modules/@types", import.meta.url));

const CONSUMER = `
import { defineConfig } from "dialyard";
import { bad, ok, ussd } from "dialyard/app";
import { phone } from "dialyard/testing";

export const config = defineConfig({ port: 8080 });
const u = ussd<{ main: object; pay: object }>();
const pay = u
  .flow()
  .ask("amount", "Amount?", (typed) => (typed === "5" ? ok(5) : bad("Five, please")))
  .confirm((v) => \`Pay \${v.amount.toFixed(2)}?\`)
  // @ts-expect-error the types are there: nothing of this name was asked
  .run((v) => String(v.sum ?? v.amount));
const main = u.menu({ title: "Shop", items: [{ label: "Pay", to: "pay" }] });
const app = u.app({ name: "shop", start: "main", screens: { main, pay } });
const p = phone(app, {});
await (await p.dial()).send("1", "4", "5", "1");
console.log(p.screen);
`;

test("the packed package runs, and has its types, where it is installed", async (t) => {
  const folder = scratch(t);
  const tarball = pack(folder);
  const home = join(folder, "home");
  const options = {
    ...{ module: "nodenext", target: "esnext", strict: true, exactOptionalPropertyTypes: true },
    ...{ noEmit: true, skipLibCheck: false, types: ["node"], typeRoots: [TYPE_ROOTS] },
  };
  run(folder, "mkdir", "home");
  writeFileSync(join(home, "package.json"), JSON.stringify({ type: "module", private: true }));
  writeFileSync(
    join(home, "tsconfig.json"),
    JSON.stringify({ compilerOptions: options, files: ["shop.ts", "all.ts"] }),
  );
  writeFileSync(join(home, "shop.ts"), CONSUMER);
  const names = Object.keys(manifest.exports).filter((key) => !key.includes("*"));
  const specifiers = names.map((name) => name.replace(/^\./, "dialyard"));
  const all = specifiers.map((name, nth) => `export * as all${nth} from "${name}";\n`);
  writeFileSync(join(home, "all.ts"), all.join(""));
  if (!install(t, home, tarball)) return;

  const types = run(home, process.execPath, TSC, "-p", ".");
  assert.equal(types.status, 0, types.out);
  assert.equal(run(home, process.execPath, "shop.ts").out, "5\n");
  for (const specifier of specifiers) {
    const code = `import(${JSON.stringify(specifier)}).then((it) => console.log(typeof it))`;
    const { status, out } = run(home, process.execPath, "-e", code);
    assert.ok(status === 0 && out.includes("object"), `${specifier}: ${out}`);
  }

  assert.equal(run(home, "npx", "--offline", "dialyard", "--version").out.trim(), manifest.version);
  assert.match(run(home, "npx", "--offline", "dialyard", "help").out, /Usage: dialyard COMMAND/);
  const PORT = String(await freePort());
  const env = { PORT, DATA_DIR: join(home, "data") };
  const dev = await startUntil(t, home, /is ready at (\S+)/, "npx", ["dialyard", "dev"], env);
  assert.equal((await fetch(`${dev.said[1]}/health`)).status, 200);
  await dev.stop();

  const installed = join(home, "node_modules/dialyard");
  const sources = globSync("**/*.ts", { cwd: installed }).filter((file) => !/\.d\.ts$/.test(file));
  assert.deepEqual(
    sources.filter((file) => file.startsWith("src")),
    [],
    "Node strips no types below node_modules",
  );
  const named = globSync("src/**/*.js", { cwd: installed }).filter((file) =>
    /(?:URL|import)\(\s*["'`]\.{1,2}\/[^"'`]*\.ts["'`]/.test(
      readFileSync(join(installed, file), "utf8"),
    ),
  );
  assert.deepEqual(named, [], "a module named by URL is not found under .ts: import it");
});
