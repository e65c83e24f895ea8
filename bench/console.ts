/**
 * `npm run bench:console`: what an operator waits for, with many sessions stored and turns going
 * on: the calls that the console's pages are made of, and how smoothly its live list runs in a
 * real browser. docs/benchmarks.md says what came of it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { deriveKeys, readSecretKey } from "../src/stores/secret-key.ts";
import { openBrowser, openPage } from "../test/support/browser.ts";
import { type Contender, SERVICE_CODES, startGateway, startStub } from "./contenders.ts";
import { fill, filledMsisdn } from "./fill.ts";
import { fixed, tableText, thousands } from "./figures.ts";
import { pathTo, start, type Running } from "./processes.ts";
import { describeMachine } from "./report.ts";

const HELP = `npm run bench:console -- [options]

  --sessions N   sessions stored before it begins    (1000000)
  --turns N      turns a second while it is measured (200)
  --seconds N    how long the calls are measured     (60)
  --json FILE    writes all figures there too
  --help         this
`;
const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "1000000" },
    turns: { type: "string", default: "200" },
    seconds: { type: "string", default: "60" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const sessions = Number(values.sessions);
const turnsPerSecond = Number(values.turns);
const seconds = Number(values.seconds);
const isSound = sessions >= 1_000 && turnsPerSecond >= 5 && seconds >= 5;

/** A dial and four answers, the last of which ends it. */
const INPUTS = "1*2*3*9";
const TURNS_A_SESSION = 5;
const PAUSE_MS = 50;
const WANTED_MS = 200;
const FRAMES_SECONDS = 20;
const WARM_UP_MS = 5_000;

type Timed = { readonly p50: number; readonly p95: number; readonly max: number; n: number };

if (values.help || !isSound) {
  console.log(HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  await main();
}

async function main(): Promise<void> {
  const { cores, cpu, node } = describeMachine();
  console.log(`Machine: ${cores} × ${cpu}, Node ${node}\n`);
  const folder = mkdtempSync(join(tmpdir(), "dialyard-console-bench-"));
  const running: { stop: () => Promise<void> }[] = [];
  try {
    await store(folder);
    const stub = await startStub();
    running.push(stub.running);
    const gateway = await startGateway({ name: "Dialyard", folder, stubPort: stub.port });
    running.push(gateway);
    const load = startLoad(gateway);
    running.push(load);
    await wait(WARM_UP_MS);
    const calls = await measureCalls(gateway);
    const frames = await measureFrames(gateway);
    print(calls, frames);
    if (values.json !== undefined) {
      const all = { machine: describeMachine(), sessions, turnsPerSecond, calls, frames };
      writeFileSync(values.json, `${JSON.stringify(all, undefined, 2)}\n`);
    }
  } finally {
    for (const { stop } of running.toReversed()) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Filled with the gateway's own keys, so that numbers are shown and found. */
async function store(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const keys = deriveKeys(await readSecretKey({ secretKey: "", dataDir: folder }));
  const progress = (done: number) =>
    say(`storing sessions: ${thousands(done)} of ${thousands(sessions)}`);
  await fill(folder, sessions, progress, keys);
}

function startLoad({ port }: Contender): Running {
  const rate = `${turnsPerSecond / TURNS_A_SESSION}/s`;
  const duration = `${seconds + FRAMES_SECONDS + 120}s`;
  const args = [
    ...["--no-warnings", pathTo("../src/main.ts"), "load", SERVICE_CODES.ola],
    ...["--inputs", INPUTS, "--rate", rate, "--for", duration, "--channel", "kairos"],
    ...["--url", `http://127.0.0.1:${port}`],
  ];
  return start(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
}

/** What the pages ask for, each in its turn, with a pause between as people make them. */
async function measureCalls({ port }: Contender): Promise<Readonly<Record<string, Timed>>> {
  const base = `http://127.0.0.1:${port}/api/v1`;
  const first = (await get(`${base}/sessions?limit=50`)) as SessionPage;
  const some = first.sessions.map(({ id }) => id);
  let nth = 0;
  const one = <T>(list: readonly T[]): T => list[(nth += 1) % list.length]!;
  const subscribers = Array.from({ length: 97 }, (_, n) =>
    filledMsisdn(Math.floor((n * sessions) / 97)),
  );
  const calls: Readonly<Record<string, () => string>> = {
    "list, newest first": () => "/sessions?limit=50",
    "list, its next page": () => `/sessions?limit=50&after=${first.next ?? ""}`,
    "list, failed ones": () => "/sessions?limit=50&outcome=backend_timeout",
    "list, one code": () =>
      `/sessions?limit=50&service_code=${encodeURIComponent(SERVICE_CODES.ola)}`,
    "search by MSISDN": () => `/sessions?msisdn=${one(subscribers)}`,
    "session, all its turns": () => `/sessions/${one(some)}`,
    "overview, its minutes": () => "/overview",
    "overview, sessions of its hour": () =>
      `/sessions?limit=500&from=${new Date(Date.now() - 3_600_000).toISOString()}`,
  };
  const times = new Map<string, number[]>();
  const untilMs = performance.now() + seconds * 1_000;
  while (performance.now() < untilMs) {
    say(`calls: ${Math.ceil((untilMs - performance.now()) / 1_000)} s left`);
    for (const [name, pathOf] of Object.entries(calls)) {
      const startedMs = performance.now();
      await get(`${base}${pathOf()}`);
      times.set(name, [...(times.get(name) ?? []), performance.now() - startedMs]);
      await wait(PAUSE_MS);
    }
  }
  return Object.fromEntries([...times].map(([name, list]) => [name, timedOf(list)]));
}

type SessionPage = {
  readonly sessions: readonly { readonly id: string }[];
  readonly next?: string | null;
};

async function get(url: string): Promise<unknown> {
  const response = await fetch(url);
  const body: unknown = await response.json();
  if (response.status !== 200) throw new Error(`${url}: ${response.status}`);
  return body;
}

function timedOf(list: readonly number[]): Timed {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { p50: at(0.5) ?? NaN, p95: at(0.95) ?? NaN, max: sorted.at(-1) ?? NaN, n: list.length };
}

type Frames = {
  readonly seconds: number;
  readonly drawn: number;
  readonly perSecond: number;
  readonly droppedShare: number;
  readonly longestMs: number;
  readonly says: string;
};

type Counted = { readonly drawn: number; readonly tookMs: number; readonly longestMs: number };

/** Frames of the live list against those of an empty page in the same browser. */
async function measureFrames({ port }: Contender): Promise<Frames> {
  const origin = `http://127.0.0.1:${port}`;
  const browser = await openBrowser();
  try {
    const { page } = await openPage(browser, origin);
    say("the browser's own frames");
    await page.goto("about:blank");
    const idle = await page.evaluate<Counted>(countFrames(5_000));
    await page.goto(`${origin}/console/sessions`);
    await page.locator(".row-link").first().waitFor();
    await wait(2_000);
    say("the live list's frames");
    const live = await page.evaluate<Counted>(countFrames(FRAMES_SECONDS * 1_000));
    const perSecond = (live.drawn * 1_000) / live.tookMs;
    const idlePerSecond = (idle.drawn * 1_000) / idle.tookMs;
    return {
      ...{ seconds: live.tookMs / 1_000, drawn: live.drawn, perSecond },
      droppedShare: Math.max(0, 1 - perSecond / idlePerSecond),
      longestMs: live.longestMs,
      says: (await page.locator(".live").first().textContent()) ?? "",
    };
  } finally {
    await browser.close();
  }
}

/** Runs in the page: text, because a browser's names are none of ours. */
function countFrames(forMs: number): string {
  return `new Promise((done) => {
  const startMs = performance.now();
  let drawn = 0, lastMs = startMs, longestMs = 0;
  const frame = () => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    drawn += 1;
    if (nowMs - startMs >= ${forMs}) done({ drawn, tookMs: nowMs - startMs, longestMs });
    else requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})`;
}

function print(calls: Readonly<Record<string, Timed>>, frames: Frames): void {
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const rows = Object.entries(calls).map(([name, { n, p50, p95, max }]) => [
    ...[name, String(n), fixed(p50, 1), fixed(p95, 1), fixed(max, 1)],
    p95 < WANTED_MS ? "met" : "missed",
  ]);
  const head = ["call", "times", "p50 ms", "p95 ms", "max ms", `p95 < ${WANTED_MS} ms`];
  console.log(`${thousands(sessions)} sessions stored, ${turnsPerSecond} turns a second\n`);
  console.log(tableText(head, rows));
  const { perSecond, droppedShare, longestMs, says } = frames;
  console.log(
    `\nThe live list drew ${fixed(perSecond, 1)} frames a second, ` +
      `${fixed(droppedShare * 100, 1)} % fewer than an empty page; the longest took ` +
      `${fixed(longestMs, 0)} ms. It says "${says.trim()}".`,
  );
}

function say(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K… ${what}`);
}
