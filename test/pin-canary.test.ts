/**
 * Ten thousand PINs are typed into an app on each of its stores' own servers; none is in what a store
 * holds, nor in what the app's process printed, told its listeners or left behind when it crashed.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findLeaks, readFiles } from "./support/leaks.ts";
import { networks, type Phone, type Seen } from "./support/phones.ts";
import { noPostgres, type PostgresServer, startPostgres } from "./support/postgres-server.ts";
import { noRedis, type RedisServer, startRedis } from "./support/redis-server.ts";

const APP = new URL("support/pin-app.ts", import.meta.url).pathname;
const SUBSCRIBERS = 500;
const PHONES_AT_ONCE = 24;
/** So many digits that they are nowhere by chance. */
const RIGHT = ["73051928465701", "18293746501827", "90817263544536", "26481537902468"];
const WRONG = ["55172839406172", "40404817263549", "83726150493827", "61728394051627"];
/** Typed where no secret is asked for: is found, or the search is worth nothing. */
const ACCOUNT = "31415926535897";
const KEY = Buffer.alloc(32, 0xa7);

type Running = {
  readonly urls: readonly string[];
  readonly folder: string;
  readonly process: ChildProcess;
  readonly printed: () => Buffer;
};

async function startPinApp(kind: string, url: string): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), `dialyard-pins-${kind}-`));
  const report = ["--report-uncaught-exception", `--report-directory=${folder}`];
  const child = spawn(process.execPath, [...report, APP, kind, folder, url], {
    env: { ...process.env, PIN_ENCRYPTION_KEY: KEY.toString("base64") },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
  const printed = () => Buffer.concat(chunks);
  const urls = await new Promise<readonly string[]>((resolve, reject) => {
    child.once("message", (message) => resolve(message as readonly string[]));
    child.once("exit", (code) => reject(new Error(`exit ${code}: ${printed().toString()}`)));
  });
  return { urls, folder, process: child, printed };
}

async function shows(seen: Promise<Seen>, screen: RegExp): Promise<void> {
  assert.match((await seen).screen, screen);
}

/** Chooses a PIN, types it twice, mistypes it, types it; some also meet a check that throws. Gives PINs typed. */
async function live({ urls }: Running, nth: number): Promise<number> {
  const [network, url] = nth % 2 === 0 ? (["africastalking", 0] as const) : (["ola", 1] as const);
  const phone = (session: string): Phone =>
    networks[network]!(urls[url]!, `2588${40_000_000 + nth}`, `${session}-${nth}`);
  const right = RIGHT[nth % RIGHT.length]!;
  const wrong = WRONG[nth % WRONG.length]!;

  const setting = phone("set");
  await shows(setting.dial("*1#"), /^Canary/);
  await shows(setting.type("1"), /^Choose a PIN:/);
  await shows(setting.type(right), /^Once more:/);
  await shows(setting.type(wrong), /^The two PINs differ/);
  await shows(setting.type(right), /^Your PIN is set/);

  const paying = phone("pay");
  await paying.dial("*1#");
  await shows(paying.type("2"), /^Enter account:/);
  await shows(paying.type(ACCOUNT), /^Enter PIN:/);
  await shows(paying.type(wrong), /^Incorrect PIN\. 2 attempts left/);
  await shows(paying.again(), /^Incorrect PIN\. 2 attempts left/);
  await shows(paying.type(right), /^Pay 31415926535897\?/);
  await shows(paying.type("1"), /^Paid/);
  if (nth % 4 !== 0) return 5;

  const breaking = phone("broken");
  await breaking.dial("*1#");
  await shows(breaking.type("3"), /^Enter PIN:/);
  await shows(breaking.type(right), /^Service unavailable/);
  return 6;
}

/** PINs on their way when the process dies of an exception that nobody caught. */
async function crash(running: Running): Promise<void> {
  const phones = Array.from({ length: PHONES_AT_ONCE }, (_, nth) =>
    networks["africastalking"]!(running.urls[0]!, `2588${40_000_000 + nth}`, `crash-${nth}`),
  );
  for (const phone of phones) {
    await phone.dial("*1#");
    await phone.type("2");
    await phone.type(ACCOUNT);
  }
  const over = once(running.process, "close");
  const typing = phones.map((phone) => phone.type(RIGHT[0]!).catch(() => undefined));
  running.process.send("crash");
  await Promise.all(typing);
  await over;
}

let turns = 0;

async function playAndSearch(
  kind: string,
  url: string,
  dump: () => Promise<ReadonlyMap<string, Buffer>>,
): Promise<void> {
  const running = await startPinApp(kind, url);
  try {
    let next = 0;
    const line = async (): Promise<void> => {
      while (next < SUBSCRIBERS) {
        const nth = next;
        next += 1;
        const typed = await live(running, nth);
        turns += typed;
      }
    };
    await Promise.all(Array.from({ length: PHONES_AT_ONCE }, line));
    await crash(running);
    const stored = new Map([...readFiles(running.folder), ...(await dump())]);
    const places = new Map([...stored, ["what the process printed", running.printed()]]);

    assert.match(running.printed().toString(), /crashed while PINs were being verified/);
    assert.ok([...places.keys()].some((name) => name.startsWith("file report.")));
    assert.ok(findLeaks(ACCOUNT, stored).length > 0, "the search finds what is there");
    for (const pin of [...RIGHT, ...WRONG]) assert.deepEqual(findLeaks(pin, places), []);
  } finally {
    running.process.kill("SIGKILL");
    rmSync(running.folder, { recursive: true, force: true });
  }
}
const nothing = async (): Promise<ReadonlyMap<string, Buffer>> => new Map();

describe("a PIN typed into an app is nowhere to be read", () => {
  let redis: RedisServer | undefined;
  let postgres: PostgresServer | undefined;
  before(async () => {
    // Not compressed: a leak would not be seen otherwise.
    if (noRedis === false) redis = await startRedis({ appendonly: "yes", rdbcompression: "no" });
    if (noPostgres === false) postgres = await startPostgres();
  });
  after(async () => {
    await redis?.stop();
    await postgres?.stop();
  });

  test("in memory", () => playAndSearch("memory", "", nothing));
  test("in SQLite: every octet of its files", () => playAndSearch("sqlite", "", nothing));
  test("in Redis: its snapshot, and every write of its log", { skip: noRedis }, () =>
    playAndSearch("redis", redis!.url, async () => {
      assert.match(await redis!.say("SAVE"), /OK/);
      return readFiles(redis!.folder);
    }),
  );
  test("in PostgreSQL: all of pg_dump", { skip: noPostgres }, async () => {
    const url = await postgres!.newDatabase();
    await playAndSearch("postgres", url, async () => {
      return new Map([["pg_dump", Buffer.from(await postgres!.dump(url))]]);
    });
  });
  test("of ten thousand PINs", { skip: noRedis || noPostgres }, () => {
    assert.ok(turns >= 10_000, `${turns} PINs were typed`);
  });
});
