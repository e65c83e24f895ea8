/** PINs on a PostgreSQL server. */
import type { PinStore } from "../app/pin-store.ts";
import type { PostgresAppStoreOptions } from "./postgres-options.ts";
import { openPool } from "./postgres-pool.ts";

const TABLE = `
CREATE TABLE IF NOT EXISTS dialyard_pins (key text PRIMARY KEY, pin text NOT NULL)
  WITH (fillfactor = 60)`;
const LOAD = "SELECT pin FROM dialyard_pins WHERE key = $1";
const INSERT = "INSERT INTO dialyard_pins (key, pin) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const UPDATE = "UPDATE dialyard_pins SET pin = $3 WHERE key = $1 AND pin = $2";
const DELETE = "DELETE FROM dialyard_pins WHERE key = $1 AND pin = $2";

/**
 * PINs on a PostgreSQL server; makes its one table, `dialyard_pins`.
 * @example
 * const store = await postgresPinStore({ url: process.env.DATABASE_URL });
 * const pins = pinVault({ app: "bank", keys, store });
 */
export async function postgresPinStore(options: PostgresAppStoreOptions): Promise<PinStore> {
  const pool = await openPool(options, TABLE);
  const load = async (key: string) => (await pool.query<{ pin: string }>(LOAD, [key])).rows[0]?.pin;
  const changes = async (statement: string, values: readonly string[]) =>
    (await pool.query(statement, [...values])).rowCount === 1;
  let isClosed = false;
  return {
    load,
    async replace(key, before, after) {
      if (before === undefined) {
        return after === undefined
          ? (await load(key)) === undefined
          : changes(INSERT, [key, after]);
      }
      if (after === undefined) return changes(DELETE, [key, before]);
      return changes(UPDATE, [key, before, after]);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await pool.end();
    },
  };
}
