/** The command line. Only this file reads the environment, arguments and the terminal. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { defineCommand, parseCommand } from "./cli/args.ts";
import { checkCodecCommand, runCheckCodec } from "./cli/check-codec.ts";
import { create, createCommand } from "./cli/create.ts";
import { isUp, registerTarget, type Target } from "./cli/dev-target.ts";
import { dial, dialCommand } from "./cli/dial.ts";
import {
  crawlCommand,
  graphCommand,
  lintCommand,
  runCrawl,
  runGraph,
  runLint,
} from "./cli/inspect.ts";
import { loadApps } from "./cli/load-app.ts";
import { load, loadCommand } from "./cli/load.ts";
import { replayCommand, runReplay, runTest, testCommand } from "./cli/scenarios.ts";
import { openLog } from "./cli/open-log.ts";
import { readHidden, terminalIo } from "./cli/terminal.ts";
import { runUsers, usersCommand } from "./cli/users.ts";
import { parseWorkers, refuseWorkers, runWorkers, tellReady, WORKER_ENV } from "./cli/workers.ts";
import { shareMetrics } from "./cli/worker-metrics.ts";
import { welcome } from "./cli/welcome.ts";
import { describeConfig, describeSettings, parseConfig, PROTOCOL_DEFAULT } from "./config.ts";
import type { AppFile, Config, ConfigFile, Mode } from "./config.ts";
import { type Demo, type DemoServers, registerDemo, startDemo } from "./demo.ts";
import { errorFields } from "./observe/log.ts";
import { startServer, type Running } from "./server.ts";

const { version } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
) as {
  version: string;
};

const CONFIG_FILES = ["dialyard.config.ts", "dialyard.config.js"];
const configOption = {
  name: "config",
  type: "string",
  help: "configuration file; default: dialyard.config.ts or .js where it exists",
} as const;
const devCommand = defineCommand({
  name: "dialyard dev",
  summary: "Gateway with demo applications, or with yours (--to), for a developer's machine.",
  options: [
    configOption,
    { name: "to", type: "string", value: "URL", help: "your application, as it is" },
    {
      name: "as",
      type: "string",
      value: "PROTOCOL",
      default: PROTOCOL_DEFAULT,
      help: "what it speaks",
    },
    { name: "code", type: "string", value: "CODE", default: "*365#", help: "its code" },
    { name: "open", type: "boolean", help: "opens the phone in a browser" },
  ],
});
const startCommand = defineCommand({
  name: "dialyard start",
  summary: "Gateway for production. Needs DIALYARD_ADMIN_KEY.",
  options: [
    configOption,
    {
      name: "workers",
      type: "string",
      value: "N",
      default: "1",
      help: "processes that share the port: 1 to 64, or auto, one a core; needs DATABASE_URL",
    },
  ],
});
const configCommand = defineCommand({
  name: "dialyard config",
  summary: "Prints what is in force, secrets masked, and checks it.",
  options: [
    configOption,
    { name: "production", type: "boolean", help: "as `dialyard start` would read it" },
  ],
});

const HELP = `Dialyard ${version}: USSD gateway. Any protocol in, any protocol out.

Usage: dialyard COMMAND [options]

  dev       gateway with demo applications, for a developer's machine
  start     gateway for production
  dial      a phone in the terminal
  load      many sessions at a constant rate, and how long their turns took
  test      hold the dialogues of scenario files and compare every screen
  replay    type a session's inputs once more and compare every screen
  create    write an application to start from
  lint      find faults in an application without calling it
  graph     print an application as a flowchart
  crawl     walk every option of an application
  check-codec  run a protocol's vectors, or ask an application with them
  users     add, list and remove who signs in to the console
  config    print the configuration in force
  version   print the version

dialyard COMMAND --help says more. Settings (environment, or dialyard.config.ts):

${describeSettings()
  .map(({ env, help, expects }) => `  ${env.padEnd(24)} ${help} (${expects})`)
  .join("\n")}
`;

const [command = "help", ...argv] = process.argv.slice(2);
/** Undefined where this process is no worker of --workers. */
const worker = process.env[WORKER_ENV];
delete process.env[WORKER_ENV];
// "| head" has read enough; a gateway has nobody who reads it.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  if (command !== "dev" && command !== "start") process.exit();
});
process.exitCode = await run(command);

async function run(name: string): Promise<number> {
  switch (name) {
    case "dev":
      return dev();
    case "start":
      return start();
    case "test":
    case "replay":
      return holdAgain(name);
    case "config":
      return printConfig();
    case "dial":
      return dialFromTerminal();
    case "load":
      return loadGateway();
    case "create":
      return createApp();
    case "lint":
    case "graph":
    case "crawl":
      return inspect(name);
    case "check-codec": {
      const parsed = parseCommand(checkCodecCommand, argv);
      if (parsed.type !== "run") return printed(parsed);
      const io = { out: console.log, err: console.error };
      return runCheckCodec(parsed.positionals, parsed.values, io);
    }
    case "users":
      return users();
    case "version":
    case "--version":
      console.log(version);
      return 0;
    case "help":
    case "--help":
    case "-h":
      console.log(HELP);
      return 0;
    default:
      console.error(`dialyard: unknown command ${name}\n\n${HELP}`);
      return 2;
  }
}

async function dev(): Promise<number> {
  const parsed = parseCommand(devCommand, argv);
  if (parsed.type !== "run") return printed(parsed);
  const { config, to: url, as: protocol, code, open } = parsed.values;
  const target = url === undefined ? undefined : { url, protocol, code };
  return serve("development", config, { target, open });
}

async function start(): Promise<number> {
  const parsed = parseCommand(startCommand, argv);
  if (parsed.type !== "run") return printed(parsed);
  const { config: path, workers: text } = parsed.values;
  const count = parseWorkers(text);
  if (count === undefined) {
    console.error("dialyard start: --workers must be a whole number from 1 to 64, or auto");
    return 2;
  }
  if (count > 1 && worker === undefined) return startWorkers(count, path);
  return serve("production", path, { target: undefined, open: false });
}

async function startWorkers(count: number, path: string | undefined): Promise<number> {
  const config = await loadConfig("production", path);
  if (config === undefined) return 1;
  const refusal = refuseWorkers(config);
  if (refusal !== undefined) {
    console.error(`dialyard: ${refusal}`);
    return 2;
  }
  const { log, flush } = openLog(config);
  const status = await runWorkers(count, config, log);
  flush();
  process.exit(status);
}

async function serve(
  mode: Mode,
  configPath: string | undefined,
  { target, open }: { readonly target: Target | undefined; readonly open: boolean },
): Promise<number> {
  const config = await loadConfig(mode, configPath);
  if (config === undefined) return 1;
  // Read by libraries; the mode itself is this command.
  process.env["NODE_ENV"] ??= mode;
  const { log, flush } = openLog(config);
  process.on("unhandledRejection", (reason) =>
    log.error("unhandled_rejection", errorFields(reason)),
  );
  process.on("uncaughtException", (error) => {
    // Node would print the message, which may quote an input.
    log.error("uncaught_exception", errorFields(error));
    flush();
    process.exit(1);
  });
  let running: Running;
  let demo: Demo | undefined;
  try {
    // First, so that a gateway that is ready has somebody to dial.
    demo = config.demo && target === undefined ? await startDemo(demoServers()) : undefined;
    const shared = worker === undefined ? undefined : { ownsLinks: worker === "1", shareMetrics };
    running = await startServer(config, log, version, shared);
    tellReady();
  } catch (error) {
    flush();
    await demo?.close();
    console.error(`dialyard: cannot start: ${reasonsOf(error)}`);
    return 1;
  }
  const hints = await registerDemo(running.registry, demo);
  const refused = target && (await registerTarget(running.registry, target));
  if (refused !== undefined) {
    console.error(`dialyard: ${refused}`);
    await running.drain();
    flush();
    return 2;
  }
  if (mode === "development") console.log(welcome({ ...running, version }, hints));
  if (target !== undefined) console.log(await introduce(running.url, target));
  if (open) openInBrowser(phoneUrl(running.url, target));
  await signalled();
  // A second signal means now: what is in flight is left unsettled. A worker hears one from its
  // process group and one from its primary, which ends it by force if it is to end now.
  const again = () => worker === undefined && process.exit(1);
  process.on("SIGTERM", again);
  process.on("SIGINT", again);
  const isDrained = await running.drain();
  await demo?.close();
  flush();
  // Sockets of networks that did not hang up must not keep a drained process alive.
  process.exit(isDrained ? 0 : 1);
}

function phoneUrl(url: string, target: Target | undefined): string {
  return `${url}/phone${target === undefined ? "" : `?code=${encodeURIComponent(target.code)}`}`;
}

/** Whose application is on the phone, and whether it is there at all. */
async function introduce(url: string, target: Target): Promise<string> {
  const state = (await isUp(target.url))
    ? "it is up"
    : "nobody listens there yet: start it, then dial";
  return [
    `${target.code} is ${target.url} (${target.protocol}); ${state}`,
    `Your app on the phone, with every request beside it: ${phoneUrl(url, target)}`,
    "",
  ].join("\n");
}

function openInBrowser(url: string): void {
  const opener = { darwin: "open", win32: "explorer" }[process.platform as string] ?? "xdg-open";
  // Nobody's start fails because there is no browser.
  spawn(opener, [url], { stdio: "ignore", detached: true })
    .on("error", () => undefined)
    .unref();
}

async function holdAgain(name: "test" | "replay"): Promise<number> {
  const io = {
    out: (text: string) => console.log(text),
    err: (text: string) => console.error(text),
    nowMs: () => performance.now(),
  };
  const envKey = process.env["DIALYARD_ADMIN_KEY"];
  if (name === "test") {
    const parsed = parseCommand(testCommand, argv);
    if (parsed.type !== "run") return printed(parsed);
    const { positionals, values } = parsed;
    return runTest(positionals, { ...values, key: values.key ?? envKey }, io);
  }
  const parsed = parseCommand(replayCommand, argv);
  if (parsed.type !== "run") return printed(parsed);
  const { positionals, values } = parsed;
  return runReplay(positionals[0], { ...values, key: values.key ?? envKey }, io);
}

/** Where the examples on Redis and PostgreSQL find a server. */
function demoServers(): DemoServers {
  const { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl } = process.env;
  // The examples' client knows single servers only.
  const isSingle = /^rediss?:/.test(redisUrl ?? "");
  return { ...(isSingle && redisUrl && { redisUrl }), ...(databaseUrl && { databaseUrl }) };
}

function signalled(): Promise<void> {
  return new Promise((done) => {
    process.once("SIGTERM", () => done());
    process.once("SIGINT", () => done());
  });
}

async function loadConfig(mode: Mode, path: string | undefined): Promise<Config | undefined> {
  const file = await readConfigFile(path).catch((error: unknown) => {
    console.error(`dialyard: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  });
  if (file === undefined) return undefined;
  const parsed = parseConfig(mode, process.env, file);
  if (parsed.type === "invalid") {
    console.error(`dialyard: the configuration has ${parsed.problems.length} problem(s):`);
    for (const problem of parsed.problems) console.error(`  ${problem}`);
    return undefined;
  }
  // A worker's primary has said them.
  const warnings = worker === undefined ? parsed.warnings : [];
  for (const warning of warnings) console.error(`dialyard: warning: ${warning}`);
  return parsed.config;
}

/** A file exports `config` (or is its default export), made with defineConfig. */
async function readConfigFile(path: string | undefined): Promise<ConfigFile> {
  const names = path === undefined ? CONFIG_FILES : [path];
  const file = resolve(names.find((name) => existsSync(name)) ?? names[0] ?? "");
  if (!existsSync(file)) {
    if (path !== undefined) throw new Error(`no configuration file at ${file}`);
    return {};
  }
  const loaded = (await import(pathToFileURL(file).href)) as {
    config?: unknown;
    default?: unknown;
  };
  const config = loaded.config ?? loaded.default;
  if (typeof config !== "object" || config === null) {
    throw new Error(`${file} must export const config = defineConfig({ … })`);
  }
  const { apps } = config as ConfigFile;
  if (!Array.isArray(apps)) return config;
  return { ...config, apps: await loadApps(apps as readonly AppFile[], dirname(file)) };
}

async function printConfig(): Promise<number> {
  const parsed = parseCommand(configCommand, argv);
  if (parsed.type !== "run") return printed(parsed);
  const mode = parsed.values.production ? "production" : "development";
  const config = await loadConfig(mode, parsed.values.config);
  if (config === undefined) return 1;
  console.log(describeConfig(config));
  return 0;
}

async function dialFromTerminal(): Promise<number> {
  const parsed = parseCommand(dialCommand, argv);
  if (parsed.type !== "run") return printed(parsed);
  const { values, positionals } = parsed;
  const adminKey = values.key ?? process.env["DIALYARD_ADMIN_KEY"];
  return dial(
    {
      ...values,
      dialled: positionals[0],
      adminKey,
      headers: values.header,
      signingSecret: values["signing-secret"],
    },
    terminalIo(process),
  );
}

async function loadGateway(): Promise<number> {
  const parsed = parseCommand(loadCommand, argv);
  if (parsed.type !== "run") return printed(parsed);
  const { values, positionals } = parsed;
  const stop = new AbortController();
  // Once: a second one ends the process at once, as everywhere.
  process.once("SIGINT", () => stop.abort());
  return load(
    {
      ...values,
      dialled: positionals[0],
      thinkMs: values["think-ms"],
      openMax: values["open-max"],
      ownsHost: values["i-own-this-host"],
      adminKey: values.key ?? process.env["DIALYARD_ADMIN_KEY"],
      headers: values.header,
      signingSecret: values["signing-secret"],
    },
    {
      out: (text) => console.log(text),
      err: (text) => console.error(text),
      progress: process.stderr.isTTY
        ? (text) => process.stderr.write(`\r\x1b[K${text}`)
        : undefined,
      stop: stop.signal,
    },
  );
}

async function users(): Promise<number> {
  const parsed = parseCommand(usersCommand, argv);
  if (parsed.type !== "run") return printed(parsed);
  const { role, config: path } = parsed.values;
  // Both modes name the same store, and production would ask for keys that are not needed here.
  const config = await loadConfig("development", path);
  if (config === undefined) return 1;
  return runUsers(parsed.positionals, role, config, {
    out: (text) => console.log(text),
    err: (text) => console.error(text),
    isTty: process.stdin.isTTY,
    readHidden: (prompt) => readHidden(process, prompt),
    wallMs: () => Date.now(),
  });
}

function createApp(): number {
  const parsed = parseCommand(createCommand, argv);
  if (parsed.type !== "run") return printed(parsed);
  const { values, positionals } = parsed;
  return printed(
    create({ ...values, folder: positionals[0], version, nodeMajor: nodeMajorOfNpm() }),
  );
}

/** Of the Node that a new folder's scripts will find: not one that npm or npx put in front. */
function nodeMajorOfNpm(): number {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const PATH = folders.filter((folder) => !/node_modules[\\/]\.bin$/.test(folder)).join(delimiter);
  const { stdout } = spawnSync("node", ["--version"], { env: { PATH }, encoding: "utf8" });
  return Number(/^v(\d+)/.exec(stdout ?? "")?.[1] ?? 0);
}

async function inspect(name: "lint" | "graph" | "crawl"): Promise<number> {
  const { isTTY } = process.stderr;
  const io = {
    out: (text: string) => console.log(text),
    err: (text: string) => console.error(text),
    progress: isTTY ? (text: string) => process.stderr.write(`\r\x1b[K${text}`) : undefined,
    folder: process.cwd(),
  };
  switch (name) {
    case "lint": {
      const parsed = parseCommand(lintCommand, argv);
      if (parsed.type !== "run") return printed(parsed);
      return runLint(parsed.positionals[0], parsed.values, io);
    }
    case "graph": {
      const parsed = parseCommand(graphCommand, argv);
      return parsed.type === "run" ? runGraph(parsed.positionals[0], io) : printed(parsed);
    }
    case "crawl": {
      const parsed = parseCommand(crawlCommand, argv);
      if (parsed.type !== "run") return printed(parsed);
      return runCrawl(parsed.positionals[0], parsed.values, io);
    }
  }
}

/** "cannot open it: because of that", without a stack. */
function reasonsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonsOf(error.cause)}`;
}

function printed(parsed: { readonly text: string; readonly status: number }): number {
  (parsed.status === 0 ? console.log : console.error)(parsed.text);
  return parsed.status;
}
