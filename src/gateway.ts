/**
 * One turn on one screen: all branching of a turn is in core/, all IO of it is awaited here.
 * DESIGN §2: decode, open, decide, ask, fit, settle, encode.
 */
import type { BackendResult } from "./backend/call.ts";
import { endWith, type FailureCode, type Language, WireError } from "./core/failure.ts";
import { asksForSecret } from "./core/redact.ts";
import type { Routes } from "./core/route.ts";
import { fitScreen, PAGE_LABELS } from "./core/screen.ts";
import {
  abortSession,
  closeTurn,
  fingerprint,
  noticeTurn,
  openTurn,
  pageReply,
} from "./core/turn.ts";
import type { Answered, Opened, ToAsk, Unkept } from "./core/turn.ts";
import type {
  Answer,
  Ask,
  AttemptRecord,
  Backend,
  Channel,
  Held,
  Inbound,
  Lease,
  Paging,
  Reply,
} from "./types.ts";
import type {
  Session,
  SessionStore,
  Turn,
  TurnOutcome,
  TurnRecord,
  WireReply,
  WireRequest,
} from "./types.ts";

/** What a turn needs from outside, passed in: tests pass their own. */
export type Gateway = {
  readonly routes: Routes;
  readonly backendById: (id: number) => Backend | undefined;
  readonly store: SessionStore;
  readonly callBackend: (backend: Backend, turn: Turn, budget: Budget) => Promise<BackendResult>;
  readonly notifyBackend: (backend: Backend, turn: Turn) => void;
  /** One wide event for each turn: log, metrics and live events are made of it. */
  readonly observe: (event: TurnEvent) => void;
  readonly report: (error: unknown) => void;
  /** Monotonic: budgets are measured with it. */
  readonly nowMs: () => number;
  /** Wall clock: leases, TTLs and records carry it. */
  readonly wallMs: () => number;
  readonly waitMs: (ms: number) => Promise<void>;
  readonly newSessionId: () => string;
  readonly digest: (text: string) => string;
  readonly language: Language;
  readonly sessionTtlMs: number;
  readonly turnsMax: number;
  readonly secretPatterns: readonly RegExp[];
};
export type Budget = {
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  /** Gateways that this turn has passed: X-Ussd-Hop of its request. */
  readonly hops: number;
};

export type TurnEvent = {
  readonly channel: Channel;
  readonly inbound: Inbound;
  readonly outcome: TurnOutcome;
  /** Undefined where nothing is known that could be kept. */
  readonly session: Session | undefined;
  readonly record: TurnRecord | undefined;
  readonly tookMs: number;
};

/** What came of one exchange, and how to say later that it did not reach the network. */
export type Exchange = {
  readonly wire: WireReply;
  readonly key: string;
  readonly sessionId: string | undefined;
};

/** A lease outlives its turn's deadline by this, so that a late settle still counts. */
const LEASE_SPARE_MS = 2_000;
const BUSY_POLL_MS = 20;
/** RELIABILITY 2.2: a second, different input waits at most this long. */
const BUSY_WAIT_MS = 500;

/** One exchange with a network: plain request in, plain reply out. Throws WireError only. */
export async function handleTurn(
  gateway: Gateway,
  channel: Channel,
  request: WireRequest,
): Promise<Exchange> {
  const startedAtMs = gateway.nowMs();
  const hops = hopsOf(request);
  const inbound = channel.codec.decode(request);
  const key = sessionKey(gateway, channel, inbound);
  const arrival = { key, startedAtMs, octets: request.body.length, hops };
  const taken = await takeTurn(gateway, channel, inbound, arrival).catch((error: unknown) => {
    gateway.report(error);
    return failed(gateway, "internal_error", inbound);
  });
  const wire = channel.codec.encode(taken.answer, inbound, gateway.wallMs());
  return { wire, key, sessionId: taken.sessionId };
}

type Arrival = {
  readonly key: string;
  readonly startedAtMs: number;
  readonly octets: number;
  readonly hops: number;
};
type Taken = { readonly answer: Answer; readonly sessionId: string | undefined };

/** Open, decide, ask, settle. */
async function takeTurn(
  gateway: Gateway,
  channel: Channel,
  inbound: Inbound,
  arrival: Arrival,
): Promise<Taken> {
  const { digest } = gateway;
  const held = await openWhenFree(gateway, channel, inbound, arrival);
  if (held.type === "failed") return observed(gateway, channel, inbound, arrival, held.code);
  const { lease, session, redriven, lostTurns } = held;
  const opened = openTurn(inbound, session, {
    routes: gateway.routes,
    backendById: gateway.backendById,
    digest,
    freshId: lease.freshId,
    provider: channel.provider,
    isRetransmit: held.waited || held.undelivered,
    redriven,
    lostTurns,
    turnsMax: gateway.turnsMax,
  });
  if (opened.type === "unkept") {
    await gateway.store.release(lease);
    return opened.code === undefined
      ? NO_SCREEN
      : observed(gateway, channel, inbound, arrival, opened.code);
  }
  const done =
    opened.type === "ask"
      ? await ask(gateway, channel, opened, arrival)
      : answered(gateway, opened);
  return settle(gateway, channel, inbound, { arrival, lease, opened, done });
}

const NO_SCREEN: Taken = {
  answer: { reply: undefined, failure: undefined, serviceCode: undefined },
  sessionId: undefined,
};

/** What a turn came to: the screen, and what the record says about how it was got. */
type Done = {
  readonly outcome: TurnOutcome;
  readonly reply: Reply | undefined;
  readonly failure: FailureCode | undefined;
  readonly session: Session;
  readonly attempts: readonly AttemptRecord[];
  readonly backendMs: number;
  readonly replyOctets: number;
};

/** Calls the backend (once for each digit dialled after the code) and fits its screen. */
async function ask(
  gateway: Gateway,
  channel: Channel,
  opened: ToAsk,
  arrival: Arrival,
): Promise<Done> {
  const { startedAtMs, hops } = arrival;
  const budget = { startedAtMs, deadlineMs: startedAtMs + channel.turnBudgetMs, hops };
  const calledAtMs = gateway.nowMs();
  const attempts: AttemptRecord[] = [];
  let replyOctets = 0;
  let result: BackendResult | undefined;
  let lastNumber: number | undefined;
  for (const call of opened.calls) {
    result = await gateway.callBackend(opened.backend, call, budget);
    attempts.push(...result.attempts);
    replyOctets += result.replyOctets;
    lastNumber = call.number;
    if (result.type === "failed" || result.reply.action === "end") break;
  }
  const backendMs = gateway.nowMs() - calledAtMs;
  const fitted = fitResult(gateway, channel, result);
  const session = closeTurn(opened.session, { ...fitted, lastNumber });
  const { reply, failure } = fitted;
  return { outcome: failure ?? "ok", reply, failure, session, attempts, backendMs, replyOctets };
}

type FittedResult = {
  readonly reply: Reply;
  readonly failure: FailureCode | undefined;
  readonly paging: Paging | undefined;
  readonly asksSecret: boolean;
};

/** A backend's answer as a screen that the channel can show: whole, in pages, or a failure's. */
function fitResult(
  gateway: Gateway,
  channel: Channel,
  result: BackendResult | undefined,
): FittedResult {
  const fail = (failure: FailureCode): FittedResult => {
    return {
      reply: endWith(failure, gateway.language),
      failure,
      paging: undefined,
      asksSecret: false,
    };
  };
  if (result === undefined) return fail("internal_error");
  if (result.type === "failed") return fail(result.code);
  const { reply } = result;
  const asksSecret =
    reply.action === "continue" && asksForSecret(reply.screen, gateway.secretPatterns);
  const limits = {
    octetsMax: channel.screenOctetsMax,
    transliterate: channel.transliterate,
  };
  const fitted = fitScreen(reply.screen, limits, PAGE_LABELS[gateway.language]);
  switch (fitted.type) {
    case "fits":
      return {
        reply: { ...reply, screen: fitted.screen },
        failure: undefined,
        paging: undefined,
        asksSecret,
      };
    case "paged": {
      const { pages, moreKey, backKey } = fitted;
      const paging = { pages, moreKey, backKey, shown: 0, action: reply.action };
      const first = { ...reply, ...pageReply(pages, 0, reply.action) };
      return { reply: first, failure: undefined, paging, asksSecret };
    }
    case "too_long":
      return fail("backend_malformed");
  }
}

const NOT_ASKED = { attempts: [], backendMs: 0, replyOctets: 0 } as const;

/** Turns whose answer is known without asking a backend. */
function answered(gateway: Gateway, opened: Exclude<Answered, Unkept>): Done {
  switch (opened.type) {
    case "repeat": {
      const { session } = opened;
      const { lastReply: reply, lastFailure: failure } = session;
      return { ...NOT_ASKED, outcome: "repeat", reply, failure, session };
    }
    case "page": {
      const { reply, session } = opened;
      const closed = closeTurn(session, {
        reply,
        failure: undefined,
        paging: session.paging,
        asksSecret: session.asksSecret,
        lastNumber: undefined,
      });
      return { ...NOT_ASKED, outcome: "page", reply, failure: undefined, session: closed };
    }
    case "abort": {
      const session = abortSession(opened.session);
      return { ...NOT_ASKED, outcome: "abort", reply: undefined, failure: undefined, session };
    }
    case "failed": {
      const { code } = opened;
      const reply = endWith(code, gateway.language);
      const closing = {
        reply,
        failure: code,
        paging: undefined,
        asksSecret: false,
        lastNumber: undefined,
      };
      const session = closeTurn(opened.session, closing);
      return { ...NOT_ASKED, outcome: code, reply, failure: code, session };
    }
  }
}

type Settling = {
  readonly arrival: Arrival;
  readonly lease: Lease;
  readonly opened: Opened;
  readonly done: Done;
};

/** Writes session and record, gives the lease back and tells who listens. */
async function settle(
  gateway: Gateway,
  channel: Channel,
  inbound: Inbound,
  settling: Settling,
): Promise<Taken> {
  const { arrival, lease, opened, done } = settling;
  const { reply, session } = done;
  const wallMs = gateway.wallMs();
  const tookMs = gateway.nowMs() - arrival.startedAtMs;
  const record: TurnRecord = {
    outcome: done.outcome,
    startedAtMs: Math.round(wallMs - tookMs),
    tookMs: roundMs(tookMs),
    backendMs: roundMs(done.backendMs),
    input: "shownInput" in opened ? opened.shownInput : "",
    screen: reply?.screen ?? "",
    action: reply?.action,
    attempts: done.attempts,
    requestOctets: arrival.octets,
    replyOctets: done.replyOctets,
    flaw: reply?.flaw,
  };
  const settlement = {
    session,
    channel: channel.name,
    record,
    nowMs: wallMs,
    expiresAtMs: wallMs + gateway.sessionTtlMs,
  };
  const settled = await gateway.store.settle(lease, settlement).catch((error: unknown) => {
    gateway.report(error);
    return undefined;
  });
  // Not written: the turn may be driven again, so nothing can be promised (RELIABILITY 2.3).
  if (settled !== true) {
    return observed(
      gateway,
      channel,
      inbound,
      arrival,
      settled === false ? "session_busy" : "turn_unsettled",
    );
  }
  gateway.observe({ channel, inbound, outcome: done.outcome, session, record, tookMs });
  if (opened.type === "abort") tellBackend(gateway, session);
  return {
    answer: { reply, failure: done.failure, serviceCode: session.serviceCode },
    sessionId: session.id,
  };
}

type HeldOrFailed =
  | (Extract<Held, { type: "leased" }> & { readonly waited: boolean })
  | { readonly type: "failed"; readonly code: FailureCode };

/** A twin waits for the answer in the making; another input waits briefly. */
async function openWhenFree(
  gateway: Gateway,
  channel: Channel,
  inbound: Inbound,
  arrival: Arrival,
): Promise<HeldOrFailed> {
  const ask = (): Ask => ({
    key: arrival.key,
    freshId: gateway.newSessionId(),
    msisdn: inbound.msisdn,
    digest: gateway.digest(fingerprint(inbound)),
    nowMs: gateway.wallMs(),
    leaseMs: channel.turnBudgetMs + LEASE_SPARE_MS,
  });
  let waited = false;
  for (;;) {
    const held: Held | undefined = await gateway.store.open(ask()).catch((error: unknown) => {
      gateway.report(error);
      return undefined;
    });
    if (held === undefined) return { type: "failed", code: "store_unavailable" };
    if (held.type === "leased") return { ...held, waited };
    waited = held.twin;
    const untilMs = arrival.startedAtMs + (held.twin ? channel.turnBudgetMs : BUSY_WAIT_MS);
    if (gateway.nowMs() + BUSY_POLL_MS > untilMs) return { type: "failed", code: "session_busy" };
    await gateway.waitMs(BUSY_POLL_MS);
  }
}

/** RELIABILITY 2.7: a chain of gateways whose last calls the first must not run for ever. */
function hopsOf({ headers }: WireRequest): number {
  const text = headers["x-ussd-hop"];
  if (text === undefined) return 0;
  const hops = /^[0-9]$/.test(text) ? Number(text) : HOPS_MAX;
  if (hops >= HOPS_MAX) throw new WireError("bad_field", "x-ussd-hop: too many gateways in a row");
  return hops;
}
const HOPS_MAX = 5;

/** Channel, the network's id and the number: another MSISDN never meets an old state. */
function sessionKey(gateway: Gateway, channel: Channel, inbound: Inbound): string {
  return gateway.digest(`${channel.name}\n${inbound.sessionId ?? ""}\n${inbound.msisdn ?? ""}`);
}

function failed(gateway: Gateway, failure: FailureCode, inbound: Inbound): Taken {
  const reply = endWith(failure, gateway.language);
  return { answer: { reply, failure, serviceCode: inbound.dialled }, sessionId: undefined };
}

function observed(
  gateway: Gateway,
  channel: Channel,
  inbound: Inbound,
  arrival: Arrival,
  code: FailureCode,
): Taken {
  const tookMs = gateway.nowMs() - arrival.startedAtMs;
  gateway.observe({
    channel,
    inbound,
    outcome: code,
    session: undefined,
    record: undefined,
    tookMs,
  });
  return failed(gateway, code, inbound);
}

function tellBackend(gateway: Gateway, session: Session): void {
  const backend =
    session.backendId === undefined ? undefined : gateway.backendById(session.backendId);
  if (backend?.codec.notice)
    gateway.notifyBackend(backend, noticeTurn(session, session.msisdn, backend));
}

function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
