/** From the channels' configuration to their doors, by path. */
import type { IncomingMessage } from "node:http";
import proxyAddr from "@fastify/proxy-addr";
import ipaddr from "ipaddr.js";
import type { ChannelConfig, Config } from "../config.ts";
import type { Deliver } from "../initiate.ts";
import type { CountRequests } from "../observe/node.ts";
import type { Channel } from "../types.ts";
import { type AnswerDoorsOptions, createAnswerDoors } from "./answer-doors.ts";
import { createDoor, type Door, type DoorOptions } from "./door.ts";
import { createDialogues, type Dialogues } from "./dialogues.ts";
import { createPusher, type Pusher } from "./push.ts";
import { createRateLimit, type RateLimit } from "./rate-limit.ts";
import { createSharedRateLimit, type SharedRateLimit } from "./shared-rate-limit.ts";

type Given = Pick<
  DoorOptions,
  "gateway" | "takeTurn" | "clientAddress" | "onRequest" | "isDraining"
> & {
  /** How limits of all nodes are counted; undefined where this node is the only one. */
  readonly countRequests: CountRequests | undefined;
} & Pick<AnswerDoorsOptions, "answers" | "log">;

export type Doors = {
  /** By path. */
  readonly byPath: ReadonlyMap<string, Door>;
  /** Of protocols that ask at paths below the channel's. */
  readonly trees: readonly { readonly path: string; readonly door: Door }[];
  /** How each channel that pushes takes what we send of our own accord, by its name. */
  readonly deliver: ReadonlyMap<string, Deliver>;
  /** When no more requests come: after the screens that are still to be pushed. */
  readonly close: () => Promise<void>;
};

export function createDoors(channels: readonly ChannelConfig[], given: Given): Doors {
  const doors = new Map<string, Door>();
  const pushers = new Map<string, Pusher>();
  const dialogues = new Map<string, Dialogues>();
  const pushing = new Set<Promise<void>>();
  const trees: { readonly path: string; readonly door: Door }[] = [];
  const shared: SharedRateLimit[] = [];
  const { answers, log, isDraining } = given;
  const { nowMs, report } = given.gateway;
  const answerDoors = createAnswerDoors({ answers, log, isDraining, nowMs, report });
  for (const config of channels) {
    const pusher = pusherOf(config, nowMs);
    if (pusher !== undefined) pushers.set(config.name, pusher);
    const opened = dialoguesOf(config, given);
    if (opened !== undefined) dialogues.set(config.name, opened);
    const rateLimit = rateLimitOf(config, given, shared);
    const door = createDoor({ ...doorOptions(config, given), rateLimit, pusher, pushing });
    for (const path of config.paths) {
      doors.set(path, door);
      if (config.codec.hasSubpaths) trees.push({ path, door });
      // A second URL for notices, where the network wants one; codecs tell them from requests.
      doors.set(`${path}/events`, door);
    }
  }
  return {
    byPath: new Map([...answerDoors, ...doors]),
    trees,
    deliver: new Map([
      ...[...pushers].map(([name, { push }]) => [name, push] as const),
      ...[...dialogues].map(([name, { deliver }]) => [name, deliver] as const),
    ]),
    async close() {
      await Promise.all([...dialogues.values()].map((opened) => opened.close()));
      await Promise.all(pushing);
      await Promise.all([...pushers.values(), ...shared].map((one) => one.close()));
    },
  };
}

function pusherOf({ codec, pushUrl }: ChannelConfig, nowMs: () => number): Pusher | undefined {
  if (codec.pushes === undefined || pushUrl === undefined) return undefined;
  return createPusher({ url: pushUrl, heard: (response) => codec.pushes!.heard(response), nowMs });
}

/** Of protocols in which the network's reply to our call is what the subscriber typed. */
function dialoguesOf(config: ChannelConfig, given: Given): Dialogues | undefined {
  const { codec, pushUrl: url } = config;
  if (codec.pushes !== undefined || url === undefined) return undefined;
  return createDialogues({ ...given, url, channel: channelOf(config) });
}

/** `shared` gets those that have to be closed. */
function rateLimitOf(
  config: ChannelConfig,
  { gateway, countRequests }: Given,
  shared: SharedRateLimit[],
): RateLimit | undefined {
  const { name: channel, requestsPerMinuteMax: perMinuteMax, requestsPerMinuteScope } = config;
  if (perMinuteMax === 0) return undefined;
  const { nowMs, wallMs, report } = gateway;
  if (requestsPerMinuteScope === "node" || countRequests === undefined)
    return createRateLimit({ perMinuteMax, nowMs });
  const limit = createSharedRateLimit({
    ...{ perMinuteMax, wallMs, report },
    count: (minute, counts) => countRequests({ channel, minute, counts }),
  });
  shared.push(limit);
  return limit;
}

/** What a turn needs to know of a channel. */
export function channelOf(config: ChannelConfig): Channel {
  const { name, codec, provider, turnBudgetMs, screenOctetsMax, transliterate } = config;
  return { name, codec, provider, turnBudgetMs, screenOctetsMax, transliterate };
}

function doorOptions(
  config: ChannelConfig,
  given: Given,
): Omit<DoorOptions, "rateLimit" | "pusher" | "pushing"> {
  const channel = channelOf(config);
  return {
    ...given,
    channel,
    allow: config.allow?.map(parseNetwork),
    secretHeader: config.secretHeader,
    signingSecret: config.signingSecret,
  };
}

function parseNetwork(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (text.includes("/")) return ipaddr.parseCIDR(text);
  const address = ipaddr.process(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

const PRIVATE_NETWORKS = ["loopback", "linklocal", "uniquelocal"];

/** The peer, or the nearest hop that is no trusted proxy where proxies are trusted. */
export function createClientAddress(
  config: Pick<Config, "trustProxyEnabled" | "trustProxy">,
): (request: IncomingMessage) => string {
  const { trustProxyEnabled, trustProxy } = config;
  if (!trustProxyEnabled) return (request) => request.socket.remoteAddress ?? "";
  const trust = proxyAddr.compile(trustProxy.length === 0 ? PRIVATE_NETWORKS : [...trustProxy]);
  return (request) => proxyAddr(request, trust);
}
