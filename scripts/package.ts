/**
 * `npm run package`: writes dist/, the package as a registry has it. Node strips no types below
 * node_modules, so what is published is JavaScript with declarations; a checkout runs as it is.
 * Everything follows from package.json: `exports` and `bin` say where to begin, `files` what else.
 */
import { execFileSync } from "node:child_process";
import { buildConsole } from "./console.ts";
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** What bin/dialyard starts: nothing imports it. */
const MAIN = "./src/main.ts";
/** What `dialyard dev` has to dial: found by path, so nothing that is compiled imports them. */
const DEMO = ["examples/demo.ts", "examples/bills/biller.ts"];
/** What `dialyard check-codec` runs: loaded by a codec's name. */
const VECTORS = ["src/codecs/*.vectors.ts"];
/** What browsers are served, which vite builds. */
const CONSOLE = "console/dist";
/** Of no use to who installs the package. */
const NOT_PUBLISHED = ["scripts", "devDependencies", "workspaces", "allowScripts", "private"];

type Manifest = Readonly<Record<string, unknown>> & {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly files: readonly string[];
};

/** Leaves the complete package in `folder`, for `npm pack` and `npm publish`. */
export function writePackage(folder: string): void {
  const manifest = JSON.parse(readFileSync(inRoot("package.json"), "utf8")) as Manifest;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const entryPoints = [...Object.values(manifest.exports), MAIN, ...DEMO, ...VECTORS];
  compile(entryPoints.filter(isTypeScript), folder);
  buildConsole();
  copyRest([...manifest.files, CONSOLE], folder);
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(published(manifest), null, 2)}\n`);
}

/** What the entry points reach, laid out as in the checkout: tests are reached by none. */
function compile(entryPoints: readonly string[], folder: string): void {
  const config = join(folder, "tsconfig.json");
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    allowImportingTsExtensions: false,
    rewriteRelativeImportExtensions: true,
    rootDir: ROOT,
    outDir: folder,
    typeRoots: [inRoot("node_modules/@types")],
  };
  const files = entryPoints.flatMap((file) => globSync(file, { cwd: ROOT })).map(inRoot);
  const options = { extends: inRoot("tsconfig.json"), compilerOptions, files, include: [] };
  writeFileSync(config, JSON.stringify(options));
  const tsc = inRoot("node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", config], { stdio: ["ignore", "inherit", "inherit"] });
  rmSync(config);
}

/** All of `files` that is not TypeScript, at the same place; templates are written out as they are. */
function copyRest(names: readonly string[], folder: string): void {
  const files = names.flatMap((name) =>
    statSync(inRoot(name)).isDirectory() ? globSync(`${name}/**/*`, { cwd: ROOT }) : [name],
  );
  for (const file of files) {
    const from = inRoot(file);
    const isCompiled = /\.tsx?$/.test(file) && !file.startsWith("templates/");
    // Pictures are for who reads the repository.
    if (isCompiled || /(?:^|\/)node_modules\/|^docs\/images\//.test(file)) continue;
    if (!statSync(from).isFile()) continue;
    const to = join(folder, file);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
  }
}

function published(manifest: Manifest): Readonly<Record<string, unknown>> {
  const kept = Object.entries(manifest).filter(([key]) => !NOT_PUBLISHED.includes(key));
  const exported = Object.entries(manifest.exports).map(([name, file]) => {
    if (!isTypeScript(file)) return [name, file];
    const stem = file.replace(/\.ts$/, "");
    return [name, { types: `${stem}.d.ts`, default: `${stem}.js` }];
  });
  const files = [...manifest.files, CONSOLE];
  return { ...Object.fromEntries(kept), files, exports: Object.fromEntries(exported) as unknown };
}

function inRoot(file: string): string {
  return join(ROOT, file);
}

function isTypeScript(file: string): boolean {
  return file.endsWith(".ts");
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? inRoot("dist"));
  // Nobody's folder is emptied but one of ours.
  const isOurs = !existsSync(folder) || existsSync(join(folder, "src/main.js"));
  if (!isOurs) throw new Error(`${folder} is there and holds something else`);
  writePackage(folder);
  console.log(`The package is in ${folder}. npm pack ${folder} makes a tarball of it.`);
}
