/** `dialyard load`: whole sessions at a constant rate through a running gateway. */
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { canonicalDialled, parseMsisdn } from "../core/address.ts";
import { defineCommand } from "./args.ts";
import { explain, STATUS } from "./dial.ts";
import { createGatewayClient, createSend } from "./gateway-client.ts";
import { loadJson, loadTable, progressLine, type LoadAbout } from "./load-report.ts";
import { NUMBERS, runLoad, type LoadPlan } from "./load-run.ts";
import { findChannel, placeCall, readHeaders, readMsisdn, readUrl, UsageError } from "./network.ts";

const RATE_MAX = 5_000;
const SECONDS_MAX = 3_600;
const SESSIONS_MAX = 1_000_000;
const THINK_MS_MAX = 60_000;
const OPEN_MAX = 20_000;
const CONNECTIONS_MAX = 2_000;
const INPUTS_MAX = 50;

export const loadCommand = defineCommand({
  name: "dialyard load",
  summary: "Whole sessions at a constant rate through a running gateway, and how long turns took.",
  positionals: [{ name: "code", help: 'what to dial, quoted: "*365#"' }],
  options: [
    {
      name: "inputs",
      type: "string",
      value: "TEXT",
      help: 'typed one after the other, stars between: "1*2*500"',
    },
    { name: "rate", type: "string", value: "N/s", default: "20", help: "sessions begun a second" },
    { name: "for", type: "string", value: "TIME", default: "10s", help: "how long, as 30s or 5m" },
    { name: "sessions", type: "integer", help: "so many sessions at most" },
    { name: "think-ms", type: "integer", default: 0, help: "between a screen and the next input" },
    { name: "channel", type: "string", value: "NAME", default: "test", help: "channel to dial on" },
    {
      name: "msisdn",
      type: "string",
      value: "NUMBER",
      default: "258840000000",
      help: `the first of ${NUMBERS} numbers that dial`,
    },
    {
      name: "open-max",
      type: "integer",
      default: 2_000,
      help: "sessions at once; more are not begun, and counted",
    },
    {
      name: "connections",
      type: "integer",
      default: 256,
      help: "connections at once; turns beyond wait, and their latency counts it",
    },
    {
      name: "url",
      type: "string",
      value: "URL",
      default: "http://127.0.0.1:8080",
      help: "the gateway",
    },
    { name: "i-own-this-host", type: "boolean", help: "for a gateway on another machine" },
    { name: "key", type: "string", value: "KEY", help: "admin key, where the gateway wants one" },
    { name: "header", type: "list", value: '"NAME: VALUE"', help: "the channel's secret header" },
    {
      name: "signing-secret",
      type: "string",
      value: "SECRET",
      help: "signs requests, where the channel wants signatures",
    },
    { name: "json", type: "boolean", help: "one JSON object instead of the table" },
  ],
});

export type LoadOptions = {
  readonly dialled: string | undefined;
  readonly inputs: string | undefined;
  readonly rate: string;
  readonly for: string;
  readonly sessions: number | undefined;
  readonly thinkMs: number;
  readonly channel: string;
  readonly msisdn: string;
  readonly openMax: number;
  readonly connections: number;
  readonly url: string;
  readonly ownsHost: boolean;
  readonly adminKey: string | undefined;
  readonly headers: readonly string[];
  readonly signingSecret: string | undefined;
  readonly json: boolean;
};
export type LoadOutput = {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Where a terminal looks on: the line that stands last. */
  readonly progress: ((text: string) => void) | undefined;
  readonly stop: AbortSignal;
};

/** Resolves with the exit status: 1 where a session failed. */
export async function load(options: LoadOptions, io: LoadOutput): Promise<number> {
  const connections = options.connections;
  const http = createSend({ connections: Math.min(Math.max(connections, 1), CONNECTIONS_MAX) });
  try {
    const plan = readPlan(options);
    const url = readUrl(options.url);
    assertOwn(url, options.ownsHost);
    const dialled = canonicalDialled(options.dialled?.trim() ?? "");
    if (dialled === undefined) throw new UsageError('say what to dial, quoted: "*365#"');
    const client = createGatewayClient(http.send, url, options.adminKey);
    const channel = await findChannel(client, options.channel);
    const placed = await placeCall(client, channel, dialled, readMsisdn(options.msisdn), url);
    const headers = readHeaders(options.headers);
    const call = {
      ...placed,
      backend: { ...placed.backend, headers, secret: options.signingSecret },
    };
    const { protocol } = channel;
    const about = { ...plan, url, channel: channel.name, protocol, dialled };
    const { progress, stop } = io;
    const result = await runLoad(call, plan, {
      ...{ send: http.send, nowMs: () => performance.now(), stop },
      newSessionId: () => `sess_${randomBytes(16).toString("hex")}`,
      ...(progress && { onProgress: (tally) => progress(progressLine(tally, about)) }),
    });
    progress?.("");
    report(result, about, options.json, io);
    return result.errors.size === 0 ? STATUS.ok : STATUS.refused;
  } catch (error) {
    const { status, message } = explain(error, options.url);
    io.err(`dialyard load: ${message}`);
    return status;
  } finally {
    await http.close();
  }
}

function report(
  result: Awaited<ReturnType<typeof runLoad>>,
  about: LoadAbout,
  json: boolean,
  io: LoadOutput,
): void {
  io.out(json ? loadJson(result, about) : loadTable(result, about).trimEnd());
}

function readPlan(options: LoadOptions): LoadPlan {
  const ratePerS = readNumber(
    options.rate,
    /^(\d{1,6})(?:\/s)?$/,
    "--rate must be like 50 or 50/s",
  );
  const [, amount, unit] = /^(\d{1,6})(s|m)?$/.exec(options.for) ?? [];
  if (amount === undefined) throw new UsageError("--for must be like 30s or 5m");
  const seconds = Number(amount) * (unit === "m" ? 60 : 1);
  within("--rate", ratePerS, 1, RATE_MAX);
  within("--for", seconds, 1, SECONDS_MAX);
  within("--think-ms", options.thinkMs, 0, THINK_MS_MAX);
  within("--open-max", options.openMax, 1, OPEN_MAX);
  within("--connections", options.connections, 1, CONNECTIONS_MAX);
  const asked = Math.min(options.sessions ?? Infinity, ratePerS * seconds);
  within("--sessions, or --rate times --for,", asked, 1, SESSIONS_MAX);
  const { inputs: typed = "" } = options;
  const inputs = typed === "" ? [] : typed.split("*");
  within("inputs in --inputs", inputs.length, 0, INPUTS_MAX);
  const { openMax, thinkMs } = options;
  return { ratePerS, sessions: asked, inputs, thinkMs, openMax, firstMsisdn: firstOf(options) };
}

/** The numbers behind it have to be numbers too. */
function firstOf({ msisdn }: LoadOptions): number {
  const first = Number(readMsisdn(msisdn));
  try {
    parseMsisdn(String(first + NUMBERS));
  } catch {
    throw new UsageError(`--msisdn: ${NUMBERS} numbers from ${msisdn} on do not exist`);
  }
  return first;
}

function readNumber(text: string, pattern: RegExp, problem: string): number {
  const [, digits] = pattern.exec(text) ?? [];
  if (digits === undefined) throw new UsageError(problem);
  return Number(digits);
}

function within(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new UsageError(`${name} must be from ${least} to ${most}, not ${value}`);
}

/** On a host of somebody else's this is an attack. */
function assertOwn(url: string, ownsHost: boolean): void {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  const isLoopback =
    host === "localhost" || (isIP(host) !== 0 && ipaddr.process(host).range() === "loopback");
  if (isLoopback || ownsHost) return;
  throw new UsageError(
    `${host} is another machine, and this is a flood of requests: --i-own-this-host sends it`,
  );
}
