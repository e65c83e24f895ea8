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
CREATE FUNCTION dialyard_leased(got boolean, wanted text, now_ms bigint)
RETURNS SETOF dialyard_leased LANGUAGE sql AS $$
  SELECT got, l.token, l.taken_at, l.until, l.digest, l.fresh_id, l.redriven, l.lost,
    s.n, s.id, s.outcome, s.expires_at, s.turns,
    CASE WHEN s.undelivered = 1 OR dialyard_is_doubted(s.run, s.last_at, now_ms) THEN 1 ELSE 0
      END::smallint,
    s.network_id, s.service_code, s.backend_id, s.provider, s.msisdn_sealed, s.state
  FROM (SELECT 1) AS one
  LEFT JOIN leases l ON NOT got AND l.key = wanted
  LEFT JOIN sessions s ON s.key = wanted
$$;
`;

/** The statements, made of the released functions that they replace. */
export function doubtStatements(open: string, takeOver: string, settle: string): string[] {
  const withNow = (text: string) =>
    replaced(text, /dialyard_leased\((\w+), wanted\)/g, "dialyard_leased($1, wanted, now_ms)");
  const withRun = replaced(settle, /undelivered = 0,/g, `undelivered = 0, run = ${THIS_RUN},`);
  return [RUNS, DOUBTED, withNow(open), withNow(takeOver), withRun];
}

function replaced(text: string, what: RegExp, by: string): string {
  return text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replaceAll(what, by);
}
