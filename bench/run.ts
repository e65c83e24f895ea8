/**
 * `npm run bench`: what a turn costs, beside the proxies that people would write or install
 * instead. docs/benchmarks.md says what is measured and what came of it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SERVICE_CODES, startGateway, startNginx, startScript, startStub } from "./contenders.ts";
import type { BackendProtocol, Contender } from "./contenders.ts";
import { codecNames } from "../src/codecs/index.ts";
import type { CoreFigure } from "./core.ts";
import type { ChannelName, Dialogue } from "./dialogues.ts";
import { thousands } from "./figures.ts";
import { fill } from "./fill.ts";
import { measure, measureAll, type Rig, type Row } from "./measure.ts";
import { nextMessage, startModule } from "./processes.ts";
import { profileArgs, profileTable } from "./profile.ts";
import {
  coreTable,
  describeMachine,
  goalsOf,
  goalsTable,
  summarise,
  turnsTable,
} from "./report.ts";
import { ROW } from "./report.ts";
import { countSyscalls } from "./syscalls.ts";

const HELP = `npm run bench -- [options]

  --quick            one minute: shorter windows, fewer rounds, 100,000 stored sessions
  --rounds N         rounds of windows                        (5; quick 3)
  --seconds N        length of a window                       (4; quick 0.7)
  --sessions N       sessions stored in the filled database   (1000000; quick 100000)
  --connections N    connections of the load                  (64)
  --json FILE        writes all figures there too
  --strace           counts system calls instead
  --profile          prints the gateway's hottest functions instead (with --sessions: so many)
  --help             this
`;
const OPTIONS = {
  quick: { type: "boolean", default: false },
  rounds: { type: "string" },
  seconds: { type: "string" },
  sessions: { type: "string" },
  connections: { type: "string", default: "64" },
  json: { type: "string" },
  strace: { type: "boolean", default: false },
  profile: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** A few connections beside many: turns that meet in one tick share a commit of the database. */
const FEW = 4;

type Setup = {
  readonly rounds: number;
  readonly windowMs: number;
  readonly warmUpMs: number;
  readonly sessions: number;
  readonly connections: number;
  readonly coreMs: number;
};

const { values } = parseArgs({ options: OPTIONS });
process.exitCode = await main();

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (process.platform !== "linux") {
    console.error("The bench reads processor times from /proc, which only Linux has.");
    return 1;
  }
  const setup = readSetup();
  if (setup === undefined) {
    console.error(HELP);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "dialyard-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const startedMs = performance.now();
  const stub = await startStub();
  const rig = { stub: stub.running, load: startModule("load.ts") };
  const { cores, cpu, node } = describeMachine();
  console.log(`Machine: ${cores} × ${cpu}, Node ${node}\n`);
  try {
    if (values.strace) await runStrace(rig, stub.port, folder, setup);
    else if (values.profile) await runProfile(rig, stub.port, folder, setup);
    else await runTable(rig, stub.port, folder, setup);
  } finally {
    await rig.load.stop();
    await rig.stub.stop();
  }
  console.log(`\nTook ${Math.round((performance.now() - startedMs) / 1000)} s.`);
  return 0;
}

function readSetup(): Setup | undefined {
  const { quick, connections } = values;
  const setup = {
    rounds: Number(values.rounds ?? (quick ? 3 : 5)),
    windowMs: 1000 * Number(values.seconds ?? (quick ? 0.7 : 4)),
    warmUpMs: quick ? 1_600 : 3_000,
    sessions: Number(values.sessions ?? (quick ? 100_000 : 1_000_000)),
    connections: Number(connections),
    coreMs: quick ? 300 : 1_000,
  };
  const isWithin = (value: number, min: number, max: number): boolean =>
    value >= min && value <= max;
  const isFine =
    isWithin(setup.rounds, 1, 100) &&
    isWithin(setup.windowMs, 100, 60_000) &&
    isWithin(setup.sessions, 0, 10_000_000) &&
    isWithin(setup.connections, 1, 1_000);
  return isFine ? setup : undefined;
}

/** The last line again and again on a terminal, else a line each. */
function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}`);
  else console.log(`… ${text}`);
}

function endProgress(): void {
  if (process.stdout.isTTY) process.stdout.write("\r\x1b[K");
}

async function runTable(rig: Rig, stubPort: number, folder: string, setup: Setup): Promise<void> {
  const core = await measureCore(setup);
  const stored = thousands(setup.sessions);
  const filledFolder = join(folder, "filled");
  mkdirSync(filledFolder);
  await store(filledFolder, setup.sessions);
  const nginx = await startNginx("nginx", join(folder, "nginx"), stubPort);
  const bare = await startScript("bare", "bare.ts", stubPort, "/");
  const express = await startScript("express", "express.ts", stubPort, "/ussd/callback");
  const empty = { name: "gateway", folder: join(folder, "empty"), stubPort };
  const gateway = await startGateway(empty);
  const filled = await startGateway({ name: "filled", folder: filledFolder, stubPort });
  const normal = await startGateway({
    name: "normal",
    folder: join(folder, "normal"),
    stubPort,
    env: { SQLITE_SYNC: "normal" },
  });
  const contenders = [
    bare,
    express,
    gateway,
    filled,
    normal,
    ...(typeof nginx === "string" ? [] : [nginx]),
  ];
  try {
    const rows = rowsOf(
      { bare, express, nginx, gateway, filled, normal, stored },
      setup.connections,
    );
    const windows = await measureAll(rig, { ...setup, rows }, progress);
    endProgress();
    const goals = goalsOf(windows, core, stored);
    console.log(`\n${turnsTable(rows, windows)}\n`);
    console.log(`${coreTable(core)}\n\n${goalsTable(goals)}`);
    if (typeof nginx === "string") console.log(`\nnginx was left out: ${nginx}.`);
    if (values.json !== undefined) {
      const turns = rows.map((row) => summarise(row, windows));
      const all = { machine: describeMachine(), setup, turns, core, goals };
      writeFileSync(values.json, `${JSON.stringify(all, undefined, 2)}\n`);
    }
  } finally {
    await Promise.all(contenders.map(({ stop }) => stop()));
  }
}

async function store(folder: string, sessions: number): Promise<void> {
  await fill(folder, sessions, (done) => {
    if (done % 100_000 !== 0) return;
    progress(`storing sessions: ${thousands(done)} of ${thousands(sessions)}`);
  });
}

type Entrants = {
  readonly bare: Contender;
  readonly express: Contender;
  readonly nginx: Contender | string;
  readonly gateway: Contender;
  readonly filled: Contender;
  readonly normal: Contender;
  readonly stored: string;
};

function rowsOf(entrants: Entrants, connections: number): readonly Row[] {
  const { bare, express, nginx, gateway, filled, normal, stored } = entrants;
  const dialogue = dialogueOf("kairos", "ola");
  const many = { dialogue, connections };
  const few = { dialogue, connections: FEW };
  const pair = (channel: ChannelName, backend: BackendProtocol): Row => ({
    id: `${channel}-${backend}`,
    title: `Dialyard: ${channel} → ${backend}`,
    contender: gateway,
    dialogue: dialogueOf(channel, backend),
    connections,
  });
  const proxy: readonly Row[] =
    typeof nginx === "string"
      ? []
      : [{ id: "nginx", title: "nginx, plain proxy", contender: nginx, ...many }];
  return [
    { id: ROW.bare, title: "node:http + undici.request, bare", contender: bare, ...many },
    { id: ROW.express, title: "Express + axios", contender: express, ...many },
    ...proxy,
    { id: ROW.gateway, title: "Dialyard: kairos → ola", contender: gateway, ...many },
    { id: ROW.filled, title: `  with ${stored} sessions`, contender: filled, ...many },
    { id: "gateway-normal", title: "  with SQLITE_SYNC=normal", contender: normal, ...many },
    pair("africastalking", "ola"),
    pair("kairos", "africastalking"),
    pair("ixo", "ixo"),
    { id: "bare-few", title: `bare, ${FEW} connections`, contender: bare, ...few },
    { id: "gateway-few", title: `Dialyard, ${FEW} connections`, contender: gateway, ...few },
  ];
}

function dialogueOf(channel: ChannelName, backend: BackendProtocol): Dialogue {
  return { channel, serviceCode: SERVICE_CODES[backend] };
}

async function measureCore({ coreMs }: Setup): Promise<readonly CoreFigure[]> {
  progress("codec + core alone");
  const child = startModule("core.ts", [String(coreMs)]);
  // Three figures for each codec, with a round to warm up.
  return nextMessage<readonly CoreFigure[]>(child, codecNames.length * coreMs * 6 + 20_000);
}

async function runStrace(rig: Rig, stubPort: number, folder: string, setup: Setup): Promise<void> {
  const dialogue = dialogueOf("kairos", "ola");
  const { connections, windowMs, warmUpMs } = setup;
  const contenders = [
    await startScript("node:http + undici.request, bare", "bare.ts", stubPort, "/"),
    await startGateway({ name: "Dialyard", folder: join(folder, "empty"), stubPort }),
  ];
  for (const contender of contenders) {
    const { name } = contender;
    for (const count of [connections, FEW]) {
      const title = `${name}, ${count} connections`;
      const row: Row = { id: name, title, contender, dialogue, connections: count };
      progress(`warm-up: ${title}`);
      await measure(rig, row, warmUpMs);
      progress(`counting: ${title}`);
      const table = await countSyscalls(rig.load, row, folder, windowMs);
      endProgress();
      console.log(`\n${table}`);
    }
    await contender.stop();
  }
}

async function runProfile(rig: Rig, stubPort: number, folder: string, setup: Setup): Promise<void> {
  const profiles = join(folder, "profiles");
  mkdirSync(profiles);
  const database = join(folder, "database");
  mkdirSync(database);
  if (values.sessions !== undefined) await store(database, setup.sessions);
  const gateway = await startGateway({
    name: "gateway",
    folder: database,
    stubPort,
    nodeArgs: profileArgs(profiles),
  });
  const { connections, windowMs, rounds } = setup;
  const dialogue = dialogueOf("kairos", "ola");
  const row: Row = { id: "profile", title: "profile", contender: gateway, dialogue, connections };
  progress("profiling");
  const { cpuUs, turnsPerSecond } = await measure(rig, row, windowMs * rounds);
  await gateway.stop();
  endProgress();
  console.log(
    `${cpuUs.toFixed(1)} µs CPU a turn while profiled, ${thousands(turnsPerSecond)} turns/s`,
  );
  console.log(`\n${profileTable(profiles)}`);
}
