/**
 * The upgrade: a database that the first release wrote, as it was dumped then, with a session that
 * is over, one whose subscriber has not answered yet, and a backend.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client } from "pg";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { type App, networks, startApp } from "./support/phones.ts";
import { noPostgres, type PostgresServer, startPostgres } from "./support/postgres-server.ts";

const CODE = "*750#";
/** When the dump was made; its times become those of a minute ago. */
const DUMPED_MS = { sqlite: 1_795_814_557_839, postgres: 1_795_814_564_000 };
const AGE_MS = 60_000;
const SECRETS = { DIALYARD_SECRET_KEY: "0123456789abcdef".repeat(4) };

function dumped(store: keyof typeof DUMPED_MS, app: App): string {
  const file = join(import.meta.dirname, "fixtures", `first-release.${store}.sql`);
  const shiftMs = Date.now() - AGE_MS - DUMPED_MS[store];
  return readFileSync(file, "utf8")
    .replaceAll("{{APP}}", app.url)
    .replaceAll(/\b17958\d{8}\b/g, (ms) => String(Number(ms) + shiftMs));
}

type Listed = { readonly id: string; readonly outcome: string; readonly turns: number };

async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return (await response.json()) as T;
}

/** What everybody expects of the data that they had. */
async function checkServed({ url }: StartedGateway): Promise<void> {
  const backends = await getJson<readonly { service_code: string; name: string }[]>(
    `${url}/backends`,
  );
  assert.deepEqual(
    backends.map(({ service_code: code, name }) => [code, name]),
    [[CODE, "Shop"]],
  );
  const { sessions } = await getJson<{ sessions: readonly Listed[] }>(`${url}/api/v1/sessions`);
  assert.deepEqual(sessions.map(({ outcome, turns }) => [outcome, turns]).sort(), [
    ["completed", 4],
    ["live", 2],
  ]);
  const over = sessions.find(({ outcome }) => outcome === "completed");
  const detail = await getJson<{ records: readonly { screen: string }[] }>(
    `${url}/api/v1/sessions/${over?.id}`,
  );
  assert.deepEqual(
    detail.records.map(({ screen }) => screen),
    ["turn 0", "turn 1", "turn 2", "turn 3"],
  );
  const found = await getJson<{ sessions: readonly Listed[] }>(
    `${url}/api/v1/sessions?msisdn=258840000001`,
  );
  assert.deepEqual(
    found.sessions.map(({ id }) => id),
    [over?.id],
    "numbers are found by the same key",
  );
}

/** The session that was open when the old release was stopped. */
async function checkGoesOn({ url }: StartedGateway, app: App): Promise<void> {
  const asked = app.heard.length;
  const phone = networks["kairos"]!(url, "258840000002", "open-1");
  await phone.type("2");
  const turn = app.heard[asked];
  assert.equal(turn?.said, "2", "its application is asked, and no menu shown again");
  // A backend's session id goes on, too: it is what the application keeps its state by.
  assert.match(turn.sessionId, /^sess_[0-9a-f]{32}$/);
  const { sessions } = await getJson<{ sessions: readonly Listed[] }>(
    `${url}/api/v1/sessions?msisdn=258840000002`,
  );
  assert.deepEqual(
    sessions.map(({ id, turns }) => [id, turns]),
    [[turn.sessionId, 3]],
  );
}

describe("SQLite, written by the first release", () => {
  let app: App;
  let gateway: StartedGateway;
  const dataDir = mkdtempSync(join(tmpdir(), "dialyard-upgrade-"));
  before(async () => {
    app = await startApp("ola", () => ({ screen: "Hello again", end: false }));
    const db = new DatabaseSync(join(dataDir, "dialyard.db"));
    db.exec(dumped("sqlite", app));
    db.close();
    gateway = await startGateway({ dataDir, env: SECRETS });
  });
  after(async () => {
    await gateway?.stop();
    await app.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  test("sessions, their turns and backends are served", () => checkServed(gateway));
  test("a session that was open goes on", () => checkGoesOn(gateway, app));
});

describe("PostgreSQL, written by the first release", { skip: noPostgres }, () => {
  let app: App;
  let postgres: PostgresServer;
  let gateway: StartedGateway;
  let url: string;
  const problems: string[] = [];
  let settled = 0;

  /** Turns as the first release's nodes make them, one after another, until it is told to stop. */
  async function turnsOfOld(node: number, isOver: () => boolean): Promise<void> {
    const client = new Client({ connectionString: url });
    await client.connect();
    for (let nth = 0; !isOver(); nth += 1) {
      const [key, nowMs] = [`old-${node}-${nth}`, Date.now()];
      const lease = [key, "token", nowMs, nowMs + 20_000, "said", `sess_${key}`, "sealed"];
      const session = [`sess_${key}`, null, nowMs + 300_000, 1, "{}", "kairos", key, CODE, 1];
      const turn = [nowMs, 1, 1, "ok", "", "screen", "continue", "[]", 1, 1, null];
      try {
        await client.query("SELECT * FROM dialyard_open($1, $2, $3, $4, $5, $6, $7)", lease);
        const values = [key, "token", nowMs, ...session, "kairos", null, null, ...turn];
        const places = values.map((_, at) => `$${at + 1}`).join(", ");
        await client.query(`SELECT dialyard_settle(${places})`, values);
        settled += 1;
      } catch (error) {
        problems.push(String(error));
      }
    }
    await client.end();
  }

  before(async () => {
    app = await startApp("ola", () => ({ screen: "Hello again", end: false }));
    postgres = await startPostgres();
    url = await postgres.newDatabase();
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(dumped("postgres", app));
    await client.end();
  });
  after(async () => {
    await gateway?.stop();
    await app.close();
    await postgres?.stop();
  });

  test("a node of this release migrates it while nodes of the first answer turns", async () => {
    let isOver = false;
    const nodes = [1, 2, 3, 4, 5, 6, 7, 8].map((node) => turnsOfOld(node, () => isOver));
    gateway = await startGateway({ env: { ...SECRETS, DATABASE_URL: url } });
    const before = settled;
    while (settled < before + 100 && problems.length === 0)
      await new Promise((done) => setTimeout(done, 10));
    isOver = true;
    await Promise.all(nodes);
    assert.deepEqual(problems, [], `of ${settled} turns`);
    // What follows looks at what was dumped.
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query("DELETE FROM sessions WHERE id LIKE 'sess_old-%'");
    await client.end();
  });
  test("sessions, their turns and backends are served", () => checkServed(gateway));
  test("a session that was open goes on", () => checkGoesOn(gateway, app));
});
