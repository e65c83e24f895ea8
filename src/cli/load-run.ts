/**
 * Sessions that begin at a constant rate, whatever becomes of those before: an open loop, as
 * subscribers are one. A latency counts from when the turn should have been sent, not from when it
 * was: a gateway that stalls delays the sender too, and would look fast (coordinated omission).
 */
import { setTimeout as wait } from "node:timers/promises";
import { parseMsisdn } from "../core/address.ts";
import { failureTextOf } from "../core/failure.ts";
import type { Reply } from "../types.ts";
import { GatewayError, type Send } from "./gateway-client.ts";
import { createLatencies, type LatencySummary } from "./latencies.ts";
import { exchange, turnOf, type Call } from "./network.ts";

export type LoadPlan = {
  readonly ratePerS: number;
  readonly sessions: number;
  /** Typed one after the other, until the application ends the session. */
  readonly inputs: readonly string[];
  /** Between a screen and what is typed on it. */
  readonly thinkMs: number;
  /** More sessions than this are not begun, and counted. */
  readonly openMax: number;
  readonly firstMsisdn: number;
};
export type LoadIo = {
  readonly send: Send;
  readonly nowMs: () => number;
  readonly newSessionId: () => string;
  /** No further session begins; those under way are finished. */
  readonly stop: AbortSignal;
  readonly onProgress?: (tally: LoadTally) => void;
};
export type LoadTally = {
  readonly started: number;
  /** Ended by the application, or left where the inputs end. */
  readonly finished: number;
  /** Of the finished: ended before everything was typed. */
  readonly endedEarly: number;
  readonly failed: number;
  readonly notStarted: number;
  readonly open: number;
  readonly turns: number;
  readonly errors: ReadonlyMap<string, number>;
};
export type LoadResult = LoadTally & {
  readonly tookMs: number;
  readonly latency: LatencySummary | undefined;
  /** How late this process sent: where that is much, the figures are its own. */
  readonly sentLate: LatencySummary | undefined;
};

/** Subscribers take turns: so many numbers from the first. */
export const NUMBERS = 100_000;
const PROGRESS_MS = 200;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Run = {
  readonly call: Call;
  readonly plan: LoadPlan;
  readonly io: LoadIo;
  readonly tally: Mutable<LoadTally> & { readonly errors: Map<string, number> };
  readonly latency: ReturnType<typeof createLatencies>;
  readonly sentLate: ReturnType<typeof createLatencies>;
};

export async function runLoad(call: Call, plan: LoadPlan, io: LoadIo): Promise<LoadResult> {
  const counts = { started: 0, finished: 0, endedEarly: 0, failed: 0, notStarted: 0 };
  const run: Run = {
    ...{ call, plan, io },
    tally: { ...counts, open: 0, turns: 0, errors: new Map<string, number>() },
    latency: createLatencies(),
    sentLate: createLatencies(),
  };
  const startMs = io.nowMs();
  const timer = setInterval(() => io.onProgress?.(run.tally), PROGRESS_MS);
  try {
    await arrive(run, startMs);
  } finally {
    clearInterval(timer);
  }
  return {
    ...run.tally,
    tookMs: io.nowMs() - startMs,
    latency: run.latency.summary(),
    sentLate: run.sentLate.summary(),
  };
}

/** Begins each session at its time and waits for the last to end. */
async function arrive(run: Run, startMs: number): Promise<void> {
  const { plan, io, tally } = run;
  const open = new Set<Promise<void>>();
  for (let index = 0; index < plan.sessions; index += 1) {
    const dueMs = startMs + (index * 1_000) / plan.ratePerS;
    const leftMs = dueMs - io.nowMs();
    if (leftMs > 0) await wait(leftMs, undefined, { signal: io.stop }).catch(() => undefined);
    if (io.stop.aborted) break;
    if (open.size >= plan.openMax) {
      tally.notStarted += 1;
      count(run, "not_started");
      continue;
    }
    tally.started += 1;
    const session = hold(run, index, dueMs).finally(() => {
      open.delete(session);
      tally.open = open.size;
    });
    open.add(session);
    tally.open = open.size;
  }
  await Promise.all(open);
}

/** One whole session. Never rejects: what goes wrong is counted. */
async function hold(run: Run, index: number, startMs: number): Promise<void> {
  const { plan, io, tally } = run;
  const msisdn = parseMsisdn(String(plan.firstMsisdn + (index % NUMBERS)));
  const call: Call = { ...run.call, msisdn };
  const sessionId = io.newSessionId();
  let inputs = call.dialledDigits;
  let memo: string | undefined;
  let dueMs = startMs;
  for (let number = 1; ; number += 1) {
    const reply = await take(run, call, { sessionId, number, inputs, memo, dueMs });
    if (reply === undefined) {
      tally.failed += 1;
      return;
    }
    const typed = plan.inputs[number - 1];
    if (reply.action === "end" || typed === undefined) {
      tally.finished += 1;
      if (typed !== undefined) tally.endedEarly += 1;
      return;
    }
    dueMs = io.nowMs() + plan.thinkMs;
    if (plan.thinkMs > 0) await wait(plan.thinkMs);
    inputs = [...inputs, typed];
    ({ memo } = reply);
  }
}

type Asking = {
  readonly sessionId: string;
  readonly number: number;
  readonly inputs: readonly string[];
  readonly memo: string | undefined;
  readonly dueMs: number;
};

/** One turn, timed; undefined where no screen of the application came. */
async function take(
  run: Run,
  call: Call,
  { sessionId, number, inputs, memo, dueMs }: Asking,
): Promise<Reply | undefined> {
  const { io, tally } = run;
  run.sentLate.add(io.nowMs() - dueMs);
  const turn = turnOf(call, sessionId, number, inputs, memo);
  const answered = await exchange(call, turn, io.send).catch((error: unknown) => kindOf(error));
  if (typeof answered === "string") {
    count(run, answered);
    return undefined;
  }
  tally.turns += 1;
  run.latency.add(io.nowMs() - dueMs);
  const failure = answered.action === "end" ? failureTextOf(answered.screen) : undefined;
  if (failure === undefined) return answered;
  count(run, `screen_${failure}`);
  return undefined;
}

function count({ tally }: Run, kind: string): void {
  tally.errors.set(kind, (tally.errors.get(kind) ?? 0) + 1);
}

/** "status_503", "timeout", "ECONNREFUSED", …: few kinds, whatever is thrown. */
function kindOf(error: unknown): string {
  if (error instanceof GatewayError) {
    const { status = 0 } = error;
    return status >= 200 && status <= 299 ? "not_the_protocol" : `status_${status}`;
  }
  if (!(error instanceof Error)) return "other";
  if (error.name === "TimeoutError" || error.name === "AbortError") return "timeout";
  return "code" in error && typeof error.code === "string" ? error.code : "other";
}
