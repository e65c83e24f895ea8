/**
 * `npm run bench:live`: a million sessions alive at once on each store: what an `open` takes beside
 * them, what they weigh, and whether turns stall while all of them expire. The store alone, through
 * its interface; each in a process of its own, with real servers, started here.
 */
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import pg from "pg";
import { memoryStore } from "../src/stores/memory.ts";
import { askOf, recordOf, sessionOf } from "../src/stores/conformance.ts";
import { postgresStore } from "../src/stores/postgres.ts";
import { redisStore } from "../src/stores/redis.ts";
import { createDigest, createSealer } from "../src/stores/seal.ts";
import { sqliteStore } from "../src/stores/sqlite.ts";
import { startSweeper } from "../src/stores/sweeper.ts";
import type { Lease, Session, Store } from "../src/types.ts";
import { startPostgres } from "../test/support/postgres-server.ts";
import { startRedis } from "../test/support/redis-server.ts";
import { fixed, tableText, thousands } from "./figures.ts";
import { describeMachine } from "./report.ts";

const HELP = `npm run bench:live -- [options]

  --sessions N   alive at once                    (1000000)
  --store NAME   memory, sqlite, postgres, redis  (all of them)
  --help         this
`;
const OPTIONS = {
  sessions: { type: "string", default: "1000000" },
  store: { type: "string", default: "" },
  help: { type: "boolean", default: false },
} as const;
const STORES = ["memory", "sqlite", "postgres", "redis"] as const;
type Name = (typeof STORES)[number];

/** Filled this many at a time, as many callers at once do. */
const FILLING = 64;
const OPENING = 16;
const OPENING_MS = 15_000;
/** Beside the expiry: turns that come whatever happens. */
const TURN_EVERY_MS = 5;
const EXPIRY_MS_MAX = 900_000;
/** Long enough to see what this machine does to turns by itself. */
const EXPIRY_LEAD_MS = 30_000;
/** A turn that took longer was stalled. */
const SLOW_MS = 50;
const SESSIONS_MIN = 1_000;
const DRAINED_EVERY_MS = 100;
const SPARE_MS = 75_000;
const LONG_MS = 6 * 3_600_000;
const KEEP_MS = 30 * 86_400_000;

/** A store, and what it takes of memory and disk outside of this process. */
type Place = {
  readonly store: Store;
  readonly octets: () => Promise<number>;
  readonly stop: () => Promise<void>;
};
type Figures = {
  readonly name: string;
  readonly sessions: number;
  readonly fillPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly processOctets: number;
  readonly storeOctets: number;
  readonly expirySeconds: number;
  readonly ended: number;
  /** Of turns before the first session expired, and while all did. */
  readonly calmP99Ms: number;
  readonly calmMaxMs: number;
  /** Of a thousand turns, those that took more than SLOW_MS. */
  readonly calmSlow: number;
  readonly turnSlow: number;
  readonly turnP99Ms: number;
  readonly turnMaxMs: number;
  readonly loopMaxMs: number;
};

const { values } = parseArgs({ options: OPTIONS });

async function main(sessions: number, only: string): Promise<number> {
  const isFine = Number.isInteger(sessions) && sessions >= SESSIONS_MIN && sessions <= 10_000_000;
  if (values.help || !isFine || (only !== "" && !STORES.includes(only as Name))) {
    console.log(HELP);
    return values.help ? 0 : 2;
  }
  if (only !== "") {
    console.log(JSON.stringify(await measureStore(only as Name, sessions)));
    return 0;
  }
  const { cores, cpu, node } = describeMachine();
  console.log(`Machine: ${cores} × ${cpu}, Node ${node}; ${thousands(sessions)} sessions\n`);
  const rows = STORES.map((name) => {
    const args = [
      "--expose-gc",
      import.meta.filename,
      "--store",
      name,
      "--sessions",
      `${sessions}`,
    ];
    const said = execFileSync(process.execPath, args, {
      stdio: ["ignore", "pipe", "inherit"],
      maxBuffer: 1024 * 1024,
    });
    return JSON.parse(said.toString("utf8")) as Figures;
  });
  console.log(table(rows));
  return 0;
}

async function measureStore(name: Name, sessions: number): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "dialyard-live-"));
  const place = await PLACES[name](folder);
  try {
    return await measureIn(name, place, sessions);
  } finally {
    await place.store.close();
    await place.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureIn(name: Name, place: Place, sessions: number): Promise<Figures> {
  const { store } = place;
  const before = { process: residentOctets(), store: await place.octets() };
  const progress = progressOf(name, sessions);
  // An eighth lives on, and tells how long the rest takes.
  const sample = Math.floor(sessions / 8);
  const sampleMs = await fill(store, 0, sample, () => Date.now() + LONG_MS, progress);
  // All others end at one instant: after they were filled, at two thirds of that pace.
  const leftMs = (sampleMs / sample) * (sessions - sample) * 1.5 + OPENING_MS + SPARE_MS;
  const expiresAtMs = Math.round(Date.now() + leftMs);
  const restMs = await fill(store, sample, sessions, () => expiresAtMs, progress);
  const processOctets = residentOctets() - before.process;
  const storeOctets = (await place.octets()) - before.store;
  const opened = await openSome(store, sample, sessions, expiresAtMs);
  if (Date.now() > expiresAtMs - EXPIRY_LEAD_MS)
    throw new Error("filling took longer than they live");
  await wait(expiresAtMs - EXPIRY_LEAD_MS - Date.now());
  const expiry = await expire(store, sessions - sample);
  return {
    ...{ name, sessions, fillPerS: (sessions / (sampleMs + restMs)) * 1_000 },
    ...{ p50Ms: quantile(opened, 0.5), p99Ms: quantile(opened, 0.99), maxMs: quantile(opened, 1) },
    ...{ processOctets, storeOctets, ...expiry },
  };
}

/** A dial and its first screen, each. Resolves with the time it took, in milliseconds. */
async function fill(
  store: Store,
  from: number,
  to: number,
  expiresAtMs: () => number,
  progress: (done: number) => void,
): Promise<number> {
  const startMs = performance.now();
  let next = from;
  await Promise.all(
    Array.from({ length: FILLING }, async () => {
      while (next < to) {
        const index = next++;
        const lease = await openOf(store, keyOf("live", index));
        await settle(store, lease, undefined, expiresAtMs());
        if (index % 10_000 === 0) progress(index);
      }
    }),
  );
  progress(to);
  // Records that wait in Redis are work that was put off.
  while (((await store.undrained?.()) ?? 0) > 0) await wait(DRAINED_EVERY_MS);
  await store.records.countLive(Date.now()); // as are rows that are written behind
  return performance.now() - startMs;
}

/** Turns of sessions that live, from some callers at once: how long each `open` took. */
async function openSome(
  store: Store,
  from: number,
  to: number,
  expiresAtMs: number,
): Promise<number[]> {
  const tookMs: number[] = [];
  const untilMs = performance.now() + OPENING_MS;
  await Promise.all(
    Array.from({ length: OPENING }, async () => {
      while (performance.now() < untilMs) {
        const key = keyOf("live", from + Math.floor(Math.random() * (to - from)));
        const startMs = performance.now();
        const held = await store.sessions.open(asked(key));
        tookMs.push(performance.now() - startMs);
        if (held.type === "leased") await settle(store, held.lease, held.session, expiresAtMs);
      }
    }),
  );
  return tookMs;
}

/** Turns at a steady rate while the sweeper ends everybody else. */
async function expire(store: Store, sessions: number) {
  let ended = 0;
  const sweeper = startSweeper({
    sessions: store.sessions,
    keepMs: () => KEEP_MS,
    wallMs: () => Date.now(),
    onFinished: () => (ended += 1),
    report: (error) => console.error(error),
  });
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const startMs = performance.now();
  const [calm, tookMs]: [number[], number[]] = [[], []];
  const under = new Set<Promise<void>>();
  for (let turn = 0; ended < sessions && performance.now() - startMs < EXPIRY_MS_MAX; turn += 1) {
    const dueMs = startMs + turn * TURN_EVERY_MS;
    const aheadMs = dueMs - performance.now();
    if (aheadMs > 0) await wait(aheadMs);
    const taking = (async () => {
      const lease = await openOf(store, keyOf("beside", turn));
      await settle(store, lease, undefined, Date.now() + LONG_MS);
      // From when it was due: a stall is not hidden by what it held up.
      const times = dueMs - startMs < EXPIRY_LEAD_MS ? calm : tookMs;
      times.push(performance.now() - dueMs);
    })();
    under.add(taking);
    void taking.finally(() => under.delete(taking));
  }
  const expirySeconds = (performance.now() - startMs - EXPIRY_LEAD_MS) / 1_000;
  await Promise.all(under);
  loop.disable();
  await sweeper.stop();
  return {
    ...{ ended, expirySeconds, loopMaxMs: loop.max / 1e6 },
    ...{ calmP99Ms: quantile(calm, 0.99), calmMaxMs: quantile(calm, 1) },
    ...{ turnP99Ms: quantile(tookMs, 0.99), turnMaxMs: quantile(tookMs, 1) },
    ...{ calmSlow: slowOf(calm), turnSlow: slowOf(tookMs) },
  };
}

function slowOf(tookMs: readonly number[]): number {
  return (1_000 * tookMs.filter((ms) => ms > SLOW_MS).length) / Math.max(1, tookMs.length);
}

function asked(key: string) {
  const freshId = `sess_${randomBytes(16).toString("hex")}`;
  return askOf({ key, freshId, digest: key, nowMs: Date.now() });
}

async function openOf(store: Store, key: string): Promise<Lease> {
  const held = await store.sessions.open(asked(key));
  if (held.type !== "leased") throw new Error(`${key} is ${held.type}`);
  return held.lease;
}

async function settle(
  store: Store,
  lease: Lease,
  before: Session | undefined,
  expiresAtMs: number,
): Promise<void> {
  const nowMs = Date.now();
  const session = before ?? sessionOf({ id: lease.freshId, inputs: [] });
  const turns = before === undefined ? 1 : before.turns + 1;
  const record = recordOf({ startedAtMs: nowMs });
  const settling = { session: { ...session, turns }, channel: "live", record, nowMs, expiresAtMs };
  const settled = await store.sessions.settle(lease, { ...settling, isUnread: () => false });
  if (!settled) throw new Error("not settled");
}

/** As random as real ones, and found again by their number. */
function keyOf(prefix: string, index: number): string {
  return createHash("sha256").update(`${prefix} ${index}`).digest("base64url").slice(0, 22);
}

function residentOctets(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

function quantile(values_: readonly number[], share: number): number {
  const sorted = Float64Array.from(values_).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

function progressOf(name: string, count: number): (done: number) => void {
  return (done) => {
    const end = done === count ? "\n" : "\r";
    process.stderr.write(`${name}: ${thousands(done)} of ${thousands(count)}${end}`);
  };
}

const seal = {
  sealer: createSealer([Buffer.alloc(32, 1)]),
  digest: createDigest(Buffer.alloc(32)),
};
const report = (error: unknown): void => console.error(error);

const PLACES: Readonly<Record<Name, (folder: string) => Promise<Place>>> = {
  memory: async () => ({
    store: memoryStore(20_000_000),
    octets: async () => 0,
    stop: async () => undefined,
  }),
  async sqlite(folder) {
    const file = join(folder, "dialyard.db");
    return {
      store: await sqliteStore({ ...seal, file }),
      octets: async () => statSync(file).size,
      stop: async () => undefined,
    };
  },
  async postgres() {
    const server = await startPostgres({ fsync: "on" });
    const url = await server.newDatabase();
    const store = await postgresStore({ ...seal, url, connectionsMax: 10, report });
    return { store, octets: () => sizeOf(url), stop: server.stop };
  },
  async redis() {
    const server = await startPostgres({ fsync: "on" });
    const memory = await startRedis({ appendonly: "yes" });
    const sql = await postgresStore({
      ...{ ...seal, url: await server.newDatabase(), connectionsMax: 10, report },
    });
    const tell = new Proxy({}, { get: () => () => undefined }) as never;
    const store = await redisStore({ ...seal, url: memory.url, sql, report, tell });
    return {
      store,
      async octets() {
        const told = await memory.say("INFO memory");
        return Number(/used_memory:(\d+)/.exec(told)?.[1]);
      },
      async stop() {
        await memory.stop();
        await server.stop();
      },
    };
  },
};

async function sizeOf(url: string): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<{ size: string }>(
    "SELECT sum(pg_total_relation_size(oid)) AS size FROM pg_class " +
      "WHERE relname IN ('sessions', 'leases')",
  );
  await client.end();
  return Number(rows[0]?.size);
}

function table(rows: readonly Figures[]): string {
  const head = [
    ...["store", "filled /s", "open p50 ms", "p99", "max", "process B/session"],
    ...["store B/session", "calm turn p99 ms", "max", `‰ over ${SLOW_MS}`],
    ...["expired in s", "ended", "turn p99 ms", "max", `‰ over ${SLOW_MS}`, "loop max"],
  ];
  return tableText(
    head,
    rows.map((row) => [
      ...[row.name, thousands(row.fillPerS), fixed(row.p50Ms, 2), fixed(row.p99Ms, 2)],
      ...[fixed(row.maxMs, 1), thousands(row.processOctets / row.sessions)],
      ...[thousands(row.storeOctets / row.sessions), fixed(row.calmP99Ms, 1)],
      ...[fixed(row.calmMaxMs, 1), fixed(row.calmSlow, 2), fixed(row.expirySeconds, 0)],
      ...[thousands(row.ended), fixed(row.turnP99Ms, 1), fixed(row.turnMaxMs, 1)],
      ...[fixed(row.turnSlow, 2), fixed(row.loopMaxMs, 1)],
    ]),
  );
}

process.exitCode = await main(Number(values.sessions), values.store);
