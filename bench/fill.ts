/**
 * Fills a database with sessions as turns leave them: ended, each with one to three turns, still
 * kept for a retransmit, so that every index is at its largest. Keys, ids and hashes are random
 * like real ones, and inserted in that order, so that pages are as full as in a database that grew.
 */
import { randomFillSync } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createDigest, createSealer, type Digest, type Sealer } from "../src/stores/seal.ts";
import { writeAttempts, writeState } from "../src/stores/session-row.ts";
import { sqliteStore } from "../src/stores/sqlite.ts";
import type { Msisdn, ServiceCode, Session } from "../src/types.ts";

const BATCH = 20_000;
/** Longer than any run. */
const TTL_MS = 6 * 3_600_000;
const SCREEN = "Asante.\nSalio lako ni 1,250.50\nKwaheri.";

/** As src/server.ts names it. */
export const DATABASE = "dialyard.db";

/** Left out where nobody reads what is filled in: a gateway brings keys of its own. */
export type FillKeys = { readonly seal: Buffer; readonly digest: Buffer };
const SOME_KEY = Buffer.alloc(32, 1);

/** The number of the subscriber of session `index`. */
export function filledMsisdn(index: number): string {
  return `2588${String(index).padStart(8, "0")}`;
}

export async function fill(
  folder: string,
  sessions: number,
  progress: (done: number) => void,
  keys: FillKeys = { seal: SOME_KEY, digest: SOME_KEY },
): Promise<void> {
  const file = join(folder, DATABASE);
  const sealer = createSealer([keys.seal]);
  const digest = createDigest(keys.digest);
  const store = await sqliteStore({ file, sealer, digest });
  await store.close();
  const database = new DatabaseSync(file);
  database.exec(
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000",
  );
  const insert = prepareInsert(database, { sealer, digest });
  const nowMs = Date.now();
  for (let done = 0; done < sessions; done += BATCH) {
    database.exec("BEGIN");
    for (let n = done; n < Math.min(done + BATCH, sessions); n += 1) insert(n, nowMs);
    database.exec("COMMIT");
    progress(Math.min(done + BATCH, sessions));
    await new Promise(setImmediate);
  }
  // The rows of the sessions are there: a start has nothing to catch up with.
  database.exec("DELETE FROM key_check"); // the gateway brings a key of its own
  database.exec("UPDATE progress SET written_turn = (SELECT max(n) FROM turns)");
  database.close();
}

/** Three turns after which it was completed. */
function endedSession(): Session {
  return {
    id: "",
    msisdn: "" as Msisdn,
    networkSessionId: undefined,
    serviceCode: "*701#" as ServiceCode,
    backendId: 1,
    provider: "kairos",
    turns: 3,
    calls: 3,
    seen: { length: 1, digest: text(22) },
    messageId: undefined,
    inputs: [],
    lastReply: { action: "end", screen: SCREEN },
    lastFailure: undefined,
    paging: undefined,
    asksSecret: false,
    ended: true,
    outcome: "completed",
  };
}

const SESSION = `
INSERT INTO sessions (key, outcome, expires_at, started_at, last_at, turns, last_turn, id, channel,
  network_id, service_code, backend_id, provider, msisdn_hash, msisdn_sealed, state)
VALUES (?, 'completed', ?, ?, ?, ?, ?, ?, 'kairos', ?, '*701#', 1, 'kairos', ?, ?, ?)`;
const TURN = `
INSERT INTO turns (session, prev, at, took_ms, backend_ms, outcome, input, screen, action, attempts,
  request_octets, reply_octets)
VALUES (?, ?, ?, 1.5, 1.1, 'ok', '1', ?, 'end', ?, 110, 180)`;
const ATTEMPT = writeAttempts([
  {
    transactionId: `txn_${"0".repeat(34)}`,
    startMs: 0,
    tookMs: 1,
    status: 200,
    failure: undefined,
  },
]);

type Keyed = { readonly sealer: Sealer; readonly digest: Digest };

function prepareInsert(database: DatabaseSync, { sealer, digest }: Keyed) {
  const state = writeState(endedSession(), sealer);
  const session = database.prepare(SESSION);
  const turn = database.prepare(TURN);
  let turnsDone = 0;
  return (index: number, nowMs: number): void => {
    const turns = 1 + (index % 3);
    for (let nth = 0; nth < turns; nth += 1) {
      turnsDone += 1;
      turn.run(index + 1, nth === 0 ? 0 : turnsDone - 1, nowMs, SCREEN, ATTEMPT);
    }
    const id = `sess_${random(16).toString("hex")}`;
    const msisdn = filledMsisdn(index);
    session.run(
      text(22),
      nowMs + TTL_MS,
      nowMs,
      nowMs,
      turns,
      turnsDone,
      id,
      text(24),
      digest(msisdn),
      sealer.seal(msisdn, id),
      state,
    );
  };
}

const pool = Buffer.alloc(64 * 1024);
let used = pool.length;

function random(octets: number): Buffer {
  if (used + octets > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += octets;
  return pool.subarray(used - octets, used);
}

function text(characters: number): string {
  return random(characters).toString("base64url").slice(0, characters);
}
