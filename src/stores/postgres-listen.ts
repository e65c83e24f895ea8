/** LISTEN on a connection of its own, which is opened again when it breaks. */
import { Client, type ClientConfig } from "pg";

const RETRY_MS = 500;

/**
 * Calls `changed` for every notice, and once after each time the connection was opened: what was
 * said meanwhile nobody repeats.
 */
export async function listen(
  config: ClientConfig,
  changed: () => void,
  report: (error: unknown) => void,
): Promise<() => Promise<void>> {
  let client: Client | undefined;
  let isStopped = false;
  let retry: NodeJS.Timeout | undefined;

  async function connect(): Promise<void> {
    const next = new Client({ ...config, statement_timeout: 0, query_timeout: 0 });
    next.on("error", report);
    next.on("notification", changed);
    next.on("end", () => {
      if (isStopped || client !== next) return;
      client = undefined;
      again();
    });
    await next.connect();
    await next.query("LISTEN dialyard_backends");
    client = next;
  }
  function again(): void {
    retry = setTimeout(() => {
      connect().then(changed, (error: unknown) => {
        report(error);
        if (!isStopped) again();
      });
    }, RETRY_MS);
  }

  await connect();
  return async () => {
    isStopped = true;
    clearTimeout(retry);
    await client?.end();
  };
}
