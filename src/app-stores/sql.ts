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
UPDATE dialyard_app_sessions SET token = NULL
WHERE key = ?1 AND token = ?2 AND (state IS NOT NULL OR lapsed <> 0)`;

/**
 * Sweeping goes round and round the sessions by key, some at a time: an index by age would cost
 * every turn, and a search without one grows with the sessions that are still needed.
 */
const SWEEP_ROWS = 512;
/** Four rows are looked at for each turn, as sessions come no faster than turns. */
export const SETTLES_PER_SWEEP = 128;
/** And some while nobody calls. */
export const SWEEP_EVERY_MS = 30_000;
/**
 * ?1 key swept last, ?2 now: of the next rows, those that nobody needs any more go. What makes one
 * old is asked of the row that is deleted: a turn may have taken it since it was looked at.
 */
export const SWEEP = `
DELETE FROM dialyard_app_sessions
WHERE expires_at <= ?2 - ${LAPSED_KEPT_MS} AND until <= ?2 - ${LAPSED_KEPT_MS}
  AND key IN (
    SELECT key FROM dialyard_app_sessions WHERE key > ?1 ORDER BY key LIMIT ${SWEEP_ROWS})`;
/** ?1 key swept last: the last of the next rows. None: the round is at its end. */
export const SWEPT_TO = `
SELECT key FROM dialyard_app_sessions WHERE key > ?1 ORDER BY key LIMIT 1 OFFSET ${SWEEP_ROWS - 1}`;

/** $1 for ?1: PostgreSQL's way to write a parameter. */
export function withDollars(statement: string): string {
  return statement.replaceAll("?", "$");
}
