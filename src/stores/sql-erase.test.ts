/** What is kept of one number is deleted, and nothing of another: on each SQL store. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import {
  noPostgres,
  type PostgresServer,
  startPostgres,
} from "../../test/support/postgres-server.ts";
import { parseMsisdn } from "../core/address.ts";
import { askOf, recordOf, sessionId, sessionOf, settlementOf, T0 } from "./conformance.ts";
import { postgresStore } from "./postgres.ts";
import { createDigest, createSealer } from "./seal.ts";
import type { ManagedStore } from "./sql-management.ts";
import { sqliteStore } from "./sqlite.ts";

const GONE = parseMsisdn("258840000001");
const OTHER = parseMsisdn("258840000002");
const LATER = T0 + 400_000; // beyond every session's TTL
const sealing = {
  sealer: createSealer([Buffer.alloc(32, 1)]),
  digest: createDigest(Buffer.alloc(32, 2)),
};

/** Sessions of these numbers in this order, each of three turns; "live" ones are not ended. */
async function play(store: ManagedStore, numbers: readonly (typeof GONE)[], endsLast = true) {
  for (const [index, msisdn] of numbers.entries()) {
    const id = sessionId(index + 1);
    for (const turns of [1, 2, 3]) {
      const nowMs = T0 + turns;
      const held = await store.sessions.open(
        askOf({ key: `key-${index}`, freshId: id, msisdn, digest: `said-${turns}`, nowMs }),
      );
      assert.ok(held.type === "leased");
      const ended = turns === 3 && (endsLast || index < numbers.length - 1);
      const outcome = ended ? ("completed" as const) : undefined;
      const session = sessionOf({ id, msisdn, turns, ended, outcome });
      const record = recordOf({ screen: `${msisdn} reads ${turns}`, startedAtMs: nowMs });
      await store.sessions.settle(held.lease, settlementOf({ session, record, nowMs }));
    }
  }
}
const listed = async (store: ManagedStore) =>
  (await store.records.findSessions({ nowMs: LATER, limit: 100 })).sessions;
const screensOf = async (store: ManagedStore, id: string) =>
  (await store.records.getSession(id))?.records.map(({ screen }) => screen);

function testErase(name: string, open: () => Promise<ManagedStore>) {
  test(`${name}: sessions that are over go, with their turns, and no one else's`, async () => {
    const store = await open();
    await play(store, [GONE, OTHER, GONE, OTHER]);
    await listed(store);
    const early = await store.management.erase(GONE);
    assert.partialDeepStrictEqual(early, { sessions: 0, turns: 0, kept: 2 });
    assert.ok((early.keptUntilMs ?? 0) > T0, "the network may ask again until then");

    await store.sessions.sweep(LATER, 0);
    const erased = await store.management.erase(GONE);
    assert.deepEqual(erased, { sessions: 2, turns: 6, kept: 0, keptUntilMs: undefined });
    const left = await listed(store);
    assert.deepEqual(
      left.map(({ msisdn }) => msisdn),
      [OTHER, OTHER],
    );
    for (const { id } of left) assert.equal((await screensOf(store, id))?.length, 3);
    assert.partialDeepStrictEqual(await store.management.erase(GONE), { sessions: 0, kept: 0 });
    await store.close();
  });

  test(`${name}: a session that lives stays, and goes on`, async () => {
    const store = await open();
    await play(store, [GONE, GONE], false);
    await listed(store);
    assert.equal((await store.management.erase(GONE)).kept, 2);
    const ask = askOf({ key: "key-1", msisdn: GONE, digest: "said-4", nowMs: T0 + 10 });
    const held = await store.sessions.open(ask);
    assert.ok(held.type === "leased");
    assert.equal(held.session?.turns, 3);
    await store.close();
  });
}

describe("erasing a subscriber", () => {
  const folder = mkdtempSync(join(tmpdir(), "dialyard-erase-"));
  let files = 0;
  const newFile = () => join(folder, `${(files += 1)}.db`);
  let postgres: PostgresServer | undefined;
  before(async () => {
    if (noPostgres === false) postgres = await startPostgres();
  });
  after(async () => {
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  testErase("SQLite", () => sqliteStore({ ...sealing, file: newFile() }));
  describe("on PostgreSQL", { skip: noPostgres }, () => {
    testErase("PostgreSQL", async () => {
      const url = (await postgres?.newDatabase()) ?? "";
      return postgresStore({ ...sealing, url, report: (error) => assert.ifError(error) });
    });
  });

  test("SQLite: of the newest session its numbers stay, and nothing of the subscriber", async () => {
    const file = newFile();
    const store = await sqliteStore({ ...sealing, file });
    await play(store, [OTHER, GONE]);
    await store.sessions.sweep(LATER, 0);
    const erased = await store.management.erase(GONE);
    assert.partialDeepStrictEqual(erased, { sessions: 1, turns: 3, kept: 0 });
    const newest = (await listed(store)).find(({ id }) => id === sessionId(2));
    assert.deepEqual([newest?.msisdn, await screensOf(store, sessionId(2))], ["", []]);
    await store.close();
    const db = new DatabaseSync(file);
    const rows = db.prepare("SELECT * FROM turns JOIN sessions ON sessions.n = session").all();
    db.close();
    assert.equal(JSON.stringify(rows).includes(`${GONE} reads`), false);
    const again = await sqliteStore({ ...sealing, file });
    assert.equal((await listed(again)).length, 2);
    await again.close();
  });
});
