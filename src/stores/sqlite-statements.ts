/** The statements of the turn path on SQLite, one per named constant, its contract on top. */
import type { DatabaseSync } from "node:sqlite";

export type TurnStatements = ReturnType<typeof prepareTurnStatements>;

export function prepareTurnStatements(database: DatabaseSync) {
  return {
    load: database.prepare(LOAD),
    loadStatics: database.prepare(LOAD_STATICS),
    take: database.prepare(TAKE),
    loadLease: database.prepare(LOAD_LEASE),
    takeOver: database.prepare(TAKE_OVER),
    giveBack: database.prepare(GIVE_BACK),
    keepLease: database.prepare(KEEP_LEASE),
    isSession: database.prepare(IS_SESSION),
    insertSession: database.prepare(INSERT_SESSION),
    insertUnsettled: database.prepare(INSERT_UNSETTLED),
    updateSession: database.prepare(UPDATE_SESSION),
    updateStatics: database.prepare(UPDATE_STATICS),
    retire: database.prepare(RETIRE),
    retireKey: database.prepare(RETIRE_KEY),
    insertTurn: database.prepare(INSERT_TURN),
    linkTurn: database.prepare(LINK_TURN),
    markUndelivered: database.prepare(MARK_UNDELIVERED),
    doubtDelivery: database.prepare(DOUBT_DELIVERY),
    unwritten: database.prepare(UNWRITTEN),
    restoreRow: database.prepare(RESTORE_ROW),
    restoreTurn: database.prepare(RESTORE_TURN),
    written: database.prepare(WRITTEN),
    lastSession: database.prepare(LAST_SESSION),
    lastTurn: database.prepare(LAST_TURN),
    firstDoubted: database.prepare(FIRST_DOUBTED),
    lapseAll: database.prepare(LAPSE_ALL),
  };
}

/** key → what a turn needs of the session */
const LOAD = `
SELECT n, id, outcome, expires_at, turns, undelivered, last_turn, state
FROM sessions WHERE key = ?`;
const LOAD_STATICS = `
SELECT network_id, service_code, backend_id, provider, msisdn_sealed FROM sessions WHERE n = ?`;
/** No change when there is a lease already, lapsed or not. */
const TAKE = `
INSERT INTO leases (key, token, taken_at, until, digest, fresh_id, msisdn_sealed)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO NOTHING`;
const LOAD_LEASE = `
SELECT token, taken_at, until, digest, fresh_id, msisdn_sealed, redriven, lost
FROM leases WHERE key = ?`;
const TAKE_OVER = `
UPDATE leases SET token = ?, taken_at = ?, until = ?, digest = ?, fresh_id = ?,
  msisdn_sealed = ?, redriven = ?, lost = ?
WHERE key = ?`;
/** No change when the lease lapsed to another turn. */
const GIVE_BACK = `DELETE FROM leases WHERE key = ? AND token = ?`;
const KEEP_LEASE = `UPDATE leases SET token = '', digest = ? WHERE key = ? AND token = ?`;
const INSERT_SESSION = `
INSERT INTO sessions (n, key, outcome, expires_at, started_at, last_at, turns, last_turn, state,
  undelivered, id, channel, network_id, service_code, backend_id, provider, msisdn_hash,
  msisdn_sealed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const INSERT_UNSETTLED = `
INSERT INTO sessions (n, key, expires_at, started_at, last_at, turns, last_turn, id, channel,
  provider, msisdn_hash, msisdn_sealed)
VALUES (?, ?, ?, ?, ?, 0, 0, ?, '', '', ?, ?)`;
const UPDATE_SESSION = `
UPDATE sessions SET outcome = ?, expires_at = ?, last_at = ?, turns = ?, last_turn = ?, state = ?,
  undelivered = ?
WHERE n = ?`;
const UPDATE_STATICS = `
UPDATE sessions SET channel = ?, network_id = ?, service_code = ?, backend_id = ?, provider = ?,
  msisdn_hash = ?, msisdn_sealed = ?
WHERE n = ?`;
/** The row stays as history; its key is free for the next session. */
const RETIRE = `
UPDATE sessions SET key = NULL, state = json_remove(state, '$.inputs', '$.app'),
  outcome = coalesce(outcome, iif(expires_at > ?, ?, ?))
WHERE n = ?`;
const RETIRE_KEY = `
UPDATE sessions SET key = NULL, state = json_remove(state, '$.inputs', '$.app'),
  outcome = coalesce(outcome, ?)
WHERE key = ?`;
const INSERT_TURN = `
INSERT INTO turns (session, prev, at, took_ms, backend_ms, outcome, input, screen, action, attempts,
  request_octets, reply_octets, flaw, after)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
/** Turns of which the rows of sessions know nothing yet, in their order. */
const UNWRITTEN = `
SELECT n, session, after, at + took_ms AS ended_at FROM turns
WHERE n > (SELECT written_turn FROM progress) AND outcome <> 'unknown' ORDER BY n`;
/** No change where the row was there, or knows of a later turn. */
const RESTORE_ROW = `
INSERT OR IGNORE INTO sessions (n, key, outcome, expires_at, started_at, last_at, turns, last_turn,
  state, id, channel, network_id, service_code, backend_id, provider, msisdn_hash, msisdn_sealed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (n) DO UPDATE SET channel = excluded.channel, network_id = excluded.network_id,
  service_code = excluded.service_code, backend_id = excluded.backend_id,
  provider = excluded.provider, msisdn_hash = excluded.msisdn_hash,
  msisdn_sealed = excluded.msisdn_sealed
WHERE sessions.state IS NULL`;
const RESTORE_TURN = `
UPDATE sessions SET outcome = ?1, expires_at = ?2, last_at = ?3, turns = ?4, last_turn = ?5,
  state = ?6, undelivered = 0
WHERE n = ?7 AND last_turn < ?5`;
const WRITTEN = `UPDATE progress SET written_turn = ?`;
const LAST_SESSION = `
SELECT max(coalesce((SELECT max(n) FROM sessions), 0),
  coalesce((SELECT max(session) FROM turns
    WHERE n > (SELECT written_turn FROM progress)), 0)) AS n`;
const LAST_TURN = `SELECT coalesce(max(n), 0) AS n FROM turns`;
/** The first of the turns that ended at most ?1 ms before the last one; found from the end. */
const FIRST_DOUBTED = `
SELECT coalesce(
  (SELECT n + 1 FROM turns
    WHERE at + took_ms < (SELECT at + took_ms FROM turns ORDER BY n DESC LIMIT 1) - ?1
    ORDER BY n DESC LIMIT 1),
  1) AS n`;
const LAPSE_ALL = `UPDATE leases SET until = taken_at WHERE token <> '' AND until > taken_at`;
const IS_SESSION = `SELECT 1 FROM sessions WHERE n = ? AND id = ?`;
const LINK_TURN = `UPDATE sessions SET last_turn = ? WHERE n = ?`;
const DOUBT_DELIVERY = `
UPDATE sessions SET undelivered = 1
WHERE n = ? AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.key = sessions.key)`;
const MARK_UNDELIVERED = `UPDATE sessions SET undelivered = 1 WHERE key = ? AND id = ?`;
