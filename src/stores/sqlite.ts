/** The embedded store: one SQLite file, one process, nothing to install. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Kysely, sql } from "kysely";
import type { RecordStore, SessionStore } from "../types.ts";
import type { GroupCommit, Transaction } from "./group-commit.ts";
import { createGroupCommit } from "./group-commit.ts";
import { nodeSqliteDialect } from "./kysely-sqlite.ts";
import type { Schema } from "./migrations.ts";
import { migrate } from "./migrations.ts";
import type { Digest, Sealer } from "./seal.ts";
import { checkSealKey } from "./seal-check.ts";
import { sqlBackends } from "./sql-backends.ts";
import type { SqlSide } from "./sql-drain.ts";
import { SQLITE_FACTS, type ManagedStore, sqlManagement } from "./sql-management.ts";
import { sqlRecords } from "./sql-records.ts";
import type { TurnTables } from "./sqlite-sessions.ts";
import {
  createTurnTables,
  markUndelivered,
  open,
  release,
  settle,
  noteWritten,
  restoreRows,
} from "./sqlite-sessions.ts";
import { createSweep, deleteOld, writeBehind } from "./sqlite-sweep.ts";

export type SqliteOptions = {
  readonly file: string;
  readonly sealer: Sealer;
  /** Finds sessions by MSISDN without storing it in the clear. Its key must not change. */
  readonly digest: Digest;
  /** normal: a power cut may lose the last commits; a killed process loses none either way. */
  readonly synchronous?: "full" | "normal";
};

/** Creates the directory and the file where they are not there, and migrates. */
export async function sqliteStore(
  options: SqliteOptions,
): Promise<ManagedStore & { readonly side: SqlSide }> {
  const { file, sealer, digest, synchronous = "full" } = options;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  try {
    takeAlone(database, file);
    database.exec(PRAGMAS);
    database.exec(`PRAGMA synchronous = ${synchronous}`);
    const db = new Kysely<Schema>({ dialect: nodeSqliteDialect(database) });
    await migrate(db);
    await checkSealKey(db, sealer, file);
    const tables = createTurnTables(database, sealer, digest);
    database.exec("BEGIN IMMEDIATE");
    restoreRows(tables);
    noteWritten(tables, true);
    database.exec("COMMIT");
    const commits = createGroupCommit(transactionOf(database, tables));
    const sessions = sessionStore(database, tables, commits);
    const writeAll = async () => void (await writeBehind(tables, commits.submit, () => true));
    return {
      sessions,
      records: afterWriting(sqlRecords(db, sealer, digest, "chain"), tables, writeAll),
      backends: sqlBackends(db, sealer),
      management: sqlManagement(db, { sealer, digest, facts: SQLITE_FACTS, turns: "chain" }),
      async ping() {
        database.prepare("SELECT 1 FROM leases LIMIT 1").get();
      },
      close: sessions.close,
      side: {
        db,
        turns: "chain",
        // Nobody else has the file.
        lock: async () => undefined,
        bareState: sql`json_remove(state, '$.inputs', '$.app')`,
        dropOld: (_, ...asked) => deleteOld(database, ...asked),
      },
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Rows are written behind what is in memory, so one process alone may have the file. The lock is
 * the system's: it goes with the process, however that ends, and spares a turn three system calls.
 */
function takeAlone(database: DatabaseSync, file: string): void {
  try {
    database.exec("PRAGMA busy_timeout = 2000; PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; COMMIT");
  } catch (error) {
    if (primaryCode(error) !== SQLITE_BUSY) throw new Error(file, { cause: error });
    throw new DatabaseTaken(`another process has the database open: ${file}`, { cause: error });
  }
}

export class DatabaseTaken extends Error {
  override readonly name = "DatabaseTaken";
}

// A waiting writer stops the event loop, so it waits briefly and is tried again (F49).
// 4000 pages: a page that many turns touch goes from the log to the file once, not each time.
// Pages are read through the mapping; a larger cache of its own only made commits dearer.
const PRAGMAS = `
PRAGMA busy_timeout = 250;
PRAGMA mmap_size = 1073741824;
PRAGMA cache_size = -16384;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA journal_size_limit = 67108864;
PRAGMA temp_store = MEMORY;
`;

/** Operators read rows, so rows are brought up to date first. */
function afterWriting(
  records: RecordStore,
  { hot }: TurnTables,
  writeAll: () => Promise<void>,
): RecordStore {
  const written = async () => {
    if (hot.unwrittenCount() > 0) await writeAll();
  };
  return {
    findSessions: (filter) => written().then(() => records.findSessions(filter)),
    getSession: (id) => written().then(() => records.getSession(id)),
    findLive: (...args) => written().then(() => records.findLive(...args)),
    findByNetworkId: (...args) => written().then(() => records.findByNetworkId(...args)),
    countLive: (nowMs) => written().then(() => records.countLive(nowMs)),
  };
}

function sessionStore(
  database: DatabaseSync,
  tables: TurnTables,
  commits: GroupCommit,
): SessionStore {
  const { submit } = commits;
  let closed = false;
  return {
    open: (ask) => submit(() => open(tables, ask)),
    settle: (lease, settlement) => submit(() => settle(tables, lease, settlement)),
    release: (lease) => submit(() => release(tables, lease)),
    undelivered: (key, sessionId) => submit(() => markUndelivered(tables, key, sessionId)),
    sweep: createSweep(database, tables, commits),
    async close() {
      if (closed) return;
      closed = true;
      await writeBehind(tables, submit, () => true);
      await submit(() => noteWritten(tables, true));
      commits.close();
      database.close();
    },
  };
}

function transactionOf(database: DatabaseSync, { known, hot }: TurnTables): Transaction {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  return {
    begin() {
      hot.begin();
      begin.run();
    },
    commit: () => void commit.run(),
    rollback() {
      // It remembers rows that are not there now.
      known.clear();
      hot.undo();
      // SQLite rolls back by itself after some errors.
      if (database.isTransaction) database.exec("ROLLBACK");
    },
    isBusy: (error) => primaryCode(error) === SQLITE_BUSY,
    isOutage: (error) => OUTAGES.has(primaryCode(error)),
  };
}

// https://www.sqlite.org/rescode.html
const SQLITE_BUSY = 5;
/** busy, locked, no memory, read-only, input or output, corrupt, full, cannot open, not a database */
const OUTAGES: ReadonlySet<number> = new Set([SQLITE_BUSY, 6, 7, 8, 10, 11, 13, 14, 26]);

/** The low octet: the rest only says more about it. */
function primaryCode(error: unknown): number {
  const { errcode } = error as { readonly errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : 0;
}
