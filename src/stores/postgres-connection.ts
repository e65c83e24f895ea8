/** A connection of its own for what lives as long as a connection: it is opened again when it breaks. */
import { Client, type ClientConfig } from "pg";

const RETRY_MS = 500;

export type KeptConnection = {
  /** Undefined while it is broken. */
  readonly client: () => Client | undefined;
  readonly close: () => Promise<void>;
};

/** Resolves when it is open for the first time; `opened` is called for each time. */
export async function keepConnection(
  config: ClientConfig,
  opened: (client: Client, isFirst: boolean) => Promise<void>,
  report: (error: unknown) => void,
): Promise<KeptConnection> {
  let current: Client | undefined;
  let isClosed = false;
  let retry: NodeJS.Timeout | undefined;

  async function connect(isFirst: boolean): Promise<void> {
    const next = new Client({ ...config, statement_timeout: 0, query_timeout: 0 });
    next.on("error", report);
    next.on("end", () => {
      if (isClosed || current !== next) return;
      current = undefined;
      again();
    });
    await next.connect();
    try {
      current = next;
      await opened(next, isFirst);
    } catch (error) {
      current = undefined;
      await next.end().catch(report);
      throw error;
    }
  }
  function again(): void {
    if (isClosed) return;
    retry = setTimeout(() => {
      connect(false).catch((error: unknown) => {
        report(error);
        again();
      });
    }, RETRY_MS);
  }

  await connect(true);
  return {
    client: () => current,
    async close() {
      isClosed = true;
      clearTimeout(retry);
      await current?.end();
    },
  };
}
