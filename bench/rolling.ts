/**
 * `npm run bench:rolling`: three gateways on one PostgreSQL, behind HAProxy and behind nginx as
 * deploy/ has them, are restarted one after the other under load; turns that fail are counted.
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import { freePort, startGateway, type StartedGateway } from "../test/support/gateway.ts";
import { register, startApp } from "../test/support/phones.ts";
import { startPostgres } from "../test/support/postgres-server.ts";
import { thousands } from "./figures.ts";
import { pathTo, start, untilAnswers } from "./processes.ts";
import { describeMachine } from "./report.ts";

const HELP = `npm run bench:rolling -- [options]

  --turns N     turns a second              (300)
  --seconds N   of load                     (60)
  --help        this
`;
const OPTIONS = {
  turns: { type: "string", default: "300" },
  seconds: { type: "string", default: "60" },
  help: { type: "boolean", default: false },
} as const;
const CODE = "*750#";
const TYPED = ["1", "2", "3"];
const THINK_MS = 250;
/** Before the first and after the last restart the load has the nodes to itself. */
const EDGE_MS = 3_000;
/** As in production. */
const PRE_STOP_MS = "2000";
const SEEN_MS = 1_500;
const run = promisify(execFile);

/** What `dialyard load --json` says. */
type Load = {
  readonly sessions: {
    readonly started: number;
    readonly finished: number;
    readonly failed: number;
  };
  readonly turns: number;
  readonly turns_per_second: number;
  readonly latency_ms: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly errors: Readonly<Record<string, number>>;
};

const { values } = parseArgs({ options: OPTIONS });

async function main(turns: number, seconds: number): Promise<number> {
  const isFine = turns >= 4 && turns <= 5_000 && seconds >= 10 && seconds <= 3_600;
  if (values.help || !isFine) {
    console.log(HELP);
    return values.help ? 0 : 2;
  }
  const { cores, cpu, node } = describeMachine();
  console.log(`Machine: ${cores} × ${cpu}, Node ${node}`);
  let failed = 0;
  for (const balancer of Object.keys(BALANCERS) as Balancer[]) {
    if (spawnSync(balancer, ["-v"]).status === 0) failed += await roll(balancer, turns, seconds);
    else console.log(`${balancer} is not installed`);
  }
  return failed === 0 ? 0 : 1;
}

/** Resolves with the turns that failed. */
async function roll(balancer: Balancer, turns: number, seconds: number): Promise<number> {
  const postgres = await startPostgres({ fsync: "on" });
  const app = await startApp("ola", (_, nth) => ({
    ...{ screen: `turn ${nth}`, end: nth === TYPED.length },
  }));
  const nodes: StartedGateway[] = [];
  const databaseUrl = await postgres.newDatabase();
  const startNode = (port: number): Promise<StartedGateway> =>
    startGateway({
      env: {
        ...{ PORT: String(port), PRE_STOP_MS: PRE_STOP_MS, DATABASE_URL: databaseUrl },
        DIALYARD_SECRET_KEY: "0123456789abcdef".repeat(4),
      },
    });
  const folder = mkdtempSync(join(tmpdir(), "dialyard-rolling-"));
  let front: Awaited<ReturnType<typeof startBalancer>> | undefined;
  try {
    for (let nth = 0; nth < 3; nth += 1) nodes.push(await startNode(await freePort()));
    await register(nodes[0]!.url, { service_code: CODE, callback_url: app.url });
    front = await startBalancer(
      balancer,
      folder,
      nodes.map(({ port }) => port),
    );
    const loading = load(front.url, turns / (TYPED.length + 1), seconds);
    const untilMs = performance.now() + seconds * 1_000 - EDGE_MS;
    await wait(EDGE_MS);
    let restarts = 0;
    for (; performance.now() < untilMs; restarts += 1) {
      const at = restarts % nodes.length;
      const { port, stop } = nodes[at]!;
      const code = await stop();
      if (code !== 0) throw new Error(`node ${at} ended with ${code}`);
      nodes[at] = await startNode(port);
      // Until the balancer has seen it: with one node away at a time there are always two.
      await wait(SEEN_MS);
    }
    return report(balancer, await loading, restarts);
  } finally {
    await Promise.all(nodes.map(({ stop }) => stop()));
    await front?.stop();
    await app.close();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(balancer: Balancer, said: Load, restarts: number): number {
  const { sessions, latency_ms: latency } = said;
  const failed = Object.values(said.errors).reduce((sum, count) => sum + count, 0);
  console.log(
    `${balancer}: ${restarts} restarts, ${thousands(said.turns)} turns, ` +
      `${said.turns_per_second} a second, ${failed} failed: ${JSON.stringify(said.errors)}\n` +
      `${thousands(sessions.finished)} of ${thousands(sessions.started)} sessions finished; ` +
      `latency p50 ${latency.p50} ms, p99 ${latency.p99} ms, max ${latency.max} ms`,
  );
  return failed;
}

async function load(url: string, sessionsPerS: number, seconds: number): Promise<Load> {
  const args = [
    ...["--no-warnings", pathTo("../src/main.ts"), "load", CODE, "--inputs", TYPED.join("*")],
    ...["--rate", `${sessionsPerS}/s`, "--for", `${seconds}s`, "--think-ms", `${THINK_MS}`],
    ...["--channel", "kairos", "--url", url, "--json"],
  ];
  // A status other than 0 says that turns failed, which is what is counted here.
  const { stdout } = await run(process.execPath, args).catch(
    (error: { readonly stdout?: string }) => ({ stdout: error.stdout ?? "" }),
  );
  return JSON.parse(stdout) as Load;
}

type Ports = readonly number[];
/** As deploy/ has them, on a free port and before these nodes: what is written, and what is run. */
const BALANCERS = {
  haproxy(folder: string, port: number, nodes: Ports) {
    const file = join(folder, "haproxy.cfg");
    const servers = nodes.map((node, nth) => `  server node${nth} 127.0.0.1:${node}`);
    const config = readDeployed("haproxy/haproxy.cfg")
      // What a shell may have open at once is less than a service.
      .replace(/maxconn \d+/, "maxconn 2000")
      .replace("bind :8080", `bind 127.0.0.1:${port}`)
      .replace(/(?: {2}server .*\n)+/, `${servers.join("\n")}\n`);
    writeFileSync(file, config);
    return ["-q", "-db", "-f", file];
  },
  nginx(folder: string, port: number, nodes: Ports) {
    const file = join(folder, "nginx.conf");
    const servers = nodes.map((node) => `  server 127.0.0.1:${node} max_fails=0;`);
    const upstream = readDeployed("nginx/upstream-local.conf").replace(
      /(upstream dialyard \{\n)[^}]*/,
      (_, begin: string) => `${begin}${servers.join("\n")}\n`,
    );
    const site = readDeployed("nginx/dialyard.conf").replace(
      "listen 8080",
      `listen 127.0.0.1:${port}`,
    );
    const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
      .join(" ");
    writeFileSync(
      file,
      `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;\n` +
        `events { worker_connections 1024; }\n` +
        `http { access_log off; ${places}\n${upstream}\n${site} }\n`,
    );
    return ["-p", folder, "-c", file];
  },
} as const;
type Balancer = keyof typeof BALANCERS;

function readDeployed(file: string): string {
  return readFileSync(pathTo(`../deploy/${file}`), "utf8");
}

async function startBalancer(balancer: Balancer, folder: string, nodes: Ports) {
  const port = await freePort();
  const running = start(balancer, BALANCERS[balancer](folder, port, nodes));
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(`${url}/ready`, running);
  return { url, stop: running.stop };
}

process.exitCode = await main(Number(values.turns), Number(values.seconds));
