/** This process as one node among others: its beat, its figures, and who else is there. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Cluster, NodeBeat, NodeSeen, TakenRequests } from "../types.ts";
import { createEvents, type Events } from "./events.ts";
import { createPulse, type Pulse } from "./pulse.ts";
import { shareEvents } from "./shared-events.ts";

export type OwnNode = {
  readonly id: string;
  readonly events: Events;
  readonly countTurn: () => void;
  readonly pulse: Pulse;
  /** As Cluster.count, of this node; undefined where it is the only one. */
  readonly countRequests: CountRequests | undefined;
  /** This node first, then all others that were heard of lately. */
  readonly list: () => Promise<readonly NodeSeen[]>;
  /** Says that this node takes no new turns. */
  readonly drain: () => Promise<void>;
  readonly leave: () => Promise<void>;
  /** Passes a text on to the other nodes; undefined where this node is the only one. */
  readonly pass: ((text: string) => Promise<void>) | undefined;
};
export type CountRequests = (taken: Omit<TakenRequests, "nodeId">) => ReturnType<Cluster["count"]>;
export type NodeOptions = {
  readonly version: string;
  /** Undefined where this node is the only one. */
  readonly cluster: Cluster | undefined;
  readonly openBreakers: ReadonlySet<number>;
  readonly wallMs: () => number;
  readonly nowMs: () => number;
  readonly report: (error: unknown) => void;
  /** Hears what any node passed on, this one too. */
  readonly onPassed: (text: string) => void;
};

const BEAT_EVERY_MS = 2_000;
const OPEN_BREAKERS_TOLD_MAX = 100;
const NANO = 1e6;

export async function startNode(options: NodeOptions): Promise<OwnNode> {
  const { version, cluster, openBreakers, wallMs, nowMs, report, onPassed } = options;
  const id = randomBytes(6).toString("hex");
  const startedAtMs = wallMs();
  const local = createEvents();
  const opened: { line?: Awaited<ReturnType<Cluster["hear"]>> } = {};
  const hear: Cluster["hear"] | undefined =
    cluster &&
    (async (told) => {
      const line = await cluster.hear((text, topic) =>
        topic === "answers" ? onPassed(text) : told(text, topic),
      );
      opened.line = line;
      return line;
    });
  const shared = hear && (await shareEvents(local, hear, { nodeId: id, nowMs, report }));
  const { line } = opened;
  const rates = createRates(nowMs);
  const pulse = createPulse(wallMs);
  let isDraining = false;

  const self = (): NodeBeat => ({
    ...{ id, host: hostname().slice(0, 200), pid: process.pid, version, startedAtMs, isDraining },
    figures: {
      ...rates.read(),
      rssOctets: process.memoryUsage.rss(),
      openBreakers: [...openBreakers].slice(0, OPEN_BREAKERS_TOLD_MAX),
      eventsDropped: shared?.dropped() ?? 0,
      pulse: pulse.read(),
    },
  });
  const beat = async () => {
    rates.next();
    await cluster?.beat(self());
  };
  let beating: Promise<void> | undefined;
  const beatOnce = () =>
    (beating ??= beat()
      .catch(report)
      .finally(() => {
        beating = undefined;
      }));
  await beatOnce();
  const timer = setInterval(() => void beatOnce(), BEAT_EVERY_MS);
  timer.unref();

  return {
    id,
    events: shared ?? local,
    countTurn: rates.countTurn,
    pass: line && ((text) => line.say([text], "answers")),
    pulse,
    countRequests: cluster && ((taken) => cluster.count({ ...taken, nodeId: id })),
    async list() {
      const me = { ...self(), seenAtMs: wallMs() };
      const others = (await cluster?.list()) ?? [];
      return [me, ...others.filter((other) => other.id !== id)];
    },
    async drain() {
      isDraining = true;
      await beating;
      await beatOnce();
    },
    async leave() {
      clearInterval(timer);
      rates.close();
      await beating;
      await cluster?.leave(id).catch(report);
    },
  };
}

/** What happened since the beat before. */
function createRates(nowMs: () => number) {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  let turns = 0;
  let before = { atMs: nowMs(), turns: 0, cpu: process.cpuUsage() };
  let rates = { turnsPerSecond: 0, cpuShare: 0, loopDelayMs: 0 };
  return {
    countTurn() {
      turns += 1;
    },
    next() {
      const atMs = nowMs();
      const seconds = Math.max(0.001, (atMs - before.atMs) / 1_000);
      const { user, system } = process.cpuUsage(before.cpu);
      rates = {
        turnsPerSecond: round((turns - before.turns) / seconds),
        cpuShare: round((user + system) / 1e6 / seconds),
        loopDelayMs: round(Math.max(0, delay.percentile(99) / NANO)),
      };
      delay.reset();
      before = { atMs, turns, cpu: process.cpuUsage() };
    },
    read: () => ({ turns, ...rates }),
    close: () => void delay.disable(),
  };
}

const round = (value: number) => Math.round(value * 1_000) / 1_000;
