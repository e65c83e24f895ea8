/**
 * Turns as they were on the wires, for who develops: bytes of both sides, and what the codec made
 * of them. They hold what was typed, so they live in memory, in development alone, and few of them.
 */
import type { AttemptOnWire } from "../backend/call.ts";
import { MASK } from "../core/redact.ts";
import type { Exchange, Gateway } from "../gateway.ts";
import { handleTurn } from "../gateway.ts";
import type { Channel, Inbound, TurnOutcome, WireReply, WireRequest } from "../types.ts";

/** One request and its answer, as far as there was one. Times count from the turn's arrival. */
export type Hop = {
  readonly from: "network" | "gateway";
  readonly to: "gateway" | "backend";
  /** Channel or backend. */
  readonly name: string;
  readonly start_ms: number;
  readonly took_ms: number;
  readonly request: {
    readonly method: string;
    /** A path at our door, a URL at a backend's. */
    readonly target: string;
    readonly headers: Readonly<Record<string, string | undefined>>;
    readonly body: string;
  };
  readonly response: WireReply | null;
  readonly failure: string | null;
};
/** One turn: the network's hop, then each attempt at the backend. */
export type TurnOnWire = {
  readonly hops: readonly Hop[];
  readonly normalised: Inbound;
  /** Of a screen too long for one. */
  readonly page: { readonly number: number; readonly of: number } | null;
};

/** The same as it went by: it is made readable when somebody reads it. */
export type TurnSeen = {
  readonly channel: Channel;
  readonly target: string;
  readonly request: WireRequest;
  readonly answered: WireReply;
  readonly attempts: readonly AttemptOnWire[];
  readonly page: TurnOnWire["page"];
  /** Undefined where it was no turn: what came could not be read. */
  readonly outcome: TurnOutcome | undefined;
  readonly tookMs: number;
};

export type Exchanges = {
  readonly keep: (sessionId: string, turn: TurnSeen) => void;
  /** Oldest first. */
  readonly of: (sessionId: string) => readonly TurnOnWire[];
};

const SESSIONS_MAX = 200;
const TURNS_MAX = 60;
const BODY_CHARS_MAX = 10_000;

export function createExchanges(): Exchanges {
  const kept = new Map<string, TurnSeen[]>();
  return {
    keep(sessionId, turn) {
      const turns = kept.get(sessionId) ?? [];
      if (turns.length >= TURNS_MAX) return;
      turns.push(turn);
      // Set anew, so that the session used longest ago is the first.
      kept.delete(sessionId);
      kept.set(sessionId, turns);
      const [oldest] = kept.keys();
      if (kept.size > SESSIONS_MAX && oldest !== undefined) kept.delete(oldest);
    },
    of: (sessionId) => (kept.get(sessionId) ?? []).map(onWire),
  };
}

/** `handleTurn`, and what it looked like from outside. Throws WireError only. */
export async function watchTurn(
  gateway: Gateway,
  channel: Channel,
  request: WireRequest,
  target: string,
  isGone?: () => boolean,
): Promise<{ readonly exchange: Exchange; readonly turn: TurnSeen }> {
  const attempts: AttemptOnWire[] = [];
  const startedAtMs = gateway.nowMs();
  let page: TurnOnWire["page"] = null;
  let outcome: TurnOutcome | undefined;
  const onAttempt = (attempt: AttemptOnWire) => void attempts.push(cutReply(attempt));
  const watched: Gateway = {
    ...gateway,
    observe(event) {
      outcome = event.outcome;
      const paging = event.session?.paging;
      if (paging !== undefined) page = { number: paging.shown + 1, of: paging.pages.length };
      gateway.observe(event);
    },
    callBackend: (backend, turn, budget, kept) =>
      gateway.callBackend(backend, turn, { ...budget, onAttempt }, kept),
  };
  const exchange = await handleTurn(watched, channel, request, isGone);
  const tookMs = gateway.nowMs() - startedAtMs;
  const seen = { attempts, page, outcome, tookMs };
  return { exchange, turn: { channel, target, request, answered: exchange.wire, ...seen } };
}

/** A backend may say more than is worth keeping. */
function cutReply(attempt: AttemptOnWire): AttemptOnWire {
  const { outcome } = attempt;
  if (outcome.type !== "replied" || outcome.response.body.length <= BODY_CHARS_MAX) return attempt;
  const response = { ...outcome.response, body: cut(outcome.response.body) };
  return { ...attempt, outcome: { ...outcome, response } };
}

export function onWire({ channel, target, request, answered, ...seen }: TurnSeen): TurnOnWire {
  const { method, headers, body } = request;
  const door: Hop = {
    ...{ from: "network", to: "gateway", name: channel.name, start_ms: 0 },
    took_ms: roundMs(seen.tookMs),
    request: { method, target, headers: masked(headers), body: cut(body) },
    response: { ...answered, body: cut(answered.body) },
    failure: null,
  };
  return {
    hops: [door, ...seen.attempts.map(attemptHop)],
    normalised: channel.codec.decode(request),
    page: seen.page,
  };
}

/** `handleTurn` for doors: what they answered is kept for who opens the session. */
export function keepingTurns(
  exchanges: Exchanges,
  pathOf: (channel: string) => string,
): typeof handleTurn {
  return async (gateway, channel, request, isGone) => {
    const target = pathOf(channel.name);
    const { exchange, turn } = await watchTurn(gateway, channel, request, target, isGone);
    if (exchange.sessionId !== undefined) exchanges.keep(exchange.sessionId, turn);
    return exchange;
  };
}

function attemptHop({ backend, request, origin, outcome, record }: AttemptOnWire): Hop {
  const headers: Record<string, string> = {};
  for (let index = 0; index < request.headers.length; index += 2) {
    headers[request.headers[index] ?? ""] = request.headers[index + 1] ?? "";
  }
  const response = outcome.type === "replied" ? outcome.response : outcome.refused;
  return {
    ...{ from: "gateway", to: "backend", name: backend.name },
    start_ms: record.startMs,
    took_ms: record.tookMs,
    request: {
      method: request.method,
      target: `${origin}${request.path}`,
      headers: masked(headers),
      body: cut(request.body?.toString("utf8") ?? ""),
    },
    response:
      response === undefined
        ? null
        : { ...response, headers: masked(response.headers), body: cut(response.body) },
    failure: record.failure ?? null,
  };
}

const SECRET_HEADER = /authorization|cookie|secret|signature|api-?key|token|password/;

function masked(headers: WireRequest["headers"]): Readonly<Record<string, string | undefined>> {
  const entries = Object.entries(headers).map(
    ([name, value]) => [name, SECRET_HEADER.test(name) ? MASK : value] as const,
  );
  return Object.fromEntries(entries);
}

function cut(text: string): string {
  return text.length > BODY_CHARS_MAX ? `${text.slice(0, BODY_CHARS_MAX)}…` : text;
}

function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
