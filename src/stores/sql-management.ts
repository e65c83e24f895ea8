/** Users, sign-ins, keys, audit log and changes of backends, in any SQL store. */
import { type Kysely, type RawBuilder, sql } from "kysely";
import type { BackendRow, NewBackendRow, Store } from "../types.ts";
import type { Schema } from "./migrations.ts";
import type { Digest, Sealer } from "./seal.ts";
import { sqlErase } from "./sql-erase.ts";

export type ManagedStore = Store & { readonly management: ManagementStore };
export type ManagementStore = ReturnType<typeof sqlManagement>;
export type UserRow = {
  readonly id: number;
  readonly name: string;
  readonly role: string;
  readonly password: string;
  readonly created_at: number;
  readonly signed_in_at: number | null;
};
export type KeyRow = {
  readonly id: number;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  readonly created_by: string;
  readonly created_at: number;
  readonly used_at: number | null;
  readonly expires_at: number | null;
};
export type AuditEntry = {
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly reason: string | null;
  /** JSON without secrets. */
  readonly before: string | null;
  readonly after: string | null;
};
export type SettingRow = { readonly name: string; readonly value: unknown };
export type BackendChange = {
  readonly n: number;
  readonly backend_id: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly row: BackendRow;
};

export const SQLITE_FACTS = {
  kind: "SQLite",
  octets: sql<{ octets: number }>`SELECT page_count * page_size AS octets
    FROM pragma_page_count(), pragma_page_size()`,
};
export const POSTGRES_FACTS = {
  kind: "PostgreSQL",
  octets: sql<{ octets: number }>`SELECT pg_database_size(current_database()) AS octets`,
};
type Facts = { readonly kind: string; readonly octets: RawBuilder<{ octets: number }> };

const USERS_MAX = 1_000;
const KEYS_MAX = 1_000;
const SIGN_INS_PER_USER_MAX = 20;
const CHANGES_PER_BACKEND_MAX = 100;
const CHANGES_MAX = 10_000;
const AUDIT_ROWS_MAX = 200_000;

export function sqlManagement(
  db: Kysely<Schema>,
  {
    sealer,
    digest,
    facts,
    turns,
  }: {
    readonly sealer: Sealer;
    readonly digest: Digest;
    readonly facts: Facts;
    /** As of sqlRecords. */
    readonly turns: "chain" | "by_session";
  },
) {
  return {
    erase: sqlErase(db, digest, turns),
    users: userStore(db),
    keys: keyStore(db),
    audit: auditStore(db),
    changes: changeStore(db, sealer),
    settings: settingStore(db),
    async facts() {
      const { rows } = await facts.octets.execute(db);
      const { rows: applied } = await sql<{ name: string }>`
        SELECT name FROM kysely_migration ORDER BY name`.execute(db);
      const octets = Number(rows[0]?.octets ?? 0);
      return { kind: facts.kind, octets, migrations: applied.map(({ name }) => name) };
    },
  };
}

function userStore(db: Kysely<Schema>) {
  return {
    list: (): Promise<UserRow[]> =>
      db.selectFrom("users").selectAll().orderBy("name").limit(USERS_MAX).execute(),
    byName: (name: string): Promise<UserRow | undefined> =>
      db.selectFrom("users").selectAll().where("name", "=", name).executeTakeFirst(),
    byId: (id: number): Promise<UserRow | undefined> =>
      db.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst(),
    /** Undefined where the name is taken. */
    async insert(user: Pick<UserRow, "name" | "role" | "password">, at: number) {
      const { count } = await db
        .selectFrom("users")
        .select((of) => of.fn.countAll().as("count"))
        .executeTakeFirstOrThrow();
      if (Number(count) >= USERS_MAX) throw new Error(`more than ${USERS_MAX} users`);
      return db
        .insertInto("users")
        .values({ ...user, created_at: at, signed_in_at: null })
        .onConflict((conflict) => conflict.column("name").doNothing())
        .returningAll()
        .executeTakeFirst();
    },
    /** Whoever was signed in is not any more. */
    async update(id: number, change: Partial<Pick<UserRow, "role" | "password">>) {
      await db.updateTable("users").set(change).where("id", "=", id).execute();
      await db.deleteFrom("sign_ins").where("user_id", "=", id).execute();
    },
    async remove(id: number) {
      await db.deleteFrom("sign_ins").where("user_id", "=", id).execute();
      await db.deleteFrom("users").where("id", "=", id).execute();
    },
    async signIn(userId: number, hash: string, at: number) {
      await db
        .insertInto("sign_ins")
        .values({ hash, user_id: userId, created_at: at, seen_at: at })
        .execute();
      await db.updateTable("users").set({ signed_in_at: at }).where("id", "=", userId).execute();
      const old = await db
        .selectFrom("sign_ins")
        .select("hash")
        .where("user_id", "=", userId)
        .orderBy("seen_at", "desc")
        .offset(SIGN_INS_PER_USER_MAX)
        .limit(SIGN_INS_PER_USER_MAX)
        .execute();
      for (const one of old) await db.deleteFrom("sign_ins").where("hash", "=", one.hash).execute();
    },
    signInOf: (hash: string) =>
      db
        .selectFrom("sign_ins")
        .innerJoin("users", "users.id", "sign_ins.user_id")
        .select(["users.id", "users.name", "users.role"])
        .select(["sign_ins.created_at as since", "sign_ins.seen_at as seenAt"])
        .where("sign_ins.hash", "=", hash)
        .executeTakeFirst(),
    seen: (hash: string, at: number) =>
      db.updateTable("sign_ins").set({ seen_at: at }).where("hash", "=", hash).execute(),
    signOut: (hash: string) => db.deleteFrom("sign_ins").where("hash", "=", hash).execute(),
    forgetBefore: (createdAt: number, seenAt: number) =>
      db
        .deleteFrom("sign_ins")
        .where((of) => of.or([of("created_at", "<", createdAt), of("seen_at", "<", seenAt)]))
        .execute(),
  };
}

const KEY_COLUMNS = [
  "id",
  "name",
  "prefix",
  "scopes",
  "created_by",
  "created_at",
  "used_at",
  "expires_at",
] as const;

function keyStore(db: Kysely<Schema>) {
  const read = (row: Omit<KeyRow, "scopes"> & { readonly scopes: string }): KeyRow => ({
    ...row,
    scopes: JSON.parse(row.scopes) as string[],
  });
  const all = () => db.selectFrom("api_keys").select(KEY_COLUMNS);
  return {
    async list(): Promise<KeyRow[]> {
      return (await all().orderBy("id", "desc").limit(KEYS_MAX).execute()).map(read);
    },
    async byHash(hash: string): Promise<KeyRow | undefined> {
      const row = await all().where("hash", "=", hash).executeTakeFirst();
      return row && read(row);
    },
    async byId(id: number): Promise<KeyRow | undefined> {
      const row = await all().where("id", "=", id).executeTakeFirst();
      return row && read(row);
    },
    async insert(
      key: Pick<KeyRow, "name" | "prefix" | "scopes" | "created_by" | "expires_at">,
      hash: string,
      at: number,
    ): Promise<KeyRow> {
      const { count } = await db
        .selectFrom("api_keys")
        .select((of) => of.fn.countAll().as("count"))
        .executeTakeFirstOrThrow();
      if (Number(count) >= KEYS_MAX) throw new Error(`more than ${KEYS_MAX} keys`);
      const row = await db
        .insertInto("api_keys")
        .values({ ...key, hash, scopes: JSON.stringify(key.scopes), created_at: at, used_at: null })
        .returning(KEY_COLUMNS)
        .executeTakeFirstOrThrow();
      return read(row);
    },
    expire: (id: number, at: number) =>
      db.updateTable("api_keys").set({ expires_at: at }).where("id", "=", id).execute(),
    used: (id: number, at: number) =>
      db.updateTable("api_keys").set({ used_at: at }).where("id", "=", id).execute(),
    async remove(id: number): Promise<boolean> {
      const done = await db.deleteFrom("api_keys").where("id", "=", id).executeTakeFirstOrThrow();
      return done.numDeletedRows > 0n;
    },
  };
}

function auditStore(db: Kysely<Schema>) {
  return {
    add: (entry: AuditEntry) => db.insertInto("audit").values(entry).execute(),
    list(filter: { before?: number; actor?: string; action?: string; limit: number }) {
      let query = db.selectFrom("audit").selectAll().orderBy("n", "desc").limit(filter.limit);
      if (filter.before !== undefined) query = query.where("n", "<", filter.before);
      if (filter.actor !== undefined) query = query.where("actor", "=", filter.actor);
      if (filter.action !== undefined) query = query.where("action", "=", filter.action);
      return query.execute();
    },
    async prune(olderThan: number) {
      await db.deleteFrom("audit").where("at", "<", olderThan).execute();
      const last = await db.selectFrom("audit").select("n").orderBy("n", "desc").executeTakeFirst();
      const from = (last?.n ?? 0) - AUDIT_ROWS_MAX;
      await db.deleteFrom("audit").where("n", "<=", from).execute();
    },
  };
}

function settingStore(db: Kysely<Schema>) {
  return {
    async list(): Promise<readonly SettingRow[]> {
      const rows = await db.selectFrom("settings").select(["name", "value"]).execute();
      return rows.map(({ name, value }) => ({ name, value: JSON.parse(value) as unknown }));
    },
    async put(name: string, value: unknown, at: number) {
      const changed = { value: JSON.stringify(value), updated_at: at };
      await db
        .insertInto("settings")
        .values({ name, ...changed })
        .onConflict((conflict) => conflict.column("name").doUpdateSet(changed))
        .execute();
    },
    async remove(name: string) {
      await db.deleteFrom("settings").where("name", "=", name).execute();
    },
  };
}

function changeStore(db: Kysely<Schema>, sealer: Sealer) {
  const place = (id: number) => `change:${id}`;
  return {
    async add(change: Omit<BackendChange, "n" | "backend_id">) {
      const { secret, ...registration } = change.row;
      const { id } = registration;
      const { n } = await db
        .insertInto("backend_changes")
        .values({
          backend_id: id,
          at: change.at,
          actor: change.actor,
          action: change.action,
          registration: JSON.stringify(registration),
          secret_sealed: secret === undefined ? null : sealer.seal(secret, place(id)),
        })
        .returning("n")
        .executeTakeFirstOrThrow();
      const old = await db
        .selectFrom("backend_changes")
        .select("n")
        .where("backend_id", "=", id)
        .orderBy("n", "desc")
        .offset(CHANGES_PER_BACKEND_MAX)
        .limit(1)
        .executeTakeFirst();
      const from = Math.max(n - CHANGES_MAX, 0);
      await db.deleteFrom("backend_changes").where("n", "<=", from).execute();
      if (old === undefined) return;
      const mine = db.deleteFrom("backend_changes").where("backend_id", "=", id);
      await mine.where("n", "<=", old.n).execute();
    },
    async list(filter: { backendId?: number; n?: number; limit: number }) {
      let query = db.selectFrom("backend_changes").selectAll().orderBy("n", "desc");
      if (filter.backendId !== undefined) query = query.where("backend_id", "=", filter.backendId);
      if (filter.n !== undefined) query = query.where("n", "=", filter.n);
      const rows = await query.limit(filter.limit).execute();
      return rows.map(({ registration, secret_sealed, ...rest }): BackendChange => {
        const row = JSON.parse(registration) as NewBackendRow & BackendRow;
        const secret =
          secret_sealed === null ? undefined : sealer.open(secret_sealed, place(rest.backend_id));
        return { ...rest, row: { ...row, secret } };
      });
    },
  };
}
