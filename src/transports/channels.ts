/** From the channels' configuration to their doors, by path. */
import type { IncomingMessage } from "node:http";
import proxyAddr from "@fastify/proxy-addr";
import ipaddr from "ipaddr.js";
import type { ChannelConfig, Config } from "../config.ts";
import type { Channel } from "../types.ts";
import { createDoor, type Door, type DoorOptions } from "./door.ts";
import { createRateLimit } from "./rate-limit.ts";

type Given = Pick<DoorOptions, "gateway" | "clientAddress" | "onRequest" | "isDraining">;

export function createDoors(
  channels: readonly ChannelConfig[],
  given: Given,
): ReadonlyMap<string, Door> {
  const doors = new Map<string, Door>();
  for (const config of channels) {
    const door = createDoor(doorOptions(config, given));
    for (const path of config.paths) {
      doors.set(path, door);
      // A second URL for notices, where the network wants one; codecs tell them from requests.
      doors.set(`${path}/events`, door);
    }
  }
  return doors;
}

/** What a turn needs to know of a channel. */
export function channelOf(config: ChannelConfig): Channel {
  const { name, codec, provider, turnBudgetMs, screenOctetsMax, transliterate } = config;
  return { name, codec, provider, turnBudgetMs, screenOctetsMax, transliterate };
}

function doorOptions(config: ChannelConfig, given: Given): DoorOptions {
  const channel = channelOf(config);
  const perMinuteMax = config.requestsPerMinuteMax;
  const { nowMs } = given.gateway;
  return {
    ...given,
    channel,
    allow: config.allow?.map(parseNetwork),
    secretHeader: config.secretHeader,
    signingSecret: config.signingSecret,
    rateLimit: perMinuteMax === 0 ? undefined : createRateLimit({ perMinuteMax, nowMs }),
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
