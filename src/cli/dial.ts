/**
 * A phone in the terminal: the network's side of a dialogue, in whatever protocol the channel
 * speaks. It asks the running gateway for the channel and builds each request by that channel's
 * own codec, as a gateway would to call a backend.
 */
import { randomBytes } from "node:crypto";
import { sign } from "../backend/signature.ts";
import { createCodec } from "../codecs/index.ts";
import { asServiceCode, canonicalDialled, parseMsisdn } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import { asksForSecret, MASK } from "../core/redact.ts";
import type { Backend, Codec, Dialled, Msisdn, Reply, ServiceCode, Turn } from "../types.ts";
import { defineCommand } from "./args.ts";
import {
  createGatewayClient,
  createSend,
  describeRefusal,
  GatewayError,
  isUnreachable,
  type ChannelShown,
  type GatewayClient,
  type Send,
} from "./gateway-client.ts";
import { pipeHandset, printable, terminalHandset, type Handset } from "./handset.ts";

export const dialCommand = defineCommand({
  name: "dialyard dial",
  summary: "A phone in the terminal: dials a code through a running gateway.",
  positionals: [{ name: "code", help: 'what to dial, quoted: "*365#" or "*365*2#"' }],
  options: [
    { name: "msisdn", type: "string", value: "NUMBER", default: "258823456789", help: "who dials" },
    { name: "channel", type: "string", value: "NAME", default: "test", help: "channel to dial on" },
    {
      name: "url",
      type: "string",
      value: "URL",
      default: "http://127.0.0.1:8080",
      help: "the gateway",
    },
    { name: "key", type: "string", value: "KEY", help: "admin key, where the gateway wants one" },
    { name: "header", type: "list", value: '"NAME: VALUE"', help: "the channel's secret header" },
    {
      name: "signing-secret",
      type: "string",
      value: "SECRET",
      help: "signs requests, where the channel wants signatures",
    },
  ],
});

export type DialOptions = {
  /** What was asked to be dialled; undefined: the codes are listed and one is asked for. */
  readonly dialled: string | undefined;
  readonly msisdn: string;
  readonly channel: string;
  readonly url: string;
  readonly adminKey: string | undefined;
  /** "Name: value" each. */
  readonly headers?: readonly string[];
  readonly signingSecret?: string | undefined;
};
export type DialIo = {
  /** Lines typed; its end hangs up. */
  readonly input: AsyncIterable<string>;
  readonly isTty: boolean;
  readonly write: (text: string) => void;
  /** For what is not part of the dialogue: stderr. Without it that goes where the screens go. */
  readonly complain?: (text: string) => void;
  readonly send?: Send;
  readonly nowMs?: () => number;
  readonly newSessionId?: () => string;
};

/** 0: ended by the application, or hung up. EXPERIENCE.md of the reference, CLI. */
export const STATUS = { ok: 0, refused: 1, usage: 2, unreachable: 3 } as const;

/** Dials and goes on until the session or the input ends; resolves with the exit status. */
export async function dial(options: DialOptions, io: DialIo): Promise<number> {
  // At once: a readline interface drops lines that come before anybody listens.
  const lines = io.input[Symbol.asyncIterator]();
  const http = createSend();
  const phone = { ...DEFAULTS, complain: io.write, send: http.send, ...io };
  try {
    return await converse(options, phone, lines);
  } catch (error) {
    const { status, message } = explain(error, options.url);
    phone.complain(`${printable(message)}\n`);
    return status;
  } finally {
    await lines.return?.();
    await http.close();
  }
}

const DEFAULTS = {
  nowMs: () => performance.now(),
  newSessionId: () => `sess_${randomBytes(16).toString("hex")}`,
};

class UsageError extends Error {
  override readonly name = "UsageError";
}

type Lines = AsyncIterator<string>;
type Phone = Required<DialIo>;
type Call = {
  readonly channel: ChannelShown;
  readonly codec: Codec;
  readonly backend: Backend;
  readonly msisdn: Msisdn;
  readonly dialledDigits: readonly string[];
};

async function converse(options: DialOptions, io: Phone, lines: Lines): Promise<number> {
  const handset = io.isTty ? terminalHandset : pipeHandset;
  const url = readUrl(options.url);
  const msisdn = readMsisdn(options.msisdn);
  const client = createGatewayClient(io.send, url, options.adminKey);
  const wanted = options.dialled ?? (await askCode(client, io, handset, lines));
  const dialled = canonicalDialled(wanted.trim());
  if (dialled === undefined) throw new UsageError(`"${wanted}" cannot be dialled; try "*365#"`);
  const channel = await findChannel(client, options.channel);
  const placed = await placeCall(client, channel, dialled, msisdn, url);
  const headers = readHeaders(options.headers ?? []);
  const call = {
    ...placed,
    backend: { ...placed.backend, headers, secret: options.signingSecret },
  };
  io.write(handset.typed(dialled));
  return talk(call, io, handset, lines);
}

/** Turn after turn, as a phone does. */
async function talk(call: Call, io: Phone, handset: Handset, lines: Lines): Promise<number> {
  const { channel } = call;
  const sessionId = io.newSessionId();
  let inputs: readonly string[] = call.dialledDigits;
  for (let number = 1; ; number += 1) {
    const startedAtMs = io.nowMs();
    const reply = await exchange(call, turnOf(call, sessionId, number, inputs), io.send);
    const tookMs = io.nowMs() - startedAtMs;
    io.write(handset.screen(reply.screen, { octetsMax: channel.screenOctetsMax, tookMs }));
    if (reply.action === "end") {
      io.write(handset.closing("session ended"));
      return STATUS.ok;
    }
    io.write(handset.prompt(""));
    const typed = await lines.next();
    if (typed.done === true) {
      io.write(handset.closing("hung up"));
      return STATUS.ok;
    }
    // A transcript is a log too: no PIN in it (DESIGN §7).
    io.write(handset.typed(asksForSecret(reply.screen, []) ? MASK : typed.value));
    inputs = [...inputs, typed.value];
  }
}

function turnOf(call: Call, sessionId: string, number: number, inputs: readonly string[]): Turn {
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
  };
}

async function exchange({ channel, codec, backend }: Call, turn: Turn, send: Send): Promise<Reply> {
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
      throw new GatewayError(`the answer is not ${channel.protocol}: ${error.message}`);
    }
    throw new GatewayError(`the gateway answered ${describeRefusal(response)}`);
  }
}
/** Beyond the turn budget, in which a gateway answers. */
const SPARE_MS = 5_000;

function readHeaders(lines: readonly string[]): Readonly<Record<string, string>> {
  const pairs = lines.map((line) => {
    const [, name, value] = /^([A-Za-z0-9-]{1,64}):\s*(.+)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      throw new UsageError('--header must be like "X-Secret: value"');
    }
    return [name.toLowerCase(), value] as const;
  });
  return Object.fromEntries(pairs);
}

async function placeCall(
  client: GatewayClient,
  channel: ChannelShown,
  dialled: Dialled,
  msisdn: Msisdn,
  url: string,
): Promise<Call> {
  const codec = openCodec(channel);
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

async function findChannel(client: GatewayClient, name: string): Promise<ChannelShown> {
  const channels = await client.channels();
  const found = channels.find((channel) => channel.name === name);
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

async function askCode(
  client: GatewayClient,
  io: Phone,
  handset: Handset,
  lines: Lines,
): Promise<string> {
  const backends = await client.backends();
  const width = Math.max(0, ...backends.map(({ serviceCode }) => serviceCode.length));
  for (const { serviceCode, name } of backends) {
    io.complain(`  ${serviceCode.padEnd(width)}  ${printable(name)}\n`);
  }
  if (backends.length === 0) io.complain("No service code is registered.\n");
  io.write(handset.prompt("dial "));
  const typed = await lines.next();
  if (typed.done === true) throw new UsageError("nothing was dialled");
  return typed.value;
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new UsageError(`--url must be like http://127.0.0.1:8080`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

function readMsisdn(text: string): Msisdn {
  try {
    return parseMsisdn(text);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new UsageError(`--msisdn ${error.message}`);
  }
}

function explain(
  error: unknown,
  url: string,
): { readonly status: number; readonly message: string } {
  if (error instanceof UsageError) return { status: STATUS.usage, message: error.message };
  if (error instanceof GatewayError) return { status: STATUS.refused, message: error.message };
  if (isUnreachable(error)) {
    return {
      status: STATUS.unreachable,
      message: `no gateway at ${url}; start one with npm start`,
    };
  }
  const reason = error instanceof Error ? error.message : String(error);
  return { status: STATUS.refused, message: `no answer from the gateway at ${url}: ${reason}` };
}
