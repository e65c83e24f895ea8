/**
 * `npm run bench:app`: what a turn of an app costs, and who reads what when turns overlap, beside
 * the menu builders of npm. docs/benchmarks.md says what is measured and what came of it.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fixed, median, tableText, thousands } from "../figures.ts";
import { nextMessage, type Running, startModule } from "../processes.ts";
import { describeMachine } from "../report.ts";
import { contenders } from "./contenders.ts";
import { type Load, styles, type Tally } from "./crosstalk.ts";
import type { RowCount, RowFigure, RowOrder } from "./row.ts";

const HELP = `npm run bench:app -- [options]

  --quick        a minute: fewer and shorter rounds, 200 subscribers
  --rounds N     rounds of each row                          (7; quick 3)
  --speed        the tables of processor time alone
  --overlap      the table of overlapping requests alone
  --json FILE    writes all figures there too
  --help         this
`;
const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    speed: { type: "boolean", default: false },
    overlap: { type: "boolean", default: false },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const DEPTHS = [3, 10, 30];
const OURS = "dialyard/app";
const PATIENCE_MS = 120_000;
const rounds = Number(values.rounds ?? (values.quick ? 3 : 7));
const roundMs = values.quick ? 400 : 1_000;
const sessionsDeep = values.quick ? 1_000 : 4_000;

if (values.help || !(rounds >= 1 && rounds <= 100)) {
  console.log(HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  await main();
}

async function main(): Promise<void> {
  const startedMs = performance.now();
  const { cores, cpu, node } = describeMachine();
  console.log(`Machine: ${cores} × ${cpu}, Node ${node}\n`);
  const speed = values.overlap ? undefined : await measureSpeed();
  if (speed !== undefined) printSpeed(speed);
  const overlap = values.speed ? undefined : await measureOverlap();
  if (overlap !== undefined) printOverlap(overlap);
  if (values.json !== undefined) {
    const all = { machine: describeMachine(), rounds, speed, overlap };
    writeFileSync(values.json, `${JSON.stringify(all, undefined, 2)}\n`);
  }
  console.log(`\nTook ${Math.round((performance.now() - startedMs) / 1000)} s.`);
}

type Speed = {
  readonly name: string;
  readonly count: RowCount;
  readonly menu: number;
  readonly round: Deep;
  readonly chain: Deep;
};
/** Turns a CPU second at each depth; `cost` is of the last to the first, round by round. */
type Deep = { readonly turns: readonly number[]; readonly cost: number };

/** A, B, C; B, C, A; …: a machine that gets slower or faster does it to all of them alike. */
async function measureSpeed(): Promise<readonly Speed[]> {
  const names = Object.keys(contenders);
  const rows = new Map(names.map((name) => [name, startModule("app/row.ts", [name])]));
  const ask = async <T>(name: string, order: RowOrder): Promise<T> => {
    const running = rows.get(name)!;
    running.child.send(order);
    return nextMessage<T>(running, PATIENCE_MS);
  };
  const orders: readonly RowOrder[] = [
    { type: "menu", durationMs: roundMs },
    ...(["round", "chain"] as const).flatMap((type) =>
      DEPTHS.map((turn) => ({ type, turn, sessions: sessionsDeep })),
    ),
  ];
  const figures = new Map(names.map((name) => [name, orders.map((): number[] => [])]));
  const measure = async (name: string, index: number, round: number): Promise<void> => {
    const figure = await ask<RowFigure>(name, orders[index]!);
    // Round 0 warms up.
    if (round > 0) figures.get(name)?.[index]?.push(figure);
  };
  // The menus first: what is collected before a turn deep in a session leaves a smaller heap.
  const parts = [[0], orders.map((_, index) => index).slice(1)];
  for (const [part, indexes] of parts.entries()) {
    for (let round = 0; round <= rounds; round += 1) {
      for (let nth = 0; nth < names.length; nth += 1) {
        const name = names[(nth + round) % names.length]!;
        progress(`part ${part + 1} of 2, round ${round} of ${rounds}: ${name}`);
        for (const index of indexes) await measure(name, index, round);
      }
    }
  }
  const counts = new Map<string, RowCount>();
  for (const name of names) counts.set(name, await ask<RowCount>(name, { type: "count" }));
  await Promise.all([...rows.values()].map((running: Running) => running.stop()));
  endProgress();
  return names.map((name) => {
    const [menu = [], ...deep] = figures.get(name) ?? [];
    const count = counts.get(name)!;
    const [round, chain] = [deepOf(deep.slice(0, 3)), deepOf(deep.slice(3))];
    return { name, count, menu: median(menu), round, chain };
  });
}

function deepOf(figures: readonly (readonly number[])[]): Deep {
  const [first = [], last = []] = [figures[0], figures.at(-1)];
  const cost = median(first.map((turns, round) => turns / (last[round] ?? NaN)));
  return { turns: figures.map(median), cost };
}

function printSpeed(speed: readonly Speed[]): void {
  const menu = speed.filter(({ name }) => !name.endsWith("a screen each"));
  const head = ["main, amount, confirm, end", "turns/CPU s", "store/turn", "record", "stack"];
  const size = (octets: number): string => (octets === 0 ? "-" : `${octets} B`);
  const cells = menu.map(({ name, menu: turns, count }) => [
    name,
    thousands(turns),
    fixed(count.storeOpsPerTurn, 2),
    count.octetsOfStack === 0 ? "-" : size(count.octets),
    size(count.octetsOfStack),
  ]);
  console.log(`${tableText(head, cells)}\n`);
  const deep = ({ turns, cost }: Deep): readonly string[] => [
    ...turns.map(thousands),
    fixed(cost, 2),
  ];
  const numbers = [...DEPTHS.map((turn) => `turn ${turn}`), "30 : 3"];
  const round = menu.map((row) => [row.name, ...deep(row.round)]);
  console.log(`${tableText(["turns/CPU s, three menus round", ...numbers], round)}\n`);
  const chain = speed.map((row) => [row.name, ...deep(row.chain)]);
  console.log(`${tableText(["turns/CPU s, every answer kept", ...numbers], chain)}\n`);
  const ours = speed.find(({ name }) => name === OURS)!;
  const goals = [
    goal("turns a CPU second", "≥ 100,000", ours.menu >= 100_000, thousands(ours.menu)),
    goal("cost of turn 30 : turn 3", "≤ 1.10", ours.round.cost <= 1.1, fixed(ours.round.cost, 2)),
    goal(
      "store round trips a turn",
      "2",
      ours.count.storeOpsPerTurn === 2,
      fixed(ours.count.storeOpsPerTurn, 2),
    ),
    goal(
      "stack at confirm",
      "≤ 150 B",
      ours.count.octetsOfStack <= 150,
      size(ours.count.octetsOfStack),
    ),
    goal("record at confirm", "≤ 350 B", ours.count.octets <= 350, size(ours.count.octets)),
  ];
  console.log(`${tableText(["goal", "wanted", "measured", "verdict"], goals)}\n`);
}

function goal(title: string, wanted: string, isMet: boolean, measured: string): readonly string[] {
  return [title, wanted, measured, isMet ? "met" : "missed"];
}

/** 1,000 subscribers with two requests each, at three rates; lower rates on more services. */
function loads(): readonly Load[] {
  const subscribers = values.quick ? 200 : 1_000;
  const common = { subscribers, lookupMs: [5, 50], seed: 20_261_126 } as const;
  return [
    { ...common, requestsPerSecond: 5, services: 10 },
    { ...common, requestsPerSecond: 20, services: 4 },
    { ...common, requestsPerSecond: 100, services: 1 },
  ];
}

type Overlap = { readonly name: string; readonly tallies: readonly Tally[] };

/** All libraries at once: they wait more than they compute. */
async function measureOverlap(): Promise<readonly Overlap[]> {
  const wanted = loads();
  const seconds = wanted.map(
    ({ subscribers, services, requestsPerSecond }) =>
      (subscribers * 2) / services / requestsPerSecond,
  );
  const untilMs = performance.now() + 1000 * Math.max(...seconds);
  const leftMs = (): number => Math.max(0, untilMs - performance.now());
  const timer = setInterval(
    () => progress(`overlapping requests: about ${Math.ceil(leftMs() / 1000)} s to go`),
    process.stdout.isTTY ? 1_000 : 10_000,
  );
  const rows = Object.keys(styles).map(async (name): Promise<Overlap> => {
    const running = startModule("app/crosstalk-row.ts", [name]);
    running.child.send(wanted);
    const tallies = await nextMessage<readonly Tally[]>(running, leftMs() * 2 + PATIENCE_MS);
    await running.stop();
    return { name, tallies };
  });
  const overlap = await Promise.all(rows);
  clearInterval(timer);
  endProgress();
  return overlap;
}

function printOverlap(overlap: readonly Overlap[]): void {
  for (const [index, { subscribers, requestsPerSecond, services }] of loads().entries()) {
    const title = `${requestsPerSecond} requests/s`;
    const head = [title, "requests", "right", "another's", "wrong", "no answer", "two answers"];
    const cells = overlap.map(({ name, tallies }) => {
      const { requests, right, another, wrong, unanswered, twice } = tallies[index]!;
      const share = (count: number): string => `${fixed((count / requests) * 100, 1)} %`;
      const shares = [right, another, wrong, unanswered, twice].map(share);
      return [name, thousands(requests), ...shares];
    });
    const each = subscribers / services;
    console.log(`${tableText(head, cells)}\n(${services} × ${each} subscribers)\n`);
  }
}

/** The last line again and again on a terminal, else a line each. */
function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}`);
  else console.log(`… ${text}`);
}

function endProgress(): void {
  if (process.stdout.isTTY) process.stdout.write("\r\x1b[K");
}
