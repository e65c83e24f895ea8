/**
 * The backends of this node: rows of the store, and what turns look up, kept in step. A turn looks
 * at one Map and never at all backends.
 */
import { APP_CODEC } from "./backend/apps.ts";
import { createCodec } from "./codecs/index.ts";
import { asServiceCode } from "./core/address.ts";
import type { Routes } from "./core/route.ts";
import type { Backend, BackendRow, BackendStore, NewBackendRow, ServiceCode } from "./types.ts";

export type Registry = {
  readonly routes: Routes;
  readonly byId: (id: number) => Backend | undefined;
  readonly rows: () => readonly BackendRow[];
  readonly row: (id: number) => BackendRow | undefined;
  readonly rowOfCode: (code: string) => BackendRow | undefined;
  /** "code_taken" when the service code is registered. */
  readonly create: (row: NewBackendRow) => Promise<BackendRow | "code_taken">;
  readonly update: (
    id: number,
    row: NewBackendRow,
    ifTag: string | undefined,
  ) => Promise<UpdateResult>;
  readonly remove: (id: number) => Promise<boolean>;
  /** Takes over what other nodes have changed. */
  readonly refresh: () => Promise<void>;
};
export type UpdateResult = BackendRow | "not_found" | "code_taken" | "stale";

/** Marks a demo application: it gives way to whoever registers its service code. */
export const DEMO_HEADER = "x-dialyard-demo";

export async function createRegistry(options: {
  readonly store: BackendStore;
  readonly wallMs: () => number;
  /** Told of each backend that is no longer what it was. */
  readonly onChange: (id: number) => void;
  readonly tagOf: (row: BackendRow) => string;
}): Promise<Registry> {
  const { store, onChange, tagOf } = options;
  const rows = new Map<number, BackendRow>();
  const backends = new Map<number, Backend>();
  const routes = new Map<ServiceCode, Backend>();
  const nowText = () => new Date(options.wallMs()).toISOString().replace(/\.\d{3}Z$/, "Z");

  function put(row: BackendRow): void {
    drop(row.id);
    const backend = compileBackend(row);
    rows.set(row.id, row);
    backends.set(row.id, backend);
    routes.set(backend.serviceCode, backend);
  }
  function drop(id: number): void {
    const old = backends.get(id);
    if (old === undefined) return;
    rows.delete(id);
    backends.delete(id);
    routes.delete(old.serviceCode);
    onChange(id);
  }
  function backendOfCode(code: string): Backend | undefined {
    const serviceCode = asServiceCode(code);
    return serviceCode && routes.get(serviceCode);
  }
  // One change at a time: what is checked (an If-Match, say) still holds when it is written.
  let last: Promise<unknown> = Promise.resolve();
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = last.then(change, change);
    last = result.catch(() => undefined);
    return result;
  }

  for (const row of await store.list()) put(row);
  return {
    routes,
    byId: (id) => backends.get(id),
    rows: () => [...rows.values()].sort((a, b) => a.id - b.id),
    row: (id) => rows.get(id),
    rowOfCode: (code) => {
      const backend = backendOfCode(code);
      return backend && rows.get(backend.id);
    },
    create: (row) =>
      inTurn(async () => {
        const held = backendOfCode(row.service_code);
        if (held !== undefined && DEMO_HEADER in held.headers) {
          await store.remove(held.id);
          drop(held.id);
        }
        const created = await store.insert(row, nowText());
        if (created === undefined) return "code_taken";
        put(created);
        return created;
      }),
    update: (id, row, ifTag) =>
      inTurn(async () => {
        const old = rows.get(id);
        if (old === undefined) return "not_found";
        if (ifTag !== undefined && ifTag !== tagOf(old)) return "stale";
        const kept = { ...row, secret: row.secret ?? old.secret };
        const updated = await store.update(id, kept, nowText(), undefined);
        if (updated.type !== "updated") return updated.type;
        put(updated.row);
        return updated.row;
      }),
    remove: (id) =>
      inTurn(async () => {
        const removed = await store.remove(id);
        drop(id);
        return removed;
      }),
    refresh: () =>
      inTurn(async () => {
        const stored = await store.list();
        const ids = new Set(stored.map(({ id }) => id));
        for (const id of [...rows.keys()]) if (!ids.has(id)) drop(id);
        for (const row of stored) {
          const known = rows.get(row.id);
          if (known === undefined || tagOf(known) !== tagOf(row)) put(row);
        }
      }),
  };
}

function compileBackend(row: BackendRow): Backend {
  const serviceCode = asServiceCode(row.service_code);
  if (serviceCode === undefined)
    throw new Error(`backend ${row.id}: bad service code in the store`);
  return {
    id: row.id,
    serviceCode,
    name: row.name,
    url: row.callback_url,
    codec: row.type === "app" ? APP_CODEC : createCodec(row.protocol, row.protocol_options),
    method: row.method,
    isActive: row.status === "active",
    timeoutMs: row.timeout * 1000,
    retries: row.retries,
    idempotent: row.idempotent,
    headers: row.headers,
    secret: row.secret,
    inFlightMax: row.max_in_flight,
    eventsUrl: row.events_url,
    app: row.type === "app" ? appOf(row) : undefined,
  };
}

const APP_URL = "app:";

export function appUrl(app: string): string {
  return APP_URL + app;
}

/** The app that a row of type "app" names. */
export function appOf({ callback_url }: Pick<BackendRow, "callback_url">): string {
  return callback_url.slice(APP_URL.length);
}
