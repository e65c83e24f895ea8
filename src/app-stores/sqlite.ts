/** Sessions of apps in one SQLite file: any number of processes on one machine share it. */
import { randomBytes } from "node:crypto";
import type { AppStore } from "../app/store.ts";
import { OPEN, RELEASE_KEPT, RELEASE_NOTHING, SETTLE } from "./sql.ts";
import { SETTLES_PER_SWEEP, SWEEP, SWEEP_EVERY_MS, SWEPT_TO } from "./sql.ts";
import { openFile, type SqliteAppStoreOptions } from "./sqlite-file.ts";

export type { SqliteAppStoreOptions } from "./sqlite-file.ts";
export { sqlitePinStore } from "./sqlite-pins.ts";

const TABLE = `
CREATE TABLE IF NOT EXISTS dialyard_app_sessions (
  key TEXT PRIMARY KEY NOT NULL,
  state TEXT,
  expires_at INTEGER NOT NULL,
  token TEXT,
  until INTEGER NOT NULL,
  lapsed INTEGER NOT NULL
) WITHOUT ROWID`;

/**
 * Sessions that survive the process, with nothing to install.
 * @example
 * const store = sqliteAppStore({ file: "./data/app.db" });
 * await serveApp(app, { protocol: "ola", port: 8081, store, secret });
 */
export function sqliteAppStore(options: SqliteAppStoreOptions): AppStore {
  const database = openFile(options, TABLE);
  const open = database.prepare(OPEN);
  const settle = database.prepare(SETTLE);
  const releaseNothing = database.prepare(RELEASE_NOTHING);
  const releaseKept = database.prepare(RELEASE_KEPT);
  const remove = database.prepare(SWEEP);
  const sweptTo = database.prepare(SWEPT_TO);
  let settles = 0;
  let swept = "";
  const sweep = (nowMs: number): void => {
    const next = sweptTo.get(swept) as { readonly key: string } | undefined;
    remove.run(swept, nowMs);
    swept = next?.key ?? "";
  };
  const sweeping = setInterval(() => {
    try {
      sweep(Date.now());
    } catch {
      // Another process had the file for too long: there is a next time.
    }
  }, SWEEP_EVERY_MS);
  sweeping.unref();
  return {
    async open({ key, nowMs, leaseMs }) {
      const token = randomBytes(12).toString("base64url");
      const row = open.get(key, token, nowMs + leaseMs, nowMs) as
        { readonly state: string | null; readonly lapsed: number } | undefined;
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
      const { changes } = settle.run(key, token, state, expiresAtMs);
      settles += 1;
      if (settles % SETTLES_PER_SWEEP === 0) sweep(nowMs);
      return changes > 0;
    },
    async release({ key, token }) {
      if (releaseNothing.run(key, token).changes === 0) releaseKept.run(key, token);
    },
    async close() {
      clearInterval(sweeping);
      if (database.isOpen) database.close();
    },
  };
}
