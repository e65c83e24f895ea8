/**
 * One channel's door on the HTTP server: who may knock, how much may be said, and the turn behind
 * it. A thin shell on node:http, because every turn passes here (DESIGN §8); what the bytes say is
 * the codec's.
 */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import ipaddr from "ipaddr.js";
import { isSameSecret, verify } from "../backend/signature.ts";
import { WireError } from "../core/failure.ts";
import { type Exchange, handleTurn, type Gateway } from "../gateway.ts";
import type { Channel, WireReply, WireRequest } from "../types.ts";
import type { Pusher } from "./push.ts";
import type { RateLimit } from "./rate-limit.ts";
import { refusal, writeReply } from "./reply.ts";

export type DoorOptions = {
  readonly channel: Channel;
  readonly gateway: Gateway;
  /** handleTurn, or it with somebody who looks on. */
  readonly takeTurn?: typeof handleTurn | undefined;
  /** Networks that may call; undefined: anybody. */
  readonly allow: readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[] | undefined;
  /** Wanted in this header, in lower case. */
  readonly secretHeader: { readonly name: string; readonly value: string } | undefined;
  /** Standard Webhooks: requests carry a signature made with this secret. */
  readonly signingSecret: string | undefined;
  readonly rateLimit: RateLimit | undefined;
  /** Of networks that want the screen as a call of its own; `pushing` has what is under way. */
  readonly pusher: Pusher | undefined;
  readonly pushing: Set<Promise<void>>;
  readonly clientAddress: (request: IncomingMessage) => string;
  readonly onRequest: (outcome: DoorOutcome) => void;
  readonly isDraining: () => boolean;
};
export type DoorOutcome = {
  readonly channel: string;
  readonly status: number;
  readonly reason: string | undefined;
};
export type Door = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: string,
  /** When it may have come, where it waited to be accepted (accept-queue.ts). */
  acceptedFromMs?: number,
) => void;

/** RELIABILITY 2.6: a webhook body. */
const BODY_OCTETS_MAX = 8 * 1024;

export function createDoor(options: DoorOptions): Door {
  const { channel, takeTurn = handleTurn } = options;
  const { methods = ["POST"] } = channel.codec;

  function send(response: ServerResponse, reply: WireReply, reason?: string): void {
    options.onRequest({ channel: channel.name, status: reply.status, reason });
    writeReply(response, reply, options.isDraining());
  }
  /** Refused before the codec saw it; `hangUp` where the rest of the body is not read. */
  function refuse(response: ServerResponse, status: number, message: string, hangUp = false): void {
    send(response, refusal(status, message, hangUp), message);
  }

  function refuseMethod(response: ServerResponse): void {
    const reply = refusal(405, `use ${methods.join(" or ")}`, true);
    const headers = { ...reply.headers, allow: methods.join(", ") };
    send(response, { ...reply, headers }, "method");
  }

  async function take(
    gateway: Gateway,
    request: IncomingMessage,
    response: ServerResponse,
    wire: WireRequest,
  ) {
    const signature = checkSignature(options, request, wire.body);
    if (signature.type === "refused") return refuse(response, 401, signature.reason);
    const { codec } = channel;
    try {
      if (codec.pushes !== undefined) {
        send(response, codec.pushes.acknowledge(codec.decode(wire)));
        const pushed = push(gateway, wire).catch(gateway.report);
        options.pushing.add(pushed);
        return void pushed.finally(() => options.pushing.delete(pushed));
      }
      const signed = signedChannel(channel, signature.messageId);
      const exchange = await takeTurn(gateway, signed, wire, () => response.destroyed);
      send(response, exchange.wire);
      if (!response.destroyed) return tellShown(gateway, exchange);
      // The network hung up while we worked: the same input again will be a retransmit.
      if (exchange.sessionId !== undefined)
        await gateway.store.undelivered(exchange.key, exchange.sessionId);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const reply = codec.refuse?.(error) ?? refusal(400, error.message, false);
      send(response, reply, error.message);
    }
  }

  /** The network has its acknowledgement; the screen goes out by a call of ours. */
  async function push(gateway: Gateway, wire: WireRequest): Promise<void> {
    const deadlineMs = gateway.cameAtMs() + channel.turnBudgetMs;
    const exchange = await takeTurn(gateway, channel, wire);
    if (!exchange.isDue || options.pusher === undefined) return;
    const pushed = await options.pusher.push(exchange.wire, deadlineMs);
    if (pushed.type === "taken") return tellShown(gateway, exchange);
    options.onRequest({ channel: channel.name, status: 502, reason: `push: ${pushed.reason}` });
    if (exchange.sessionId === undefined) return;
    await gateway.store.undelivered(exchange.key, exchange.sessionId);
  }

  return (request, response, path, query, acceptedFromMs) => {
    const address = options.clientAddress(request);
    const isListed = options.allow !== undefined && isAllowed(address, options.allow);
    if (options.allow !== undefined && !isListed)
      return refuse(response, 403, "address not allowed", true);
    if (!methods.includes(request.method ?? "")) return refuseMethod(response);
    if (!hasSecret(options, request))
      return refuse(response, 401, "channel secret missing or wrong", true);
    if (!isListed && options.rateLimit !== undefined && !options.rateLimit.take(address)) {
      return refuse(response, 429, "too many requests", true);
    }
    if (request.headers["content-encoding"] !== undefined) {
      return refuse(response, 415, "content encoding is not accepted", true);
    }
    readBody(request, BODY_OCTETS_MAX, (body) => {
      if (body.type === "too_large") return refuse(response, 413, "body over 8 KiB", true);
      if (body.type !== "text") {
        const error = new WireError("bad_body", "body is not valid UTF-8");
        return send(
          response,
          channel.codec.refuse?.(error) ?? refusal(400, error.message, false),
          error.message,
        );
      }
      const headers = request.headers as Record<string, string | undefined>;
      const wire = { method: request.method ?? "", path, query, headers, body: body.text };
      const gateway = sinceAccepted(options.gateway, acceptedFromMs);
      take(gateway, request, response, wire).catch((error: unknown) => {
        gateway.report(error);
        refuse(response, 500, "internal error");
      });
    });
  };
}

function tellShown({ onShown }: Gateway, { sessionId, isDue }: Exchange): void {
  if (isDue && sessionId !== undefined) onShown?.(sessionId);
}

/** For one that waited to be accepted, time runs since it may have come. */
function sinceAccepted(gateway: Gateway, fromMs: number | undefined): Gateway {
  if (fromMs === undefined) return gateway;
  return { ...gateway, cameAtMs: () => Math.min(fromMs, gateway.cameAtMs()) };
}

/** A signed request's webhook-id names the message, so that a replay gets the stored answer. */
function signedChannel(channel: Channel, messageId: string | undefined): Channel {
  if (messageId === undefined) return channel;
  const { codec } = channel;
  const decode: typeof codec.decode = (request) => ({ ...codec.decode(request), messageId });
  return { ...channel, codec: { ...codec, decode } };
}

type Body =
  { readonly type: "text"; readonly text: string } | { readonly type: "too_large" | "not_utf8" };

/** Calls back once, with the whole body or why there is none; never when the sender vanishes. */
export function readBody(
  request: IncomingMessage,
  octetsMax: number,
  done: (body: Body) => void,
): void {
  let octets = 0;
  let first: Buffer | undefined;
  const chunks: Buffer[] = [];
  let isOver = false;
  request.on("data", (chunk: Buffer) => {
    octets += chunk.length;
    if (isOver) return;
    if (octets > octetsMax) {
      isOver = true;
      chunks.length = 0;
      done({ type: "too_large" });
      return;
    }
    if (first === undefined) first = chunk;
    else chunks.push(chunk);
  });
  request.on("end", () => {
    if (isOver) return;
    const whole =
      chunks.length === 0 ? (first ?? EMPTY) : Buffer.concat([first ?? EMPTY, ...chunks]);
    done(isUtf8(whole) ? { type: "text", text: whole.toString("utf8") } : { type: "not_utf8" });
  });
}
const EMPTY = Buffer.alloc(0);

type Signature =
  | { readonly type: "ok"; readonly messageId: string | undefined }
  | { readonly type: "refused"; readonly reason: string };

function checkSignature(
  { signingSecret, gateway }: DoorOptions,
  request: IncomingMessage,
  body: string,
): Signature {
  if (signingSecret === undefined) return { type: "ok", messageId: undefined };
  const headers = request.headers as Record<string, string | undefined>;
  const verified = verify(signingSecret, headers, body, gateway.wallMs());
  if (verified.type === "refused")
    return { type: "refused", reason: `signature: ${verified.problem}` };
  return { type: "ok", messageId: verified.id };
}

function hasSecret({ secretHeader }: DoorOptions, request: IncomingMessage): boolean {
  if (secretHeader === undefined) return true;
  const given = request.headers[secretHeader.name];
  return (
    typeof given === "string" && given.length <= 512 && isSameSecret(given, secretHeader.value)
  );
}

function isAllowed(address: string, allow: NonNullable<DoorOptions["allow"]>): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return allow.some(
    ([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits),
  );
}
