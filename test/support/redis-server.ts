/** A Redis server of the system's package for one test file, on a free port of loopback. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { freePort } from "./gateway.ts";

const READY_MS_MAX = 15_000;

export type RedisServer = {
  readonly port: number;
  readonly pid: () => number;
  readonly url: string;
  /** Where it saves: `dump.rdb`, or `appendonlydir` with `appendonly yes`. */
  readonly folder: string;
  /** A command without redis-cli: the reply as it is on the wire. */
  readonly say: (command: string) => Promise<string>;
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Why tests of Redis have to be skipped here, or false. */
export const noRedis = isInstalled()
  ? false
  : "no Redis server is installed (Debian: redis-server)";

function isInstalled(): boolean {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export async function startRedis(
  settings: Readonly<Record<string, string>> = {},
): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "dialyard-redis-"));
  const port = await freePort();
  const options = { port: String(port), bind: "127.0.0.1", dir: folder, save: "", ...settings };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  return startServer(folder, port, flags);
}

/** `redis-server` with these arguments, which name the port; `stop` deletes the folder. */
export async function startServer(
  folder: string,
  port: number,
  args: readonly string[],
): Promise<RedisServer> {
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    server = spawn("redis-server", args, { stdio: "ignore" });
    const untilMs = Date.now() + READY_MS_MAX;
    while (!(await say(port, "PING").catch(() => "")).includes("PONG")) {
      if (Date.now() > untilMs) throw new Error("Redis did not start");
      await wait(20);
    }
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const over = once(server, "exit");
    server.kill(signal);
    server.kill("SIGCONT"); // one that a test has stopped
    await over;
    server = undefined;
  }
  await start();
  return {
    port,
    pid: () => server?.pid ?? 0,
    url: `redis://127.0.0.1:${port}`,
    folder,
    say: (command) => say(port, command),
    kill: () => end("SIGKILL"),
    start,
    async stop() {
      await end("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One inline command on a connection of its own. */
function say(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: "127.0.0.1" });
    let reply = "";
    socket.setTimeout(2_000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (chunk: Buffer) => (reply += chunk.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => resolve(reply));
    socket.end(`${command}\r\nQUIT\r\n`);
  });
}
