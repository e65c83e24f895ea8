/** Lets kysely run on node:sqlite, whose statements differ from better-sqlite3's in two ways. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Dialect } from "kysely";
import { SqliteDialect } from "kysely";

/** The database stays its owner's: destroying the Kysely instance does not close it. */
export function nodeSqliteDialect(database: DatabaseSync): Dialect {
  return new SqliteDialect({
    database: {
      close: () => undefined,
      prepare(sql) {
        const statement = database.prepare(sql);
        return {
          reader: statement.columns().length > 0,
          all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
          run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
          iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
        };
      },
    },
  });
}
