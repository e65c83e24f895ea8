/**
 * Which processes live. A process that is killed between settling a turn and writing the answer
 * leaves a network that asks again, and on a wire without message ids the same words may be an
 * answer to the next screen (RELIABILITY F59). So each process holds an advisory lock of its own,
 * which the server gives up with the connection; a session settled by one that is gone, and did
 * not say good-bye, may not have been answered. dialyard_open looks, in its one round trip.
 */
import { randomInt } from "node:crypto";
import type { ClientConfig } from "pg";
import { keepConnection } from "./postgres-connection.ts";

const RUN_IDS_MAX = 2 ** 48 - 1; // as far as randomInt goes
/** Of runs that ended without a good-bye: longer than any session may be in doubt. */
const FORGET = `DELETE FROM runs WHERE since < now() - interval '1 day'
  AND pg_try_advisory_xact_lock_shared(id)`;

/** Written with what this process settles. */
export const newRunId = (): number => randomInt(1, RUN_IDS_MAX);

/** Resolves with the good-bye: all that was settled has been answered. */
export async function startRun(
  config: ClientConfig,
  id: number,
  report: (error: unknown) => void,
): Promise<() => Promise<void>> {
  const connection = await keepConnection(
    config,
    async (client, isFirst) => {
      // Waits where the server has not noticed yet that the connection before is gone.
      const locked = client.query("SELECT pg_advisory_lock($1)", [id]);
      if (!isFirst) return void locked.catch(report);
      await locked;
      await client.query("INSERT INTO runs (id) VALUES ($1)", [id]);
      await client.query(FORGET);
    },
    report,
  );
  return async () => {
    await connection.client()?.query("DELETE FROM runs WHERE id = $1", [id]).catch(report);
    await connection.close();
  };
}
