/**
 * A phone in the terminal: the network's side of a dialogue, in whatever protocol the channel
 * speaks. It asks the running gateway for the channel and builds each request by that channel's
 * own codec, as a gateway would to call a backend.
 */
import { randomBytes } from "node:crypto";
import { canonicalDialled } from "../core/address.ts";
import { asksForSecret, MASK } from "../core/redact.ts";
import { defineCommand } from "./args.ts";
import {
  createGatewayClient,
  createSend,
  GatewayError,
  isUnreachable,
  type GatewayClient,
  type Send,
} from "./gateway-client.ts";
import { pipeHandset, printable, terminalHandset, type Handset } from "./handset.ts";
import {
  exchange,
  findChannel,
  placeCall,
  readHeaders,
  readMsisdn,
  readUrl,
  turnOf,
  UsageError,
  type Call,
} from "./network.ts";

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

type Lines = AsyncIterator<string>;
type Phone = Required<DialIo>;

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
  let memo: string | undefined;
  for (let number = 1; ; number += 1) {
    const startedAtMs = io.nowMs();
    const reply = await exchange(call, turnOf(call, sessionId, number, inputs, memo), io.send);
    ({ memo } = reply);
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

/** What went wrong, for people, and the exit status that says it to a script. */
export function explain(
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
