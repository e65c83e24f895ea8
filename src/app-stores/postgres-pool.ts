/** A bounded pool of connections to a PostgreSQL server, with the tables that are wanted. */
import { Pool } from "pg";
import type { PostgresAppStoreOptions } from "./postgres-options.ts";

const CONNECTIONS_MAX = 20;
const CONNECT_MS_MAX = 2_000;
/** A turn does not wait longer for a server that is slow: it has to answer in 4 s. */
const STATEMENT_MS_MAX = 2_000;
/** The server itself should say that it gave up; one that says nothing is gone. */
const SILENCE_MS_MAX = 2_500;
/** "dialyard": processes that start at once make the table one after another. */
const LOCK = 0x6469616c;

/** Rejects when the server cannot be reached. */
export async function openPool(options: PostgresAppStoreOptions, table: string): Promise<Pool> {
  const { url, connectionsMax = CONNECTIONS_MAX, report = console.error } = options;
  const pool = new Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
    query_timeout: SILENCE_MS_MAX,
    keepAlive: true,
    application_name: "dialyard-app",
  });
  pool.on("error", report); // an idle connection broke: the next query opens another
  try {
    await pool.query(`BEGIN; SELECT pg_advisory_xact_lock(${LOCK}); ${table}; COMMIT`);
    return pool;
  } catch (error) {
    await pool.end();
    throw new Error(`PostgreSQL: ${(error as Error).message}`, { cause: error });
  }
}
