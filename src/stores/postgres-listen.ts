/** LISTEN, on a connection of its own. */
import type { ClientConfig } from "pg";
import { keepConnection } from "./postgres-connection.ts";

/**
 * Calls `changed` for every notice, and once after each time the connection was opened again: what
 * was said meanwhile nobody repeats.
 */
export async function listen(
  config: ClientConfig,
  changed: () => void,
  report: (error: unknown) => void,
): Promise<() => Promise<void>> {
  const { close } = await keepConnection(
    config,
    async (client, isFirst) => {
      client.on("notification", changed);
      await client.query("LISTEN dialyard_backends");
      if (!isFirst) changed();
    },
    report,
  );
  return close;
}
