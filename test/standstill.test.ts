/**
 * A gateway that is stopped in the middle of its work, for longer than its networks wait. What it
 * finds when it goes on may have been answered elsewhere since (RELIABILITY F36, F61).
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { phoneOn, SCREENS, until } from "./support/operator.ts";
import { register, startApp, type App } from "./support/phones.ts";
import { noPostgres, startPostgres, type PostgresServer } from "./support/postgres-server.ts";

const BUDGET_MS = 1_500;
/** Longer than a network waits, shorter than a lease. */
const STOP_MS = 2_500;
const PATIENCE_MS = 2_000;
const configFile = `export const config = { channels: {
  kairos: { protocol: "kairos", turnBudgetMs: ${BUDGET_MS} } } };`;

describe("a node that stands still, beside one that does not", { skip: noPostgres }, () => {
  let server: PostgresServer | undefined;
  let stopped: StartedGateway | undefined;
  let other: StartedGateway | undefined;
  let app: App | undefined;
  let holdMs = 0;
  before(async () => {
    server = await startPostgres();
    const url = await server.newDatabase();
    const env = { DATABASE_URL: url, DIALYARD_SECRET_KEY: "ab".repeat(32) };
    app = await startApp("ola", async ({ said }) => {
      await wait(holdMs);
      return { screen: `heard ${said}`, end: false };
    });
    stopped = await startGateway({ env, configFile });
    other = await startGateway({ env, configFile });
    await register(stopped.url, { callback_url: app.url, service_code: "*730#" });
    await wait(1_000); // in force on every node within a second
  });
  after(async () => {
    for (const gateway of [stopped, other]) gateway?.kill("SIGKILL");
    await app?.close();
    await server?.stop();
  });

  /** As the network says it to a node that may not answer. */
  async function say(node: StartedGateway, name: string, text: string, patienceMs = PATIENCE_MS) {
    const body = { msisdn: "258841000001", sessionId: name, messageType: "0", ussdString: text };
    return fetch(`${node.url}/ussd/kairos/callback`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(patienceMs),
    })
      .then(async (response) => ((await response.json()) as { ussdString: string }).ussdString)
      .catch(() => undefined);
  }
  const saidSince = (from: number): string[] => app!.heard.slice(from).map(({ said }) => said);

  test("an answer that its network gave up is not taken for the next one", async () => {
    const from = app!.heard.length;
    assert.equal(await say(stopped!, "given-up", "*730#"), "heard ");
    stopped!.kill("SIGSTOP");
    assert.equal(await say(stopped!, "given-up", "1"), undefined);
    assert.equal(await say(other!, "given-up", "1"), "heard 1");
    await wait(STOP_MS - PATIENCE_MS);
    stopped!.kill("SIGCONT");
    await wait(500);
    assert.deepEqual(saidSince(from), ["", "1"]);
    assert.equal(await say(stopped!, "given-up", "2"), "heard 2");
  });

  test("a network that waits still is told so, and nothing is done", async () => {
    const from = app!.heard.length;
    const phone = phoneOn("kairos", stopped!.url, "258841000002", "waits");
    await phone.dial("*730#");
    stopped!.kill("SIGSTOP");
    const typed = phone.type("1");
    await wait(STOP_MS);
    stopped!.kill("SIGCONT");
    assert.equal((await typed).screen, SCREENS.wait);
    assert.deepEqual(saidSince(from), [""]);
    await wait(300); // all that waited was read
  });

  test("a short stop costs the time that it took, and nothing else", async () => {
    const phone = phoneOn("kairos", stopped!.url, "258841000003", "short");
    await phone.dial("*730#");
    stopped!.kill("SIGSTOP");
    const typed = phone.type("1");
    await wait(500);
    stopped!.kill("SIGCONT");
    assert.equal((await typed).screen, "heard 1");
    await wait(300);
  });

  test("stopped while the backend works: the screen is for who asks again", async () => {
    const from = app!.heard.length;
    assert.equal(await say(stopped!, "under-way", "*730#"), "heard ");
    holdMs = 100;
    const typed = say(stopped!, "under-way", "1", 800);
    await until("the backend is asked", () => saidSince(from).length === 2);
    holdMs = 0;
    stopped!.kill("SIGSTOP");
    assert.equal(await typed, undefined);
    // The backend's reply has come, and that the network hung up.
    stopped!.kill("SIGCONT");
    await wait(300);
    assert.equal(await say(other!, "under-way", "1"), "heard 1");
    assert.deepEqual(saidSince(from), ["", "1"]);
    assert.equal(await say(other!, "under-way", "2"), "heard 2");
  });
});
