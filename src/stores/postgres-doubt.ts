/**
 * Migration 0004: a session knows which process settled it last, and `open` whether that one is
 * gone (postgres-runs.ts). Arguments stay as they are, so nodes of before work on; what they settle
 * names no process and is never in doubt.
 */

/** A network asks again within this time, or the subscriber has typed something else. */
const DOUBT_MS = 60_000;

/** Each connection of a process carries its run (postgres.ts): SETTLE needs no other argument. */
const THIS_RUN = "nullif(current_setting('dialyard.run', true), '')::bigint";

const RUNS = `
CREATE TABLE runs (
  id bigint PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE sessions ADD COLUMN run bigint;
ALTER TABLE sessions ALTER COLUMN run SET DEFAULT ${THIS_RUN};
`;

/** Nobody else waits for the lock: it is shared, tried, and given back with the transaction. */
const DOUBTED = `
CREATE FUNCTION dialyard_is_doubted(run_id bigint, answered_at bigint, now_ms bigint)
RETURNS boolean LANGUAGE sql AS $$
  SELECT now_ms - answered_at < ${DOUBT_MS} AND run_id IS NOT NULL
    AND pg_try_advisory_xact_lock_shared(run_id)
    AND EXISTS (SELECT 1 FROM runs WHERE id = run_id)
$$;
`;

/**
 * As before, and in doubt is written down: a lease found later says that the network went on, so
 * taking one over looks at nothing but what was written.
 */
const OPEN = `
CREATE OR REPLACE FUNCTION dialyard_open(wanted text, fresh_token text, now_ms bigint,
  until_ms bigint, said text, fresh text, sealed text)
RETURNS SETOF dialyard_leased LANGUAGE plpgsql AS $$
DECLARE
  got boolean;
BEGIN
  INSERT INTO leases (key, token, taken_at, until, digest, fresh_id, msisdn_sealed)
  VALUES (wanted, fresh_token, now_ms, until_ms, said, fresh, sealed)
  ON CONFLICT (key) DO NOTHING;
  got := FOUND;
  IF got THEN
    UPDATE sessions SET undelivered = 1
    WHERE key = wanted AND undelivered = 0 AND dialyard_is_doubted(run, last_at, now_ms);
  END IF;
  RETURN QUERY SELECT * FROM dialyard_leased(got, wanted);
END $$;
`;

/** Of the released function that settles, one that names the process as well. */
export function doubtStatements(settle: string): string[] {
  const named = settle
    .replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    .replace("undelivered = 0,", `undelivered = 0, run = ${THIS_RUN},`);
  return [RUNS, DOUBTED, OPEN, named];
}
