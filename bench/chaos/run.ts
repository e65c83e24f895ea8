/**
 * One run of chaos: three gateways, PostgreSQL, perhaps Redis, a ledger and its subscribers, all of
 * them processes of this machine, and the faults of the plan. Resolves with what the checkers say.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { freePort } from "../../test/support/gateway.ts";
import { startPostgres } from "../../test/support/postgres-server.ts";
import { startRedis } from "../../test/support/redis-server.ts";
import { nextMessage, start as startChild, type Running } from "../processes.ts";
import type { CallersReport, Progress } from "./callers.ts";
import { judge, type RecordRow, type Verdict } from "./check.ts";
import { startFaultProxy, type FaultProxy } from "./fault-proxy.ts";
import type { LedgerCall } from "./ledger.ts";
import { ADMIN_KEY, createNode, type Node } from "./nodes.ts";
import { clock, CODES, NODES, planFaults, type Fault, type Link, type Options } from "./plan.ts";

export type ChaosResult = {
  readonly verdict: Verdict;
  /** How often each fault was there. */
  readonly faults: Readonly<Record<string, number>>;
  /** Each of them, with its times: to be read beside what a checker found. */
  readonly story: readonly string[];
  readonly requests: number;
  readonly brokenConnections: number;
  readonly slowRequests: number;
  readonly tookMs: number;
  /** dialyard_records_lost_total over the nodes; undefined without Redis. */
  readonly countedLost: number | undefined;
};
export type Site = {
  readonly nodes: readonly Node[];
  readonly proxies: Readonly<Record<Link, readonly FaultProxy[]>>;
  readonly servers: Readonly<Record<"postgres" | "redis", Server | undefined>>;
};
type Server = { readonly kill: () => Promise<void>; readonly start: () => Promise<void> };

/** After the last fault: breakers look again. */
const CALM_MS = 6_000;
/** After the last session: leases lapse, and a stalled drain catches up. */
const SETTLE_MS = 3_000;

export async function runChaos(
  options: Options,
  say: (line: string) => void,
): Promise<ChaosResult> {
  const folder = mkdtempSync(join(tmpdir(), "dialyard-chaos-"));
  const closing: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true })];
  try {
    const startedMs = performance.now();
    // fsync stays on: what PostgreSQL acknowledged has to survive its kill.
    const postgres = await startPostgres({ fsync: "on", shared_buffers: "256MB" });
    closing.unshift(() => postgres.stop());
    const redis = options.store === "redis" ? await startRedis(diskOf(options)) : undefined;
    closing.unshift(async () => redis?.stop());
    const database = new URL(await postgres.newDatabase()).pathname;
    const ledger = childOf("ledger.ts", [String(options.seed)]);
    closing.unshift(() => ledger.stop());
    const ledgerPort = await nextMessage<number>(ledger);
    const links: Record<Link, () => number> = {
      postgres: () => postgres.port,
      redis: () => redis?.port ?? 0,
      ledger: () => ledgerPort,
    };
    const proxies = await openProxies(links, closing);
    const nodes = await openNodes(options, { folder, database, proxies, closing });
    await registerLedger(nodes[0]!.port, proxies.ledger[0]!.port);
    say(`3 nodes are up after ${Math.round((performance.now() - startedMs) / 1_000)} s`);
    const site = { nodes, proxies, servers: { postgres, redis } };
    const callersFile = join(folder, "callers.json");
    const callers = childOf("callers.ts");
    closing.unshift(() => callers.stop());
    callers.child.send({ options, ports: nodes.map(({ port }) => port), file: callersFile });
    const { faults, story, tookMs } = await disturb(site, options, callers, say);
    await wait(SETTLE_MS);
    const countedLost = redis === undefined ? undefined : await lostRecords(nodes);
    for (const node of nodes) await node.end();
    const report = JSON.parse(readFileSync(callersFile, "utf8")) as CallersReport;
    const verdict = judge({
      sessions: report.sessions,
      slow: report.slow,
      calls: await ledgerCalls(ledger, join(folder, "ledger.jsonl")),
      records: await readRecords(postgres.url(database.slice(1))),
      away: nodes.flatMap(({ away }) => away),
      died: nodes.flatMap(({ died }) => died),
      budgetMs: options.budgetMs,
      spareMs: options.spareMs,
      ...(options.redisDisk === "none" && options.redisKills > 0 && { countedLost }),
      lostCounters: options.kills > 0,
    });
    const { requests, broken: brokenConnections } = report;
    const slowRequests = report.slow.length;
    return {
      verdict,
      faults,
      story,
      requests,
      brokenConnections,
      slowRequests,
      tookMs,
      countedLost,
    };
  } finally {
    for (const close of closing) await close();
  }
}

function childOf(name: string, args: readonly string[] = []): Running {
  const file = new URL(name, import.meta.url).pathname;
  return startChild(process.execPath, ["--no-warnings", file, ...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

function diskOf({ redisDisk }: Options): Readonly<Record<string, string>> {
  const memory = { "maxmemory-policy": "noeviction" };
  if (redisDisk === "none") return { ...memory, appendonly: "no" };
  return { ...memory, appendonly: "yes", appendfsync: redisDisk };
}

type Closing = (() => Promise<unknown>)[];

/** A link of each node to each server; the ledger has one address for all. */
async function openProxies(
  links: Readonly<Record<Link, () => number>>,
  closing: Closing,
): Promise<Record<Link, readonly FaultProxy[]>> {
  const open = async (link: Link, count: number): Promise<readonly FaultProxy[]> => {
    const made: FaultProxy[] = [];
    for (let index = 0; index < count; index += 1) {
      const proxy = await startFaultProxy(links[link]);
      closing.unshift(() => proxy.close());
      made.push(proxy);
    }
    return made;
  };
  return {
    postgres: await open("postgres", NODES),
    redis: await open("redis", NODES),
    ledger: await open("ledger", 1),
  };
}

async function openNodes(
  { store, budgetMs }: Options,
  place: {
    readonly folder: string;
    readonly database: string;
    readonly proxies: Readonly<Record<Link, readonly FaultProxy[]>>;
    readonly closing: Closing;
  },
): Promise<readonly Node[]> {
  const { folder, database, proxies, closing } = place;
  const nodes: Node[] = [];
  for (let index = 0; index < NODES; index += 1) {
    const at = (link: Link): string => `127.0.0.1:${proxies[link][index]?.port}`;
    const env = {
      DATABASE_URL: `postgresql://postgres@${at("postgres")}${database}`,
      ...(store === "redis" && { REDIS_URL: `redis://${at("redis")}` }),
    };
    const node = createNode({ index, port: await freePort(), folder, budgetMs, env });
    closing.unshift(() => node.kill());
    nodes.push(node);
  }
  await Promise.all(nodes.map((node) => node.start()));
  return nodes;
}

async function registerLedger(port: number, ledgerPort: number): Promise<void> {
  for (const [behaviour, code] of Object.entries(CODES)) {
    const response = await fetch(`http://127.0.0.1:${port}/backends`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({
        ...{ service_code: code, name: behaviour, type: "http", method: "POST", status: "active" },
        callback_url: `http://127.0.0.1:${ledgerPort}/${behaviour}`,
        ...{ timeout: 2, retries: 2, idempotent: behaviour === "remembers", max_in_flight: 1_000 },
      }),
    });
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  }
  await wait(1_000); // in force on every node within a second
}

/** Faults at their times, until the last session is over. */
async function disturb(
  site: Site,
  options: Options,
  callers: Running,
  say: (line: string) => void,
) {
  const faults: Record<string, number> = {};
  const story: string[] = [];
  const startMs = performance.now();
  const over = new Promise<void>((resolve, reject) => {
    callers.child.on("exit", () => reject(new Error("the callers are gone")));
    let saidMs = 0;
    callers.child.on("message", (message: Progress | { readonly type: "written" }) => {
      if (message.type === "written") return resolve();
      if (performance.now() - saidMs < 10_000) return;
      saidMs = performance.now();
      const seconds = Math.round((saidMs - startMs) / 1_000);
      say(`${seconds} s: ${message.over} of ${message.begun} sessions over; ${list(faults)}`);
    });
  });
  const causing = planFaults(options).map(async (fault) => {
    const leftMs = startMs + fault.atMs - performance.now();
    await wait(Math.max(0, leftMs));
    const fromMs = Date.now();
    const did = await cause(site, fault);
    if (!did) return;
    const { atMs: _, ...what } = fault;
    story.push(`${clock(fromMs)} to ${clock(Date.now())}: ${JSON.stringify(what)}`);
    faults[nameOf(fault)] = (faults[nameOf(fault)] ?? 0) + 1;
  });
  const calm = Promise.all(causing)
    .then(() => wait(CALM_MS))
    .then(() => callers.child.send("calm"));
  await Promise.all([calm, over]);
  return { faults, story, tookMs: performance.now() - startMs };
}

/** False where there was nobody to do it to. Resolves when it is over. */
async function cause({ nodes, proxies, servers }: Site, fault: Fault): Promise<boolean> {
  if (fault.type === "kill") {
    const node = nodes[fault.node]!;
    if (!node.isUp()) return false;
    await node.kill();
    await wait(fault.downMs);
    await node.start();
    return true;
  }
  if (fault.type === "stop") {
    const node = nodes[fault.node]!;
    if (!node.isUp()) return false;
    await node.sleep(fault.forMs);
    return true;
  }
  if (fault.type === "kill_server") {
    const server = servers[fault.server];
    if (server === undefined) return false;
    await server.kill();
    await wait(fault.downMs);
    await server.start();
    return true;
  }
  const proxy = proxies[fault.link][fault.node % proxies[fault.link].length]!;
  if (fault.type === "sever") {
    proxy.sever();
    return true;
  }
  if (fault.type === "slow") proxy.slow(100);
  else proxy.stall();
  await wait(fault.forMs);
  if (fault.type === "slow") proxy.slow(0);
  else proxy.flow();
  return true;
}

function nameOf(fault: Fault): string {
  if (fault.type === "kill" || fault.type === "stop") return fault.type;
  return fault.type === "kill_server" ? `kill_${fault.server}` : `${fault.type}_${fault.link}`;
}

export function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}

async function ledgerCalls(ledger: Running, file: string): Promise<readonly LedgerCall[]> {
  const written = nextMessage(ledger, 60_000);
  ledger.child.send({ type: "report", file });
  await written;
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as LedgerCall);
}

async function readRecords(url: string): Promise<readonly RecordRow[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<RecordRow>(
      `SELECT coalesce(s.network_id, '') AS "networkId", t.outcome, t.screen
       FROM turns t JOIN sessions s ON s.n = t.session ORDER BY t.n`,
    );
    return rows;
  } finally {
    await client.end();
  }
}

/** What the nodes say that Redis lost. */
async function lostRecords(nodes: readonly Node[]): Promise<number> {
  let sum = 0;
  for (const { port, isUp } of nodes) {
    if (!isUp()) continue; // it died: the checkers say so
    const text = await (
      await fetch(`http://127.0.0.1:${port}/metrics`, {
        headers: { authorization: `Bearer ${ADMIN_KEY}` },
      })
    ).text();
    for (const [, count] of text.matchAll(/^dialyard_records_lost_total\{[^}]*\} (\d+)$/gm))
      sum += Number(count);
  }
  return sum;
}
