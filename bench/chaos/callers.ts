/**
 * The networks and their subscribers, run as a child process. Each session begins at its time
 * whatever becomes of the others; the last ones when a second message says that all is calm. A
 * request that brought no answer is sent again, to another node, as an aggregator does. Writes what
 * every session saw to a file and says so.
 */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { Agent, request } from "undici";
import { clock, NODES, planSessions, type Options, type SessionPlan } from "./plan.ts";
import { readScreen, screenAfter, TEXTS, writeRequest } from "./wires.ts";

export type CallersOrder = {
  readonly options: Options;
  readonly ports: readonly number[];
  readonly file: string;
};
export type Progress = { readonly type: "progress"; readonly begun: number; readonly over: number };
/** What came of a session, as its subscriber saw it. */
export type SessionSeen = {
  readonly plan: SessionPlan;
  /** Screens of the ledger, as they came. */
  readonly screens: readonly string[];
  /** "done", a text of the gateway, or what should never be. */
  readonly end: string;
  /** The screen that should never be. */
  readonly odd?: string;
  readonly sent: number;
  /** Each request and what came of it, to be read beside what a checker found. */
  readonly story: readonly string[];
};
/** A request whose connection lived, and that took long: who is to blame is checked later. */
export type SlowRequest = {
  readonly node: number;
  readonly networkId: string;
  readonly sentAt: number;
  readonly tookMs: number;
  readonly answered: boolean;
  /** How late this process was itself meanwhile. */
  readonly lagMs: number;
};
export type CallersReport = {
  readonly sessions: readonly SessionSeen[];
  readonly slow: readonly SlowRequest[];
  readonly requests: number;
  readonly broken: number;
};

/** Beyond the budget, an aggregator waits no longer. */
const PATIENCE_MS = 2_500;
const GIVE_UP_MS = 120_000;
const AFTERWARDS_EVERY_MS = 200;
const LAG_EVERY_MS = 50;
/** Before the process itself can have been late. */
const SLOW_MS = 100;

const slow: SlowRequest[] = [];
const lags: { at: number; ms: number }[] = [];
let requests = 0;
let broken = 0;

process.on("disconnect", () => process.exit(0));
process.once("message", (order: CallersOrder) => void hold(order));

async function hold({ options, ports, file }: CallersOrder): Promise<void> {
  const agent = new Agent({ connect: { timeout: 2_000 }, pipelining: 1 });
  const lagTimer = watchLag();
  const startMs = performance.now();
  const sessions: Promise<SessionSeen>[] = [];
  let over = 0;
  const tell = () => process.send?.({ type: "progress", begun: sessions.length, over });
  const timer = setInterval(tell, 500);
  const calm = once(process, "message");
  for (const plan of planSessions(options)) {
    if (plan.isAfterwards) await calm.then(() => wait(AFTERWARDS_EVERY_MS));
    const leftMs = startMs + plan.atMs - performance.now();
    if (leftMs > 0) await wait(leftMs);
    sessions.push(live(plan, { agent, ports, budgetMs: options.budgetMs }).finally(() => over++));
  }
  const seen = await Promise.all(sessions);
  clearInterval(timer);
  clearInterval(lagTimer);
  await agent.destroy();
  const report: CallersReport = { sessions: seen, slow, requests, broken };
  writeFileSync(file, JSON.stringify(report));
  tell();
  process.send?.({ type: "written" });
}

type Network = {
  readonly agent: Agent;
  readonly ports: readonly number[];
  readonly budgetMs: number;
};

async function live(plan: SessionPlan, network: Network): Promise<SessionSeen> {
  const screens: string[] = [];
  const story: string[] = [];
  let sent = 0;
  for (let step = 0; step <= plan.inputs.length; step += 1) {
    if (step > 0) await wait(plan.thinkMs);
    const inputs = plan.inputs.slice(0, step);
    const { text, isEnd, tries } = await insist(plan, inputs, network, { sent, story });
    sent += tries;
    if (text === undefined) return { plan, screens, end: "no_answer", sent, story };
    const kind = TEXTS.get(text);
    if (kind !== undefined) return { plan, screens, end: kind, sent, story };
    if (text !== screenAfter(plan.msisdn, inputs))
      return { plan, screens, end: "wrong_screen", odd: text, sent, story };
    screens.push(text);
    if (isEnd !== (step === plan.inputs.length))
      return { plan, screens, end: "wrong_end", odd: text, sent, story };
  }
  return { plan, screens, end: "done", sent, story };
}

type Insisted = {
  readonly text: string | undefined;
  readonly isEnd: boolean;
  readonly tries: number;
};

/** The same request until a screen comes, each time to the next node. */
async function insist(
  plan: SessionPlan,
  inputs: readonly string[],
  network: Network,
  { sent, story }: { readonly sent: number; readonly story: string[] },
): Promise<Insisted> {
  const untilMs = performance.now() + GIVE_UP_MS;
  let hangsUp = plan.isImpatient && inputs.length > 0;
  for (let tries = 1; ; tries += 1) {
    const node = (plan.node + sent + tries) % NODES;
    const sentAt = Date.now();
    const screen = await send(plan, inputs, network, node, hangsUp);
    const came = screen?.text.slice(-20) ?? (hangsUp ? "hung up" : "nothing");
    const asked = `${inputs.at(-1) ?? "dial"} at ${clock(sentAt)} to ${node}`;
    story.push(`${asked}: ${came}, ${Date.now() - sentAt} ms`);
    hangsUp = false;
    if (screen !== undefined && TEXTS.get(screen.text) !== "wait") return { ...screen, tries };
    if (performance.now() > untilMs) return { text: undefined, isEnd: false, tries };
    await wait(100 + Math.random() * 300);
  }
}

async function send(
  { wire, code, msisdn, networkId }: SessionPlan,
  inputs: readonly string[],
  { agent, ports, budgetMs }: Network,
  node: number,
  hangsUp: boolean,
): Promise<{ readonly text: string; readonly isEnd: boolean } | undefined> {
  const { path, type, body } = writeRequest(wire, { code, msisdn, networkId, inputs });
  const sentAt = Date.now();
  const patienceMs = hangsUp ? Math.floor(20 + Math.random() * 200) : budgetMs + PATIENCE_MS;
  const signal = AbortSignal.timeout(patienceMs);
  requests += 1;
  const note = (answered: boolean): void => {
    const tookMs = Date.now() - sentAt;
    if (tookMs <= budgetMs + SLOW_MS || hangsUp) return;
    slow.push({ node, networkId, sentAt, tookMs, answered, lagMs: lagIn(sentAt, Date.now()) });
  };
  try {
    const headers = { "content-type": type };
    const url = `http://127.0.0.1:${ports[node]}${path}`;
    const options = { method: "POST" as const, headers, body, signal, dispatcher: agent };
    const response = await request(url, { ...options, headersTimeout: 0, bodyTimeout: 0 });
    const text = await response.body.text();
    note(true);
    return readScreen(wire, response.statusCode, text) ?? odd(response.statusCode, text);
  } catch (error) {
    // The connection lived and nothing came; all else broke.
    if ((error as Error).name === "TimeoutError") note(false);
    else broken += 1;
    return undefined;
  }
}

/** An answer that is no screen: the session ends with it, as "wrong_screen". */
function odd(status: number, body: string) {
  return { text: `status ${status}: ${body.slice(0, 200)}`, isEnd: true };
}

/** A busy machine delays this process too: its lateness is not the gateway's. */
function watchLag(): NodeJS.Timeout {
  let last = performance.now();
  return setInterval(() => {
    const now = performance.now();
    const ms = now - last - LAG_EVERY_MS;
    last = now;
    if (ms < LAG_EVERY_MS) return;
    lags.push({ at: Date.now(), ms });
    if (lags.length > 2_000) lags.shift();
  }, LAG_EVERY_MS);
}
function lagIn(from: number, to: number): number {
  const within = lags.filter(({ at, ms }) => at >= from && at - ms <= to + LAG_EVERY_MS);
  return Math.round(within.reduce((sum, { ms }) => sum + ms, 0));
}
