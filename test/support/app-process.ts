/** The app of transfer-app.ts as a process that is killed and started again, and its ledger. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "./gateway.ts";

const APP = fileURLToPath(new URL("transfer-app.ts", import.meta.url));
const ANSWER_MS_MAX = 60_000;
const ATTEMPT_MS_MAX = 5_000;
const BETWEEN_MS = 40;

export type Ledger = {
  readonly url: string;
  /** Calls by effect key: more than one for a key that was asked for again. */
  readonly calls: ReadonlyMap<string, number>;
  /** Money moved by subscriber: a key moves it once. */
  readonly moved: ReadonlyMap<string, number>;
  readonly close: () => Promise<void>;
};

export async function startLedger(delayMs: () => number): Promise<Ledger> {
  const calls = new Map<string, number>();
  const moved = new Map<string, number>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { effectKey, msisdn, amount } = JSON.parse(Buffer.concat(chunks).toString()) as {
        effectKey: string;
        msisdn: string;
        amount: number;
      };
      const before = calls.get(effectKey) ?? 0;
      calls.set(effectKey, before + 1);
      if (before === 0) moved.set(msisdn, (moved.get(msisdn) ?? 0) + amount);
      // The money has moved; the answer takes its time, and may find nobody.
      setTimeout(() => response.end(`L${calls.size}`), delayMs());
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    calls,
    moved,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

export type AppProcess = {
  readonly url: string;
  readonly printed: () => string;
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
};

export async function startAppProcess(env: Readonly<Record<string, string>>): Promise<AppProcess> {
  const port = await freePort();
  let child: ChildProcess | undefined;
  let printed = "";
  async function start(): Promise<void> {
    const next = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", APP], {
      env: { PATH: process.env["PATH"], PORT: String(port), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = next;
    await new Promise<void>((ready, fail) => {
      for (const stream of [next.stdout, next.stderr]) {
        stream.on("data", (chunk: Buffer) => {
          printed += chunk.toString("utf8");
          if (chunk.includes("ready http")) ready();
        });
      }
      next.on("exit", () => fail(new Error(`the app ended:\n${printed.slice(-2_000)}`)));
    });
  }
  await start();
  return {
    url: `http://127.0.0.1:${port}/`,
    printed: () => printed,
    start,
    async kill() {
      if (child === undefined || child.exitCode !== null) return;
      const over = once(child, "exit");
      child.kill("SIGKILL");
      await over;
    },
  };
}

export type Said = { readonly screen: string; readonly isEnd: boolean };

/** A subscriber behind a gateway that tries again with the same transaction id until it is told. */
export function createSubscriber(url: string, msisdn: string) {
  const sessionId = `sess_${msisdn}`;
  let turns = 0;
  return async (input: string): Promise<Said> => {
    turns += 1;
    const body = JSON.stringify({
      provider: "test",
      msisdn,
      session_id: sessionId,
      transaction_id: `txn_${msisdn}_${turns}`,
      service_code: "*365#",
      input,
    });
    const untilMs = performance.now() + ANSWER_MS_MAX;
    while (performance.now() < untilMs) {
      try {
        const response = await fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body,
          signal: AbortSignal.timeout(ATTEMPT_MS_MAX),
        });
        const { output, end_session } = (await response.json()) as {
          output: string[];
          end_session: boolean;
        };
        const screen = output.join("\n");
        // A turn that its dead holder still has: the lease lapses, so it is asked again.
        if (/Please wait/.test(screen)) await wait(BETWEEN_MS * 5);
        else return { screen, isEnd: end_session };
      } catch {
        await wait(BETWEEN_MS);
      }
    }
    throw new Error(`no answer to ${msisdn}`);
  };
}
