/** Sessions of apps on PostgreSQL, for any number of processes: two round trips a turn. */
import { randomBytes } from "node:crypto";
import { Pool } from "pg";
import type { AppStore } from "../app/store.ts";
import { OPEN, RELEASE_KEPT, RELEASE_NOTHING, SETTLE, SWEEP, withDollars } from "./sql.ts";

export type PostgresAppStoreOptions = {
  /** postgresql://user:password@host:port/database */
  readonly url: string;
  readonly connectionsMax?: number;
  /** Told of connections that broke and sweeps that failed; by default they are printed. */
  readonly report?: (error: unknown) => void;
};

const CONNECTIONS_MAX = 20;
const CONNECT_MS_MAX = 3_000;
/** A turn does not wait longer for a server that is there and says nothing. */
const STATEMENT_MS_MAX = 4_000;
const SWEEP_EVERY_MS = 30_000;
/** "dialyard": processes that start at once make the table one after another. */
const LOCK = 0x6469616c;
const TABLE = `
BEGIN;
SELECT pg_advisory_xact_lock(${LOCK});
CREATE TABLE IF NOT EXISTS dialyard_app_sessions (
  key text PRIMARY KEY,
  state text,
  expires_at bigint NOT NULL,
  token text,
  until bigint NOT NULL,
  lapsed integer NOT NULL
) WITH (fillfactor = 60);
COMMIT`;
const STATEMENTS = {
  open: withDollars(OPEN),
  settle: withDollars(SETTLE),
  releaseNothing: withDollars(RELEASE_NOTHING),
  releaseKept: withDollars(RELEASE_KEPT),
};

/**
 * Sessions on a PostgreSQL server; makes its one table, `dialyard_app_sessions`. Rejects when the
 * server cannot be reached.
 * @example
 * const store = await postgresAppStore({ url: process.env.DATABASE_URL });
 * await serveApp(app, { protocol: "ola", port: 8081, store, secret });
 */
export async function postgresAppStore(options: PostgresAppStoreOptions): Promise<AppStore> {
  const { url, connectionsMax = CONNECTIONS_MAX, report = console.error } = options;
  const pool = new Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
    query_timeout: STATEMENT_MS_MAX + 500,
    keepAlive: true,
    application_name: "dialyard-app",
  });
  pool.on("error", report); // an idle connection broke: the next query opens another
  try {
    await pool.query(TABLE);
  } catch (error) {
    await pool.end();
    throw new Error(`PostgreSQL: ${(error as Error).message}`, { cause: error });
  }
  const sweeping = setInterval(() => {
    pool.query(withDollars(SWEEP), [Date.now()]).catch(report);
  }, SWEEP_EVERY_MS);
  sweeping.unref();
  /** Prepared by name on each connection. */
  const query = (name: keyof typeof STATEMENTS, values: readonly unknown[]) =>
    pool.query<{ state: string | null; lapsed: number }>({
      name,
      text: STATEMENTS[name],
      values: [...values],
    });
  let isClosed = false;
  return {
    async open({ key, nowMs, leaseMs }) {
      const token = randomBytes(12).toString("base64url");
      const { rows } = await query("open", [key, token, nowMs + leaseMs, nowMs]);
      const [row] = rows;
      if (row === undefined) return { type: "busy" };
      const { state, lapsed } = row;
      return {
        type: "leased",
        lease: { key, token },
        state: state ?? undefined,
        lapsed: lapsed === 1,
      };
    },
    async settle({ key, token }, { state, expiresAtMs }) {
      const { rowCount } = await query("settle", [key, token, state, expiresAtMs]);
      return rowCount === 1;
    },
    async release({ key, token }) {
      const { rowCount } = await query("releaseNothing", [key, token]);
      if (rowCount === 0) await query("releaseKept", [key, token]);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      clearInterval(sweeping);
      await pool.end();
    },
  };
}
