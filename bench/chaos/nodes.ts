/** Gateways that are killed, stopped and started again, each on a port that stays its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Away } from "./check.ts";
import { WIRES } from "./plan.ts";

export type Node = {
  readonly port: number;
  readonly start: () => Promise<void>;
  /** kill -9. */
  readonly kill: () => Promise<void>;
  /** SIGSTOP and, so much later, SIGCONT. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly end: () => Promise<void>;
  readonly isUp: () => boolean;
  readonly away: readonly Away[];
  /** Its last words, each time it ended without having been told to. */
  readonly died: readonly string[];
};
export type NodeOptions = {
  readonly index: number;
  readonly port: number;
  readonly folder: string;
  readonly budgetMs: number;
  readonly env: Readonly<Record<string, string>>;
};

export const ADMIN_KEY = "chaos-chaos-chaos-chaos";
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const READY_MS_MAX = 30_000;
const STARTS_MAX = 60;

export function createNode({ index, port, folder, budgetMs, env }: NodeOptions): Node {
  const config = join(folder, `node-${index}.config.ts`);
  const channels = Object.fromEntries(
    WIRES.map((protocol) => [
      protocol,
      { protocol, turnBudgetMs: budgetMs, requestsPerMinuteMax: 0, ...PATHS[protocol] },
    ]),
  );
  writeFileSync(config, `export const config = ${JSON.stringify({ channels })};\n`);
  const logFile = join(folder, `node-${index}.log`);
  const log = openSync(logFile, "a");
  const away: Away[] = [];
  const died: string[] = [];
  const lastWords = (): string => readFileSync(logFile, "utf8").slice(-1_000);
  let child: ChildProcess | undefined;
  let isReady = false;
  let isOver = false;

  async function start(): Promise<void> {
    // While its database is down a start fails, and is tried again as systemd would.
    for (let tries = 0; tries < STARTS_MAX && !isOver; tries += 1) {
      child = spawn(process.execPath, ["--no-warnings", MAIN, "start", "--config", config], {
        cwd: folder,
        stdio: ["ignore", log, log],
        env: { ...process.env, ...nodeEnv(port, folder), ...env },
      });
      if (await untilReady(child, port)) {
        isReady = true;
        child.once("exit", () => {
          if (isReady) died.push(lastWords());
          isReady = false;
        });
        return;
      }
      child.kill("SIGKILL");
      await wait(300);
    }
    if (!isOver) throw new Error(`a node did not start:\n${lastWords()}`);
  }
  async function finish(signal: NodeJS.Signals): Promise<void> {
    isReady = false;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }
  return {
    port,
    start,
    kill: () => finish("SIGKILL"),
    async sleep(ms) {
      if (!isReady) return;
      const asleep = child;
      const from = Date.now();
      asleep?.kill("SIGSTOP");
      await wait(ms);
      asleep?.kill("SIGCONT");
      away.push({ node: index, from, to: Date.now() });
    },
    async end() {
      isOver = true;
      await finish("SIGTERM");
    },
    isUp: () => isReady,
    ...{ away, died },
  };
}

const PATHS: Readonly<Record<string, { readonly paths: readonly string[] }>> = {
  africastalking: { paths: ["/api/v1/ussd"] },
  ixo: { paths: ["/api/ussd"] },
};

function nodeEnv(port: number, folder: string): Record<string, string> {
  return {
    PORT: String(port),
    DATA_DIR: folder,
    DIALYARD_ADMIN_KEY: ADMIN_KEY,
    DIALYARD_SECRET_KEY: "chaos".repeat(8),
    DIALYARD_EGRESS_ALLOW: "127.0.0.1",
    LOG_LEVEL: "warn",
    PRE_STOP_MS: "0",
  };
}

async function untilReady(child: ChildProcess, port: number): Promise<boolean> {
  const untilMs = performance.now() + READY_MS_MAX;
  while (performance.now() < untilMs) {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    const signal = AbortSignal.timeout(2_000);
    const answer = await fetch(`http://127.0.0.1:${port}/ready`, { signal }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return true;
    await wait(50);
  }
  return false;
}
