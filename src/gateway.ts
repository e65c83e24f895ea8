/**
 * One turn on one screen: takeTurn. All branching of a turn is in core/, all IO of it is awaited
 * here. DESIGN §2: decode, open, decide, ask, fit, settle, encode.
 */
import type { Kept } from "./backend/apps.ts";
import type { Deadlines } from "./backend/deadlines.ts";
import type { AttemptOnWire, BackendResult } from "./backend/call.ts";
import { closeAnswered, closeAsked, type Closed, type Limits, truthfully } from "./core/answer.ts";
import { type FailureCode, WireError } from "./core/failure.ts";
import type { Routes } from "./core/route.ts";
import { fingerprint, isPlainDial, noticeTurn, openTurn, type ToAsk } from "./core/turn.ts";
import { endWith } from "./core/words.ts";
import type {
  Answer,
  AttemptRecord,
  Backend,
  Channel,
  Held,
  Inbound,
  Lease,
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
  readonly callBackend: (
    backend: Backend,
    turn: Turn,
    budget: Budget,
    kept: Kept,
  ) => Promise<BackendResult>;
  readonly notifyBackend: (backend: Backend, turn: Turn, appState: string | undefined) => void;
  /** Transports say so when a screen went out. */
  readonly onShown?: (sessionId: string) => void;
  /** One wide event for each turn: log, metrics and live events are made of it. */
  readonly observe: (event: TurnEvent) => void;
  readonly report: (error: unknown) => void;
  /** Monotonic: budgets are measured with it. */
  readonly nowMs: () => number;
  /** The same, of what is read now: when it may have come (transports/standstill.ts). */
  readonly cameAtMs: () => number;
  /** Wall clock: leases, TTLs and records carry it. */
  readonly wallMs: () => number;
  readonly waitMs: (ms: number) => Promise<void>;
  /** By `nowMs`. */
  readonly deadlines: Pick<Deadlines, "add" | "cancel">;
  readonly newSessionId: () => string;
  /** A keyed hash. */
  readonly digest: (text: string) => string;
  /** The same for names of sessions, which come again with every turn. */
  readonly keyOf: (name: string) => string;
  /** Those in force now: people change them while turns go on. */
  readonly words: () => Limits["words"];
  readonly secretPatterns: () => Limits["secretPatterns"];
  readonly sessionTtlMs: number;
  readonly turnsMax: number;
};
export type Budget = {
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  /** Gateways that this turn has passed: X-Ussd-Hop of its request. */
  readonly hops: number;
  /** Of a turn that somebody looks at: each attempt as it was on the wire. */
  readonly onAttempt?: ((attempt: AttemptOnWire) => void) | undefined;
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
  /** There is a screen, and it has not been shown yet: where it goes out as a call of ours. */
  readonly isDue: boolean;
};

/** A lease outlives its turn's deadline by this, so that a late settle still counts. */
const LEASE_SPARE_MS = 2_000;
const BUSY_POLL_MS = 20;
/** After a crash many wait for long: they must not keep the store busy. */
const BUSY_POLL_GROWTH = 1.3;
const BUSY_POLL_MS_MAX = 250;
/** With less of its budget left, a turn that a crash cut off is left to the next message. */
const REDRIVE_SHARE_MIN = 0.5;
/** RELIABILITY 2.2: a second, different input waits at most this long. */
const BUSY_WAIT_MS = 500;
const HOPS_MAX = 5;

/** One request of a network, on its way through. */
type Visit = {
  readonly gateway: Gateway;
  readonly channel: Channel;
  readonly inbound: Inbound;
  readonly key: string;
  /** Fingerprint of the message, hashed once. */
  readonly said: string;
  readonly saidDigest: string;
  readonly octets: number;
  readonly budget: Budget;
  readonly isGone: () => boolean;
};

/**
 * One exchange with a network: plain request in, plain reply out. Throws WireError only. `isGone`
 * says that nobody waits for the reply any more, where the transport can tell.
 */
export async function handleTurn(
  gateway: Gateway,
  channel: Channel,
  request: WireRequest,
  isGone: () => boolean = () => false,
): Promise<Exchange> {
  const visit = beginVisit(gateway, channel, request, isGone);
  const taken = await takeTurn(visit).catch((error: unknown) => {
    gateway.report(error);
    return refused(visit, "internal_error");
  });
  const wire = channel.codec.encode(taken.answer, visit.inbound, gateway.wallMs());
  const isDue = taken.answer.reply !== undefined && taken.isShown !== true;
  return { wire, key: visit.key, sessionId: taken.sessionId, isDue };
}

type Taken = {
  readonly answer: Answer;
  readonly sessionId: string | undefined;
  /** The reply is a repeat of one that the network has taken. */
  readonly isShown?: boolean;
};

/** Open, decide, ask, settle. */
async function takeTurn(visit: Visit): Promise<Taken> {
  const { gateway, channel, inbound } = visit;
  if (inbound.phase === "notice") return NO_SCREEN;
  // It waited for us until its time was over (F61): another node may have answered it since.
  if (isTooLate(visit)) return refused(visit, "session_busy");
  const held = await openWhenFree(visit);
  if (inbound.phase === "query") return tellLife(gateway, held);
  if (held.type === "failed") return refused(visit, held.code);
  const { lease, redriven, lostTurns } = held;
  const leftMs = visit.budget.deadlineMs - gateway.nowMs();
  const isShort = redriven && leftMs < channel.turnBudgetMs * REDRIVE_SHARE_MIN;
  if (isShort || isTooLate(visit)) {
    await gateway.store.release(lease); // an unsettled turn stays one, so it is driven again
    return refused(visit, "session_busy");
  }
  const opened = openTurn(inbound, held.session, {
    routes: gateway.routes,
    backendById: gateway.backendById,
    digest: (text) => (text === visit.said ? visit.saidDigest : gateway.digest(text)),
    freshId: lease.freshId,
    provider: channel.provider,
    // A turn cut off by a crash has had no answer: it repeats nothing.
    isRetransmit: held.undelivered || (!redriven && held.waited),
    redriven,
    lostTurns,
    turnsMax: gateway.turnsMax,
  });
  if (opened.type === "unkept") {
    await gateway.store.release(lease);
    return opened.code === undefined ? NO_SCREEN : refused(visit, opened.code);
  }
  const done =
    opened.type === "ask"
      ? await ask(visit, opened, held)
      : { ...closeAnswered(opened, gateway.words()), ...NOT_ASKED };
  const settled = await settle(visit, lease, done, "shownInput" in opened ? opened.shownInput : "");
  if (opened.type === "abort") tellBackend(gateway, done.session, opened.session.appState);
  return { ...settled, isShown: opened.type === "repeat" && !held.undelivered };
}

/** Nobody would read its screen. */
function isTooLate({ gateway, inbound, budget, isGone }: Visit): boolean {
  return wantsScreen(inbound) && (isGone() || gateway.nowMs() >= budget.deadlineMs);
}

/** What is not a notice or a question to us: that has its effect, however late it is. */
function wantsScreen({ phase }: Inbound): boolean {
  return phase === "begin" || phase === "continue" || phase === "unknown";
}

/** A turn under way means that it lives. */
async function tellLife(gateway: Gateway, held: HeldOrFailed): Promise<Taken> {
  const isLive = held.type === "failed" ? held.code === "session_busy" : isOpen(held.session);
  if (held.type === "leased") await gateway.store.release(held.lease);
  return { ...NO_SCREEN, answer: { ...NO_SCREEN.answer, isLive } };
}

function isOpen(session: Session | undefined): boolean {
  return session !== undefined && !session.ended;
}

const NO_SCREEN: Taken = {
  answer: { reply: undefined, failure: undefined, serviceCode: undefined },
  sessionId: undefined,
};

/** What a turn came to, and how it was got. */
type Done = Closed & {
  readonly attempts: readonly AttemptRecord[];
  readonly backendMs: number;
  readonly replyOctets: number;
};
const NOT_ASKED = { attempts: [], backendMs: 0, replyOctets: 0 } as const;

/** Calls the backend, once for each digit dialled after the code; the last screen is shown. */
async function ask(visit: Visit, opened: ToAsk, held: LeasedHeld): Promise<Done> {
  const { gateway, channel, budget } = visit;
  const { nowMs } = gateway;
  const { screenOctetsMax, transliterate } = channel;
  const { redriven } = held;
  const calledAtMs = nowMs();
  const attempts: AttemptRecord[] = [];
  let replyOctets = 0;
  let lastNumber = 0;
  let isSent = redriven;
  let result: BackendResult | undefined;
  let { appState } = opened.session;
  const lapsed = redriven || held.lostTurns > 0;
  for (const call of opened.calls) {
    result = await gateway.callBackend(opened.backend, call, budget, { appState, lapsed });
    attempts.push(...result.attempts);
    replyOctets += result.replyOctets;
    lastNumber = call.number;
    if (result.type === "failed") break;
    ({ appState } = result);
    if (result.reply.action === "end") break;
    isSent = true;
  }
  const backendMs = nowMs() - calledAtMs;
  const asked = truthfully(result ?? { type: "failed", code: "internal_error" }, isSent);
  const takes = channel.codec.takesScreen;
  const [words, secretPatterns] = [gateway.words(), gateway.secretPatterns()];
  const limits = { screenOctetsMax, transliterate, takes, words, secretPatterns };
  const closed = closeAsked(opened, asked, lastNumber, limits);
  const isKept = appState !== closed.session.appState;
  const session = isKept ? { ...closed.session, appState } : closed.session;
  return { ...closed, session, attempts, backendMs, replyOctets };
}

/** Writes session and record, gives the lease back and tells who listens. */
async function settle(visit: Visit, lease: Lease, done: Done, input: string): Promise<Taken> {
  const { gateway, channel, inbound, budget } = visit;
  const { outcome, reply, failure, session, attempts } = done;
  const nowMs = gateway.wallMs();
  const tookMs = gateway.nowMs() - budget.startedAtMs;
  const record: TurnRecord = {
    outcome,
    startedAtMs: Math.round(nowMs - tookMs),
    tookMs: roundMs(tookMs),
    backendMs: roundMs(done.backendMs),
    input,
    screen: reply?.screen ?? "",
    action: reply?.action,
    attempts,
    requestOctets: visit.octets,
    replyOctets: done.replyOctets,
    flaw: reply?.flaw,
  };
  const expiresAtMs = nowMs + gateway.sessionTtlMs;
  let isLate = false;
  const isUnread = () => (isLate = isTooLate(visit));
  const settling = { session, channel: channel.name, record, nowMs, expiresAtMs, isUnread };
  const settled = await inTime(visit, gateway.store.settle(lease, settling), (isSettled) =>
    isSettled ? gateway.store.undelivered(lease.key, session.id) : undefined,
  );
  // Not written: the turn may be driven again, so nothing can be promised (RELIABILITY 2.3).
  if (settled === undefined) return refused(visit, "turn_unsettled");
  if (!settled) return refused(visit, "session_busy");
  gateway.observe({ channel, inbound, outcome, session, record, tookMs });
  const { serviceCode, id } = session;
  // It is kept for the network's repeat, so it is not shown now.
  if (isLate) return unsettled(visit, serviceCode);
  return { answer: { reply, failure, serviceCode }, sessionId: id };
}

type LeasedHeld = Extract<Held, { type: "leased" }> & { readonly waited: boolean };
type HeldOrFailed = LeasedHeld | { readonly type: "failed"; readonly code: FailureCode };

/** A twin waits for the answer in the making; another input waits briefly. */
async function openWhenFree(visit: Visit): Promise<HeldOrFailed> {
  const { gateway, channel, inbound } = visit;
  const { startedAtMs } = visit.budget;
  let waited = false;
  let isBehind = false;
  let pollMs = BUSY_POLL_MS;
  for (;;) {
    const asked = gateway.store.open({
      key: visit.key,
      freshId: gateway.newSessionId(),
      msisdn: inbound.msisdn,
      digest: visit.saidDigest,
      nowMs: gateway.wallMs(),
      leaseMs: channel.turnBudgetMs + LEASE_SPARE_MS,
    });
    const held = await inTime(visit, asked, (late) => {
      // Nobody takes this turn any more.
      return late.type === "leased" ? gateway.store.release(late.lease) : undefined;
    });
    // The time ran out behind another turn: the store is well.
    if (held === undefined && isBehind) return { type: "failed", code: "session_busy" };
    if (held === undefined) {
      // Whether an answer was heard before, only the store knows (RELIABILITY 2.5).
      const isFirst = isPlainDial(inbound, gateway.routes);
      return { type: "failed", code: isFirst ? "store_unavailable" : "turn_unsettled" };
    }
    if (held.type === "leased") return { ...held, waited };
    waited = held.twin;
    isBehind = true;
    // A notice that it is over waits for the turn's end as a twin does.
    const isPatient = held.twin || inbound.phase === "abort";
    const untilMs = startedAtMs + (isPatient ? channel.turnBudgetMs : BUSY_WAIT_MS);
    const leftMs = untilMs - gateway.nowMs();
    if (leftMs <= 0) return { type: "failed", code: "session_busy" };
    await gateway.waitMs(Math.min(pollMs, leftMs));
    pollMs = Math.min(pollMs * BUSY_POLL_GROWTH, BUSY_POLL_MS_MAX);
  }
}

/** What the store says while the turn has time; undefined where it fails or says nothing. */
function inTime<T>(
  { gateway, budget }: Visit,
  asked: Promise<T>,
  whenLate?: (answer: T) => Promise<void> | undefined,
): Promise<T | undefined> {
  const { deadlines } = gateway;
  return new Promise((resolve) => {
    const deadline = deadlines.add(budget.deadlineMs, () => resolve(undefined));
    const isLate = (): boolean => deadline.onPassed === undefined;
    asked.then(
      (answer) => {
        if (isLate()) return void whenLate?.(answer)?.catch(gateway.report);
        deadlines.cancel(deadline);
        resolve(answer);
      },
      (error: unknown) => {
        gateway.report(error);
        deadlines.cancel(deadline);
        resolve(undefined);
      },
    );
  });
}

function beginVisit(
  gateway: Gateway,
  channel: Channel,
  request: WireRequest,
  isGone: Visit["isGone"],
): Visit {
  const cameAtMs = gateway.cameAtMs();
  const hops = hopsOf(request);
  const inbound = channel.codec.decode(request);
  const startedAtMs = wantsScreen(inbound) ? cameAtMs : gateway.nowMs();
  const said = fingerprint(inbound);
  return {
    gateway,
    channel,
    inbound,
    key: gateway.keyOf(nameOf(channel, inbound)),
    said,
    saidDigest: gateway.digest(said),
    octets: request.body.length,
    budget: { startedAtMs, deadlineMs: startedAtMs + channel.turnBudgetMs, hops },
    isGone,
  };
}

/** Channel, the network's id and the number: another MSISDN never meets an old state. */
export function nameOf(
  { name, codec }: Channel,
  { sessionId = "", msisdn }: Pick<Inbound, "sessionId" | "msisdn">,
): string {
  return `${name}\n${sessionId}\n${codec.keyedById ? "" : (msisdn ?? "")}`;
}

/** RELIABILITY 2.7: a chain of gateways whose last calls the first must not run for ever. */
function hopsOf({ headers }: WireRequest): number {
  const text = headers["x-ussd-hop"];
  if (text === undefined) return 0;
  const hops = /^[0-9]$/.test(text) ? Number(text) : HOPS_MAX;
  if (hops >= HOPS_MAX) throw new WireError("bad_field", "x-ussd-hop: too many gateways in a row");
  return hops;
}

/** Answered with a failure's screen and nothing kept. */
function refused({ gateway, channel, inbound, budget }: Visit, failure: FailureCode): Taken {
  const tookMs = gateway.nowMs() - budget.startedAtMs;
  const event = { channel, inbound, outcome: failure, session: undefined, record: undefined };
  gateway.observe({ ...event, tookMs });
  const reply = endWith(failure, gateway.words());
  return { answer: { reply, failure, serviceCode: inbound.dialled }, sessionId: undefined };
}

function unsettled({ gateway }: Visit, serviceCode: Session["serviceCode"]): Taken {
  const reply = endWith("turn_unsettled", gateway.words());
  return { answer: { reply, failure: "turn_unsettled", serviceCode }, sessionId: undefined };
}

function tellBackend(gateway: Gateway, session: Session, appState: string | undefined): void {
  const { backendId, msisdn } = session;
  const backend = backendId === undefined ? undefined : gateway.backendById(backendId);
  if (backend === undefined) return;
  gateway.notifyBackend(backend, noticeTurn(session, msisdn, backend), appState);
}

function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
