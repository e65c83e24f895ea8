/** LISTEN, on a connection of its own. */
import type { ClientConfig } from "pg";
import { keepConnection, type KeptConnection } from "./postgres-connection.ts";

export type Listening = KeptConnection;

/**
 * Calls `told` with the text of every notice. Where `reopened` is given it is called each time the
 * connection was opened again: what was said meanwhile nobody repeats.
 */
export async function listen(
  config: ClientConfig,
  channels: readonly string[],
  hooks: {
    readonly told: (text: string, channel: string) => void;
    readonly reopened?: () => void;
    readonly report: (error: unknown) => void;
  },
): Promise<Listening> {
  return keepConnection(
    config,
    async (client, isFirst) => {
      client.on("notification", ({ payload, channel }) => hooks.told(payload ?? "", channel));
      for (const channel of channels) await client.query(`LISTEN ${channel}`);
      if (!isFirst) hooks.reopened?.();
    },
    hooks.report,
  );
}
