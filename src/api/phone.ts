/**
 * The network behind the phone in the browser: a turn is a request in the channel's own protocol,
 * made here and answered as any other. The browser never speaks a provider's wire.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { ChannelConfig } from "../config.ts";
import { asDialled, asServiceCode, parseMsisdn } from "../core/address.ts";
import { FAILURES, WireError } from "../core/failure.ts";
import { septetsMax } from "../core/gsm7.ts";
import { asksForSecret } from "../core/redact.ts";
import { describeRefusal } from "../core/refusal.ts";
import { findRoute } from "../core/route.ts";
import { measureScreen } from "../core/screen.ts";
import type { Gateway } from "../gateway.ts";
import type { Exchanges, TurnOnWire, TurnSeen } from "../observe/exchanges.ts";
import { onWire, watchTurn } from "../observe/exchanges.ts";
import { channelOf } from "../transports/channels.ts";
import type { Backend, Channel, Turn, WireReply, WireRequest } from "../types.ts";
import * as schemas from "./phone-schemas.ts";
import type { PhoneHangUpBody, PhoneTurnBody, PhoneWireBody } from "./phone-schemas.ts";
import { ErrorBody, SessionParams } from "./schemas.ts";

export type PhoneOptions = {
  readonly channels: readonly ChannelConfig[];
  readonly gateway: Gateway;
  /** Undefined outside development: what is typed may be somebody's PIN, so no bytes are shown. */
  readonly exchanges: Exchanges | undefined;
};

type Chaos = NonNullable<PhoneTurnBody["chaos"]>;
type Call = {
  readonly options: PhoneOptions;
  readonly channel: Channel;
  readonly target: string;
  readonly chaos: Chaos;
};

export function phoneRoutes(app: FastifyInstance, options: PhoneOptions): void {
  exchangeRoutes(app, options);
  const tags = ["phone"];
  const response = { 200: schemas.PhoneAnswer, 400: ErrorBody };

  app.post<{ Body: PhoneTurnBody }>(
    "/api/v1/phone/turns",
    {
      schema: {
        tags,
        summary: "One turn of a phone, through a channel and in its protocol",
        body: schemas.PhoneTurnBody,
        response,
      },
    },
    async ({ body }, reply) =>
      answered(reply, async () => {
        const call = callOf(options, body.channel, body.chaos ?? {});
        const turn = turnOf(call, body);
        const request = call.channel.codec.request(turn, networkOf(call.channel, turn));
        return { ...(await exchange(call, request, turn)), request: rawOf(options, request) };
      }),
  );

  app.post<{ Body: PhoneWireBody }>(
    "/api/v1/phone/wire",
    {
      schema: {
        tags,
        summary: "A request of a network as it stands: a captured one, edited",
        body: schemas.PhoneWireBody,
        response,
      },
    },
    async ({ body }, reply) =>
      answered(reply, async () => {
        const { exchange: taken, request } = wireTurn(options, body);
        return { ...(await taken), request: rawOf(options, request) };
      }),
  );

  app.post<{ Body: PhoneHangUpBody }>(
    "/api/v1/phone/hangups",
    {
      schema: {
        tags,
        summary: "The subscriber hangs up: the gateway is told where the protocol can say so",
        body: schemas.PhoneHangUpBody,
        response: { 200: schemas.PhoneHungUp, 400: ErrorBody },
      },
    },
    async ({ body }, reply) =>
      answered(reply, async () => {
        const call = callOf(options, body.channel, {});
        const turn = turnOf(call, body);
        const notice = call.channel.codec.notice?.(turn, networkOf(call.channel, turn));
        if (notice === undefined) return { told: false };
        const { method, path, query, headers, body: text } = notice;
        await watched(call, { method, path, query, headers, body: text });
        return { told: true };
      }),
  );
}

/** Somebody's own bytes: the codec says whose turn it is. */
function wireTurn(options: PhoneOptions, { channel, chaos, request: edited }: PhoneWireBody) {
  const call = callOf(options, channel, chaos ?? {});
  const { method, query, headers, body } = edited;
  const request = { method, path: "", query, headers, body };
  const { sessionId, msisdn, dialled } = call.channel.codec.decode(request);
  const turn: Turn = {
    ...{ sessionId: sessionId ?? "", transactionId: "", number: 1 },
    serviceCode: asServiceCode(dialled ?? "") ?? UNKNOWN_CODE,
    msisdn: msisdn ?? parseMsisdn(UNKNOWN_MSISDN),
    ...{ provider: "", input: "", inputs: [], dialledDigits: [] },
  };
  return { exchange: exchange(call, request, turn), request };
}

/** What the session was on the wires, beside its record. */
function exchangeRoutes(
  app: FastifyInstance,
  { exchanges }: Pick<PhoneOptions, "exchanges">,
): void {
  app.get<{ Params: { id: string } }>(
    "/api/v1/sessions/:id/exchanges",
    {
      schema: {
        tags: ["operations"],
        summary: "A session's turns as they were on the wires; kept in development alone",
        params: SessionParams,
        response: { 200: schemas.ExchangeList },
      },
    },
    async ({ params }) => ({
      kept: exchanges !== undefined,
      turns: exchanges?.of(params.id) ?? [],
    }),
  );
}

const UNKNOWN_CODE = asServiceCode("*1#")!;
const UNKNOWN_MSISDN = "10000000";

type Replying = {
  code(status: number): {
    send(body: { readonly error: string; readonly message: string }): unknown;
  };
};

/** What cannot be dialled is the caller's mistake. */
async function answered(reply: Replying, take: () => Promise<unknown>): Promise<unknown> {
  try {
    return await take();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return reply.code(400).send({ error: "invalid_request", message: error.message });
  }
}

/** What came of it at the handset. */
async function exchange(call: Call, request: WireRequest, turn: Turn) {
  const { chaos, channel, options } = call;
  const { gateway } = options;
  const halfMs = Math.round((chaos.latency_ms ?? 0) / 2);
  const startedAtMs = gateway.nowMs();
  const tookMs = () => Math.round((gateway.nowMs() - startedAtMs) * 10) / 10;
  await wait(halfMs);
  const twin = chaos.duplicate === true ? watched(call, request) : undefined;
  const working = watched(call, request);
  const late = Symbol("late");
  const first = await (chaos.patience_ms === undefined
    ? working
    : Promise.race([working, wait(chaos.patience_ms, late, { ref: false })]));
  if (first === late) {
    // The network has hung up; the answer in the making finds nobody.
    working.then(missed(gateway)).catch(gateway.report);
    return {
      outcome: "operator_timeout",
      failure: null,
      took_ms: tookMs(),
      hops: [],
      normalised: null,
      page: null,
    };
  }
  const { exchange: done } = first;
  const wire = onWire(first.turn);
  const copy = await twin;
  await wait(halfMs);
  const shownWire = (one: TurnOnWire) => (options.exchanges === undefined ? [] : one.hops);
  const about = {
    took_ms: tookMs(),
    session_id: done.sessionId ?? null,
    hops: [...shownWire(wire), ...(copy === undefined ? [] : shownWire(onWire(copy.turn)))],
    normalised: options.exchanges === undefined ? null : wire.normalised,
    page: wire.page,
    failure: failureOf(first.turn),
  };
  if (chaos.lose_reply === true) {
    await missed(gateway)(first);
    return { outcome: "reply_lost", ...about };
  }
  if (done.isDue && done.sessionId !== undefined) gateway.onShown?.(done.sessionId);
  return { ...about, ...shownOf(channel, done.wire, turn) };
}

type Watched = Awaited<ReturnType<typeof watchTurn>>;

async function watched(call: Call, request: WireRequest): Promise<Watched> {
  const { options, channel, target } = call;
  const done = await watchTurn(options.gateway, channel, request, target);
  if (done.exchange.sessionId !== undefined)
    options.exchanges?.keep(done.exchange.sessionId, done.turn);
  return done;
}

function missed({ store }: Gateway) {
  return async ({ exchange: { key, sessionId } }: Watched): Promise<void> => {
    if (sessionId !== undefined) await store.undelivered(key, sessionId);
  };
}

function failureOf({ outcome }: TurnSeen): string | null {
  return outcome !== undefined && outcome in FAILURES ? outcome : null;
}

/** A door may answer a failure with an error of its protocol: a handset has no screen then. */
function shownOf(channel: Channel, wire: WireReply, turn: Turn) {
  try {
    return { outcome: "screen", ...screenOf(channel, wire, turn) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { outcome: "refused", reason: describeRefusal(wire) };
  }
}

function screenOf(channel: Channel, wire: WireReply, turn: Turn) {
  const { screen, action, asksSecret, memo } = channel.codec.reply(wire, turn);
  const { alphabet, units, octets } = measureScreen(screen);
  const { screenOctetsMax } = channel;
  return {
    ...{ screen, action, memo, alphabet, units, octets },
    units_max: alphabet === "gsm7" ? septetsMax(screenOctetsMax) : Math.floor(screenOctetsMax / 2),
    asks_secret: action === "continue" && (asksSecret === true || asksForSecret(screen, [])),
  };
}

function rawOf({ exchanges }: PhoneOptions, request: WireRequest): WireRequest | null {
  return exchanges === undefined ? null : request;
}

function callOf(options: PhoneOptions, name: string, chaos: Chaos): Call {
  const config = options.channels.find((channel) => channel.name === name);
  const path = config?.paths[0];
  if (config === undefined || path === undefined)
    throw new WireError("bad_field", `no channel ${name} that a phone can dial through`);
  const channel = channelOf(config);
  const screenOctetsMax = chaos.screen_octets_max ?? channel.screenOctetsMax;
  const target = config.isPathSecret ? `/ussd/${name}/callback/…` : path;
  return { options, channel: { ...channel, screenOctetsMax }, target, chaos };
}

/** A wire that has no place for digits after the code says the whole as the code. */
function turnOf({ options, channel }: Call, body: Omit<PhoneTurnBody, "chaos">): Turn {
  const { number, inputs } = body;
  const dialled = asDialled(body.dialled);
  if (dialled === undefined) throw new WireError("bad_dialled", "dial a code like *365#");
  const carries = channel.codec.carriesDialledDigits === true;
  const route = carries ? findRoute(options.gateway.routes, dialled) : undefined;
  const serviceCode = route?.backend.serviceCode ?? asServiceCode(dialled);
  if (serviceCode === undefined)
    throw new WireError("bad_dialled", "too long for the protocol of this channel");
  const isFirst = number === 1;
  const digits = route?.digits ?? [];
  return {
    sessionId: body.session_id,
    transactionId: `txn_${body.session_id.slice("sess_".length)}_${number}`,
    number,
    msisdn: parseMsisdn(body.msisdn),
    serviceCode,
    provider: body.network ?? channel.provider,
    input: isFirst ? "" : (inputs.at(-1) ?? ""),
    inputs: [...digits, ...inputs],
    dialledDigits: isFirst ? digits : [],
    memo: body.memo,
  };
}

/** To a codec's `request`, whoever is called is a backend: here it is our own door. */
export function networkOf(channel: Channel, { serviceCode }: Turn): Backend {
  const { name, codec, turnBudgetMs } = channel;
  return {
    ...{ id: 0, serviceCode, name, codec, method: "POST", isActive: true, retries: 0 },
    ...{ timeoutMs: turnBudgetMs, idempotent: true, headers: {}, secret: undefined },
    ...{ inFlightMax: 1, url: "http://gateway/", eventsUrl: "http://gateway/events" },
  };
}
