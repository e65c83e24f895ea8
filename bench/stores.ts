/**
 * `npm run bench:stores`: what a turn costs on each store, the gateway's processor time and the
 * servers' apart, and what a second worker adds. Real servers, started here; writes are flushed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { noPostgres, startPostgres } from "../test/support/postgres-server.ts";
import { noRedis, startRedis } from "../test/support/redis-server.ts";
import {
  type Contender,
  SERVICE_CODES,
  startGateway,
  startScript,
  startStub,
} from "./contenders.ts";
import { fixed, median, tableText, thousands } from "./figures.ts";
import { measure, medianOf, ratioOf, type Row, type Window } from "./measure.ts";
import { cpuUs, startModule } from "./processes.ts";
import { describeMachine } from "./report.ts";

const HELP = `npm run bench:stores -- [options]

  --rounds N     rounds of windows       (5)
  --seconds N    length of a window      (4)
  --help         this
`;
const OPTIONS = {
  rounds: { type: "string", default: "5" },
  seconds: { type: "string", default: "4" },
  help: { type: "boolean", default: false },
} as const;
const CONNECTIONS = 64;
const WARM_UP_MS = 3_000;
const DRAINED_MS_MAX = 30_000;

type Entry = Row & { readonly servers: readonly number[] };
type Figures = { readonly windows: Window[]; readonly serversUs: number[] };

const { values } = parseArgs({ options: OPTIONS });
process.exitCode = await main(Number(values.rounds), Number(values.seconds) * 1_000);

async function main(rounds: number, windowMs: number): Promise<number> {
  const isFine = rounds >= 1 && rounds <= 100 && windowMs >= 100 && windowMs <= 60_000;
  if (values.help || !isFine) {
    console.log(HELP);
    return values.help ? 0 : 2;
  }
  const missing = [noPostgres, noRedis].filter((reason) => reason !== false);
  if (missing.length > 0) {
    console.error(missing.join("; "));
    return 1;
  }
  const folder = mkdtempSync(join(tmpdir(), "dialyard-bench-"));
  const { cores, cpu, node } = describeMachine();
  console.log(`Machine: ${cores} × ${cpu}, Node ${node}\n`);
  const postgres = await startPostgres({ fsync: "on" });
  const redis = await startRedis({ appendonly: "yes" });
  const stub = await startStub();
  const rig = { stub: stub.running, load: startModule("load.ts") };
  const contenders: Contender[] = [];
  try {
    const bare = await startScript("bare", "bare.ts", stub.port, "/");
    contenders.push(bare);
    const gateway = async (name: string, env: Record<string, string>, workers?: number) => {
      const place = { name, folder: join(folder, name), stubPort: stub.port };
      const started = await startGateway({ ...place, env, ...(workers && { workers }) });
      contenders.push(started);
      return env["REDIS_URL"] === undefined ? started : untilDrained(started);
    };
    const onPostgres = async () => ({
      DATABASE_URL: await postgres.newDatabase(),
      DIALYARD_SECRET_KEY: "0123456789abcdef".repeat(4),
    });
    const [sql, memory] = [postgres.pid(), redis.pid()];
    const entry = (title: string, contender: Contender, servers: readonly number[]): Entry => ({
      ...{ id: contender.name, title, contender, servers, connections: CONNECTIONS },
      dialogue: { channel: "kairos", serviceCode: SERVICE_CODES.ola },
    });
    const entries = [
      entry("node:http + undici.request, bare", bare, []),
      entry("SQLite", await gateway("sqlite", {}), []),
      entry("PostgreSQL", await gateway("postgres", await onPostgres()), [sql]),
      entry("PostgreSQL, 2 workers", await gateway("workers", await onPostgres(), 2), [sql]),
      entry(
        "Redis, records to PostgreSQL",
        await gateway("redis", { ...(await onPostgres()), REDIS_URL: redis.url }),
        [sql, memory],
      ),
    ];
    const figures = await measureAll(rig, entries, rounds, windowMs);
    console.log(`\n${table(entries, figures)}`);
  } finally {
    await Promise.all(contenders.map(({ stop }) => stop()));
    await Promise.all([rig.load.stop(), rig.stub.stop(), postgres.stop(), redis.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

/** Records that wait in Redis are work that was put off. */
function untilDrained(contender: Contender): Contender {
  const url = `http://127.0.0.1:${contender.port}/metrics`;
  return {
    ...contender,
    async catchUp() {
      const untilMs = performance.now() + DRAINED_MS_MAX;
      for (;;) {
        const text = await (await fetch(url)).text();
        if (/^dialyard_records_undrained 0$/m.test(text)) return;
        if (performance.now() > untilMs) throw new Error("records stay in Redis");
        await new Promise((done) => setTimeout(done, 20));
      }
    },
  };
}

async function measureAll(
  rig: Parameters<typeof measure>[0],
  entries: readonly Entry[],
  rounds: number,
  windowMs: number,
): Promise<readonly Figures[]> {
  const figures = entries.map((): Figures => ({ windows: [], serversUs: [] }));
  for (const entry of entries) await measure(rig, entry, WARM_UP_MS);
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, entry] of entries.entries()) {
      console.log(`… round ${round + 1} of ${rounds}: ${entry.title}`);
      const before = usedBy(entry);
      const window = await measure(rig, entry, windowMs);
      const turns = (window.turnsPerSecond * windowMs) / 1_000;
      figures[at]?.windows.push(window);
      figures[at]?.serversUs.push((usedBy(entry) - before) / turns);
    }
  }
  return figures;
}

function usedBy({ servers }: Entry): number {
  return servers.reduce((sum, pid) => sum + cpuUs(pid), 0);
}

function table(entries: readonly Entry[], figures: readonly Figures[]): string {
  const bare = figures[0]?.windows ?? [];
  const cells = entries.map(({ title }, at) => {
    const { windows = [], serversUs = [] } = figures[at] ?? {};
    return [
      title,
      fixed(medianOf(windows, "cpuUs"), 1),
      fixed(ratioOf(windows, bare), 2),
      fixed(median(serversUs), 1),
      thousands(medianOf(windows, "turnsPerSecond")),
      fixed(medianOf(windows, "p50Ms"), 2),
      fixed(medianOf(windows, "p99Ms"), 2),
    ];
  });
  const head = ["", "CPU µs/turn", "ratio", "servers µs", "turns/s", "p50 ms", "p99 ms"];
  return tableText(head, cells);
}
