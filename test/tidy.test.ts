/**
 * Rules that hold themselves. ARCHITECTURE.md states the same rules as absences; each failure here
 * names the file, the line and why. After TigerBeetle's tidy.zig.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { codecNames } from "../src/codecs/index.ts";
import type { SourceFile } from "./tidy/files.ts";
import {
  ROOT,
  functionsOf,
  importsOf,
  lineAt,
  packageOf,
  parseSource,
  readTextFiles,
  resolveImport,
  stringsOf,
  walk,
} from "./tidy/files.ts";
import { tableBelow } from "./tidy/markdown.ts";

const LINES_WARN = 300;
const LINES_MAX = 500;
const FUNCTION_LINES_MAX = 70;
const COLUMNS_MAX = 100;
/** "file" (lines of a file) or "file function" (lines of a function): reason. */
const TOO_LONG_ON_PURPOSE: Readonly<Record<string, string>> = {
  "src/api/backends.ts backendRoutes":
    "a list of routes, each of a few lines, read beside the OLA API",
  "src/api/sessions.ts sessionRoutes": "a list of routes, each of a few lines",
  "src/backend/call.test.ts": "one fault of RELIABILITY 2.1 after another, read from the top",
  "src/stores/conformance.ts": "one suite for all stores, case after case, read from the top",
};

/** Files of src/codecs/ that are no codec. */
const NOT_A_CODEC = new Set([
  "index.ts",
  "entry.ts",
  "fields.ts",
  "con-end.ts",
  "cumulative.ts",
  "hubtel-like.ts",
  "wire-backend.ts",
  "wire-channel.ts",
  "wire-description.ts",
  "wire-forms.ts",
  "wire-parts.ts",
  "xml.ts",
]);
const PURE = /^src\/(?:core\/|codecs\/|config[a-z-]*\.ts|types\.ts)/;

const textFiles = readTextFiles();
const paths = new Set(textFiles.map((file) => file.path));
const sources = textFiles.filter(({ path: file }) => /\.tsx?$/.test(file)).map(parseSource);
const isTest = (file: string): boolean =>
  /\.(?:test|fixture)\.ts$/.test(file) || file.startsWith("test/");
const isVectors = (file: string): boolean => file.endsWith(".vectors.ts");
/** src/ but tests and vectors. */
const product = sources.filter(
  ({ path: file }) => file.startsWith("src/") && !isTest(file) && !isVectors(file),
);
/** What browsers are served. */
const pages = sources.filter(({ path: file }) => file.startsWith("console/src/") && !isTest(file));
const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
};

/** Where node, npm or a browser begins: nothing of ours imports these. */
const ENTRY_POINTS = [
  "src/main.ts",
  "console/src/main.tsx",
  ...Object.values(manifest.exports).map((file) => path.posix.normalize(file)),
];

type Rule = {
  readonly title: string;
  readonly files: RegExp;
  readonly forbid: RegExp;
  readonly why: string;
};
const rules: readonly Rule[] = [
  {
    title: "core, codecs and configuration are pure: no IO, clock or randomness",
    files: PURE,
    forbid:
      /\b(?:async|await)\b|["'`]node:|\bDate\.now|\bnew Date\(\)|\bperformance\.|Math\.random|\bprocess\s*[.?[]|\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bfetch\(|\bcrypto\.|\bconsole\./,
    why: "pass the value in; IO belongs to gateway, server, transports, stores, backend, api",
  },
  {
    title: "only main.ts reads the environment and the arguments",
    files: /^src\/(?!main\.ts$)/,
    forbid:
      /\bprocess\s*\??\.\s*(?:env|argv|execArgv)\b|\{[^}]*\b(?:env|argv)\b[^}]*\} = process\b/,
    why: "configuration arrives parsed (STYLE H12)",
  },
  {
    title: "nobody brands a string but core/address.ts",
    files: /^src\/(?!core\/address\.ts$|stores\/)/,
    forbid: /\bas (?:unknown as )?(?:Msisdn|ServiceCode|Dialled)\b/,
    why: "parse it there, once, at the edge; a store may trust its own rows (STYLE H11)",
  },
  {
    title: "a codec is reached through the list alone",
    files: /^src\/(?!codecs\/)/,
    forbid: /["'`][./]+\/codecs\/(?!(?:index|fields)\.ts|\$\{name\}\.vectors)[^"'`]*["'`]/,
    why: "import it from codecs/index.ts by its configured name",
  },
];

for (const { title, files, forbid, why } of rules) {
  test(title, () => {
    const found = product
      .filter((file) => files.test(file.path))
      .flatMap((file) => {
        const broken = file.code.split("\n").flatMap((line, index) => {
          const match = forbid.exec(line);
          return match === null ? [] : [`${file.path}:${index + 1}: ${match[0].trim()}`];
        });
        return broken;
      });
    none(found, why);
  });
}

test("what is pure imports only what is pure", () => {
  const found = inspect(
    product.filter(({ path: file }) => PURE.test(file)),
    (file) =>
      importsOf(file, { types: false }).filter(({ value }) => {
        const target = resolveImport(file.path, value);
        if (target !== undefined) return !PURE.test(target);
        return value.startsWith("node:") || !/^src\/config[a-z-]*\.ts$/.test(file.path);
      }),
  );
  none(found, "core and codecs run anywhere, in a test without a server: pass the value in");
});

test("the app framework imports nothing of the gateway but what is pure", () => {
  // It runs in other people's services: the reply contract, texts and screens, the list of codecs.
  const allowed = /^src\/(?:app\/|types\.ts$|core\/|codecs\/(?:index|entry)\.ts$)/;
  const found = inspect(
    product.filter(({ path: file }) => file.startsWith("src/app/")),
    (file) =>
      importsOf(file).filter(({ value }) => {
        const target = resolveImport(file.path, value);
        return target === undefined ? !value.startsWith("node:") : !allowed.test(target);
      }),
  );
  none(found, "no store, server, configuration or package: they arrive as values in options");
});

test("a codec's name appears nowhere outside codecs/ and configuration", () => {
  assert.ok(codecNames.length > 0);
  const names: readonly string[] = codecNames;
  const found = inspect(
    product.filter(({ path: file }) => !/^src\/(?:codecs\/|config[a-z-]*\.ts$)/.test(file)),
    (file) => stringsOf(file).filter(({ value }) => names.includes(value)),
  );
  none(found, "make the difference a field of Inbound or an optional member of Codec (STYLE H2)");
});

test("every codec is in the list and has its vectors", () => {
  const files = inFolder("src/codecs/").filter(
    (file) => !isTest(file) && !isVectors(file) && !NOT_A_CODEC.has(path.basename(file)),
  );
  const named = codecNames.map((name) => `src/codecs/${name}.ts`);
  assert.deepEqual(files.toSorted(), named.toSorted(), "one file per codec, named after it");
  const vectors = inFolder("src/codecs/").filter(isVectors);
  const wanted = codecNames.map((name) => `src/codecs/${name}.vectors.ts`);
  assert.deepEqual(vectors.toSorted(), wanted.toSorted(), "one vectors file per codec");
});

test("every store passes the suite that all stores pass", () => {
  const stores = product.filter(
    (file) => file.path.startsWith("src/stores/") && exportsStoreFactory(file),
  );
  assert.ok(stores.length > 0, "no exported function of src/stores/ returns a Store");
  const untested = stores.filter(({ path: file }) => {
    const own = sources.find((source) => source.path === file.replace(/\.ts$/, ".test.ts"));
    return own === undefined || !/\btestStore\(/.test(own.code);
  });
  none(
    untested.map((file) => file.path),
    "its test file of the same name calls testStore of stores/conformance.ts (STYLE H4)",
  );
});

test("nobody writes `any`", () => {
  const found = inspect(sources, (file) =>
    nodesOf(file, ({ kind }) => kind === ts.SyntaxKind.AnyKeyword),
  );
  none(found, "`unknown`, and a check");
});

test("nobody exports a default", () => {
  const found = inspect([...product, ...pages], (file) =>
    nodesOf(
      file,
      (node) =>
        ts.isExportAssignment(node) ||
        node.kind === ts.SyntaxKind.DefaultKeyword ||
        (ts.isExportSpecifier(node) && node.name.text === "default"),
    ),
  );
  none(found, "named exports only: one name per thing, everywhere it is used");
});

test("no name says nothing", () => {
  const empty = /^(?:data|info|mgr|manager|utils?|process|handle)$|^Ussd[A-Z]/;
  const found = inspect([...product, ...pages], (file) =>
    nodesOf(
      file,
      (node) =>
        isDeclaration(node) &&
        node.name !== undefined &&
        ts.isIdentifier(node.name) &&
        empty.test(node.name.text),
    ),
  );
  none(found, "the noun, then unit, then bound; all here is USSD (STYLE H13)");
});

test("every module is imported, and every import is there", () => {
  const reached = new Set<string>();
  const missing: string[] = [];
  const reach = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    const source = sources.find((candidate) => candidate.path === file);
    if (source === undefined) return;
    for (const { line, value } of stringsOf(source)) {
      // Any relative path to a module counts: workers and lazy imports are named by URL.
      const target = /^\.{1,2}\/.*\.tsx?$/.test(value) ? resolveImport(file, value) : undefined;
      if (target === undefined) continue;
      if (paths.has(target)) reach(target);
      else if (!isTest(file)) missing.push(`${file}:${line}: ${value}`);
    }
  };
  ENTRY_POINTS.forEach(reach);
  none(missing, "nothing is there");
  none(
    [...product, ...pages].map((file) => file.path).filter((file) => !reached.has(file)),
    `not reached from ${ENTRY_POINTS.join(", ")}: use it or delete it`,
  );
});

test("every package that src/ imports is a dependency, and every dependency is used", () => {
  const dependencies = new Set(Object.keys(manifest.dependencies));
  const isPackage = (value: string): boolean => !/^(?:\.|node:)/.test(value);
  const undeclared = inspect(product, (file) =>
    importsOf(file).filter(({ value }) => isPackage(value) && !dependencies.has(packageOf(value))),
  );
  none(undeclared, "src/ runs without development dependencies");
  // Any string counts: pino loads its printer by name.
  const used = new Set(product.flatMap((file) => stringsOf(file).map(({ value }) => value)));
  const packages = new Set([...used].filter(isPackage).map(packageOf));
  none(
    [...dependencies].filter((name) => !packages.has(name)),
    "nothing in src/ imports this dependency: remove it from package.json",
  );
});

test("pages ask nobody but their gateway, and hold no code but their own", () => {
  const packages = inspect(pages, (file) =>
    importsOf(file, { types: false }).filter(({ value }) => !value.startsWith(".")),
  ).filter(
    (place) =>
      !/: (?:preact(?:\/hooks)?|preact-iso|uplot(?:\/dist\/uPlot\.min\.css)?)$/.test(place),
  );
  none(packages, "a page's packages are part of its first load: name it here with its reason");
  const foreign = inspect(pages, (file) =>
    stringsOf(file).filter(({ value }) => /^(?:https?:)?\/\/(?!localhost|127\.)\w/.test(value)),
  );
  none(foreign, "no request goes anywhere else");
  const unsafe =
    /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/;
  none(
    pages.flatMap((file) => (unsafe.test(file.code) ? [file.path] : [])),
    "what subscribers and backends say is text",
  );
});

test("every runtime dependency has its reason in ARCHITECTURE.md, and every row is one", () => {
  const page = readFileSync(path.join(ROOT, "ARCHITECTURE.md"), "utf8");
  const rows = tableBelow(page, "## Dependencies");
  assert.deepEqual(
    rows.map(([name = ""]) => name).toSorted(),
    Object.keys(manifest.dependencies).toSorted(),
  );
  for (const [name = "", why = ""] of rows) assert.ok(why.length > 20, `${name}: why?`);
});

test("what package.json names is there", () => {
  const named = [
    ...Object.values(manifest.exports),
    ...Object.values(manifest.bin),
    ...manifest.files,
  ];
  none(
    named.filter((file) => !existsSync(path.join(ROOT, file))),
    "package.json names a file that does not exist",
  );
});

test("nothing is left to do later in a comment", () => {
  const marks = new RegExp(`\\b(?:${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`);
  none(linesWith(marks), "do it, or write an issue");
});

test("no file names a folder of somebody's machine", () => {
  const folders = ["work", "home/[a-z]\\w*", "Users/\\w+"].map((folder) => `/${folder}/`);
  const places = new RegExp(`(?:^|[\\s"'\`(=:<>])(?:${folders.join("|")})`);
  none(linesWith(places), "look for it relative to the repository's root");
});

test("no file names a package registry", () => {
  const registries =
    /\bregistry\.[a-z0-9-]+\.[a-z]+|[a-z0-9.-]*(?:npmmirror|artifactory|verdaccio)/i;
  none(linesWith(registries, "test/tidy.test.ts"), "which registry is the machine's own setting");
  const lock = linesWith(/"resolved": "https?:/).filter((line) => line.startsWith("package-lock"));
  none(lock, "run npm install with this folder's .npmrc: it leaves addresses out");
});

test("a file is at most 300 lines long, 500 at the outside", (t) => {
  const long = sources
    .filter(({ path: file }) => !isVectors(file) && file !== "src/types.ts")
    .map((file) => ({ path: file.path, lines: file.lines.length - 1 }))
    .filter(({ path: file, lines }) => lines > LINES_WARN && !(file in TOO_LONG_ON_PURPOSE));
  for (const { path: file, lines } of long) t.diagnostic(`long: ${file} has ${lines} lines`);
  none(
    long
      .filter(({ lines }) => lines > LINES_MAX)
      .map((file) => `${file.path}: ${file.lines} lines`),
    "one file holds one idea: move a part out, or exempt it by name and with its reason",
  );
});

test("a function is at most 70 lines long", () => {
  const found = inspect(
    sources.filter(({ path: file }) => !isTest(file)),
    (file) =>
      functionsOf(file)
        .filter(({ value }) => value.lines > FUNCTION_LINES_MAX)
        .filter(({ value }) => !(`${file.path} ${value.name}` in TOO_LONG_ON_PURPOSE))
        .map(({ line, value }) => ({ line, value: `${value.name}: ${value.lines} lines` })),
  );
  none(found, "move straight-line pieces out, never the branches (STYLE H5)");
});

test("a line is at most 100 columns wide", () => {
  // The title of a test is a sentence: broken in two it can't be found.
  const isData = (file: string): boolean => isVectors(file) || isTest(file);
  const found = inspect(
    sources.filter((file) => !isData(file.path)),
    (file) =>
      file.lines
        .map((text, index) => ({ line: index + 1, value: `${[...text].length} columns` }))
        .filter(({ value }) => Number.parseInt(value, 10) > COLUMNS_MAX)
        .filter(
          ({ line }) => !/^\s*(?:forbid:)?\s*\/.*\/[a-z]*,?$/.test(file.lines[line - 1] ?? ""),
        ),
  );
  none(found, "break it; prettier leaves long strings alone (a regular expression may run on)");
});

test("every exemption is still needed and says why", () => {
  for (const [exempted, reason] of Object.entries(TOO_LONG_ON_PURPOSE)) {
    const [file = "", name] = exempted.split(" ");
    const source = sources.find((candidate) => candidate.path === file);
    assert.ok(source !== undefined && reason.length > 20, `${exempted}: no such file or reason`);
    const isLong =
      name === undefined
        ? source.lines.length - 1 > LINES_WARN
        : functionsOf(source).some(
            ({ value }) => value.name === name && value.lines > FUNCTION_LINES_MAX,
          );
    assert.ok(isLong, `${exempted} is short enough now: remove its exemption`);
  }
});

/** Fails with every place found, one a line, and the rule's reason. */
function none(found: readonly string[], why: string): void {
  if (found.length === 0) return;
  assert.fail(`${why}\n${found.map((place) => `  ${place}`).join("\n")}`);
}

function inspect(
  files: readonly SourceFile[],
  look: (file: SourceFile) => readonly { readonly line: number; readonly value: string }[],
): readonly string[] {
  return files.flatMap((file) =>
    look(file).map(({ line, value }) => `${file.path}:${line}: ${value}`),
  );
}

function nodesOf(
  file: SourceFile,
  matches: (node: ts.Node) => boolean,
): readonly { readonly line: number; readonly value: string }[] {
  const found: { line: number; value: string }[] = [];
  walk(file.tree, (node) => {
    if (!matches(node)) return;
    const line = lineAt(file, node.getStart());
    found.push({ line, value: file.lines[line - 1]?.trim() ?? "" });
  });
  return found;
}

function isDeclaration(node: ts.Node): node is ts.NamedDeclaration {
  return (
    ts.isVariableDeclaration(node) ||
    ts.isParameter(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isClassDeclaration(node)
  );
}

/** A part of a store (its sessions, its records) is tested through the store. */
function exportsStoreFactory(file: SourceFile): boolean {
  let found = false;
  walk(file.tree, (node) => {
    if (!ts.isFunctionDeclaration(node)) return;
    const isExported = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    found ||= isExported === true && /^(?:Promise<)?Store>?$/.test(node.type?.getText() ?? "");
  });
  return found;
}

function inFolder(folder: string): readonly string[] {
  return [...paths].filter((file) => file.startsWith(folder) && file.endsWith(".ts"));
}

function linesWith(pattern: RegExp, exempt?: string): readonly string[] {
  return textFiles
    .filter((file) => file.path !== exempt)
    .flatMap((file) =>
      file.text.split("\n").flatMap((line, index) => {
        const match = pattern.exec(line);
        return match === null ? [] : [`${file.path}:${index + 1}: ${match[0].trim()}`];
      }),
    );
}
