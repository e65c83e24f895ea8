/** A gateway as users run it: a process of its own, on a free port, with a folder of its own. */
import { spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "pg";

export type GatewayOptions = {
  readonly command?: "dev" | "start";
  /** Behind the command. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Source of a dialyard.config.ts. */
  readonly configFile?: string;
  /** Start again on what an earlier gateway left. */
  readonly dataDir?: string;
};
export type StartedGateway = {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly pid: number;
  /** All it has printed so far, both streams. */
  readonly stdout: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  /** SIGTERM, wait, and delete the folder if it was made here. */
  readonly stop: () => Promise<number | string>;
};

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const PRINTED_CHARS_MAX = 16_000_000;
const READY_MS_MAX = 30_000;

export async function startGateway(options: GatewayOptions = {}): Promise<StartedGateway> {
  const { command = "dev", env = {}, configFile } = options;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "dialyard-")));
  const port = Number(env["PORT"] ?? (await freePort()));
  const args = ["--disable-warning=ExperimentalWarning", MAIN, command, ...(options.args ?? [])];
  if (configFile !== undefined) {
    const path = join(dataDir, "test.config.ts");
    await writeFile(path, configFile);
    args.push("--config", path);
  }
  const child = spawn(process.execPath, args, {
    cwd: dataDir,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      PORT: String(port),
      DATA_DIR: dataDir,
      LOG_FORMAT: "json",
      DIALYARD_DEMO: "0",
      PRE_STOP_MS: "0",
      ...(await databaseOf(dataDir)),
      ...env,
    },
  });
  let printed = "";
  const keep = (chunk: Buffer) => {
    if (printed.length < PRINTED_CHARS_MAX) printed += chunk.toString("utf8");
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  let isOver = false;
  const exited = new Promise<number | string>((done) => {
    child.on("exit", (code, signal) => {
      isOver = true;
      done(code ?? signal ?? "gone");
    });
  });
  const url = `http://127.0.0.1:${port}`;
  const untilMs = Date.now() + READY_MS_MAX;
  while (!(await isReady(url))) {
    if (isOver || Date.now() > untilMs) {
      child.kill("SIGKILL");
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      throw new Error(`the gateway did not start:\n${printed}`);
    }
    await wait(50);
  }
  return {
    url,
    port,
    dataDir,
    pid: child.pid ?? 0,
    stdout: () => printed,
    kill: (signal) => child.kill(signal),
    exited,
    async stop() {
      child.kill("SIGTERM");
      const code = await exited;
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      return code;
    },
  };
}

/** The folder's database, where the tests run on other stores (scripts/test-stores.ts). */
async function databaseOf(dataDir: string): Promise<Readonly<Record<string, string>>> {
  const server = process.env["DIALYARD_TEST_POSTGRES"];
  if (server === undefined) return {};
  // Names of keys depend on the folder's secret key, so that folders may share a server.
  const redisUrl = process.env["DIALYARD_TEST_REDIS"];
  const redis = redisUrl === undefined ? {} : { REDIS_URL: redisUrl };
  const file = join(dataDir, "database-url");
  const known = await readFile(file, "utf8").catch(() => undefined);
  if (known !== undefined) return { ...redis, DATABASE_URL: known };
  const name = `gateway_${randomBytes(6).toString("hex")}`;
  const client = new Client({ connectionString: server });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(name, server).href;
  await writeFile(file, url);
  return { ...redis, DATABASE_URL: url };
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(2_000) }).catch(
    () => undefined,
  );
  await response?.body?.cancel();
  return response?.status === 200;
}

/**
 * Below those that the kernel gives to outgoing connections: who is killed and started again finds
 * its port still free.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 32_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((done) => {
      server.once("error", () => done(false)).listen(port, "127.0.0.1", () => done(true));
    });
    if (!isFree) continue;
    await new Promise((done) => server.close(done));
    return port;
  }
}
