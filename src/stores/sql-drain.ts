/**
 * Turns that another store answered, on their way into SQL: in batches, each one transaction, each
 * turn once however often it is given (its `record_id` is unique).
 */
import type { Insertable, Kysely, RawBuilder, Selectable, Transaction } from "kysely";
import { sql } from "kysely";
import type { FinishedSession, SessionOutcome } from "../types.ts";
import { UNSETTLED_KEPT_MS } from "./lease.ts";
import type { Schema, SessionsTable, TurnsTable } from "./migrations.ts";
import { atLeisure, type IsStopping } from "./pace.ts";
import type { State } from "./session-row.ts";

type TurnColumns = Omit<TurnsTable, "n" | "session" | "prev" | "after">;
export type SettledRow = {
  readonly type: "settled";
  readonly key: string;
  readonly row: Omit<
    Insertable<SessionsTable>,
    "n" | "key" | "started_at" | "undelivered" | "last_turn"
  >;
  readonly turn: Omit<TurnColumns, "record_id"> & { readonly record_id: string };
};
/** A turn that was begun, never settled and is not driven again. */
export type UnknownRow = {
  readonly type: "unknown";
  readonly key: string;
  readonly record_id: string;
  readonly isTurn: boolean;
  readonly isOver: boolean;
  readonly freshId: string;
  readonly takenAtMs: number;
  readonly untilMs: number;
  readonly msisdn_hash: string | null;
  readonly msisdn_sealed: string | null;
};
export type DrainedRow = SettledRow | UnknownRow;

/** A SQL database as the place where records end up. */
export type SqlSide = {
  readonly db: Kysely<Schema>;
  /** How a session's turns are found (sql-records.ts): a chain needs its numbers. */
  readonly turns: "chain" | "by_session";
  /** Until the transaction ends no other node drains. */
  readonly lock: (trx: Transaction<Schema>) => Promise<void>;
  /** A session's state without what is dropped at its end, in the database's own words. */
  readonly bareState: RawBuilder<string | null>;
  readonly dropOld: (nowMs: number, keepFromMs: number, isStopping: IsStopping) => Promise<void>;
};

type Row = Selectable<SessionsTable>;
/** A session's row on its way; `n` 0 until it has one. */
type Draft = { -readonly [Column in keyof Row]: Row[Column] };
type DraftTurn = TurnColumns & { readonly of: Draft; readonly n: number; readonly prev: number };

const SLICE_ROWS = 500;
/** Rows and index entries that are anywhere: a statement of theirs takes as long as a turn may. */
const ENDED_ROWS = 100;

/** What a sweep would have found: sessions that were given an outcome here. */
export async function drainInto(
  side: SqlSide,
  entries: readonly DrainedRow[],
): Promise<readonly FinishedSession[]> {
  return side.db.transaction().execute(async (trx) => {
    await side.lock(trx);
    const ids = entries.map((entry) => (entry.type === "settled" ? entry.turn : entry).record_id);
    const known = await knownRecords(trx, ids);
    const fresh = entries.filter((_, index) => !known.has(ids[index]!));
    const drafts = await createDrafts(trx, fresh, side.turns);
    for (const entry of fresh) {
      if (entry.type === "settled") drafts.settle(entry);
      else drafts.giveUp(entry);
    }
    await drafts.write();
    return drafts.finished;
  });
}

/** Which of these records are there. */
export async function knownRecords(
  db: Kysely<Schema>,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (let from = 0; from < ids.length; from += SLICE_ROWS) {
    const rows = await db
      .selectFrom("turns")
      .select("record_id")
      .where("record_id", "in", ids.slice(from, from + SLICE_ROWS))
      .execute();
    for (const { record_id } of rows) if (record_id !== null) known.add(record_id);
  }
  return known;
}

async function createDrafts(
  trx: Transaction<Schema>,
  entries: readonly DrainedRow[],
  turns: SqlSide["turns"],
) {
  const byId = new Map<string, Draft>();
  const byKey = new Map<string, Draft>();
  const changed = new Set<Draft>();
  const added: DraftTurn[] = [];
  const finished: FinishedSession[] = [];
  for (const row of await rowsOf(trx, entries)) {
    byId.set(row.id, row);
    if (row.key !== null) byKey.set(row.key, row);
  }
  let lastTurn = turns === "chain" ? await lastNumber(trx) : 0;

  function retire(draft: Draft, outcome: SessionOutcome): boolean {
    const isNew = draft.outcome === null;
    if (draft.key !== null) byKey.delete(draft.key);
    draft.key = null;
    draft.outcome ??= outcome;
    draft.state = withoutSecrets(draft.state);
    changed.add(draft);
    return isNew;
  }
  function addTurn(draft: Draft, turn: TurnColumns): void {
    lastTurn += 1;
    added.push({ ...turn, of: draft, n: lastTurn, prev: draft.last_turn });
    draft.last_turn = turns === "chain" ? lastTurn : 0;
    changed.add(draft);
  }
  function named(key: string, id: string, startedAtMs: number): Draft {
    const there = byId.get(id) ?? emptyRow(id, startedAtMs);
    there.key = key;
    byId.set(id, there);
    byKey.set(key, there);
    changed.add(there);
    return there;
  }

  return {
    finished,
    settle({ key, row, turn }: SettledRow): void {
      const before = byKey.get(key);
      if (before !== undefined && before.id !== row.id) {
        retire(before, before.expires_at > row.last_at ? "replaced" : "abandoned");
      }
      const draft = named(key, row.id, turn.at);
      Object.assign(draft, row, { undelivered: 0 });
      addTurn(draft, turn);
    },
    giveUp(unknown: UnknownRow): void {
      const { key, freshId, takenAtMs, untilMs, msisdn_hash, msisdn_sealed } = unknown;
      let draft = byKey.get(key);
      if (draft === undefined && unknown.isTurn) {
        draft = named(key, freshId, takenAtMs);
        const expires_at = untilMs + UNSETTLED_KEPT_MS;
        Object.assign(draft, { expires_at, msisdn_hash, msisdn_sealed });
      }
      if (draft === undefined) return;
      if (unknown.isTurn) addTurn(draft, unknownColumns(unknown));
      if (!unknown.isOver || !retire(draft, "unknown")) return;
      finished.push({ id: draft.id, channel: draft.channel, outcome: "unknown" });
    },
    async write(): Promise<void> {
      await writeRows(trx, [...changed].sort(byTurn));
      await writeTurns(trx, added, turns);
    },
  };
}

/** Who gives up a key stands before who takes it; rows are numbered as sessions began. */
function byTurn(a: Draft, b: Draft): number {
  return Number(a.key !== null) - Number(b.key !== null) || a.started_at - b.started_at;
}

async function rowsOf(
  trx: Transaction<Schema>,
  entries: readonly DrainedRow[],
): Promise<readonly Draft[]> {
  const keys = [...new Set(entries.map(({ key }) => key))];
  const ids = new Set(entries.map((one) => (one.type === "settled" ? one.row.id : one.freshId)));
  const rows = new Map<string, Draft>();
  for (const [column, values] of [["key", keys] as const, ["id", [...ids]] as const]) {
    for (let from = 0; from < values.length; from += SLICE_ROWS) {
      const slice = values.slice(from, from + SLICE_ROWS);
      const found = await trx
        .selectFrom("sessions")
        .selectAll()
        .where(column, "in", slice)
        .execute();
      for (const row of found) if (!rows.has(row.id)) rows.set(row.id, row);
    }
  }
  return [...rows.values()];
}

async function lastNumber(trx: Transaction<Schema>): Promise<number> {
  const last = await trx
    .selectFrom("turns")
    .select((of) => of.fn.max("n").as("n"))
    .execute();
  return Number(last[0]?.n ?? 0);
}

async function writeRows(trx: Transaction<Schema>, drafts: readonly Draft[]): Promise<void> {
  for (let from = 0; from < drafts.length; from += SLICE_ROWS) {
    const slice = drafts.slice(from, from + SLICE_ROWS);
    const values = slice.map(({ n: _, ...row }) => row);
    const written = await trx
      .insertInto("sessions")
      .values(values)
      .onConflict((on) =>
        on.column("id").doUpdateSet((of) => {
          const columns = Object.keys(values[0]!) as (keyof (typeof values)[number])[];
          return Object.fromEntries(columns.map((name) => [name, of.ref(`excluded.${name}`)]));
        }),
      )
      .returning(["n", "id"])
      .execute();
    const numbers = new Map(written.map(({ id, n }) => [id, n]));
    for (const draft of slice) draft.n = numbers.get(draft.id) ?? draft.n;
  }
}

async function writeTurns(
  trx: Transaction<Schema>,
  turns: readonly DraftTurn[],
  found: SqlSide["turns"],
): Promise<void> {
  for (let from = 0; from < turns.length; from += SLICE_ROWS) {
    const values = turns.slice(from, from + SLICE_ROWS).map(({ of, n, prev, ...columns }) => ({
      ...columns,
      session: of.n,
      ...(found === "chain" && { n, prev }),
    }));
    // PostgreSQL numbers its turns itself and has no `prev`.
    await trx
      .insertInto("turns")
      .values(values as Insertable<TurnsTable>[])
      .execute();
  }
}

/**
 * Gives sessions whose TTL is over an outcome, but for those of which `leased` says that a turn is
 * under way or unsettled.
 */
export async function endExpired(
  side: SqlSide,
  nowMs: number,
  leased: (keys: readonly string[]) => Promise<ReadonlySet<string>>,
  isStopping: IsStopping,
): Promise<readonly FinishedSession[]> {
  const finished: FinishedSession[] = [];
  for (let after: string | undefined = ""; after !== undefined && !isStopping();) {
    const from: string = after;
    after = await atLeisure(() => endSlice(side, nowMs, from, leased, finished), isStopping);
  }
  return finished;
}

/** Resolves with the key that the next slice begins after; undefined where this was the last. */
async function endSlice(
  side: SqlSide,
  nowMs: number,
  after: string,
  leased: (keys: readonly string[]) => Promise<ReadonlySet<string>>,
  finished: FinishedSession[],
): Promise<string | undefined> {
  const due = await side.db
    .selectFrom("sessions")
    .select(["n", "key"])
    .where("key", "is not", null)
    .where("expires_at", "<=", nowMs)
    .where("key", ">", after)
    .orderBy("key")
    .limit(ENDED_ROWS)
    .execute();
  const busy = await leased(due.map(({ key }) => key ?? ""));
  const over = due.filter(({ key }) => !busy.has(key ?? ""));
  const numbers = over.map(({ n }) => n);
  if (numbers.length > 0) finished.push(...(await endRows(side, nowMs, numbers)));
  return due.length < ENDED_ROWS ? undefined : (due.at(-1)?.key ?? undefined);
}

async function endRows(
  { db, bareState }: SqlSide,
  nowMs: number,
  numbers: readonly number[],
): Promise<readonly FinishedSession[]> {
  return db.transaction().execute(async (trx) => {
    const ended = await trx
      .updateTable("sessions")
      .set({ outcome: "abandoned" })
      .where("n", "in", numbers)
      .where("expires_at", "<=", nowMs)
      .where("outcome", "is", null)
      .returning(["id", "channel"])
      .execute();
    await trx
      .updateTable("sessions")
      .set({ key: null, state: bareState })
      .where("n", "in", numbers)
      .where("expires_at", "<=", nowMs)
      .execute();
    return ended.map((row) => ({ ...row, outcome: "abandoned" }));
  });
}

/** For sweeps by time: stores that keep sessions in SQL have ways of their own. */
export async function indexExpiry(db: Kysely<Schema>): Promise<void> {
  await sql`CREATE INDEX IF NOT EXISTS sessions_due ON sessions (expires_at)
    WHERE key IS NOT NULL`.execute(db);
}

/** DESIGN §5: sealed inputs and an app's state are dropped at the end. */
function withoutSecrets(text: string | null): string | null {
  if (text === null) return null;
  const { inputs, app, ...rest } = JSON.parse(text) as State;
  return inputs === undefined && app === undefined ? text : JSON.stringify(rest);
}

function emptyRow(id: string, startedAtMs: number): Draft {
  return {
    n: 0,
    key: null,
    outcome: null,
    expires_at: startedAtMs,
    started_at: startedAtMs,
    last_at: startedAtMs,
    turns: 0,
    undelivered: 0,
    last_turn: 0,
    id,
    channel: "",
    network_id: null,
    service_code: null,
    backend_id: null,
    provider: "",
    msisdn_hash: null,
    msisdn_sealed: null,
    state: null,
  };
}

function unknownColumns({ record_id, takenAtMs }: UnknownRow): TurnColumns {
  return {
    record_id,
    at: takenAtMs,
    took_ms: 0,
    backend_ms: 0,
    outcome: "unknown",
    input: "",
    screen: "",
    action: null,
    attempts: "",
    request_octets: 0,
    reply_octets: 0,
    flaw: null,
  };
}
