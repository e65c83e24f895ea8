/**
 * An app process killed at random points of its transfers, its network trying again: on every store
 * that outlives a process each confirmed transfer moves money exactly once.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createSubscriber, startAppProcess, startLedger } from "./support/app-process.ts";
import { noPostgres, startPostgres } from "./support/postgres-server.ts";
import { noRedis, startRedis } from "./support/redis-server.ts";

const TRANSFERS = 500;
const AT_ONCE = 40;
const AMOUNT = "25";
const folder = mkdtempSync(join(tmpdir(), "dialyard-app-crash-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Kills the app again and again while `transfers` run, and counts what became of them. */
async function crash(env: Readonly<Record<string, string>>) {
  const ledger = await startLedger(() => Math.random() * 60);
  const app = await startAppProcess({ ...env, LEDGER_URL: ledger.url });
  let left = TRANSFERS;
  let kills = 0;
  const killing = (async () => {
    while (left > 0) {
      await wait(200 + Math.random() * 800);
      if (left === 0) break;
      await app.kill();
      kills += 1;
      await app.start();
    }
  })();
  const screens = new Map<string, string>();
  let next = 0;
  const walk = async (): Promise<void> => {
    while (next < TRANSFERS) {
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
    left = 0;
    await killing;
    await app.kill();
    await ledger.close();
  }
  return { ledger, screens, kills, printed: app.printed() };
}

function checkOnce({ ledger, screens, kills }: Awaited<ReturnType<typeof crash>>): void {
  assert.equal(screens.size, TRANSFERS);
  for (const [msisdn, screen] of screens) {
    assert.match(screen, /^Sent 25\. Ref L/, `${msisdn} reads: ${screen}`);
    assert.equal(ledger.moved.get(msisdn), 25, `${msisdn}: money moved`);
  }
  const again = [...ledger.calls.values()].filter((calls) => calls > 1).length;
  console.log(`# ${TRANSFERS} transfers, ${kills} kills, ${again} effects asked for again`);
  assert.ok(kills >= 5, `only ${kills} kills`);
}

describe("500 transfers while the app is killed", { concurrency: false }, () => {
  test("SQLite: every one moves money once", async () => {
    checkOnce(await crash({ STORE: "sqlite", STORE_URL: join(folder, "app.db") }));
  });

  test("Redis: every one moves money once", { skip: noRedis }, async () => {
    const server = await startRedis({ appendonly: "yes" });
    try {
      checkOnce(await crash({ STORE: "redis", STORE_URL: server.url }));
    } finally {
      await server.stop();
    }
  });

  test("PostgreSQL: every one moves money once", { skip: noPostgres }, async () => {
    const server = await startPostgres();
    try {
      checkOnce(await crash({ STORE: "postgres", STORE_URL: await server.newDatabase() }));
    } finally {
      await server.stop();
    }
  });

  test("memory: sessions go with the process, and no effect is asked for under one key twice", async () => {
    const { ledger, screens } = await crash({ STORE: "memory" });
    assert.equal(screens.size, TRANSFERS);
    for (const [msisdn, screen] of screens) {
      if (screen.startsWith("Sent")) assert.equal(ledger.moved.get(msisdn), 25, msisdn);
    }
    assert.ok([...ledger.calls.values()].every((calls) => calls === 1));
    assert.ok([...ledger.moved.values()].every((amount) => amount === 25));
  });
});
