/** Everything in memory, gone with the process: for tests and for trying things out. */
import { setImmediate as nextTick } from "node:timers/promises";
import type {
  Ask,
  BackendRow,
  BackendStore,
  FinishedSession,
  Held,
  Lease,
  Msisdn,
  RecordStore,
  Session,
  SessionDetail,
  SessionFilter,
  SessionOutcome,
  SessionStore,
  SessionSummary,
  Settlement,
  Store,
  TurnRecord,
} from "../types.ts";
import type { HeldLease } from "./lease.ts";
import { asEnded } from "./session-row.ts";
import { UNSETTLED_KEPT_MS, afterRelease, isOver, takeOver, unknownTurn } from "./lease.ts";
import { randomIds } from "./seal.ts";

const SESSIONS_MAX = 1_000_000;
const BACKENDS_MAX = 10_000;
/** Of one session; the oldest go first. */
const RECORDS_MAX = 1_000;

type Entry = {
  readonly n: number;
  readonly id: string;
  /** Undefined when no turn will find it any more. */
  key: string | undefined;
  /** Undefined while no turn was ever settled. */
  session: Session | undefined;
  /** Undefined where no turn was settled and no message named it. */
  msisdn: Msisdn | undefined;
  channel: string;
  outcome: SessionOutcome | undefined;
  expiresAtMs: number;
  startedAtMs: number;
  lastAtMs: number;
  undelivered: boolean;
  records: readonly TurnRecord[];
};
type MemoryLease = HeldLease & { readonly msisdn: Msisdn | undefined };
type Tables = {
  readonly sessionsMax: number;
  readonly newToken: () => string;
  readonly leases: Map<string, MemoryLease>;
  readonly byKey: Map<string, Entry>;
  /** In the order they began. */
  readonly byId: Map<string, Entry>;
  nextN: number;
};

export function memoryStore(sessionsMax: number = SESSIONS_MAX): Store {
  const tables: Tables = {
    sessionsMax,
    newToken: randomIds().newToken,
    leases: new Map(),
    byKey: new Map(),
    byId: new Map(),
    nextN: 1,
  };
  return {
    sessions: sessionStore(tables),
    records: recordStore(tables),
    backends: backendStore(),
    ping: async () => undefined,
    close: async () => undefined,
  };
}

function sessionStore(tables: Tables): SessionStore {
  return {
    open: async (ask) => open(tables, ask),
    settle: async (lease, settlement) => settle(tables, lease, settlement),
    release: async (lease) => release(tables, lease),
    async undelivered(key, sessionId) {
      const entry = tables.byKey.get(key);
      if (entry?.id === sessionId) entry.undelivered = true;
    },
    sweep: (nowMs, keepFromMs) => sweep(tables, nowMs, keepFromMs),
    close: async () => undefined,
  };
}

function open(tables: Tables, ask: Ask): Held {
  const { key, nowMs, leaseMs, digest } = ask;
  const held = tables.leases.get(key);
  const found = tables.byKey.get(key);
  const expiresAtMs = found?.session === undefined ? undefined : found.expiresAtMs;
  const taking =
    held === undefined ? firstDrive(tables, ask.freshId) : takeOver(held, ask, expiresAtMs);
  if (taking.type === "busy") return taking;
  if (held !== undefined && taking.gaveUp) {
    const entry = found ?? insertUnsettled(tables, key, held);
    append(entry, unknownTurn(held.takenAtMs));
  }
  if (taking.type === "over") retire(tables, key, "unknown");
  const { freshId, redriven, lost } = taking;
  const token = tables.newToken();
  const untilMs = nowMs + leaseMs;
  const lease = { token, takenAtMs: nowMs, untilMs, digest, freshId, redriven, lost };
  tables.leases.set(key, { ...lease, msisdn: ask.msisdn });
  const entry = tables.byKey.get(key);
  const isThere = entry?.session !== undefined && entry.expiresAtMs > nowMs;
  return {
    type: "leased",
    lease: { key, token, freshId },
    session: isThere ? entry.session : undefined,
    redriven,
    lostTurns: lost,
    undelivered: isThere && entry.undelivered,
  };
}

function firstDrive({ leases, sessionsMax }: Tables, freshId: string) {
  if (leases.size >= sessionsMax) throw new Error(`more than ${sessionsMax} leases`);
  return { type: "take", freshId, redriven: false, lost: 0, gaveUp: false } as const;
}

function settle(tables: Tables, lease: Lease, settlement: Settlement): boolean {
  const { session, channel, record, nowMs, expiresAtMs, isUnread } = settlement;
  if (tables.leases.get(lease.key)?.token !== lease.token) return false;
  tables.leases.delete(lease.key);
  let entry = tables.byKey.get(lease.key);
  if (entry?.id !== session.id) {
    if (entry !== undefined) {
      retire(tables, lease.key, entry.expiresAtMs > nowMs ? "replaced" : "abandoned");
    }
    entry = insert(tables, lease.key, session.id, record.startedAtMs);
  }
  const outcome = session.ended ? (session.outcome ?? "completed") : undefined;
  entry.session = { ...(session.ended ? asEnded(session) : session), outcome };
  entry.msisdn = session.msisdn;
  entry.outcome = outcome;
  entry.channel = channel;
  entry.expiresAtMs = expiresAtMs;
  entry.lastAtMs = nowMs;
  entry.undelivered = isUnread();
  append(entry, record);
  return true;
}

function release({ leases }: Tables, lease: Lease): void {
  const held = leases.get(lease.key);
  if (held?.token !== lease.token) return;
  const left = afterRelease(held);
  if (left === "nothing") leases.delete(lease.key);
  else
    leases.set(lease.key, { ...held, token: "", digest: left === "unsettled" ? held.digest : "" });
}

/** In slices, with turns between them: what comes meanwhile is met by its own state. */
async function sweep(
  tables: Tables,
  nowMs: number,
  keepFromMs: number,
): Promise<readonly FinishedSession[]> {
  const finished: FinishedSession[] = [];
  let looked = 0;
  const isSliceOver = (): boolean => (looked += 1) % SLICE_ENTRIES === 0;
  for (const [key, held] of tables.leases) {
    if (isSliceOver()) await nextTick();
    if (tables.leases.get(key) !== held) continue;
    const entry = tables.byKey.get(key);
    const expiresAtMs = entry?.session === undefined ? undefined : entry.expiresAtMs;
    if (held.untilMs > nowMs || !isOver(held.untilMs, expiresAtMs, nowMs)) continue;
    tables.leases.delete(key);
    if (held.digest !== "") {
      append(entry ?? insertUnsettled(tables, key, held), unknownTurn(held.takenAtMs));
    }
    finished.push(...retire(tables, key, "unknown"));
  }
  for (const entry of tables.byId.values()) {
    if (isSliceOver()) await nextTick();
    if (entry.key === undefined || entry.expiresAtMs > nowMs) continue;
    if (!tables.leases.has(entry.key)) finished.push(...retire(tables, entry.key, "abandoned"));
  }
  for (const entry of tables.byId.values()) {
    if (isSliceOver()) await nextTick();
    if (entry.key === undefined && entry.lastAtMs < keepFromMs) tables.byId.delete(entry.id);
  }
  return finished;
}
const SLICE_ENTRIES = 2_000;

/** The session becomes history; its key is free for the next one. */
function retire(
  { byKey }: Tables,
  key: string,
  outcome: SessionOutcome,
): readonly FinishedSession[] {
  const entry = byKey.get(key);
  if (entry === undefined) return [];
  byKey.delete(key);
  entry.key = undefined;
  if (entry.session !== undefined) entry.session = asEnded(entry.session);
  if (entry.outcome !== undefined) return [];
  entry.outcome = outcome;
  return [{ id: entry.id, channel: entry.channel, outcome }];
}

function insertUnsettled(tables: Tables, key: string, held: MemoryLease): Entry {
  const entry = insert(tables, key, held.freshId, held.takenAtMs);
  entry.expiresAtMs = held.untilMs + UNSETTLED_KEPT_MS;
  entry.msisdn = held.msisdn;
  return entry;
}

function insert(tables: Tables, key: string, id: string, startedAtMs: number): Entry {
  makeRoom(tables);
  const entry: Entry = {
    n: tables.nextN,
    id,
    key,
    session: undefined,
    msisdn: undefined,
    channel: "",
    outcome: undefined,
    expiresAtMs: startedAtMs,
    startedAtMs,
    lastAtMs: startedAtMs,
    undelivered: false,
    records: [],
  };
  tables.nextN += 1;
  tables.byKey.set(key, entry);
  tables.byId.set(id, entry);
  return entry;
}

function makeRoom({ byId, sessionsMax }: Tables): void {
  if (byId.size < sessionsMax) return;
  const [oldest] = byId.values();
  if (oldest?.key !== undefined) throw new Error(`more than ${sessionsMax} sessions`);
  if (oldest !== undefined) byId.delete(oldest.id);
}

function append(entry: Entry, record: TurnRecord): void {
  entry.records = [...entry.records.slice(-RECORDS_MAX + 1), record];
}

function recordStore({ byId }: Tables): RecordStore {
  const newestFirst = (): readonly Entry[] => [...byId.values()].reverse();
  const isLive = (entry: Entry, nowMs: number): boolean => outcomeAt(entry, nowMs) === "live";
  return {
    async findSessions(filter) {
      const before = Number(filter.after ?? Infinity);
      const matches = newestFirst().filter((entry) => entry.n < before && fits(entry, filter));
      const page = matches.slice(0, filter.limit);
      const next = matches.length > filter.limit ? String(page.at(-1)?.n) : undefined;
      return { sessions: page.map((entry) => summaryOf(entry, filter.nowMs)), next };
    },
    async getSession(id) {
      const entry = byId.get(id);
      return entry === undefined ? undefined : detailOf(entry, Date.now());
    },
    async findLive(channel, nowMs, limit) {
      const live = newestFirst().filter((one) => one.channel === channel && isLive(one, nowMs));
      return live.slice(0, limit).map((entry) => summaryOf(entry, nowMs));
    },
    async findByNetworkId(channel, networkSessionId, nowMs) {
      const entry = newestFirst().find(
        (one) =>
          one.channel === channel &&
          one.session?.networkSessionId === networkSessionId &&
          isLive(one, nowMs),
      );
      return entry === undefined ? undefined : detailOf(entry, nowMs);
    },
    async countLive(nowMs) {
      let live = 0;
      for (const entry of byId.values()) if (isLive(entry, nowMs)) live += 1;
      return live;
    },
  };
}

function fits(entry: Entry, filter: SessionFilter): boolean {
  const { session, channel, startedAtMs } = entry;
  if (filter.msisdn !== undefined && entry.msisdn !== filter.msisdn) return false;
  if (filter.serviceCode !== undefined && session?.serviceCode !== filter.serviceCode) return false;
  if (filter.channel !== undefined && channel !== filter.channel) return false;
  if (filter.fromMs !== undefined && startedAtMs < filter.fromMs) return false;
  if (filter.toMs !== undefined && startedAtMs >= filter.toMs) return false;
  return filter.outcome === undefined || filter.outcome === outcomeAt(entry, filter.nowMs);
}

function outcomeAt(entry: Entry, nowMs: number): SessionOutcome | "live" {
  return entry.outcome ?? (entry.expiresAtMs > nowMs ? "live" : "abandoned");
}

function summaryOf(entry: Entry, nowMs: number): SessionSummary {
  const { session } = entry;
  return {
    id: entry.id,
    channel: entry.channel,
    msisdn: entry.msisdn ?? ("" as Msisdn),
    networkSessionId: session?.networkSessionId,
    serviceCode: session?.serviceCode,
    provider: session?.provider ?? "",
    startedAtMs: entry.startedAtMs,
    lastAtMs: entry.lastAtMs,
    turns: session?.turns ?? 0,
    outcome: outcomeAt(entry, nowMs),
  };
}

function detailOf(entry: Entry, nowMs: number): SessionDetail {
  const { session, records } = entry;
  return { ...summaryOf(entry, nowMs), lastReply: session?.lastReply, records };
}

function backendStore(): BackendStore {
  const rows = new Map<number, BackendRow>();
  let nextId = 1;
  const isTaken = (code: string, but: number): boolean =>
    [...rows.values()].some((row) => row.service_code === code && row.id !== but);
  return {
    list: async () => [...rows.values()],
    async insert(row, now) {
      if (isTaken(row.service_code, 0)) return undefined;
      if (rows.size >= BACKENDS_MAX) throw new Error(`more than ${BACKENDS_MAX} backends`);
      const inserted = { ...row, id: nextId, created_at: now, updated_at: now };
      nextId += 1;
      rows.set(inserted.id, inserted);
      return inserted;
    },
    async update(id, row, now, ifUpdatedAt) {
      const old = rows.get(id);
      if (old === undefined) return { type: "not_found" };
      if (ifUpdatedAt !== undefined && old.updated_at !== ifUpdatedAt) return { type: "stale" };
      if (isTaken(row.service_code, id)) return { type: "code_taken" };
      const updated = { ...row, id, created_at: old.created_at, updated_at: now };
      rows.set(id, updated);
      return { type: "updated", row: updated };
    },
    remove: async (id) => rows.delete(id),
  };
}
