/** Tables of those who run the gateway: the same in every SQL store (see migrations.ts). */
import type { Generated, Kysely } from "kysely";
import { sql } from "kysely";

export type ManagementSchema = {
  readonly users: UsersTable;
  readonly sign_ins: SignInsTable;
  readonly api_keys: KeysTable;
  readonly audit: AuditTable;
  readonly backend_changes: ChangesTable;
  readonly settings: SettingsTable;
};
type UsersTable = {
  readonly id: Generated<number>;
  readonly name: string;
  readonly role: string;
  /** scrypt's parameters, salt and key (api/passwords.ts). */
  readonly password: string;
  readonly created_at: number;
  readonly signed_in_at: number | null;
};
type SignInsTable = {
  readonly hash: string;
  readonly user_id: number;
  readonly created_at: number;
  readonly seen_at: number;
};
type KeysTable = {
  readonly id: Generated<number>;
  readonly hash: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: string;
  readonly created_by: string;
  readonly created_at: number;
  readonly used_at: number | null;
  readonly expires_at: number | null;
};
type AuditTable = {
  readonly n: Generated<number>;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly reason: string | null;
  readonly before: string | null;
  readonly after: string | null;
};
type ChangesTable = {
  readonly n: Generated<number>;
  readonly backend_id: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  /** The registration after the change, or before its deletion, without its secret. */
  readonly registration: string;
  readonly secret_sealed: string | null;
};

/** What people have changed of the gateway while it runs; what has no row is as configured. */
type SettingsTable = {
  readonly name: string;
  /** JSON. */
  readonly value: string;
  readonly updated_at: number;
};

/** `number`: how this database numbers rows and never gives a number twice. */
export async function createManagement(db: Kysely<unknown>, number: string): Promise<void> {
  for (const statement of statementsOf(number)) await sql.raw(statement).execute(db);
}
/** Opened from a file, a session stays in its reader's browser: nothing ever used this table. */
export async function dropImports(db: Kysely<unknown>): Promise<void> {
  await sql`DROP TABLE imports`.execute(db);
}
export const SETTINGS_TABLE = `CREATE TABLE settings (name text NOT NULL PRIMARY KEY,
  value text NOT NULL, updated_at bigint NOT NULL)`;
export const SQLITE_NUMBER = "integer PRIMARY KEY AUTOINCREMENT";
export const POSTGRES_NUMBER = "integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY";

const statementsOf = (number: string): readonly string[] => [
  `CREATE TABLE users (id ${number}, name text NOT NULL, role text NOT NULL,
    password text NOT NULL, created_at bigint NOT NULL, signed_in_at bigint)`,
  "CREATE UNIQUE INDEX users_name ON users (name)",
  `CREATE TABLE sign_ins (hash text NOT NULL PRIMARY KEY, user_id integer NOT NULL,
    created_at bigint NOT NULL, seen_at bigint NOT NULL)`,
  "CREATE INDEX sign_ins_user ON sign_ins (user_id)",
  `CREATE TABLE api_keys (id ${number}, hash text NOT NULL, name text NOT NULL,
    prefix text NOT NULL, scopes text NOT NULL, created_by text NOT NULL,
    created_at bigint NOT NULL, used_at bigint, expires_at bigint)`,
  "CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash)",
  `CREATE TABLE audit (n ${number}, at bigint NOT NULL, actor text NOT NULL,
    action text NOT NULL, target text NOT NULL, reason text, before text, after text)`,
  "CREATE INDEX audit_at ON audit (at)",
  `CREATE TABLE backend_changes (n ${number}, backend_id integer NOT NULL, at bigint NOT NULL,
    actor text NOT NULL, action text NOT NULL, registration text NOT NULL, secret_sealed text)`,
  "CREATE INDEX backend_changes_backend ON backend_changes (backend_id, n)",
  `CREATE TABLE imports (id ${number}, at bigint NOT NULL, actor text NOT NULL,
    session text NOT NULL)`,
];
