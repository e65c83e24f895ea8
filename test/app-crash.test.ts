/**
 * An app process killed at random points of its transfers, its network trying again: on every store
 * that outlives a process each confirmed transfer moves money exactly once.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createSubscriber, startAppProcess, startLedger } from "./support/app-process.ts";
import { noPostgres, type PostgresServer, startPostgres } from "./support/postgres-server.ts";
import { noRedis, type RedisServer, startRedis } from "./support/redis-server.ts";

const TRANSFERS = 500;
const KILLS = 7;
/** Of those whose effect may not be asked for again. */
const TRANSFERS_ONCE = 100;
const KILLS_ONCE = 3;
const AT_ONCE = 40;
const AMOUNT = "25";
const folder = mkdtempSync(join(tmpdir(), "dialyard-app-crash-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Kills the app while transfers run, at random points of them, and counts what became of them. */
async function crash(env: Readonly<Record<string, string>>, transfers: number, kills: number) {
  const ledger = await startLedger(() => Math.random() * 60);
  const app = await startAppProcess({ ...env, LEDGER_URL: ledger.url });
  let left = transfers;
  let isOver = false;
  const killing = (async () => {
    for (let nth = 0; nth < kills; nth += 1) {
      const at = transfers * (1 - (nth + Math.random()) / kills);
      while (left > at && !isOver) await wait(5);
      await wait(Math.random() * 60);
      await app.kill();
      await app.start();
    }
  })();
  const screens = new Map<string, string>();
  let next = 0;
  const walk = async (): Promise<void> => {
    while (next < transfers) {
      next += 1;
      const msisdn = `2588${String(40_000_000 + next)}`;
      const say = createSubscriber(app.url, msisdn);
      let screen = "";
      for (const input of ["", "1", AMOUNT, "7391", "1"]) ({ screen } = await say(input));
      screens.set(msisdn, screen);
      left -= 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, walk));
  } finally {
    isOver = true;
    await killing;
    await app.kill();
    await ledger.close();
  }
  return { ledger, screens, kills };
}

function checkOnce({ ledger, screens, kills }: Awaited<ReturnType<typeof crash>>): void {
  assert.equal(screens.size, TRANSFERS);
  for (const [msisdn, screen] of screens) {
    assert.match(screen, /^Sent 25\. Ref L/, `${msisdn} reads: ${screen}`);
    assert.equal(ledger.moved.get(msisdn), 25, `${msisdn}: money moved`);
  }
  const again = [...ledger.calls.values()].filter((calls) => calls > 1).length;
  console.log(`# ${TRANSFERS} transfers, ${kills} kills, ${again} effects asked for again`);
}

/** The ledger alone knows: a subscriber who reads nothing certain was charged once, or not at all. */
function checkAtMostOnce({ ledger, screens, kills }: Awaited<ReturnType<typeof crash>>): void {
  assert.equal(screens.size, TRANSFERS_ONCE);
  const calls = [...ledger.calls.values()];
  assert.ok(
    calls.every((count) => count === 1),
    "no effect was asked for twice",
  );
  const unknown = [...screens].filter(([msisdn, screen]) => {
    if (screen.startsWith("Sent 25.")) {
      assert.equal(ledger.moved.get(msisdn), 25, `${msisdn}: money moved`);
      return false;
    }
    assert.match(screen, /^We are confirming/, `${msisdn} reads: ${screen}`);
    return true;
  });
  console.log(
    `# ${TRANSFERS_ONCE} transfers, ${kills} kills, ${unknown.length} of unknown outcome`,
  );
}

describe("500 transfers while the app is killed", { concurrency: false }, () => {
  const once = { RUN_ONCE: "yes" };

  test("SQLite: every one moves money once", async () => {
    checkOnce(
      await crash({ STORE: "sqlite", STORE_URL: join(folder, "app.db") }, TRANSFERS, KILLS),
    );
  });
  test("SQLite: an effect that may not be asked for again never is", async () => {
    const env = { STORE: "sqlite", STORE_URL: join(folder, "once.db"), ...once };
    checkAtMostOnce(await crash(env, TRANSFERS_ONCE, KILLS_ONCE));
  });

  describe("Redis", { skip: noRedis }, () => {
    let server: RedisServer;
    before(async () => {
      server = await startRedis({ appendonly: "yes" });
    });
    after(() => server.stop());
    test("every one moves money once", async () => {
      checkOnce(await crash({ STORE: "redis", STORE_URL: server.url }, TRANSFERS, KILLS));
    });
    test("an effect that may not be asked for again never is", async () => {
      const env = { STORE: "redis", STORE_URL: `${server.url}/1`, ...once };
      checkAtMostOnce(await crash(env, TRANSFERS_ONCE, KILLS_ONCE));
    });
  });

  describe("PostgreSQL", { skip: noPostgres }, () => {
    let server: PostgresServer;
    before(async () => {
      server = await startPostgres();
    });
    after(() => server.stop());
    test("every one moves money once", async () => {
      checkOnce(
        await crash({ STORE: "postgres", STORE_URL: await server.newDatabase() }, TRANSFERS, KILLS),
      );
    });
    test("an effect that may not be asked for again never is", async () => {
      const env = { STORE: "postgres", STORE_URL: await server.newDatabase(), ...once };
      checkAtMostOnce(await crash(env, TRANSFERS_ONCE, KILLS_ONCE));
    });
  });

  test("memory: sessions go with the process, and no effect is asked for under one key twice", async () => {
    const { ledger, screens } = await crash({ STORE: "memory" }, TRANSFERS, KILLS);
    assert.equal(screens.size, TRANSFERS);
    for (const [msisdn, screen] of screens) {
      if (screen.startsWith("Sent")) assert.equal(ledger.moved.get(msisdn), 25, msisdn);
    }
    assert.ok([...ledger.calls.values()].every((calls) => calls === 1));
    assert.ok([...ledger.moved.values()].every((amount) => amount === 25));
  });
});
