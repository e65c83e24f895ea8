/** Sessions of apps in one SQLite file: any number of processes on one machine share it. */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { AppStore } from "../app/store.ts";
import { OPEN, RELEASE_KEPT, RELEASE_NOTHING, SETTLE, SWEEP } from "./sql.ts";

export type SqliteAppStoreOptions = {
  /** Path of the file; it and its folder are made where they are not there. */
  readonly file: string;
  /** full, the default, survives power loss; normal only a killed process. */
  readonly synchronous?: "full" | "normal";
};

const SETTLES_PER_SWEEP = 128;
const TABLE = `
CREATE TABLE IF NOT EXISTS dialyard_app_sessions (
  key TEXT PRIMARY KEY NOT NULL,
  state TEXT,
  expires_at INTEGER NOT NULL,
  token TEXT,
  until INTEGER NOT NULL,
  lapsed INTEGER NOT NULL
) WITHOUT ROWID`;
/** A waiting process stops its own event loop, so it waits a second at most. */
const PRAGMAS = "PRAGMA busy_timeout = 1000; PRAGMA journal_mode = WAL;";

/**
 * Sessions that survive the process, with nothing to install.
 * @example
 * const store = sqliteAppStore({ file: "./data/app.db" });
 * await serveApp(app, { protocol: "ola", port: 8081, store, secret });
 */
export function sqliteAppStore(options: SqliteAppStoreOptions): AppStore {
  const { file, synchronous = "full" } = options;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(file);
  database.exec(PRAGMAS);
  database.exec(`PRAGMA synchronous = ${synchronous}`);
  database.exec(TABLE);
  const open = database.prepare(OPEN);
  const settle = database.prepare(SETTLE);
  const releaseNothing = database.prepare(RELEASE_NOTHING);
  const releaseKept = database.prepare(RELEASE_KEPT);
  const sweep = database.prepare(SWEEP);
  let settles = 0;
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
      if (settles % SETTLES_PER_SWEEP === 0) sweep.run(nowMs);
      return changes > 0;
    },
    async release({ key, token }) {
      if (releaseNothing.run(key, token).changes === 0) releaseKept.run(key, token);
    },
    async close() {
      if (database.isOpen) database.close();
    },
  };
}
