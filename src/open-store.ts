/** The store that a configuration names: a file or PostgreSQL, and Redis in front of it. */
import { join } from "node:path";
import type { Config } from "./config.ts";
import type { RedisTold } from "./stores/redis.ts";
import { createDigest, createSealer } from "./stores/seal.ts";
import type { deriveKeys } from "./stores/secret-key.ts";
import type { ManagedStore } from "./stores/sql-management.ts";
import { sqliteStore } from "./stores/sqlite.ts";

export type Keys = ReturnType<typeof deriveKeys>;

export async function openStore(
  config: Config,
  keys: Keys,
  report: (error: unknown) => void,
  tell: RedisTold,
): Promise<ManagedStore> {
  const sql = await openSql(config, keys, report);
  if (config.redisUrl === "") return sql;
  const { redisStore } = await import("./stores/redis.ts");
  const { redisUrl: url, redisBacklogMax: backlogMax } = config;
  const store = await redisStore({ ...sealingOf(keys), url, sql, backlogMax, report, tell });
  return { ...store, management: sql.management };
}

export async function openSql(config: Config, keys: Keys, report: (error: unknown) => void) {
  const sealing = sealingOf(keys);
  if (config.databaseUrl !== "") {
    // Its client is loaded by those alone who use it.
    const { postgresStore } = await import("./stores/postgres.ts");
    const { databaseUrl: url, databasePoolMax: connectionsMax } = config;
    return postgresStore({ ...sealing, url, connectionsMax, report });
  }
  const file = join(config.dataDir, "dialyard.db");
  return sqliteStore({ ...sealing, file, synchronous: config.sqliteSync });
}

function sealingOf(keys: Keys) {
  return { sealer: createSealer([keys.seal]), digest: createDigest(keys.lookup) };
}
