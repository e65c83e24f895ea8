/**
 * What is kept of one subscriber, deleted by somebody's wish, in any SQL store. What a turn may
 * still find stays: its session lives, or the network may ask for its last screen again.
 */
import { type Kysely, sql } from "kysely";
import type { Msisdn } from "../types.ts";
import type { Schema } from "./migrations.ts";
import type { Digest } from "./seal.ts";

export type Erased = {
  readonly sessions: number;
  readonly turns: number;
  /** Sessions that stay, and when the last of them is over if nobody goes on. */
  readonly kept: number;
  readonly keptUntilMs: number | undefined;
};
export type Erase = (msisdn: Msisdn) => Promise<Erased>;

/** Sessions at once: with all their turns about a thousand rows, so that turns go between. */
const SLICE_SESSIONS = 20;

/** `turns` as of sqlRecords. */
export function sqlErase(db: Kysely<Schema>, digest: Digest, turns: "chain" | "by_session"): Erase {
  const eraseSlice = turns === "chain" ? eraseChained : eraseRows;
  return async (msisdn) => {
    const hash = digest(msisdn);
    const erased = { sessions: 0, turns: 0 };
    for (;;) {
      const over = await db
        .selectFrom("sessions")
        .select("n")
        .where("msisdn_hash", "=", hash)
        .where("key", "is", null)
        .limit(SLICE_SESSIONS)
        .execute();
      if (over.length === 0) break;
      const numbers = over.map(({ n }) => n);
      erased.turns += await eraseSlice(db, numbers);
      erased.sessions += over.length;
    }
    const kept = await db
      .selectFrom("sessions")
      .select((of) => [of.fn.countAll().as("rows"), of.fn.max("expires_at").as("until")])
      .where("msisdn_hash", "=", hash)
      .executeTakeFirstOrThrow();
    const keptUntilMs = (kept.until as number | null) ?? undefined;
    return { ...erased, kept: Number(kept.rows), keptUntilMs };
  };
}

async function eraseRows(db: Kysely<Schema>, numbers: readonly number[]): Promise<number> {
  const gone = await db
    .deleteFrom("turns")
    .where("session", "in", numbers)
    .executeTakeFirstOrThrow();
  await db.deleteFrom("sessions").where("n", "in", numbers).execute();
  return Number(gone.numDeletedRows);
}

/**
 * The newest rows of both tables stay, as in a sweep, so that no number is used twice: what they
 * say of the subscriber goes.
 */
async function eraseChained(db: Kysely<Schema>, numbers: readonly number[]): Promise<number> {
  const list = sql.join(numbers);
  const chain = sql`
    WITH RECURSIVE chain (n, prev, session) AS (
      SELECT turns.n, turns.prev, turns.session FROM sessions
      JOIN turns ON turns.n = sessions.last_turn AND turns.session = sessions.n
      WHERE sessions.n IN (${list})
      UNION ALL
      SELECT turns.n, turns.prev, turns.session FROM chain
      JOIN turns ON turns.n = chain.prev AND turns.session = chain.session)
    SELECT n FROM chain`;
  // First: behind the others it is no part of a chain any more.
  const blanked = await sql`
    UPDATE turns SET input = '', screen = '', attempts = '', after = NULL
    WHERE n = (SELECT max(n) FROM turns) AND n IN (${chain})`.execute(db);
  const gone = await sql`
    DELETE FROM turns WHERE n IN (${chain}) AND n < (SELECT max(n) FROM turns)`.execute(db);
  const newest = sql<number>`(SELECT max(n) FROM sessions)`;
  await db.deleteFrom("sessions").where("n", "in", numbers).where("n", "<", newest).execute();
  await db
    .updateTable("sessions")
    .set({ msisdn_hash: null, msisdn_sealed: null, network_id: null, state: null, last_turn: 0 })
    .where("n", "in", numbers)
    .execute();
  return Number(blanked.numAffectedRows ?? 0n) + Number(gone.numAffectedRows ?? 0n);
}
