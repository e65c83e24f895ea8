/**
 * The tables of the SQL stores, and how a database comes to have them.
 *
 * Expand and contract (RELIABILITY F56): a migration adds tables, columns that may be null or have
 * a default, and indexes; it never renames or removes what the release before it reads. What no
 * release reads any more goes one release later. Nothing here is edited once it was released.
 */
import type { Generated, Kysely } from "kysely";
import { sql } from "kysely";
import type { Migration } from "kysely/migration";
import { Migrator } from "kysely/migration";
import {
  createManagement,
  dropImports,
  type ManagementSchema,
  SETTINGS_TABLE,
  SQLITE_NUMBER,
} from "./management-tables.ts";
import type { Reply, ServiceCode, SessionOutcome, TurnOutcome } from "../types.ts";

export type Schema = ManagementSchema & {
  readonly sessions: SessionsTable;
  readonly turns: TurnsTable;
  readonly leases: LeasesTable;
  readonly progress: ProgressTable;
  readonly key_check: KeyCheckTable;
  readonly backends: BackendsTable;
};
/** Live sessions and, until retention, the history of those that were. */
export type SessionsTable = {
  /** Ascends in the order sessions were first settled in; never used twice. */
  readonly n: Generated<number>;
  /** Set while a turn may still find the session: the index on it stays as small as that. */
  readonly key: string | null;
  /** Null while it lives. */
  readonly outcome: SessionOutcome | null;
  readonly expires_at: number;
  readonly started_at: number;
  readonly last_at: number;
  readonly turns: number;
  readonly undelivered: number;
  /** The newest of `turns`; each of them names the one before it. */
  readonly last_turn: number;
  readonly id: string;
  /** "" where no turn was ever settled: the key is all that was known. */
  readonly channel: string;
  readonly network_id: string | null;
  readonly service_code: ServiceCode | null;
  readonly backend_id: number | null;
  readonly provider: string;
  readonly msisdn_hash: string | null;
  readonly msisdn_sealed: string | null;
  /** What only turns need, as JSON. Null where no turn was ever settled. */
  readonly state: string | null;
};
/** A turn costs one row appended at the end: no index, the session's turns are a chain. */
export type TurnsTable = {
  readonly n: Generated<number>;
  readonly session: number;
  /** The session's turn before this one, 0 for its first. */
  readonly prev: number;
  readonly at: number;
  readonly took_ms: number;
  readonly backend_ms: number;
  readonly outcome: TurnOutcome;
  readonly input: string;
  readonly screen: string;
  readonly action: Reply["action"] | null;
  readonly attempts: string;
  readonly request_octets: number;
  readonly reply_octets: number;
  readonly flaw: NonNullable<Reply["flaw"]> | null;
  /** What the session's row has to become: read only by a start after a crash. */
  readonly after: string | null;
  /** Of a turn that was answered on Redis: unique, so that none is written twice. */
  readonly record_id: string | null;
};
/** How far the rows of sessions have caught up with turns: one row. */
export type ProgressTable = {
  readonly written_turn: number;
};
/** A known text as the key of this database seals it: one row. */
export type KeyCheckTable = {
  readonly sealed: string;
};
/** Turns under way, and those that a crash left. Small, so that all of it is in a few pages. */
export type LeasesTable = {
  readonly key: string;
  /** "" when nobody holds it: kept for what it remembers. */
  readonly token: string;
  readonly taken_at: number;
  readonly until: number;
  /** "" when no turn of it is unsettled. */
  readonly digest: string;
  readonly fresh_id: string;
  /** Of a first turn, whose session is not there to say who dialled. */
  readonly msisdn_sealed: string | null;
  readonly redriven: number;
  readonly lost: number;
};
export type BackendsTable = {
  readonly id: Generated<number>;
  readonly service_code: string;
  readonly callback_url: string;
  readonly name: string;
  readonly type: "http" | "app";
  readonly timeout: number;
  readonly retries: number;
  readonly method: "POST" | "GET" | "PUT";
  readonly status: "active" | "inactive";
  readonly protocol: string;
  readonly protocol_options: string;
  readonly idempotent: number;
  readonly headers: string;
  readonly secret_sealed: string | null;
  readonly max_in_flight: number;
  readonly events_url: string | null;
  readonly created_at: string;
  readonly updated_at: string;
};

/** Brings a database to this release. Safe to call at every start. */
export async function migrate(db: Kysely<Schema>): Promise<void> {
  const provider = { getMigrations: () => Promise.resolve(migrations) };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined) throw new Error("the database could not be migrated", { cause: error });
}

const migrations: Record<string, Migration> = {
  "0001_sessions": {
    async up(db: Kysely<unknown>) {
      await createSessions(db);
      await createTurnsAndLeases(db);
    },
  },
  "0002_backends": {
    async up(db: Kysely<unknown>) {
      await createBackends(db);
    },
  },
  "0003_record_ids": {
    async up(db: Kysely<unknown>) {
      await sql`ALTER TABLE turns ADD COLUMN record_id text`.execute(db);
      await sql`CREATE UNIQUE INDEX turns_record ON turns (record_id)
        WHERE record_id IS NOT NULL`.execute(db);
    },
  },
  "0004_management": {
    up: (db: Kysely<unknown>) => createManagement(db, SQLITE_NUMBER),
  },
  "0005_no_imports": { up: dropImports },
  "0006_settings": {
    async up(db: Kysely<unknown>) {
      await sql.raw(SETTINGS_TABLE).execute(db);
    },
  },
};

async function createSessions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("sessions")
    .addColumn("n", "integer", (column) => column.primaryKey())
    .addColumn("key", "text")
    .addColumn("outcome", "text")
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .addColumn("started_at", "bigint", (column) => column.notNull())
    .addColumn("last_at", "bigint", (column) => column.notNull())
    .addColumn("turns", "integer", (column) => column.notNull())
    .addColumn("undelivered", "integer", (column) => column.notNull().defaultTo(0))
    .addColumn("last_turn", "bigint", (column) => column.notNull())
    .addColumn("id", "text", (column) => column.notNull())
    .addColumn("channel", "text", (column) => column.notNull())
    .addColumn("network_id", "text")
    .addColumn("service_code", "text")
    .addColumn("backend_id", "integer")
    .addColumn("provider", "text", (column) => column.notNull())
    .addColumn("msisdn_hash", "text")
    .addColumn("msisdn_sealed", "text")
    .addColumn("state", "text")
    .execute();
  await db.schema
    .createIndex("sessions_key")
    .unique()
    .on("sessions")
    .column("key")
    .where(sql.ref("key"), "is not", null)
    .execute();
  await db.schema.createIndex("sessions_id").unique().on("sessions").column("id").execute();
  // Rows of equal MSISDN lie in the order of n inside the index: newest first costs no sort.
  await db.schema
    .createIndex("sessions_msisdn")
    .on("sessions")
    .column("msisdn_hash")
    .where(sql.ref("msisdn_hash"), "is not", null)
    .execute();
}

async function createTurnsAndLeases(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("turns")
    .addColumn("n", "integer", (column) => column.primaryKey())
    .addColumn("session", "bigint", (column) => column.notNull())
    .addColumn("prev", "bigint", (column) => column.notNull())
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("took_ms", "double precision", (column) => column.notNull())
    .addColumn("backend_ms", "double precision", (column) => column.notNull())
    .addColumn("outcome", "text", (column) => column.notNull())
    .addColumn("input", "text", (column) => column.notNull())
    .addColumn("screen", "text", (column) => column.notNull())
    .addColumn("action", "text")
    .addColumn("attempts", "text", (column) => column.notNull())
    .addColumn("request_octets", "integer", (column) => column.notNull())
    .addColumn("reply_octets", "integer", (column) => column.notNull())
    .addColumn("flaw", "text")
    .addColumn("after", "text")
    .execute();
  await db.schema
    .createTable("progress")
    .addColumn("written_turn", "bigint", (column) => column.notNull())
    .execute();
  await sql`insert into progress (written_turn) values (0)`.execute(db);
  await db.schema
    .createTable("key_check")
    .addColumn("sealed", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("leases")
    .addColumn("key", "text", (column) => column.primaryKey().notNull())
    .addColumn("token", "text", (column) => column.notNull())
    .addColumn("taken_at", "bigint", (column) => column.notNull())
    .addColumn("until", "bigint", (column) => column.notNull())
    .addColumn("digest", "text", (column) => column.notNull())
    .addColumn("fresh_id", "text", (column) => column.notNull())
    .addColumn("msisdn_sealed", "text")
    .addColumn("redriven", "integer", (column) => column.notNull().defaultTo(0))
    .addColumn("lost", "integer", (column) => column.notNull().defaultTo(0))
    .modifyEnd(sql`without rowid`)
    .execute();
}

async function createBackends(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("backends")
    // Sessions and records name backends by id: an id is never given twice.
    .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
    .addColumn("service_code", "text", (column) => column.notNull().unique())
    .addColumn("callback_url", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("type", "text", (column) => column.notNull())
    .addColumn("timeout", "integer", (column) => column.notNull())
    .addColumn("retries", "integer", (column) => column.notNull())
    .addColumn("method", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("protocol", "text", (column) => column.notNull())
    .addColumn("protocol_options", "text", (column) => column.notNull())
    .addColumn("idempotent", "integer", (column) => column.notNull())
    .addColumn("headers", "text", (column) => column.notNull())
    .addColumn("secret_sealed", "text")
    .addColumn("max_in_flight", "integer", (column) => column.notNull())
    .addColumn("events_url", "text")
    .addColumn("created_at", "text", (column) => column.notNull())
    .addColumn("updated_at", "text", (column) => column.notNull())
    .execute();
}
