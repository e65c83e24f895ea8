/** Channels as operators set them up: where the network calls, whether it has, what was refused. */
import type { FastifyInstance } from "fastify";
import type { ChannelConfig } from "../config.ts";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import type { Routes } from "../core/route.ts";
import type { Calls } from "../observe/calls.ts";
import type { Rejects } from "../observe/rejects.ts";
import { channelOf } from "../transports/channels.ts";
import type { ServiceCode, Turn } from "../types.ts";
import { networkOf } from "./phone.ts";

export type ChannelsOptions = {
  readonly channels: readonly ChannelConfig[];
  readonly routes: Routes;
  readonly calls: Pick<Calls, "lastMs">;
  readonly rejects: Pick<Rejects, "of">;
};

/** Nobody's: the phone's first SIM card has it too. */
const SAMPLE_MSISDN = parseMsisdn("258841234567");
const SAMPLE_ID = "0".repeat(32);
const SAMPLE_CODE = asServiceCode("*365#")!;

export function channelRoutes(app: FastifyInstance, options: ChannelsOptions): void {
  const { channels, routes, calls, rejects } = options;
  app.get(
    "/api/v1/channels",
    {
      schema: {
        tags: ["operations"],
        summary: "Channels that are on, a request to try each with, and what they refused",
      },
    },
    async () => {
      const [dialled = SAMPLE_CODE] = routes.keys();
      return {
        channels: channels.map((channel) => ({
          name: channel.name,
          protocol: channel.codec.name,
          protocol_options: channel.options,
          provider: channel.provider,
          path: channel.paths[0],
          paths: channel.paths,
          turn_budget_ms: channel.turnBudgetMs,
          screen_octets_max: channel.screenOctetsMax,
          requests_per_minute_max: channel.requestsPerMinuteMax,
          requests_per_minute_scope: channel.requestsPerMinuteScope,
          last_request_at: isoOf(calls.lastMs(channel.name)),
          test_request: sampleOf(channel, dialled),
          rejects: rejects.of(channel.name).map(({ status, reason, count, lastAtMs }) => ({
            ...{ status, reason, count },
            last_at: isoOf(lastAtMs),
          })),
        })),
      };
    },
  );
}

const isoOf = (atMs: number | undefined) =>
  atMs === undefined ? null : new Date(atMs).toISOString();

/** A first dial in the channel's protocol, unsigned; null where the network is called by us. */
function sampleOf(config: ChannelConfig, serviceCode: ServiceCode) {
  const [path] = config.paths;
  if (path === undefined) return null;
  const channel = channelOf(config);
  const turn: Turn = {
    ...{ sessionId: `sess_${SAMPLE_ID}`, transactionId: `txn_${SAMPLE_ID}_1`, number: 1 },
    ...{ msisdn: SAMPLE_MSISDN, serviceCode, provider: config.provider },
    ...{ input: "", inputs: [], dialledDigits: [], memo: undefined },
  };
  const request = channel.codec.request(turn, networkOf(channel, turn));
  const query = request.query === "" ? "" : `?${request.query}`;
  const { method, headers, body } = request;
  return { method, target: `${path}${request.path}${query}`, headers, body };
}
