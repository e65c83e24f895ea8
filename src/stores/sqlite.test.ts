import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { askOf, sessionId, sessionOf, settlementOf, testStore } from "./conformance.ts";
import { createDigest, createSealer } from "./seal.ts";
import type { SqliteOptions } from "./sqlite.ts";
import { sqliteStore } from "./sqlite.ts";

const directory = mkdtempSync(join(tmpdir(), "dialyard-sqlite-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

function newOptions(): SqliteOptions {
  files += 1;
  return {
    file: join(directory, String(files), "dialyard.db"),
    sealer: createSealer([Buffer.alloc(32, 1)]),
    digest: createDigest(Buffer.alloc(32, 2)),
  };
}

testStore("sqlite", async () => {
  const options = newOptions();
  // What a kill leaves is what is in the files at that moment.
  const restart = () => {
    const { file } = newOptions();
    cpSync(dirname(options.file), dirname(file), { recursive: true });
    return sqliteStore({ ...options, file });
  };
  return { store: await sqliteStore(options), restart };
});

test("no typed input and no MSISDN is readable in any file of the database", async () => {
  const options = newOptions();
  const { sessions, records, close } = await sqliteStore(options);
  const msisdn = sessionOf().msisdn;
  const pin = "90417735";
  const turn = async (n: number, inputs: readonly string[]): Promise<void> => {
    const held = await sessions.open(askOf({ nowMs: n }));
    assert.ok(held.type === "leased");
    const session = sessionOf({ inputs });
    await sessions.settle(held.lease, settlementOf({ session, nowMs: n }));
  };
  await turn(1, []);
  await turn(2, ["1", pin]);
  // A lease left by a crash holds the MSISDN too.
  await sessions.open(askOf({ key: "key-b", nowMs: 3 }));
  const folder = join(options.file, "..");
  const names = readdirSync(folder);
  assert.deepEqual(names.sort(), ["dialyard.db", "dialyard.db-wal"]);
  const written = names.map((name) => readFileSync(join(folder, name), "latin1")).join();
  // The test would pass on empty files: what may be read has to be there.
  assert.ok(written.includes(sessionId(1)) && written.includes("Saldo"));
  assert.ok(!written.includes(pin), "an input");
  assert.ok(!written.includes(msisdn), "an MSISDN");
  const held = await sessions.open(askOf({ nowMs: 4 }));
  assert.deepEqual(held.type === "leased" && held.session?.inputs, ["1", pin]);
  const { sessions: found } = await records.findSessions({ msisdn, nowMs: 4, limit: 5 });
  assert.equal(found.length, 1);
  await close();
});

test("a process killed in the middle of its turns loses nothing that it acknowledged", async () => {
  for (const afterMs of [150, 400]) {
    const options = newOptions();
    const script = fileURLToPath(new URL("sqlite-killed.fixture.ts", import.meta.url));
    const child = fork(script, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
    assert.ok(child.stdout !== null);
    child.send(options.file);
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    await once(child.stdout, "data");
    await wait(afterMs);
    child.kill("SIGKILL");
    await once(child, "close");

    const lines = said.split("\n").slice(0, -1);
    const settled = lines.filter((line) => line.startsWith("settled ")).map(numberOf);
    const leasedOnly = new Set(lines.filter((line) => line.startsWith("leased ")).map(numberOf));
    for (const n of settled) leasedOnly.delete(n);
    assert.ok(settled.length > 0, "it settled something before it was killed");

    const store = await sqliteStore(options);
    for (const n of settled) {
      const detail = await store.records.getSession(sessionId(n));
      assert.deepEqual(
        detail?.records.map(({ screen }) => screen),
        [`screen ${n}`],
      );
    }
    for (const n of leasedOnly) {
      // Settled without having said so, or still leased: never forgotten.
      const ask = askOf({ key: `key-${n}`, freshId: sessionId(0), nowMs: askOf().nowMs + 22_000 });
      const held = await store.sessions.open(ask);
      assert.ok(held.type === "leased");
      const isSettled = held.session?.id === sessionId(n);
      assert.ok(isSettled || (held.redriven && held.lease.freshId === sessionId(n)));
    }
    await store.close();
  }
});

test("one process alone has the database: a second one is told so", async () => {
  const options = newOptions();
  const store = await sqliteStore(options);
  await assert.rejects(
    sqliteStore(options),
    /another process has the database open: .*dialyard\.db/,
  );
  assert.equal((await store.sessions.open(askOf())).type, "leased");
  await store.close();
  const next = await sqliteStore(options);
  await next.ping();
  await next.close();
});

test("a closed store refuses turns and pings", async () => {
  const store = await sqliteStore(newOptions());
  const last = store.sessions.open(askOf());
  await store.close();
  assert.equal((await last).type, "leased");
  await assert.rejects(store.sessions.open(askOf()), /closed/);
  await assert.rejects(store.ping());
  await store.close();
});

test("what waited at the moment of closing is committed", async () => {
  const options = newOptions();
  const store = await sqliteStore(options);
  const held = await store.sessions.open(askOf());
  assert.ok(held.type === "leased");
  const settling = store.sessions.settle(held.lease, settlementOf());
  await store.close();
  assert.equal(await settling, true);
  const again = await sqliteStore(options);
  assert.equal((await again.records.getSession(sessionId(1)))?.turns, 1);
  await again.close();
});

test("an operator's search reads a bounded part of the history and says where to go on", async () => {
  const options = newOptions();
  await (await sqliteStore(options)).close();
  const writer = new DatabaseSync(options.file);
  writer.exec(`WITH RECURSIVE of (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM of WHERE n < 45000)
    INSERT INTO sessions (n, outcome, expires_at, started_at, last_at, turns, last_turn, id,
      channel, provider)
    SELECT n, 'completed', 0, 0, 0, 0, 0, 'id-' || n, iif(n = 7, 'rare', 'usual'), '' FROM of`);
  writer.close();
  const store = await sqliteStore(options);
  const found: string[] = [];
  let calls = 0;
  let after: string | undefined;
  do {
    calls += 1;
    const cursor = after === undefined ? {} : { after };
    const filter = { channel: "rare", nowMs: 1, limit: 10, ...cursor };
    const page = await store.records.findSessions(filter);
    found.push(...page.sessions.map(({ id }) => id));
    after = page.next;
  } while (after !== undefined && calls < 10);
  assert.deepEqual(found, ["id-7"]);
  assert.equal(calls, 3);
  await store.close();
});

function numberOf(line: string): number {
  return Number(line.split(" ")[1]);
}
