/**
 * Which processes live. A process that is killed between settling a turn and writing the answer
 * leaves a network that asks again, and on a wire without message ids the same words may be an
 * answer to the next screen (RELIABILITY F59). So each process holds an advisory lock of its own,
 * which the server gives up with the connection; a session settled by one that is gone, and did
 * not say good-bye, may not have been answered. One that was stopped keeps its connection and is
 * silent: what it settled about its last beat is in doubt too. dialyard_open looks, in its one
 * round trip.
 */
import { randomInt } from "node:crypto";
import { Pool, type PoolConfig } from "pg";
import { keepConnection } from "./postgres-connection.ts";

const RUN_IDS_MAX = 2 ** 48 - 1; // as far as randomInt goes
const BEAT_MS = 500;
const BEAT_MS_MAX = 2_000;
/**
 * The server's clock says who is silent while others beat, the process's own what it had settled
 * about then: what is being settled may not have been answered either.
 */
const BEAT = "UPDATE runs SET beat_at = now(), beat_ms = $2 WHERE id = $1";
/** Four beats. */
const SILENCE_SECONDS = 2;
const DOUBT_MS = 60_000;

/** Migration 0009. Who beats not, because it is of a release before, is never silent. */
export const SILENCE = [
  "ALTER TABLE runs ADD COLUMN beat_at timestamptz, ADD COLUMN beat_ms bigint",
  `CREATE OR REPLACE FUNCTION dialyard_is_doubted(run_id bigint, answered_at bigint, now_ms bigint)
RETURNS boolean LANGUAGE sql AS $$
  SELECT now_ms - answered_at < ${DOUBT_MS} AND run_id IS NOT NULL
    AND EXISTS (SELECT 1 FROM runs WHERE id = run_id AND (
      (beat_at < (SELECT max(beat_at) FROM runs) - interval '${SILENCE_SECONDS} seconds'
        AND answered_at > beat_ms - ${BEAT_MS})
      OR pg_try_advisory_xact_lock_shared(run_id)))
$$`,
];

/** Of runs that ended without a good-bye: longer than any session may be in doubt. */
const FORGET = `DELETE FROM runs WHERE since < now() - interval '1 day'
  AND pg_try_advisory_xact_lock_shared(id)`;

/** Written with what this process settles. */
export const newRunId = (): number => randomInt(1, RUN_IDS_MAX);

/**
 * Resolves with the good-bye: all that was settled has been answered. `settlingFromMs` is when the
 * oldest settle under way began; undefined while there is none.
 */
export async function startRun(
  config: PoolConfig,
  id: number,
  settlingFromMs: () => number | undefined,
  report: (error: unknown) => void,
): Promise<() => Promise<void>> {
  // A connection of their own: beats wait behind no turn, and behind no lock.
  const beats = new Pool({
    ...{ ...config, max: 1, statement_timeout: BEAT_MS_MAX, query_timeout: BEAT_MS_MAX },
    options: `${config.options} -c synchronous_commit=off`,
  });
  beats.on("error", report);
  const beat = () => {
    const nowMs = Date.now();
    return beats.query(BEAT, [id, Math.min(nowMs, settlingFromMs() ?? nowMs)]);
  };
  const connection = await keepConnection(
    config,
    async (client, isFirst) => {
      // Waits where the server has not noticed yet that the connection before is gone.
      const locked = client.query("SELECT pg_advisory_lock($1)", [id]);
      if (!isFirst) return void locked.catch(report);
      await locked;
      await client.query("INSERT INTO runs (id) VALUES ($1)", [id]);
      await beat();
      await client.query(FORGET);
    },
    report,
  );
  let beating: Promise<void> | undefined;
  const timer = setInterval(() => {
    beating ??= beat()
      .then(() => undefined, report)
      .finally(() => (beating = undefined));
  }, BEAT_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await beating;
    await beats.end();
    await connection.client()?.query("DELETE FROM runs WHERE id = $1", [id]).catch(report);
    await connection.close();
  };
}
