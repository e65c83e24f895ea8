/** The channels on links that we keep up ourselves: started together, said in the log, drained. */
import type { ChannelConfig } from "../config.ts";
import type { Gateway } from "../gateway.ts";
import type { Deliver } from "../initiate.ts";
import type { Log } from "../observe/log.ts";
import { channelOf } from "./channels.ts";
import type { DoorOutcome } from "./door.ts";
import { type SmppChannel, startSmppChannel } from "./smpp/channel.ts";
import type { EsmeState } from "./smpp/esme.ts";

export type Links = {
  /** How each channel takes what we send of our own accord, by the channel's name. */
  readonly deliver: ReadonlyMap<string, Deliver>;
  /** After the turns in flight. */
  readonly close: () => Promise<void>;
};

export function startLinks(
  channels: readonly ChannelConfig[],
  given: {
    readonly gateway: Gateway;
    readonly onRequest: (outcome: DoorOutcome) => void;
    readonly isDraining: () => boolean;
    readonly log: Log;
  },
): Links {
  const onState = (channel: string, state: EsmeState): void => {
    if (state.type === "bound") given.log.info("link_bound", { channel });
    if (state.type !== "down") return;
    const reason = `${state.reason}; again in ${Math.ceil(state.retryMs / 1_000)} s`;
    given.log.warn("link_down", { channel, reason });
  };
  const started = new Map<string, SmppChannel>();
  for (const config of channels) {
    const { name, smpp: link } = config;
    if (link === undefined) continue;
    started.set(name, startSmppChannel({ ...given, channel: channelOf(config), link, onState }));
  }
  return {
    deliver: new Map([...started].map(([name, { deliver }]) => [name, deliver])),
    async close() {
      await Promise.all([...started.values()].map((channel) => channel.close()));
    },
  };
}
