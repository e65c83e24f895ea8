/** `dialyard create`: a folder with an app, its tests and a gateway to dial it through. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { codecNames, createCodec } from "../codecs/index.ts";
import { defineCommand } from "./args.ts";

/** What an application can be asked in over HTTP, and answer in the response. */
const PROTOCOLS = codecNames.filter((name) => {
  const { overLink, pushes } = createCodec(name);
  return overLink === undefined && pushes === undefined;
});

export const createCommand = defineCommand({
  name: "dialyard create",
  summary: "Writes an application to start from: screens, tests, and a gateway to dial it through.",
  positionals: [
    { name: "folder", help: "where; made when it is not there, refused when not empty" },
  ],
  options: [
    {
      name: "language",
      type: "string",
      value: "ts|js",
      default: "ts",
      help: "what it is written in",
    },
    {
      name: "protocol",
      type: "string",
      value: "NAME",
      default: PROTOCOLS[0] ?? "",
      help: `what it speaks as a service of its own: ${PROTOCOLS.join(", ")}`,
    },
  ],
});

export type CreateOptions = {
  readonly folder: string | undefined;
  readonly language: string;
  readonly protocol: string;
  /** Dialyard's own. */
  readonly version: string;
  /** Major version of the Node that npm runs scripts with. */
  readonly nodeMajor: number;
};
export type Created = { readonly text: string; readonly status: 0 | 1 | 2 };

const NODE_MAJOR_MIN = 24;
/** As in this package's own package.json: test/create.test.ts compares them. */
export const DEV_DEPENDENCIES = {
  "@types/node": "^24.0.0",
  node: "^24.21.0",
  typescript: "~6.0.0",
} as const;

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TEMPLATES = join(ROOT, "templates/app");
/** What the templates call it. */
const NAME = "my-ussd-app";
const PROTOCOL = /protocol: "\w+"|(?<=the protocol `)\w+(?=`)/g;
/** Template, and what it becomes: names that npm or a compiler would take for its own are changed. */
const FILES = [
  ["src/app.ts", "src/app.ts"],
  ["src/app.test.ts", "src/app.test.ts"],
  ["src/serve.ts", "src/serve.ts"],
  ["dialyard.config.ts", "dialyard.config.ts"],
  ["tsconfig.txt", "tsconfig.json"],
  ["README.md", "README.md"],
  ["gitignore", ".gitignore"],
  ["ci.yml", ".github/workflows/ci.yml"],
] as const;
/** A folder with nothing but these counts as empty. */
const IGNORED = new Set([".git", ".DS_Store"]);

export function create(options: CreateOptions): Created {
  const { folder, language, protocol } = options;
  const problem = problemWith(options);
  if (problem !== undefined || folder === undefined) {
    const text = `dialyard create: ${problem}\nSee dialyard create --help`;
    return { text, status: 2 };
  }
  const target = resolve(folder);
  const name = nameOf(target);
  if (name === undefined) {
    return { text: `dialyard create: ${basename(target)} is no name for a package`, status: 1 };
  }
  const taken = takenBy(target);
  if (taken !== undefined) return { text: `dialyard create: ${taken}`, status: 1 };

  mkdirSync(target, { recursive: true });
  const isJs = language === "js";
  for (const [from, to] of FILES) {
    if (isJs && from === "tsconfig.txt") continue;
    const text = readFileSync(join(TEMPLATES, from), "utf8")
      .replaceAll(NAME, name)
      .replace(PROTOCOL, (found) => found.replace(/\w+(?="?$)/, protocol));
    write(join(target, isJs ? asJs(to) : to), isJs ? inJs(to, text) : text);
  }
  const manifest = manifestOf(name, realpathSync(target), options);
  write(join(target, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  return { text: nextSteps(folder, name), status: 0 };
}

function problemWith({ folder, language, protocol }: CreateOptions): string | undefined {
  if (folder === undefined) return "which folder?";
  if (language !== "ts" && language !== "js") return "--language is ts or js";
  if (!PROTOCOLS.includes(protocol)) return `--protocol is one of ${PROTOCOLS.join(", ")}`;
  return undefined;
}

/** What npm takes as a name: https://docs.npmjs.com/cli/configuring-npm/package-json#name */
function nameOf(target: string): string | undefined {
  const name = basename(target)
    .toLowerCase()
    .replaceAll(/[\s_]+/g, "-");
  return /^[a-z0-9][a-z0-9.-]{0,100}$/.test(name) && name !== "node_modules" ? name : undefined;
}

function takenBy(target: string): string | undefined {
  if (!existsSync(target)) return undefined;
  try {
    const there = readdirSync(target).filter((file) => !IGNORED.has(file));
    if (there.length === 0) return undefined;
    const list = there.length > 3 ? `${there.slice(0, 3).join(", ")}, …` : there.join(", ");
    return `${target} is not empty (${list}); nothing was written. Name a new folder.`;
  } catch {
    return `${target} is there, and is no folder`;
  }
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function manifestOf(name: string, target: string, { language, version, nodeMajor }: CreateOptions) {
  const isTs = language === "ts";
  const extension = isTs ? "ts" : "js";
  // Without it `npm start` would find a Node that is too old.
  const node = nodeMajor < NODE_MAJOR_MIN ? { node: DEV_DEPENDENCIES.node } : {};
  const { "@types/node": nodeTypes, typescript } = DEV_DEPENDENCIES;
  const devDependencies = { ...(isTs && { "@types/node": nodeTypes, typescript }), ...node };
  return {
    name,
    version: "0.1.0",
    private: true,
    type: "module",
    // With a Node of its own it matters to nobody which one runs npm.
    ...(nodeMajor >= NODE_MAJOR_MIN && { engines: { node: `>=${NODE_MAJOR_MIN}` } }),
    scripts: {
      start: "dialyard dev",
      test: `node --test "src/**/*.test.${extension}"`,
      ...(isTs && { check: "tsc" }),
      serve: `node src/serve.${extension}`,
    },
    dependencies: {
      dialyard: isCheckout() ? `file:${relative(target, realpathSync(ROOT))}` : `^${version}`,
    },
    ...(Object.keys(devDependencies).length > 0 && { devDependencies }),
    ...(nodeMajor < NODE_MAJOR_MIN && { allowScripts: { node: true } }),
  };
}

/** A package from a registry is JavaScript. */
function isCheckout(): boolean {
  return import.meta.url.endsWith(".ts");
}

function asJs(file: string): string {
  return file.replace(/\.ts$/, ".js");
}

/** Types become spaces, which are closed up: nothing else in a line of the templates is that wide. */
function inJs(file: string, text: string): string {
  const isCode = file.endsWith(".ts");
  const plain = isCode ? stripTypeScriptTypes(text).replaceAll(/(?<=\S) {2,}(\{)?/g, "$1") : text;
  const renamed = plain.replaceAll(/\b(app|app\.test|serve|dialyard\.config)\.ts\b/g, "$1.js");
  return isCode
    ? renamed.replaceAll("){", ") {")
    : renamed.replaceAll(/^.*npm run check.*\n/gm, "");
}

function nextSteps(folder: string, name: string): string {
  return [
    `${name} is in ${folder}. Next:`,
    "",
    `  cd ${folder}`,
    "  npm install",
    "  npm test       # the conversation, as a test",
    "  npm start      # a gateway with the app on *123#, and what to dial it with",
    "",
    "The screens are in src/app. Change a text there, and npm test says what reads otherwise.",
  ].join("\n");
}
