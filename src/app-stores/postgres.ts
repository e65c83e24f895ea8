/** Sessions of apps on PostgreSQL, for any number of processes: two round trips a turn. */
import { randomBytes } from "node:crypto";
import type { Pool } from "pg";
import type { AppStore } from "../app/store.ts";
import type { PostgresAppStoreOptions } from "./postgres-options.ts";
import { openPool } from "./postgres-pool.ts";
import { OPEN, RELEASE_KEPT, RELEASE_NOTHING, SETTLE, withDollars } from "./sql.ts";
import { SETTLES_PER_SWEEP, SWEEP, SWEEP_EVERY_MS, SWEPT_TO } from "./sql.ts";

export { postgresPinStore } from "./postgres-pins.ts";
export type { PostgresAppStoreOptions } from "./postgres-options.ts";

const TABLE = `
CREATE TABLE IF NOT EXISTS dialyard_app_sessions (
  key text PRIMARY KEY,
  state text,
  expires_at bigint NOT NULL,
  token text,
  until bigint NOT NULL,
  lapsed integer NOT NULL
) WITH (fillfactor = 60)`;
const STATEMENTS = {
  open: withDollars(OPEN),
  settle: withDollars(SETTLE),
  // Either finds the row, never both: one round trip.
  release: withDollars(`WITH nothing AS (${RELEASE_NOTHING}) ${RELEASE_KEPT}`),
};

/**
 * Sessions on a PostgreSQL server; makes its one table, `dialyard_app_sessions`. Rejects when the
 * server cannot be reached.
 * @example
 * const store = await postgresAppStore({ url: process.env.DATABASE_URL });
 * await serveApp(app, { protocol: "ola", port: 8081, store, secret });
 */
export async function postgresAppStore(options: PostgresAppStoreOptions): Promise<AppStore> {
  const { report = console.error } = options;
  const pool = await openPool(options, TABLE);
  const sweep = createSweep(pool, report);
  const sweeping = setInterval(() => sweep(Date.now()), SWEEP_EVERY_MS);
  sweeping.unref();
  let settles = 0;
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
    async settle({ key, token }, { state, nowMs, expiresAtMs }) {
      settles += 1;
      if (settles % SETTLES_PER_SWEEP === 0) sweep(nowMs);
      const { rowCount } = await query("settle", [key, token, state, expiresAtMs]);
      return rowCount === 1;
    },
    async release({ key, token }) {
      await query("release", [key, token]);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      clearInterval(sweeping);
      await pool.end();
    },
  };
}

/** One at a time, and no turn waits for it. */
function createSweep(pool: Pool, report: (error: unknown) => void): (nowMs: number) => void {
  let swept = "";
  let isSweeping = false;
  const sweep = async (nowMs: number): Promise<void> => {
    const { rows } = await pool.query<{ key: string }>(withDollars(SWEPT_TO), [swept]);
    await pool.query(withDollars(SWEEP), [swept, nowMs]);
    swept = rows[0]?.key ?? "";
  };
  return (nowMs) => {
    if (isSweeping) return;
    isSweeping = true;
    void sweep(nowMs)
      .catch(report)
      .finally(() => (isSweeping = false));
  };
}
