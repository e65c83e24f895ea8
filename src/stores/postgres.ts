/**
 * Sessions, records and backends on PostgreSQL, for any number of nodes. Two round trips a turn,
 * each a function of postgres-schema.ts; what a lease means to who asks is lease.ts, as everywhere.
 */
import { Kysely, PostgresDialect, sql } from "kysely";
import { Pool, type PoolConfig, types } from "pg";
import type { Ask, Held, Lease, Session, SessionStore, Settlement } from "../types.ts";
import type { HeldLease, Taking } from "./lease.ts";
import { takeOver, UNSETTLED_KEPT_MS } from "./lease.ts";
import type { Schema } from "./migrations.ts";
import { listen } from "./postgres-listen.ts";
import { postgresCluster } from "./postgres-nodes.ts";
import { migratePostgres } from "./postgres-schema.ts";
import { newRunId, startRun } from "./postgres-runs.ts";
import { createPostgresSweep, dropOld } from "./postgres-sweep.ts";
import type { Digest, Sealer } from "./seal.ts";
import { randomIds } from "./seal.ts";
import type { StaticColumns } from "./session-row.ts";
import {
  openMsisdn,
  outcomeOf,
  readSession,
  readStatics,
  writeAttempts,
  writeState,
} from "./session-row.ts";
import { checkSealKey } from "./seal-check.ts";
import { sqlBackends } from "./sql-backends.ts";
import type { SqlSide } from "./sql-drain.ts";
import { POSTGRES_FACTS, type ManagedStore, sqlManagement } from "./sql-management.ts";
import { sqlRecords } from "./sql-records.ts";

export type PostgresOptions = {
  /** postgresql://user:password@host:port/database */
  readonly url: string;
  readonly sealer: Sealer;
  /** Finds sessions by MSISDN without storing it in the clear. Its key must not change. */
  readonly digest: Digest;
  readonly connectionsMax?: number;
  /** Connections that broke while nobody used them. */
  readonly report: (error: unknown) => void;
};
const CONNECTIONS_MAX = 20;
const CONNECT_MS_MAX = 3_000;
/** A turn cannot wait longer; sweeps and lists read in slices. */
const STATEMENT_MS_MAX = 5_000;
/** Leases that change under our eyes: each time somebody else was faster. */
const TAKES_MAX = 5;
/** A number of our own: "dialyard drain". */
const DRAIN_LOCK = 0x6469_6472;

/** Creates the tables where they are not there. Throws when the server does not answer. */
export async function postgresStore(
  options: PostgresOptions,
): Promise<ManagedStore & { readonly side: SqlSide }> {
  const { sealer, digest, report } = options;
  const runId = newRunId();
  const config = poolConfig(options, runId);
  const pool = new Pool(config);
  pool.on("error", report); // an idle connection broke: the next query opens another
  // Between the statements of a transaction a connection is nobody's query: unheard, its end would
  // be the process's. The next statement fails, and says so to whom it concerns.
  pool.on("connect", (client) => client.on("error", () => undefined));
  try {
    const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
    await migratePostgres(db as Kysely<unknown>);
    await checkSealKey(db, sealer, "the database");
    // By token, in the order in which they began.
    const settling = new Map<string, number>();
    const settlingFromMs = (): number | undefined => settling.values().next().value;
    const endRun = await startRun(config, runId, settlingFromMs, report);
    const sessions = sessionStore({ pool, sealer, digest, settling });
    return {
      sessions,
      records: sqlRecords(db, sealer, digest, "by_session"),
      backends: sqlBackends(db, sealer),
      management: sqlManagement(db, {
        ...{ sealer, digest, facts: POSTGRES_FACTS, turns: "by_session" },
      }),
      async ping() {
        await pool.query("SELECT 1");
      },
      async close() {
        await endRun();
        await pool.end();
      },
      side: {
        db,
        turns: "by_session",
        async lock(trx) {
          await sql`SELECT pg_advisory_xact_lock(${DRAIN_LOCK})`.execute(trx);
        },
        bareState: sql`(state::jsonb - '{inputs,app}'::text[])::text`,
        dropOld: (...asked) => dropOld(pool, ...asked),
      },
      async watchBackends(changed) {
        const hooks = { told: changed, reopened: changed, report };
        return (await listen(config, ["dialyard_backends"], hooks)).close;
      },
      cluster: postgresCluster(pool, digest, (names, told) =>
        listen(config, names, { told, report }),
      ),
    };
  } catch (error) {
    await pool.end();
    throw new Error(`PostgreSQL: ${(error as Error).message}`, { cause: error });
  }
}

function poolConfig(
  { url, connectionsMax = CONNECTIONS_MAX }: PostgresOptions,
  runId: number,
): PoolConfig {
  return {
    connectionString: url,
    options: `-c dialyard.run=${runId}`,
    max: connectionsMax,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    idleTimeoutMillis: 30_000,
    statement_timeout: STATEMENT_MS_MAX,
    query_timeout: STATEMENT_MS_MAX + 1_000, // a server that is there and says nothing
    keepAlive: true,
    application_name: "dialyard",
    types: { getTypeParser },
  };
}

/** bigint: times and row numbers are below 2^53. */
const INT8_OID = 20;
const getTypeParser: typeof types.getTypeParser = (oid: number, format?: "text" | "binary") =>
  oid === INT8_OID ? Number : (types.getTypeParser(oid, format) as (text: string) => unknown);

/** The row type dialyard_leased: a lease in the way, and what a turn needs of the session. */
type LeasedRow = StaticColumns & {
  readonly taken: boolean;
  readonly token: string | null;
  readonly taken_at: number;
  readonly until: number;
  readonly digest: string;
  readonly fresh_id: string;
  readonly redriven: number;
  readonly lost: number;
  readonly n: number | null;
  readonly id: string;
  readonly outcome: Session["outcome"] | null;
  readonly expires_at: number;
  readonly turns: number;
  readonly undelivered: number;
  readonly state: string | null;
};

/** Prepared by name on each connection: parsed once, not at every turn. */
type Statement = { readonly name: string; readonly text: string };
const OPEN = "SELECT * FROM dialyard_open($1, $2, $3, $4, $5, $6, $7)";
const TAKE_OVER = `SELECT * FROM dialyard_take_over(
  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`;
const SETTLE_ARGUMENTS = Array.from({ length: 26 }, (_, index) => `$${index + 1}`).join(", ");
const SETTLE = {
  name: "settle",
  text: `SELECT dialyard_settle(${SETTLE_ARGUMENTS}) AS settled`,
};
const SETTLE_UNREAD = {
  name: "settle_unread",
  text: `SELECT dialyard_settle_unread(${SETTLE_ARGUMENTS}) AS settled`,
};
const RELEASE = "SELECT dialyard_release($1, $2)";
const UNDELIVERED = "UPDATE sessions SET undelivered = 1 WHERE key = $1 AND id = $2";

function sessionStore(parts: {
  readonly pool: Pool;
  readonly sealer: Sealer;
  readonly digest: Digest;
  readonly settling: Map<string, number>;
}): SessionStore {
  const { pool, sealer, digest, settling } = parts;
  const { newToken } = randomIds();
  const query = <Row>(name: string, text: string, values: readonly unknown[]) =>
    queryAs<Row>(() => ({ name, text }), values);
  /** `statement` is asked when there is a connection, behind the queue for one. */
  async function queryAs<Row>(statement: () => Statement, values: readonly unknown[]) {
    const client = await pool.connect();
    try {
      const { rows } = await client.query({ ...statement(), values: [...values] });
      client.release();
      return rows as Row[];
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async function open(ask: Ask): Promise<Held> {
    const { key, nowMs, freshId, msisdn } = ask;
    const untilMs = nowMs + ask.leaseMs;
    const sealed = msisdn === undefined ? null : sealer.seal(msisdn, freshId);
    for (let takes = 0; takes < TAKES_MAX; takes += 1) {
      const token = newToken();
      const values = [key, token, nowMs, untilMs, ask.digest, freshId, sealed];
      const row = (await query<LeasedRow>("open", OPEN, values))[0]!;
      if (row.taken) return leased(row, ask, { token, freshId, redriven: false, lost: 0 });
      const held = heldLease(row);
      if (held === undefined) continue; // given back meanwhile
      const expiresAtMs = row.state === null ? undefined : row.expires_at;
      const taking = takeOver(held, ask, expiresAtMs);
      if (taking.type === "busy") return taking;
      const taken = await takeLeft(ask, held, taking, token);
      if (taken !== undefined) return taken;
    }
    return { type: "busy", twin: false };
  }

  /** Undefined where the lease is not what it was when it was looked at. */
  async function takeLeft(
    ask: Ask,
    held: HeldLease,
    taking: Exclude<Taking, { type: "busy" }>,
    token: string,
  ): Promise<Held | undefined> {
    const { key, nowMs, msisdn } = ask;
    const { freshId, redriven, lost, gaveUp } = taking;
    const row = (
      await query<LeasedRow>("take_over", TAKE_OVER, [
        ...[key, held.token, held.untilMs, token, nowMs, nowMs + ask.leaseMs, ask.digest, freshId],
        msisdn === undefined ? null : sealer.seal(msisdn, freshId),
        redriven ? 1 : 0,
        lost,
        gaveUp ? held.takenAtMs : null,
        msisdn === undefined ? null : digest(msisdn),
        UNSETTLED_KEPT_MS,
        taking.type === "over",
      ])
    )[0]!;
    return row.taken ? leased(row, ask, { token, freshId, redriven, lost }) : undefined;
  }

  function leased(
    row: LeasedRow,
    { key, nowMs, msisdn }: Ask,
    taken: { token: string; freshId: string; redriven: boolean; lost: number },
  ): Held {
    const { token, freshId, redriven, lost } = taken;
    const isThere = row.state !== null && row.expires_at > nowMs;
    return {
      type: "leased",
      lease: { key, token, freshId },
      session: isThere ? sessionOf(row, row.state ?? "", msisdn) : undefined,
      redriven,
      lostTurns: lost,
      undelivered: isThere && row.undelivered === 1,
    };
  }

  function sessionOf(row: LeasedRow, state: string, named: Ask["msisdn"]): Session {
    // A message that names the MSISDN has it in its key: the session's is the same.
    const statics = readStatics(row.id, row, named ?? openMsisdn(row.id, row, sealer));
    const { id, turns } = row;
    return readSession({ id, turns, state, outcome: row.outcome ?? null }, statics, sealer);
  }

  async function settle(lease: Lease, settlement: Settlement): Promise<boolean> {
    const { session, channel, record, nowMs, expiresAtMs } = settlement;
    const { id, msisdn } = session;
    const statement = () => (settlement.isUnread() ? SETTLE_UNREAD : SETTLE);
    const rows = await queryAs<{ settled: boolean }>(statement, [
      ...[lease.key, lease.token, nowMs],
      ...[id, outcomeOf(session), expiresAtMs, session.turns, writeState(session, sealer), channel],
      session.networkSessionId ?? null,
      session.serviceCode ?? null,
      session.backendId ?? null,
      session.provider,
      digest(msisdn),
      sealer.seal(msisdn, id),
      ...[record.startedAtMs, record.tookMs, record.backendMs, record.outcome, record.input],
      record.screen,
      record.action ?? null,
      writeAttempts(record.attempts),
      record.requestOctets,
      record.replyOctets,
      record.flaw ?? null,
    ]);
    return rows[0]?.settled === true;
  }

  return {
    open,
    async settle(lease, settlement) {
      settling.set(lease.token, settlement.nowMs);
      return settle(lease, settlement).finally(() => settling.delete(lease.token));
    },
    async release({ key, token }) {
      await query("release", RELEASE, [key, token]);
    },
    async undelivered(key, sessionId) {
      await query("undelivered", UNDELIVERED, [key, sessionId]);
    },
    sweep: createPostgresSweep(pool, sealer, digest),
    close: async () => undefined,
  };
}

function heldLease(row: LeasedRow): HeldLease | undefined {
  if (row.token === null) return undefined;
  return {
    token: row.token,
    takenAtMs: row.taken_at,
    untilMs: row.until,
    digest: row.digest,
    freshId: row.fresh_id,
    redriven: row.redriven === 1,
    lost: row.lost,
  };
}
