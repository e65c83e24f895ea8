/** A SQLite file that several processes of one machine may have open. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

export type SqliteAppStoreOptions = {
  /** Path of the file; it and its folder are made where they are not there. */
  readonly file: string;
  /** full, the default, survives power loss; normal only a killed process. */
  readonly synchronous?: "full" | "normal";
};

/** A waiting process stops its own event loop, so it waits a second at most. */
const PRAGMAS = "PRAGMA busy_timeout = 1000; PRAGMA journal_mode = WAL;";

export function openFile(options: SqliteAppStoreOptions, table: string): DatabaseSync {
  const { file, synchronous = "full" } = options;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(file);
  database.exec(PRAGMAS);
  database.exec(`PRAGMA synchronous = ${synchronous}`);
  database.exec(table);
  return database;
}
