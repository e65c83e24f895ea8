/**
 * Calls a backend for one turn: attempts, within the turn's budget, until one brings a reply, no
 * repeat is allowed or no time is left (RELIABILITY 1, 2.1). All of them carry the same
 * transaction id.
 */
import { randomUUID } from "node:crypto";
import type { AttemptStep } from "../core/attempts.ts";
import { nextAttempt, RESERVE_MS } from "../core/attempts.ts";
import type { FailureCode, RetryClass } from "../core/failure.ts";
import { FAILURES, mayRetry, WireError } from "../core/failure.ts";
import type { AttemptRecord, Backend, Reply, Turn, WireReply, WireRequest } from "../types.ts";
import type { Answers, Expected } from "./answers.ts";
import type { BreakerLimits, BreakerState } from "./breaker.ts";
import { createDeadlines } from "./deadlines.ts";
import type { Destination } from "./destination.ts";
import { destinationOf, headersOf, targetOf } from "./destination.ts";
import type { EgressPolicy } from "./egress.ts";
import type { Entry } from "./entries.ts";
import { createEntries } from "./entries.ts";
import type { OutgoingRequest, Outcome } from "./exchange.ts";
import { exchange } from "./exchange.ts";
import { sign } from "./signature.ts";

export type Budget = {
  /** When the turn's request arrived, and when its screen must be on the wire; monotonic. */
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  /** X-Ussd-Hop of the request that came in: gateways behind gateways. */
  readonly hops?: number;
  /** Told of each attempt as it was on the wire, where somebody looks on. */
  readonly onAttempt?: ((attempt: AttemptOnWire) => void) | undefined;
};
/** Raw: it holds what was typed, so it is shown to who typed it and kept nowhere. */
export type AttemptOnWire = {
  readonly backend: Backend;
  readonly request: OutgoingRequest;
  readonly origin: string;
  readonly outcome: Outcome;
  readonly record: AttemptRecord;
};
type Told = {
  readonly attempts: readonly AttemptRecord[];
  readonly requestOctets: number;
  readonly replyOctets: number;
};
export type BackendResult =
  /** Its last attempt may be a 5xx that had a screen to show (OLA API reference, Example 5). */
  | (Told & {
      readonly type: "reply";
      readonly reply: Reply;
      /** What the backend keeps with us: an app in this process its state, others a memo. */
      readonly appState?: string | undefined;
    })
  | (Told & { readonly type: "failed"; readonly code: FailureCode });
export type Notice = WireRequest & { readonly url: string };

export type BackendCaller = {
  call(backend: Backend, turn: Turn, budget: Budget): Promise<BackendResult>;
  /** One attempt, nobody waits for it. False where it was not delivered. */
  notify(backend: Backend, notice: Notice): Promise<boolean>;
  /** Undefined for a backend not called lately. */
  stateOf(backendId: number): BreakerState | undefined;
  /** The backend is removed: its breaker and connections go. */
  forget(backendId: number): void;
  /** Resolves when the attempts in flight are over. */
  close(): Promise<void>;
};
export type CallerOptions = {
  readonly policy: EgressPolicy;
  /** Of backends that answer by a call of their own. */
  readonly answers: Answers;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Unix time, for signatures and dates. */
  readonly wallMs: () => number;
  readonly hooks?: CallerHooks;
  readonly breakerLimits?: Partial<BreakerLimits>;
  readonly connectMsMax?: number;
};
export type CallerHooks = {
  readonly attempt?: (backend: Backend, record: AttemptRecord) => void;
  readonly breaker?: (backend: Backend, isOpen: boolean) => void;
  /** Something only an operator can mend: address, name or certificate. Once a minute each. */
  readonly alarm?: (backend: Backend, code: FailureCode, errorCode: string | undefined) => void;
};

const ALARM_EVERY_MS = 60_000;
const NOTICE_MS_MAX = 5_000;
const NOTICES_IN_FLIGHT_MAX = 32;

/** What all attempts of one call have in common. */
type Sending = {
  readonly backend: Backend;
  readonly turn: Turn;
  readonly budget: Budget;
  readonly entry: Entry;
  readonly destination: Destination;
  readonly request: WireRequest;
  readonly body: Buffer | null;
  /** Undefined where the reply is the answer. */
  readonly expected: Expected | undefined;
};

export function createBackendCaller(options: CallerOptions): BackendCaller {
  const { policy, answers, nowMs, wallMs, hooks = {}, breakerLimits, connectMsMax } = options;
  const deadlines = createDeadlines({ nowMs });
  const entries = createEntries({ policy, nowMs, breakerLimits, connectMsMax });
  const destinations = new WeakMap<Backend, { readonly found: Destination | undefined }>();

  async function call(backend: Backend, turn: Turn, budget: Budget): Promise<BackendResult> {
    const entry = entries.of(backend.id);
    const destination = callDestination(backend);
    if (destination === undefined) {
      const code = "backend_refused_address";
      alarm(backend, entry, code, undefined);
      return { ...UNTRIED, code };
    }
    const { answersLater: later } = backend.codec;
    const expected = later && answers.expect(backend, turn, later);
    if (later !== undefined && expected === undefined) return { ...UNTRIED, code: "backend_busy" };
    const request = backend.codec.request(turn, backend, wallMs());
    const body = request.body === "" ? null : Buffer.from(request.body);
    entry.breaker.countTurn(nowMs());
    const sending = { backend, turn, budget, entry, destination, request, body, expected };
    const result = sendUntilDone(sending);
    return expected === undefined ? result : untilTold(expected, result);
  }

  async function sendUntilDone(sending: Sending): Promise<BackendResult> {
    const { backend, budget } = sending;
    const { timeoutMs, retries } = backend;
    const attempts: AttemptRecord[] = [];
    const budgetMs = budget.deadlineMs - budget.startedAtMs;
    let failed: FailureCode | undefined;
    let shown: Reply | undefined;
    let replyOctets = 0;
    let retryAfterMs: number | undefined;
    for (let attempt = 0; ; attempt++) {
      const elapsedMs = nowMs() - budget.startedAtMs;
      const step = nextAttempt({ attempt, elapsedMs, budgetMs, timeoutMs, retries, retryAfterMs });
      if (step === undefined) break;
      const tried = await (attempt === 0 ? send(sending, step) : sendAgain(sending, step));
      if (tried === undefined) break;

      attempts.push(tried.record);
      replyOctets = tried.octets;
      retryAfterMs = tried.retryAfterMs;
      const code = tried.record.failure;
      if (code === undefined) {
        shown = tried.reply;
        break;
      }
      if (failed === undefined || !isUnsentAfterSent(failed, code)) {
        failed = code;
        shown = tried.reply;
      }
      // Acknowledged, a copy would be the next answer: such a wire does not name the turn.
      if (sending.expected?.isAcknowledged() === true) break;
      if (!mayRetry(code, backend.idempotent)) break;
    }
    const told = { attempts, requestOctets: sending.body?.length ?? 0, replyOctets };
    if (shown !== undefined) return { type: "reply", reply: shown, appState: shown.memo, ...told };
    // Without any failure nothing was begun: breaker, limit, or no time left.
    return { type: "failed", code: failed ?? "backend_busy", ...told };
  }

  async function sendAgain(sending: Sending, step: AttemptStep): Promise<Tried | undefined> {
    const { breaker } = sending.entry;
    if (!breaker.takeRetry(nowMs())) return undefined;
    try {
      await new Promise<void>((resolve) => {
        deadlines.add(nowMs() + step.waitMs, resolve);
        sending.expected?.whenCome(resolve);
      });
      return await send(sending, step);
    } finally {
      breaker.giveBackRetry();
    }
  }

  /** Undefined where the breaker or the limit of attempts in flight forbids it. */
  async function send(sending: Sending, step: AttemptStep): Promise<Tried | undefined> {
    const { backend, turn, budget, entry, destination, expected } = sending;
    const startMs = nowMs();
    // Of the attempt before: taken, so it is shown, and nothing is sent for it.
    const hasCome = expected?.hasCome() === true;
    if (!hasCome && entry.breaker.admit(startMs, backend.inFlightMax) !== "admitted")
      return undefined;
    entry.usedAtMs = startMs;
    const untilMs = Math.min(startMs + step.timeoutMs, budget.deadlineMs - RESERVE_MS);
    const pool = entries.pool(entry, destination);
    const request = outgoingOf(sending, startMs);
    const outcome = await (expected === undefined
      ? exchange(pool, request, deadlines, untilMs)
      : expected.attempt(() => exchange(pool, request, deadlines, untilMs), untilMs));
    const read = readOutcome(outcome, backend, turn);

    const endMs = nowMs();
    if (!hasCome && entry.breaker.settle(endMs, read.failure)) {
      hooks.breaker?.(backend, entry.breaker.state(endMs).isOpen);
    }
    const isReplied = outcome.type === "replied";
    const record: AttemptRecord = {
      transactionId: turn.transactionId,
      startMs: Math.round(startMs - budget.startedAtMs),
      tookMs: Math.round(endMs - startMs),
      status: isReplied ? outcome.response.status : outcome.status,
      failure: read.failure,
    };
    hooks.attempt?.(backend, record);
    const { origin } = destination;
    budget.onAttempt?.({ backend, request, origin, outcome, record });
    if (!isReplied) alarm(backend, entry, outcome.code, outcome.errorCode);
    const retryAfterMs = isReplied ? readRetryAfter(outcome.response, wallMs()) : undefined;
    return { record, reply: read.reply, octets: outcome.octets, retryAfterMs };
  }

  function outgoingOf(sending: Sending, startMs: number): OutgoingRequest {
    const { backend, turn, budget, destination, request, body } = sending;
    const leftMs = Math.max(0, Math.floor(budget.deadlineMs - RESERVE_MS - startMs));
    const headers = headersOf(destination, request.headers);
    headers.push("x-ussd-deadline-ms", String(leftMs));
    headers.push("x-ussd-hop", String((budget.hops ?? 0) + 1));
    headers.push("idempotency-key", turn.transactionId);
    if (backend.secret !== undefined) {
      addSignature(headers, backend.secret, turn.transactionId, wallMs(), request.body);
    }
    return { path: targetOf(destination, request), method: request.method, headers, body };
  }

  async function notify(backend: Backend, notice: Notice): Promise<boolean> {
    const entry = entries.of(backend.id);
    const destination = destinationOf(notice.url, backend.headers, policy);
    if (destination === undefined) {
      alarm(backend, entry, "backend_refused_address", undefined);
      return false;
    }
    const isFull = entry.noticesInFlight >= NOTICES_IN_FLIGHT_MAX;
    if (isFull || entry.breaker.state(nowMs()).isOpen) return false;
    const headers = headersOf(destination, notice.headers);
    if (backend.secret !== undefined) {
      addSignature(headers, backend.secret, `msg_${randomUUID()}`, wallMs(), notice.body);
    }
    const body = notice.body === "" ? null : Buffer.from(notice.body);
    const outgoing = { path: targetOf(destination, notice), method: notice.method, headers, body };
    entry.usedAtMs = nowMs();
    entry.noticesInFlight += 1;
    const pool = entries.pool(entry, destination);
    const outcome = await exchange(pool, outgoing, deadlines, nowMs() + NOTICE_MS_MAX);
    entry.noticesInFlight -= 1;
    return outcome.type === "replied" && outcome.response.status < 300;
  }

  function callDestination(backend: Backend): Destination | undefined {
    const known = destinations.get(backend);
    if (known !== undefined) return known.found;
    const found = destinationOf(backend.url, backend.headers, policy);
    destinations.set(backend, { found });
    return found;
  }

  function alarm(backend: Backend, entry: Entry, code: FailureCode, errorCode: string | undefined) {
    if (hooks.alarm === undefined || !isForOperator(code, errorCode)) return;
    const now = nowMs();
    if (now - entry.alarmAtMs < ALARM_EVERY_MS) return;
    entry.alarmAtMs = now;
    hooks.alarm(backend, code, errorCode);
  }

  return {
    call,
    notify,
    stateOf: (backendId) => entries.find(backendId)?.breaker.state(nowMs()),
    forget: (backendId) => entries.forget(backendId),
    close: () => entries.close(),
  };
}

const UNTRIED = { type: "failed", attempts: [], requestOctets: 0, replyOctets: 0 } as const;

/** An application that may still be at work is told when nobody waits any more. */
async function untilTold(expected: Expected, call: Promise<BackendResult>): Promise<BackendResult> {
  let isMissed = false;
  try {
    const result = await call;
    isMissed = result.type === "failed" && result.attempts.some(mayBeDone);
    return result;
  } finally {
    expected.end(isMissed);
  }
}

function mayBeDone({ failure }: AttemptRecord): boolean {
  return failure !== undefined && FAILURES[failure].class === "maybe_done";
}

type Tried = {
  readonly record: AttemptRecord;
  /** With `record.failure` set: a 5xx that has a screen to show. */
  readonly reply: Reply | undefined;
  readonly octets: number;
  readonly retryAfterMs: number | undefined;
};
type Read = { readonly failure: FailureCode | undefined; readonly reply: Reply | undefined };

function readOutcome(outcome: Outcome, backend: Backend, turn: Turn): Read {
  if (outcome.type === "failed") return { failure: outcome.code, reply: undefined };
  const isFailed = outcome.response.status >= 500;
  try {
    const reply = backend.codec.reply(outcome.response, turn);
    if (!isFailed) return { failure: undefined, reply };
    // Only what keeps the contract to the letter: an error page is not a screen.
    return { failure: "backend_failed", reply: reply.flaw === undefined ? reply : undefined };
  } catch (error) {
    if (isFailed) return { failure: "backend_failed", reply: undefined };
    const failure = error instanceof WireError ? "backend_malformed" : "internal_error";
    return { failure, reply: undefined };
  }
}

/** "Nothing was charged" must not be said because the last of several attempts was not sent. */
function isUnsentAfterSent(earlier: FailureCode, latest: FailureCode): boolean {
  const earlierClass: RetryClass = FAILURES[earlier].class;
  const latestClass: RetryClass = FAILURES[latest].class;
  const mayBeDone = earlierClass === "maybe_done" || earlierClass === "refused";
  return mayBeDone && (latestClass === "not_sent" || latestClass === "not_tried");
}

/** RFC 9110 §10.2.3: seconds or a date. */
function readRetryAfter({ headers }: WireReply, wallMs: number): number | undefined {
  const text = headers["retry-after"];
  if (text === undefined) return undefined;
  if (/^[0-9]{1,6}$/.test(text)) return Number(text) * 1_000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - wallMs);
}

function addSignature(headers: string[], secret: string, id: string, atMs: number, body: string) {
  const signed = sign(secret, id, atMs, body);
  headers.push("webhook-id", signed["webhook-id"]);
  headers.push("webhook-timestamp", signed["webhook-timestamp"]);
  headers.push("webhook-signature", signed["webhook-signature"]);
}

// The name is wrong, or TLS is.
const OPERATOR_ERRORS =
  /^(?:ENOTFOUND|EPROTO|ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/;

function isForOperator(code: FailureCode, errorCode = ""): boolean {
  if (code === "backend_refused_address") return true;
  if (code !== "backend_unreachable") return false;
  return OPERATOR_ERRORS.test(errorCode);
}
