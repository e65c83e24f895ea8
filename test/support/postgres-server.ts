/**
 * A PostgreSQL server of the system's packages for one test file: a cluster in a folder of its own,
 * on a free port of loopback, gone afterwards.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./gateway.ts";

const run = promisify(execFile);
const READY_MS_MAX = 30_000;

export type PostgresServer = {
  readonly port: number;
  /** Its processes are below this one. */
  readonly pid: () => number;
  readonly url: (database?: string) => string;
  /** An empty database, and its URL. */
  readonly newDatabase: () => Promise<string>;
  /** SIGKILL to the server and all its processes: what it had committed is there after `start`. */
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Everything in a database, as pg_dump writes it. */
  readonly dump: (database: string) => Promise<string>;
};

/** The folder of the newest server's programs; undefined where none is installed. */
export function postgresPrograms(): string | undefined {
  const folders = globSync("/usr/lib/postgresql/*/bin").sort();
  return folders.findLast((folder) => existsSync(join(folder, "postgres")));
}

/** Why tests of PostgreSQL have to be skipped here, or false. */
export const noPostgres =
  postgresPrograms() === undefined && "no PostgreSQL server is installed (Debian: postgresql)";

export async function startPostgres(settings: Readonly<Record<string, string>> = {}) {
  const programs = postgresPrograms();
  if (programs === undefined) throw new Error("no PostgreSQL server is installed");
  const folder = mkdtempSync(join(tmpdir(), "dialyard-postgres-"));
  const port = await freePort();
  const user = await serverUser(folder);
  const asUser = (program: string, args: readonly string[]) =>
    user === undefined
      ? ([join(programs, program), args] as const)
      : (["runuser", ["-u", user, "--", join(programs, program), ...args]] as const);

  const data = join(folder, "data");
  await run(...asUser("initdb", ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]));
  let server: ChildProcess | undefined;
  let printed = "";
  const options = { listen_addresses: "127.0.0.1", fsync: "off", max_connections: "200" };
  const flags = Object.entries({ ...options, unix_socket_directories: folder, ...settings });

  async function start(): Promise<void> {
    const args = [
      "-D",
      data,
      "-p",
      String(port),
      ...flags.flatMap(([k, v]) => ["-c", `${k}=${v}`]),
    ];
    const [command, all] = asUser("postgres", args);
    server = spawn(command, all, { stdio: ["ignore", "ignore", "pipe"], detached: true });
    server.stderr?.on("data", (chunk: Buffer) => {
      if (printed.length < 100_000) printed += chunk.toString("utf8");
    });
    const untilMs = Date.now() + READY_MS_MAX;
    for (;;) {
      try {
        await run(join(programs!, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port), "-q"]);
        return;
      } catch {
        if (Date.now() > untilMs) throw new Error(`PostgreSQL did not start:\n${printed}`);
        await wait(50);
      }
    }
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server?.pid === undefined || server.exitCode !== null) return;
    const { pid } = server;
    const over = once(server, "exit");
    process.kill(-pid, signal);
    await over;
    server = undefined;
    // Its children go a moment later; a new server does not start beside them.
    while (isThere(-pid)) await wait(10);
  }
  const url = (database = "postgres") => `postgresql://postgres@127.0.0.1:${port}/${database}`;
  const psql = (statement: string) =>
    run(join(programs, "psql"), ["-q", "-d", url(), "-c", statement]);

  await start();
  let databases = 0;
  const result: PostgresServer = {
    port,
    pid: () => server?.pid ?? 0,
    url,
    async newDatabase() {
      databases += 1;
      const name = `test_${databases}`;
      await psql(`CREATE DATABASE ${name}`);
      return url(name);
    },
    kill: () => end("SIGKILL"),
    start,
    async stop() {
      await end("SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
    async dump(database) {
      const { stdout } = await run(join(programs, "pg_dump"), ["-d", database], {
        maxBuffer: 1_000_000_000,
      });
      return stdout;
    },
  };
  return result;
}

function isThere(group: number): boolean {
  try {
    process.kill(group, 0);
    return true;
  } catch {
    return false;
  }
}

/** PostgreSQL refuses to run as root: then it is the package's own user. */
async function serverUser(folder: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await run("id", [flag, "postgres"])).stdout);
  chownSync(folder, await id("-u"), await id("-g"));
  return "postgres";
}
