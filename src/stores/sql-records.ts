/** What operators read, from any SQL database that kysely speaks. */
import { setImmediate as nextTick } from "node:timers/promises";
import type { Kysely, Selectable } from "kysely";
import { sql } from "kysely";
import type {
  RecordStore,
  SessionDetail,
  SessionFilter,
  SessionSummary,
  TurnRecord,
} from "../types.ts";
import type { Schema, SessionsTable } from "./migrations.ts";
import type { Digest, Sealer } from "./seal.ts";
import { openMsisdn, readLastReply, readTurn } from "./session-row.ts";

/** A call reads no more rows than this; its answer says where to go on. */
const SCAN_ROWS_MAX = 20_000;
/** Read at once; turns go between. About 1 ms. */
const CHUNK_ROWS = 1_000;
/** Far more than a session may have (F29). */
const RECORDS_MAX = 1_000;

type Row = Selectable<SessionsTable>;
type Page = { readonly rows: readonly Row[]; readonly next: number | undefined };

/**
 * `turns`: how a session's turns are found. "chain": each names the one before it, so that no index
 * has to be kept. "by_session": by an index.
 */
export function sqlRecords(
  db: Kysely<Schema>,
  sealer: Sealer,
  digest: Digest,
  turns: "chain" | "by_session",
): RecordStore {
  async function detail(row: Row, nowMs: number): Promise<SessionDetail> {
    const summary = summaryOf(row, nowMs, sealer);
    const records = await (turns === "chain" ? chainOf(db, row) : recordsOf(db, row));
    return { ...summary, lastReply: readLastReply(row.state), records };
  }

  return {
    async findSessions(filter) {
      const hash = filter.msisdn === undefined ? undefined : digest(filter.msisdn);
      const { rows, next } = await scan(db, filter, hash);
      return {
        sessions: rows.map((row) => summaryOf(row, filter.nowMs, sealer)),
        next: next === undefined ? undefined : String(next),
      };
    },
    async getSession(id) {
      const row = await db
        .selectFrom("sessions")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirst();
      return row === undefined ? undefined : detail(row, Date.now());
    },
    async findLive(channel, nowMs, limit) {
      const filter: SessionFilter = { channel, outcome: "live", nowMs, limit };
      const { rows } = await scan(db, filter, undefined);
      return rows.map((row) => summaryOf(row, nowMs, sealer));
    },
    async findByNetworkId(channel, networkSessionId, nowMs) {
      const filter: SessionFilter = { channel, outcome: "live", nowMs, limit: 1 };
      const { rows } = await scan(db, filter, undefined, networkSessionId);
      return rows[0] === undefined ? undefined : detail(rows[0], nowMs);
    },
    countLive: (nowMs) => countLive(db, nowMs),
  };
}

/**
 * Newest first, chunk after chunk, until the page or the bounded scan is full. Without the bound
 * a filter that matches nothing would read the whole history.
 */
async function scan(
  db: Kysely<Schema>,
  filter: SessionFilter,
  msisdnHash: string | undefined,
  networkId?: string,
): Promise<Page> {
  const rows: Row[] = [];
  let before = cursorOf(filter.after);
  for (let scanned = 0; scanned < SCAN_ROWS_MAX; scanned += CHUNK_ROWS) {
    const chunk = chunkBefore(db, before, msisdnHash);
    const limit = filter.limit - rows.length;
    const found = await matching(db, chunk, filter, networkId).limit(limit).execute();
    rows.push(...found);
    if (rows.length >= filter.limit) return { rows, next: rows.at(-1)?.n };
    const end = await db
      .selectFrom(chunk.as("chunk"))
      .select((of) => [of.fn.min<number | null>("n").as("n"), of.fn.countAll().as("rows")])
      .executeTakeFirstOrThrow();
    if (end.n === null || Number(end.rows) < CHUNK_ROWS) return { rows, next: undefined };
    before = end.n;
    await nextTick();
  }
  return { rows, next: before };
}

/** The numbers of the next rows to look at: by themselves, or along the index on the MSISDN. */
function chunkBefore(db: Kysely<Schema>, before: number, msisdnHash: string | undefined) {
  const chunk = db
    .selectFrom("sessions")
    .select("n")
    .where("n", "<", before)
    .orderBy("n", "desc")
    .limit(CHUNK_ROWS);
  return msisdnHash === undefined ? chunk : chunk.where("msisdn_hash", "=", msisdnHash);
}

function matching(
  db: Kysely<Schema>,
  chunk: ReturnType<typeof chunkBefore>,
  filter: SessionFilter,
  networkId: string | undefined,
) {
  const { serviceCode, channel, outcome, fromMs, toMs, nowMs } = filter;
  let query = db.selectFrom("sessions").selectAll().where("n", "in", chunk).orderBy("n", "desc");
  if (networkId !== undefined) query = query.where("network_id", "=", networkId);
  if (channel !== undefined) query = query.where("channel", "=", channel);
  if (fromMs !== undefined) query = query.where("started_at", ">=", fromMs);
  if (toMs !== undefined) query = query.where("started_at", "<", toMs);
  if (serviceCode !== undefined) {
    query = query.where(sql<string | null>`service_code`, "=", serviceCode);
  }
  if (outcome !== undefined) query = query.where(outcomeAt(nowMs), "=", outcome);
  return query;
}

/** Abandoned from the moment its TTL is over, whether or not a sweep has come by. */
function outcomeAt(nowMs: number) {
  return sql<string>`coalesce(outcome, case when expires_at > ${nowMs} then 'live'
    else 'abandoned' end)`;
}

/** Along the chain that the turns are (see TurnsTable), oldest first. */
async function chainOf(db: Kysely<Schema>, row: Row): Promise<readonly TurnRecord[]> {
  const chain = await db
    .withRecursive("chain", (cte) =>
      cte
        .selectFrom("turns")
        .selectAll()
        .where("n", "=", row.last_turn)
        .where("session", "=", row.n)
        .unionAll((union) =>
          union
            .selectFrom("turns")
            .innerJoin("chain", (join) =>
              join.onRef("turns.n", "=", "chain.prev").onRef("turns.session", "=", "chain.session"),
            )
            .selectAll("turns"),
        ),
    )
    .selectFrom("chain")
    .selectAll()
    .limit(RECORDS_MAX)
    .execute();
  return chain.reverse().map(readTurn);
}

async function recordsOf(db: Kysely<Schema>, row: Row): Promise<readonly TurnRecord[]> {
  const rows = await db
    .selectFrom("turns")
    .selectAll()
    .where("session", "=", row.n)
    .orderBy("n", "desc")
    .limit(RECORDS_MAX)
    .execute();
  return rows.reverse().map(readTurn);
}

/** Walks the index of keys, which holds sessions of the last minutes only. */
async function countLive(db: Kysely<Schema>, nowMs: number): Promise<number> {
  let live = 0;
  for (let after = ""; ;) {
    const rows = await db
      .selectFrom("sessions")
      .select(["key", outcomeAt(nowMs).as("outcome")])
      .where("key", ">", after)
      .orderBy("key")
      .limit(CHUNK_ROWS)
      .execute();
    for (const { outcome } of rows) if (outcome === "live") live += 1;
    const last = rows.at(-1)?.key;
    if (rows.length < CHUNK_ROWS || last === undefined || last === null) return live;
    after = last;
    await nextTick();
  }
}

function summaryOf(row: Row, nowMs: number, sealer: Sealer): SessionSummary {
  return {
    id: row.id,
    channel: row.channel,
    msisdn: openMsisdn(row.id, row, sealer),
    networkSessionId: row.network_id ?? undefined,
    serviceCode: row.service_code ?? undefined,
    provider: row.provider,
    startedAtMs: row.started_at,
    lastAtMs: row.last_at,
    turns: row.turns,
    outcome: row.outcome ?? (row.expires_at > nowMs ? "live" : "abandoned"),
  };
}

/** A cursor that is none of ours starts at the top. */
function cursorOf(after: string | undefined): number {
  const n = Number(after ?? NaN);
  return Number.isSafeInteger(n) && n > 0 ? n : Number.MAX_SAFE_INTEGER;
}
