/**
 * The tables and functions of the PostgreSQL store. `open` and `settle` are one function call each:
 * every statement inside sees what was committed before it, which one statement with several parts
 * would not (Read Committed takes a snapshot for each).
 *
 * Expand and contract, as with the embedded store (migrations.ts): nothing here is edited once it
 * was released; a function changes by a migration that replaces it.
 */
import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { Migration } from "kysely/migration";
import { Migrator } from "kysely/migration";
import {
  createManagement,
  dropImports,
  POSTGRES_NUMBER,
  SETTINGS_TABLE,
} from "./management-tables.ts";
import { doubtStatements } from "./postgres-doubt.ts";
import { COUNT_TABLES, NODE_TABLES } from "./postgres-nodes.ts";
import { SILENCE } from "./postgres-runs.ts";

/** Brings a database to this release, one node at a time: kysely takes an advisory lock. */
export async function migratePostgres(db: Kysely<unknown>): Promise<void> {
  const provider = { getMigrations: () => Promise.resolve(MIGRATIONS) };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined) throw new Error("the database could not be migrated", { cause: error });
}

const MIGRATIONS: Record<string, Migration> = {
  "0001_first": {
    up: (db: Kysely<unknown>) => runAll(db, [TABLES, LEASED, OPEN, TAKE_OVER, SETTLE, RELEASE]),
  },
  "0002_record_ids": besideTurns((db) => runAll(db, RECORD_IDS)),
  "0003_management": besideTurns((db) => createManagement(db, POSTGRES_NUMBER)),
  "0004_runs": besideTurns((db) => runAll(db, doubtStatements(SETTLE))),
  "0005_nodes": besideTurns((db) => runAll(db, NODE_TABLES)),
  "0006_no_imports": besideTurns(dropImports),
  // Of a table that no turn touches: nothing to lock.
  "0007_request_counts": { up: (db: Kysely<unknown>) => runAll(db, COUNT_TABLES) },
  "0008_settings": { up: (db: Kysely<unknown>) => runAll(db, SETTINGS) },
  // Turns read `runs` last, and functions without a lock: nobody waits for who waits for us.
  "0009_silence": { up: (db: Kysely<unknown>) => runAll(db, [...SILENCE, SETTLE_UNREAD]) },
  "0010_hot_sessions": besideTurns((db) => runAll(db, ["DROP INDEX sessions_old"])),
};

/**
 * Other nodes answer turns meanwhile. The tables are locked in the order in which turns touch them:
 * a migration that came to `turns` first would wait for a turn that waits for it, and PostgreSQL
 * would end one of the two (F56).
 */
function besideTurns(up: (db: Kysely<unknown>) => Promise<void>): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await sql`LOCK TABLE leases, sessions, turns IN ACCESS EXCLUSIVE MODE`.execute(db);
      await up(db);
    },
  };
}

async function runAll(db: Kysely<unknown>, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

// `at` is what turns are partitioned by, so it is in every unique index; a record has one.
const RECORD_IDS = [
  "ALTER TABLE turns ADD COLUMN record_id text",
  `CREATE UNIQUE INDEX turns_record ON turns (record_id, at) WHERE record_id IS NOT NULL`,
];

// Nodes are told as they are of backends, and read both again.
const SETTINGS = [
  SETTINGS_TABLE,
  `CREATE TRIGGER settings_changed AFTER INSERT OR UPDATE OR DELETE ON settings
    FOR EACH STATEMENT EXECUTE FUNCTION dialyard_backends_changed()`,
];

// Rows of sessions change with every turn: room in the page keeps the change in the page, as long
// as no index has a column that a turn changes. `sessions_old` had one, and is dropped (0010).
const TABLES = `
CREATE TABLE sessions (
  n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key text,
  outcome text,
  expires_at bigint NOT NULL,
  started_at bigint NOT NULL,
  last_at bigint NOT NULL,
  turns integer NOT NULL,
  undelivered smallint NOT NULL DEFAULT 0,
  last_turn bigint NOT NULL DEFAULT 0,
  id text NOT NULL UNIQUE,
  channel text NOT NULL,
  network_id text,
  service_code text,
  backend_id integer,
  provider text NOT NULL,
  msisdn_hash text,
  msisdn_sealed text,
  state text
) WITH (fillfactor = 60);
CREATE UNIQUE INDEX sessions_key ON sessions (key) WHERE key IS NOT NULL;
CREATE INDEX sessions_msisdn ON sessions (msisdn_hash, n) WHERE msisdn_hash IS NOT NULL;
CREATE INDEX sessions_old ON sessions (last_at) WHERE key IS NULL;

CREATE TABLE leases (
  key text PRIMARY KEY,
  token text NOT NULL,
  taken_at bigint NOT NULL,
  until bigint NOT NULL,
  digest text NOT NULL,
  fresh_id text NOT NULL,
  msisdn_sealed text,
  redriven smallint NOT NULL DEFAULT 0,
  lost integer NOT NULL DEFAULT 0
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE turns (
  n bigint GENERATED ALWAYS AS IDENTITY,
  session bigint NOT NULL,
  at bigint NOT NULL,
  took_ms double precision NOT NULL,
  backend_ms double precision NOT NULL,
  outcome text NOT NULL,
  input text NOT NULL,
  screen text NOT NULL,
  action text,
  attempts text NOT NULL,
  request_octets integer NOT NULL,
  reply_octets integer NOT NULL,
  flaw text
) PARTITION BY RANGE (at);
CREATE INDEX turns_session ON turns (session, n);
CREATE TABLE turns_rest PARTITION OF turns DEFAULT;

CREATE TABLE key_check (sealed text NOT NULL);

CREATE TABLE backends (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  service_code text NOT NULL UNIQUE,
  callback_url text NOT NULL,
  name text NOT NULL,
  type text NOT NULL,
  timeout integer NOT NULL,
  retries integer NOT NULL,
  method text NOT NULL,
  status text NOT NULL,
  protocol text NOT NULL,
  protocol_options text NOT NULL,
  idempotent smallint NOT NULL,
  headers text NOT NULL,
  secret_sealed text,
  max_in_flight integer NOT NULL,
  events_url text,
  created_at text NOT NULL,
  updated_at text NOT NULL
);
CREATE FUNCTION dialyard_backends_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('dialyard_backends', '');
  RETURN NULL;
END $$;
CREATE TRIGGER backends_changed AFTER INSERT OR UPDATE OR DELETE ON backends
  FOR EACH STATEMENT EXECUTE FUNCTION dialyard_backends_changed();
`;

/** What a turn needs of its session, and of a lease that is in its way. */
const LEASED = `
CREATE TYPE dialyard_leased AS (
  taken boolean,
  token text, taken_at bigint, until bigint, digest text, fresh_id text, redriven smallint,
  lost integer,
  n bigint, id text, outcome text, expires_at bigint, turns integer, undelivered smallint,
  network_id text, service_code text, backend_id integer, provider text, msisdn_sealed text,
  state text
);
CREATE FUNCTION dialyard_leased(got boolean, wanted text) RETURNS SETOF dialyard_leased
LANGUAGE sql AS $$
  SELECT got, l.token, l.taken_at, l.until, l.digest, l.fresh_id, l.redriven, l.lost,
    s.n, s.id, s.outcome, s.expires_at, s.turns, s.undelivered, s.network_id, s.service_code,
    s.backend_id, s.provider, s.msisdn_sealed, s.state
  FROM (SELECT 1) AS one
  LEFT JOIN leases l ON NOT got AND l.key = wanted
  LEFT JOIN sessions s ON s.key = wanted
$$;
`;

/** Takes the lease where there is none. The session is read after that, so it is the latest. */
const OPEN = `
CREATE FUNCTION dialyard_open(wanted text, fresh_token text, now_ms bigint, until_ms bigint,
  said text, fresh text, sealed text) RETURNS SETOF dialyard_leased LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO leases (key, token, taken_at, until, digest, fresh_id, msisdn_sealed)
  VALUES (wanted, fresh_token, now_ms, until_ms, said, fresh, sealed)
  ON CONFLICT (key) DO NOTHING;
  RETURN QUERY SELECT * FROM dialyard_leased(FOUND, wanted);
END $$;
`;

/**
 * Takes a lease that another turn left, as it was seen: not taken where it has changed since.
 * "unknown_at" is when the turn that is given up began; null where none is.
 */
const TAKE_OVER = `
CREATE FUNCTION dialyard_take_over(wanted text, seen_token text, seen_until bigint,
  fresh_token text, now_ms bigint, until_ms bigint, said text, fresh text, sealed text,
  is_redriven smallint, lost_turns integer, unknown_at bigint, unknown_hash text,
  kept_ms bigint, is_over boolean)
RETURNS SETOF dialyard_leased LANGUAGE plpgsql AS $$
DECLARE
  held leases%ROWTYPE;
  row_n bigint;
BEGIN
  SELECT * INTO held FROM leases
    WHERE key = wanted AND token = seen_token AND until = seen_until FOR UPDATE;
  IF NOT FOUND THEN
    RETURN QUERY SELECT * FROM dialyard_leased(false, wanted);
    RETURN;
  END IF;
  IF unknown_at IS NOT NULL THEN
    SELECT n INTO row_n FROM sessions WHERE key = wanted;
    IF row_n IS NULL THEN
      INSERT INTO sessions (key, expires_at, started_at, last_at, turns, id, channel, provider,
        msisdn_hash, msisdn_sealed)
      VALUES (wanted, held.until + kept_ms, held.taken_at, held.taken_at, 0, held.fresh_id, '', '',
        unknown_hash, held.msisdn_sealed)
      RETURNING n INTO row_n;
    END IF;
    INSERT INTO turns (session, at, took_ms, backend_ms, outcome, input, screen, attempts,
      request_octets, reply_octets)
    VALUES (row_n, unknown_at, 0, 0, 'unknown', '', '', '', 0, 0);
  END IF;
  IF is_over THEN
    UPDATE sessions SET key = NULL, outcome = coalesce(outcome, 'unknown'),
      state = (state::jsonb - '{inputs,app}'::text[])::text
    WHERE key = wanted;
  END IF;
  UPDATE leases SET token = fresh_token, taken_at = now_ms, until = until_ms, digest = said,
    fresh_id = fresh, msisdn_sealed = sealed, redriven = is_redriven, lost = lost_turns
  WHERE key = wanted;
  RETURN QUERY SELECT * FROM dialyard_leased(true, wanted);
END $$;
`;

/** False, and nothing written, where the lease has lapsed to another turn. */
const SETTLE = `
CREATE FUNCTION dialyard_settle(wanted text, held_token text, now_ms bigint,
  s_id text, s_outcome text, s_expires_at bigint, s_turns integer, s_state text, s_channel text,
  s_network_id text, s_service_code text, s_backend_id integer, s_provider text,
  s_msisdn_hash text, s_msisdn_sealed text,
  t_at bigint, t_took_ms double precision, t_backend_ms double precision, t_outcome text,
  t_input text, t_screen text, t_action text, t_attempts text, t_request_octets integer,
  t_reply_octets integer, t_flaw text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  row_n bigint;
BEGIN
  DELETE FROM leases WHERE key = wanted AND token = held_token;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE sessions SET outcome = s_outcome, expires_at = s_expires_at, last_at = now_ms,
    turns = s_turns, undelivered = 0, state = s_state, channel = s_channel,
    network_id = s_network_id, service_code = s_service_code, backend_id = s_backend_id,
    provider = s_provider, msisdn_hash = s_msisdn_hash, msisdn_sealed = s_msisdn_sealed
  WHERE key = wanted AND id = s_id RETURNING n INTO row_n;
  IF NOT FOUND THEN
    UPDATE sessions SET key = NULL, state = (state::jsonb - '{inputs,app}'::text[])::text,
      outcome = coalesce(outcome,
        CASE WHEN expires_at > now_ms THEN 'replaced' ELSE 'abandoned' END)
    WHERE key = wanted;
    INSERT INTO sessions (key, outcome, expires_at, started_at, last_at, turns, state, id, channel,
      network_id, service_code, backend_id, provider, msisdn_hash, msisdn_sealed)
    VALUES (wanted, s_outcome, s_expires_at, t_at, now_ms, s_turns, s_state, s_id, s_channel,
      s_network_id, s_service_code, s_backend_id, s_provider, s_msisdn_hash, s_msisdn_sealed)
    RETURNING n INTO row_n;
  END IF;
  INSERT INTO turns (session, at, took_ms, backend_ms, outcome, input, screen, action, attempts,
    request_octets, reply_octets, flaw)
  VALUES (row_n, t_at, t_took_ms, t_backend_ms, t_outcome, t_input, t_screen, t_action, t_attempts,
    t_request_octets, t_reply_octets, t_flaw);
  RETURN true;
END $$;
`;

/** As lease.ts, afterRelease: what a lease remembers outlives its release. */
const RELEASE = `
CREATE FUNCTION dialyard_release(wanted text, held_token text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE leases SET token = '', digest = CASE WHEN redriven = 1 THEN digest ELSE '' END
  WHERE key = wanted AND token = held_token AND (redriven = 1 OR lost > 0);
  IF NOT FOUND THEN
    DELETE FROM leases WHERE key = wanted AND token = held_token;
  END IF;
END $$;
`;

/** In one step with the rest: between two the network's repeat would be taken for an answer. */
const SETTLE_UNREAD = (() => {
  const types = SETTLE.slice(SETTLE.indexOf("(") + 1, SETTLE.indexOf(") RETURNS"));
  const names = types.split(",").map((argument) => argument.trim().split(" ")[0]);
  return `
CREATE FUNCTION dialyard_settle_unread(${types}) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT dialyard_settle(${names.join(", ")}) THEN
    RETURN false;
  END IF;
  UPDATE sessions SET undelivered = 1 WHERE key = wanted AND id = s_id;
  RETURN true;
END $$;
`;
})();
