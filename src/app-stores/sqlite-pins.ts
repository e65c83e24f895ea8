/** PINs in a SQLite file. */
import type { PinStore } from "../app/pin-store.ts";
import { openFile, type SqliteAppStoreOptions } from "./sqlite-file.ts";

const TABLE = `
CREATE TABLE IF NOT EXISTS dialyard_pins (
  key TEXT PRIMARY KEY NOT NULL,
  pin TEXT NOT NULL
) WITHOUT ROWID`;

/**
 * PINs that survive the process. May be the file of `sqliteAppStore`.
 * @example
 * const store = sqlitePinStore({ file: "./data/app.db" });
 * const pins = pinVault({ app: "bank", keys, store });
 */
export function sqlitePinStore(options: SqliteAppStoreOptions): PinStore {
  const database = openFile(options, TABLE);
  const load = database.prepare("SELECT pin FROM dialyard_pins WHERE key = ?");
  const insert = database.prepare(
    "INSERT INTO dialyard_pins (key, pin) VALUES (?, ?) ON CONFLICT DO NOTHING",
  );
  const update = database.prepare("UPDATE dialyard_pins SET pin = ? WHERE key = ? AND pin = ?");
  const remove = database.prepare("DELETE FROM dialyard_pins WHERE key = ? AND pin = ?");
  return {
    async load(key) {
      return (load.get(key) as { readonly pin: string } | undefined)?.pin;
    },
    async replace(key, before, after) {
      if (before === undefined) {
        return after === undefined
          ? load.get(key) === undefined
          : insert.run(key, after).changes > 0;
      }
      if (after === undefined) return remove.run(key, before).changes > 0;
      return update.run(after, key, before).changes > 0;
    },
    async close() {
      if (database.isOpen) database.close();
    },
  };
}
