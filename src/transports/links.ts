/** The channels on links that we keep up ourselves: started together, said in the log, drained. */
import type { ChannelConfig } from "../config.ts";
import type { Gateway } from "../gateway.ts";
import type { Log } from "../observe/log.ts";
import { channelOf } from "./channels.ts";
import type { DoorOutcome } from "./door.ts";
import { startSmppChannel } from "./smpp/channel.ts";
import type { EsmeState } from "./smpp/esme.ts";

export type Links = {
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
  const started = channels.flatMap((config) =>
    config.smpp === undefined
      ? []
      : [startSmppChannel({ ...given, channel: channelOf(config), link: config.smpp, onState })],
  );
  return {
    async close() {
      await Promise.all(started.map((channel) => channel.close()));
    },
  };
}
