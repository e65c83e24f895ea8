/**
 * One row for each session of an app, in the SQL that SQLite and PostgreSQL share: taking a lease
 * and settling it are one statement each, so that no two turns can both believe that they have it.
 */

/** How long an unsettled turn is remembered after its lease, in milliseconds. */
export const LAPSED_KEPT_MS = 300_000;

/** Parameters by position: ?1 key, ?2 token, ?3 until, ?4 now. No row: the session is busy. */
export const OPEN = `
INSERT INTO dialyard_app_sessions AS held (key, token, until, expires_at, lapsed)
VALUES (?1, ?2, ?3, 0, 0)
ON CONFLICT (key) DO UPDATE SET
  lapsed = CASE
    WHEN held.token IS NULL AND held.lapsed = 0 THEN 0
    WHEN held.expires_at <= ?4 AND held.until + ${LAPSED_KEPT_MS} <= ?4 THEN 0
    ELSE 1 END,
  state = CASE WHEN held.expires_at <= ?4 THEN NULL ELSE held.state END,
  token = ?2,
  until = ?3
WHERE held.token IS NULL OR held.until <= ?4
RETURNING state, lapsed`;

/** ?1 key, ?2 token, ?3 state, ?4 when it expires. No row changed: another turn has the lease. */
export const SETTLE = `
UPDATE dialyard_app_sessions
SET state = ?3, expires_at = ?4, token = NULL, until = 0, lapsed = 0
WHERE key = ?1 AND token = ?2`;

/** ?1 key, ?2 token: where there is nothing to keep the row goes, else the lease alone. */
export const RELEASE_NOTHING = `
DELETE FROM dialyard_app_sessions WHERE key = ?1 AND token = ?2 AND state IS NULL AND lapsed = 0`;
export const RELEASE_KEPT = `
UPDATE dialyard_app_sessions SET token = NULL WHERE key = ?1 AND token = ?2`;

/** Rows looked at in one sweep. */
const SWEEP_ROWS = 200;
/** ?1 now: sessions of which neither the state nor a lost turn is needed any more. */
export const SWEEP = `
DELETE FROM dialyard_app_sessions WHERE key IN (
  SELECT key FROM dialyard_app_sessions
  WHERE expires_at <= ?1 - ${LAPSED_KEPT_MS} AND until <= ?1 - ${LAPSED_KEPT_MS}
  LIMIT ${SWEEP_ROWS})`;

/** $1 for ?1: PostgreSQL's way to write a parameter. */
export function withDollars(statement: string): string {
  return statement.replaceAll("?", "$");
}
