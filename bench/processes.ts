/** Child processes: started, measured from /proc, and stopped for certain. Linux only. */
import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

export type Running = {
  readonly pid: number;
  readonly child: ChildProcess;
  /** SIGTERM, and SIGKILL for what has not gone by then. */
  readonly stop: () => Promise<void>;
};

/** Far more than any start takes, so that only what hangs meets it. */
const START_MS_MAX = 15_000;
const STOP_MS_MAX = 15_000;
/** clock ticks a second in /proc/PID/stat: USER_HZ is 100 on every Linux architecture of today. */
const TICK_US = 10_000;
const started = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of started) child.kill("SIGKILL");
});

export function start(file: string, args: readonly string[], options: SpawnOptions = {}): Running {
  const child = spawn(file, args, { stdio: ["ignore", "inherit", "inherit"], ...options });
  if (child.pid === undefined) throw new Error(`cannot start ${file}`);
  started.add(child);
  const gone = new Promise<void>((done) => {
    child.once("exit", () => {
      started.delete(child);
      done();
    });
  });
  const stop = async (): Promise<void> => {
    if (!started.has(child)) return;
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
    child.kill("SIGTERM");
    await gone;
    clearTimeout(timer);
  };
  return { pid: child.pid, child, stop };
}

/** A module of this folder, in a process of its own with a channel to it. */
export function startModule(name: string, args: readonly string[] = []): Running {
  return start(process.execPath, ["--no-warnings", pathTo(name), ...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, NODE_ENV: "production" },
  });
}

export function pathTo(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** The next message of a child, which is of the type that the caller knows it sends. */
export function nextMessage<T>({ child }: Running, patienceMs = START_MS_MAX): Promise<T> {
  return new Promise((resolve, reject) => {
    const clear = (): void => {
      clearTimeout(timer);
      child.off("message", onMessage);
      child.off("exit", onExit);
    };
    const onMessage = (message: unknown): void => {
      clear();
      resolve(message as T);
    };
    const onExit = (): void => {
      clear();
      reject(new Error(`${child.spawnargs.join(" ")}: gone without a word`));
    };
    const timer = setTimeout(() => {
      clear();
      reject(new Error(`${child.spawnargs.join(" ")}: no word for ${patienceMs} ms`));
    }, patienceMs);
    child.once("message", onMessage);
    child.once("exit", onExit);
  });
}

export async function untilAnswers(url: string, running: Running): Promise<void> {
  const untilMs = performance.now() + START_MS_MAX;
  for (;;) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (status >= 200 && status < 500) return;
    const { exitCode } = running.child;
    if (exitCode !== null) throw new Error(`${url}: its process ended with status ${exitCode}`);
    if (performance.now() > untilMs) throw new Error(`${url}: no answer`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** User and system time of a process and of all below it, in µs. */
export function cpuUs(pid: number): number {
  const stats = readdirSync("/proc").flatMap((name) => {
    const stat = /^\d+$/.test(name) ? readStat(name) : undefined;
    return stat === undefined ? [] : [stat];
  });
  const tree = new Set([pid]);
  // A child may come before its parent in the list: again until nothing is added.
  for (let size = 0; size !== tree.size;) {
    size = tree.size;
    for (const stat of stats) if (tree.has(stat.parent)) tree.add(stat.pid);
  }
  const ticks = stats.reduce((sum, stat) => (tree.has(stat.pid) ? sum + stat.ticks : sum), 0);
  return ticks * TICK_US;
}

type Stat = { readonly pid: number; readonly parent: number; readonly ticks: number };

/** proc_pid_stat(5). The name, in parentheses, may contain anything: fields begin after it. */
function readStat(pid: string): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined; // gone since it was listed
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [, parent, user, system] = [0, 1, 11, 12].map((index) => Number(fields[index]));
  return { pid: Number(pid), parent: parent ?? 0, ticks: (user ?? 0) + (system ?? 0) };
}
