/** One contender in a process of its own: measured when its parent says so. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Contender, contenders, MENU_SCREENS, MENU_TEXTS } from "./contenders.ts";

export type RowOrder =
  | { readonly type: "menu"; readonly durationMs: number }
  /** One answer, the nth of its session, in as many sessions. */
  | { readonly type: "round" | "chain"; readonly turn: number; readonly sessions: number }
  | { readonly type: "count" };
/** Turns a CPU second. */
export type RowFigure = number;
export type RowCount = {
  readonly storeOpsPerTurn: number;
  /** Of the record, and of what in it says where the subscriber is; at the confirm screen. */
  readonly octets: number;
  readonly octetsOfStack: number;
};

const made = contenders[process.argv[2] ?? ""];
if (made === undefined) throw new Error(`one of ${Object.keys(contenders).join("; ")}`);
const menu = made.menu();
const round = made.round();
const chains = new Map<number, Contender>();
let sessions = 0;

setFlagsFromString("--expose-gc");
/** Of the young generation: a whole collection would take the compiled code's feedback with it. */
const collectGarbage = runInNewContext("gc") as (options: { readonly type: "minor" }) => void;

process.on("message", (order: RowOrder) => {
  void obey(order).then((said) => process.send?.(said));
});

function obey(order: RowOrder): Promise<RowFigure | RowCount> {
  switch (order.type) {
    case "menu":
      return measureMenu(order.durationMs);
    case "round":
      return measureTurn(round, order, `CON Question ${order.turn % 3}`);
    case "chain": {
      const chain = chains.get(order.turn) ?? made!.chain(order.turn);
      chains.set(order.turn, chain);
      return measureTurn(chain, order, `CON Question ${order.turn - 1}`);
    }
    case "count":
      return count();
  }
}

async function drive(session: string): Promise<void> {
  for (const [index, text] of MENU_TEXTS.entries()) {
    const latest = text.slice(text.lastIndexOf("*") + 1);
    const screen = await menu.turn({ session, text, latest });
    const expected = MENU_SCREENS[index];
    if (expected?.test(screen) !== true) throw new Error(`${expected} expected, not ${screen}`);
  }
}

async function measureMenu(durationMs: number): Promise<RowFigure> {
  const untilMs = performance.now() + durationMs;
  const before = process.cpuUsage();
  const from = sessions;
  while (performance.now() < untilMs) {
    for (let times = 0; times < 25; times += 1) {
      sessions += 1;
      await drive(`s${sessions}`);
    }
  }
  const { user, system } = process.cpuUsage(before);
  return ((sessions - from) * MENU_TEXTS.length * 1e6) / (user + system);
}

/** Sessions are led to the turn before, which costs what it likes. */
async function measureTurn(
  contender: Contender,
  order: { readonly turn: number; readonly sessions: number },
  expected: string,
): Promise<RowFigure> {
  const ids = Array.from({ length: order.sessions }, () => `d${(sessions += 1)}`);
  for (let turn = 0; turn < order.turn; turn += 1) {
    for (const id of ids) await contender.turn(saidAt(id, turn));
  }
  const last = ids.map((id) => saidAt(id, order.turn));
  // What was done to get there is not to be cleared away while something else is measured.
  collectGarbage({ type: "minor" });
  const before = process.cpuUsage();
  for (const one of last) {
    const screen = await contender.turn(one);
    if (!screen.startsWith(expected)) throw new Error(`${expected} expected, not ${screen}`);
  }
  const { user, system } = process.cpuUsage(before);
  return (order.sessions * 1e6) / (user + system);
}

/** The first dials; all others choose, or answer, 1. */
function saidAt(session: string, turn: number) {
  const text = Array.from({ length: turn }, () => "1").join("*");
  return { session, text, latest: turn === 0 ? "" : "1" };
}

async function count(): Promise<RowCount> {
  const before = menu.storeOps();
  await drive("counted");
  const storeOpsPerTurn = (menu.storeOps() - before) / MENU_TEXTS.length;
  for (const text of MENU_TEXTS.slice(0, -1)) {
    const latest = text.slice(text.lastIndexOf("*") + 1);
    await menu.turn({ session: "weighed", text, latest });
  }
  const stored = menu.stored("weighed");
  const { stack } = JSON.parse(stored) as { readonly stack?: unknown };
  const octetsOfStack = stack === undefined ? 0 : Buffer.byteLength(JSON.stringify(stack));
  return { storeOpsPerTurn, octets: Buffer.byteLength(stored), octetsOfStack };
}
