/** Backends in any SQL database that kysely speaks. Their secrets are sealed. */
import type { Kysely, Selectable } from "kysely";
import type { BackendRow, BackendStore, NewBackendRow } from "../types.ts";
import type { BackendsTable, Schema } from "./migrations.ts";
import type { Sealer } from "./seal.ts";

export function sqlBackends(db: Kysely<Schema>, sealer: Sealer): BackendStore {
  const read = (row: Selectable<BackendsTable>): BackendRow => readBackend(row, sealer);
  return {
    async list() {
      const rows = await db.selectFrom("backends").selectAll().orderBy("id").execute();
      return rows.map(read);
    },
    async insert(row, now) {
      const inserted = await db
        .insertInto("backends")
        .values({ ...columnsOf(row, sealer), created_at: now, updated_at: now })
        .onConflict((conflict) => conflict.column("service_code").doNothing())
        .returningAll()
        .executeTakeFirst();
      return inserted === undefined ? undefined : read(inserted);
    },
    async update(id, row, now, ifUpdatedAt) {
      let query = db
        .updateTable("backends")
        .set({ ...columnsOf(row, sealer), updated_at: now })
        .where("id", "=", id);
      if (ifUpdatedAt !== undefined) query = query.where("updated_at", "=", ifUpdatedAt);
      try {
        const updated = await query.returningAll().executeTakeFirst();
        if (updated !== undefined) return { type: "updated", row: read(updated) };
      } catch (error) {
        if (isUniqueViolation(error)) return { type: "code_taken" };
        throw error;
      }
      const found = await db.selectFrom("backends").select("id").where("id", "=", id).execute();
      return { type: found.length === 0 ? "not_found" : "stale" };
    },
    async remove(id) {
      const { numDeletedRows } = await db
        .deleteFrom("backends")
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },
  };
}

function columnsOf(row: NewBackendRow, sealer: Sealer) {
  return {
    service_code: row.service_code,
    callback_url: row.callback_url,
    name: row.name,
    type: row.type,
    timeout: row.timeout,
    retries: row.retries,
    method: row.method,
    status: row.status,
    protocol: row.protocol,
    protocol_options: JSON.stringify(row.protocol_options),
    idempotent: row.idempotent ? 1 : 0,
    headers: JSON.stringify(row.headers),
    secret_sealed:
      row.secret === undefined ? null : sealer.seal(row.secret, secretPlace(row.service_code)),
    max_in_flight: row.max_in_flight,
    events_url: row.events_url ?? null,
  };
}

function readBackend(row: Selectable<BackendsTable>, sealer: Sealer): BackendRow {
  const { protocol_options, idempotent, headers, secret_sealed, events_url, ...same } = row;
  return {
    ...same,
    protocol_options: JSON.parse(protocol_options) as Record<string, string>,
    idempotent: idempotent === 1,
    headers: JSON.parse(headers) as Record<string, string>,
    secret:
      secret_sealed === null
        ? undefined
        : sealer.open(secret_sealed, secretPlace(row.service_code)),
    events_url: events_url ?? undefined,
  };
}

function secretPlace(serviceCode: string): string {
  return `backend:${serviceCode}`;
}

/** SQLITE_CONSTRAINT_UNIQUE; PostgreSQL's unique_violation. */
function isUniqueViolation(error: unknown): boolean {
  const { errcode, code } = error as { readonly errcode?: unknown; readonly code?: unknown };
  return errcode === 2067 || code === "23505";
}
