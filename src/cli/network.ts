/**
 * The network's side of a dialogue over HTTP, in whatever protocol a channel speaks: each request
 * is built by that channel's own codec, as a gateway would to call a backend.
 */
import { sign } from "../backend/signature.ts";
import { createCodec } from "../codecs/index.ts";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import { describeRefusal } from "../core/refusal.ts";
import type { Backend, Codec, Dialled, Msisdn, Reply, ServiceCode, Turn } from "../types.ts";
import {
  GatewayError,
  type ChannelShown,
  type GatewayClient,
  type Send,
} from "./gateway-client.ts";

export type Call = {
  readonly channel: ChannelShown;
  readonly codec: Codec;
  readonly backend: Backend;
  readonly msisdn: Msisdn;
  readonly dialledDigits: readonly string[];
};

export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function turnOf(
  call: Call,
  sessionId: string,
  number: number,
  inputs: readonly string[],
  memo?: string,
): Turn {
  const { channel, backend, msisdn, dialledDigits } = call;
  const isFirst = number === 1;
  return {
    sessionId,
    transactionId: `txn_${sessionId.replace(/^sess_/, "")}_${number}`,
    number,
    msisdn,
    serviceCode: backend.serviceCode,
    provider: channel.provider,
    input: isFirst ? "" : (inputs.at(-1) ?? ""),
    inputs,
    dialledDigits: isFirst ? dialledDigits : [],
    memo,
  };
}

export async function exchange(
  { channel, codec, backend }: Call,
  turn: Turn,
  send: Send,
): Promise<Reply> {
  const plain = codec.request(turn, backend);
  const { secret } = backend;
  const signature =
    secret === undefined ? {} : sign(secret, turn.transactionId, Date.now(), plain.body);
  const request = { ...plain, headers: { ...plain.headers, ...backend.headers, ...signature } };
  const query = request.query === "" ? "" : `?${request.query}`;
  const timeoutMs = channel.turnBudgetMs + SPARE_MS;
  const response = await send(`${backend.url}${request.path}${query}`, request, timeoutMs);
  try {
    return codec.reply(response, turn);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    if (response.status >= 200 && response.status <= 299) {
      const message = `the answer is not ${channel.protocol}: ${error.message}`;
      throw new GatewayError(message, response.status);
    }
    throw new GatewayError(`the gateway answered ${describeRefusal(response)}`, response.status);
  }
}
/** Beyond the turn budget, in which a gateway answers. */
const SPARE_MS = 5_000;

export function readHeaders(lines: readonly string[]): Readonly<Record<string, string>> {
  const pairs = lines.map((line) => {
    const [, name, value] = /^([A-Za-z0-9-]{1,64}):\s*(.+)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      throw new UsageError('--header must be like "X-Secret: value"');
    }
    return [name.toLowerCase(), value] as const;
  });
  return Object.fromEntries(pairs);
}

export async function placeCall(
  client: GatewayClient,
  channel: ChannelShown,
  dialled: Dialled,
  msisdn: Msisdn,
  url: string,
): Promise<Call> {
  const codec = openCodec(channel);
  if (codec.pushes !== undefined) {
    throw new UsageError(
      `channel "${channel.name}" answers by a call of its own, which nobody here would take; ` +
        "dial on a channel whose answer has the screen, or on the phone page",
    );
  }
  const target = await addressOf(client, codec, dialled);
  const backend: Backend = {
    id: 0,
    serviceCode: target.serviceCode,
    name: channel.name,
    url: `${url}${channel.path}`,
    codec,
    method: "POST",
    isActive: true,
    timeoutMs: channel.turnBudgetMs,
    retries: 0,
    idempotent: true,
    headers: {},
    secret: undefined,
    inFlightMax: 1,
    eventsUrl: undefined,
  };
  return { channel, codec, backend, msisdn, dialledDigits: target.digits };
}

/** A wire that has no place for digits after the code says the whole as the code. */
async function addressOf(
  client: GatewayClient,
  codec: Codec,
  dialled: Dialled,
): Promise<{ readonly serviceCode: ServiceCode; readonly digits: readonly string[] }> {
  const known = codec.carriesDialledDigits === true ? await client.code(dialled) : undefined;
  const serviceCode = asServiceCode(known?.serviceCode ?? dialled);
  if (serviceCode === undefined) {
    throw new UsageError(`"${dialled}" is too long for the protocol of this channel`);
  }
  return { serviceCode, digits: known?.digits ?? [] };
}

export async function findChannel(client: GatewayClient, name: string): Promise<ChannelShown> {
  const channels = await client.channels();
  const found = channels.find((channel) => channel.name === name);
  if (found?.path === "") {
    throw new UsageError(`channel "${name}" has no address of its own: it is a link to a network`);
  }
  if (found !== undefined) return found;
  const names = channels.map((channel) => channel.name).join(", ");
  throw new UsageError(`the gateway has no channel "${name}": there are ${names || "none"}`);
}

function openCodec({ protocol, protocolOptions }: ChannelShown): Codec {
  try {
    return createCodec(protocol, protocolOptions);
  } catch (error) {
    // A newer gateway may know more protocols than this phone.
    throw new GatewayError(error instanceof Error ? error.message : String(error));
  }
}

export function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new UsageError(`--url must be like http://127.0.0.1:8080`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

export function readMsisdn(text: string): Msisdn {
  try {
    return parseMsisdn(text);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new UsageError(`--msisdn ${error.message}`);
  }
}
