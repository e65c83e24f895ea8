/**
 * Apps in the gateway's own process: the bank of the OLA integration examples, Example 2, behind each
 * channel with no HTTP between, and what a crash, a hang-up and a PIN come to there.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createBank } from "../src/app/bank.fixture.ts";
import { bankApp } from "../src/app/transfer.fixture.ts";
import { phone as pocket } from "../src/testing/phone.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { readFiles } from "./support/leaks.ts";
import { createNumbering, onlySessionOf, phoneOn, until } from "./support/operator.ts";

const BANK = fileURLToPath(new URL("support/bank-module.ts", import.meta.url));
const SHOP = fileURLToPath(new URL("support/shop-module.ts", import.meta.url));
const CONFIG = `
import { inGateway } from ${JSON.stringify(fileURLToPath(new URL("../src/index.ts", import.meta.url)))};
import { resumed } from ${JSON.stringify(SHOP)};
export const config = {
  channels: { ixo: { protocol: "ixo", requestsPerMinuteMax: 0 } },
  apps: [
    { service_code: "*365#", name: "Demo bank", app: ${JSON.stringify(BANK)} },
    { service_code: "*366#", app: ${JSON.stringify(SHOP)} },
    inGateway(resumed, { service_code: "*367#" }),
  ],
};`;
const PIN = "1234";
const WELCOME = "Welcome John Doe\n\n1. Check Balance\n2. Transfer Money\n0. Exit";
const folder = mkdtempSync(join(tmpdir(), "dialyard-apps-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const newMsisdn = createNumbering("25885");

describe("an app in the gateway", () => {
  let gateway: StartedGateway;
  const ledger = join(folder, "ledger");
  before(async () => {
    gateway = await startGateway({ configFile: CONFIG, env: { TEST_LEDGER: ledger } });
  });
  after(async () => {
    assert.doesNotMatch(gateway.stdout(), /unexpected_error|unhandled_rejection/);
    await gateway.stop();
  });
  const dialFrom = (protocol: string) => {
    const msisdn = newMsisdn();
    return { msisdn, phone: phoneOn(protocol, gateway.url, msisdn, `app-${msisdn}`) };
  };

  for (const protocol of ["ola", "africastalking", "ixo", "kairos"]) {
    test(`${protocol}: a whole transfer, byte for byte, and the PIN masked`, async () => {
      const { phone, msisdn } = dialFrom(protocol);
      assert.equal((await phone.dial("*365#")).screen, WELCOME);
      assert.match((await phone.type("2")).screen, /^Transfer Money\n\nEnter recipient/);
      assert.match((await phone.type("843456789")).screen, /^To: Jane Smith\n258843456789/);
      assert.match((await phone.type("5")).screen, /^Transfer Summary\n(.*\n)+Enter PIN:$/);
      assert.match((await phone.type(PIN)).screen, /^Confirm Transfer\n(.*\n)+0. Cancel$/);
      const last = await phone.type("1");
      assert.match(last.screen, /^Transfer Successful!\n/);
      assert.equal(last.isEnd, true);
      const session = await onlySessionOf(gateway.url, msisdn);
      assert.equal(session.outcome, "completed");
      assert.deepEqual(
        session.records.map(({ input }) => input),
        ["*365#", "2", "843456789", "5", "****", "1"],
      );
    });
  }

  for (const protocol of ["ola", "africastalking", "ixo", "kairos"]) {
    test(`${protocol}: every screen of a dialogue is the test phone's`, async () => {
      // As in src/app/mounts.test.ts, where the same is typed at the HTTP mounts.
      const inputs = ["9", "2", "12", "843456789", "99999", "500", "12*4", PIN, "8", "1"];
      const { phone, msisdn } = dialFrom(protocol);
      const bank = createBank();
      const user = { ...bank.users.get("258823456789")!, msisdn };
      const home = await pocket(bankApp, { msisdn, context: () => ({ bank, user }) }).dial("*365#");
      const same = (screen: string) => screen.replace(/TXN\d+/, "TXN");
      assert.equal((await phone.dial("*365#")).screen, home.screen);
      for (const input of inputs) {
        await home.send(input);
        const { screen, isEnd } = await phone.type(input);
        assert.equal(
          same(screen).replace(/New balance.*/, ""),
          same(home.screen).replace(/New balance.*/, ""),
        );
        assert.equal(isEnd, home.ended);
      }
    });
  }

  test("a repeated confirm moves nothing twice and shows the same", async () => {
    const { phone } = dialFrom("africastalking");
    await phone.dial("*365#");
    for (const input of ["2", "843456789", "5", PIN]) await phone.type(input);
    const lines = linesOf(ledger).length;
    const first = await phone.type("1");
    assert.deepEqual([await phone.again(), await phone.again()], [first, first]);
    assert.equal(linesOf(ledger).length, lines + 1);
  });

  test("a declared star code opens its screen, other digits lead to the start (R12)", async () => {
    const { phone } = dialFrom("kairos");
    assert.equal((await phone.dial("*366*7#")).screen, "What?\n0. Back");
    const other = dialFrom("kairos");
    assert.match((await other.phone.dial("*366*9*1#")).screen, /^Shop\n/);
  });

  test("an app that is resumed goes on where another session hung up", async () => {
    const { phone, msisdn } = dialFrom("kairos");
    await phone.dial("*367#");
    await phone.type("1");
    await phone.type("bread");
    const again = phoneOn("kairos", gateway.url, msisdn, `again-${msisdn}`);
    assert.match((await again.dial("*367#")).screen, /How many bread\?/);
    assert.match((await again.type("2")).screen, /^2 bread\?/);
    assert.equal((await again.type("1")).screen, "Ordered: 2 bread");
  });

  test("backends say what they are, and an app can be registered by its name", async () => {
    const call = async (method: string, path: string, body?: object) => {
      const response = await fetch(`${gateway.url}${path}`, {
        method,
        headers: { "content-type": "application/json" },
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const held = await call("GET", "/backends/service?code=*365%23");
    assert.equal(held.body["type"], "app");
    assert.equal(held.body["app"], "bank");
    assert.equal(held.body["name"], "Demo bank");
    assert.equal(Object.hasOwn(held.body, "callback_url"), false);
    const common = { name: "Second", method: "POST", status: "active", service_code: "*369#" };
    const unknown = await call("POST", "/backends", { ...common, type: "app", app: "nope" });
    assert.equal(unknown.status, 400);
    assert.match(String(unknown.body["message"]), /there are bank, shop, resumed/);
    const both = { ...common, type: "app", app: "shop", callback_url: "http://127.0.0.1:1/" };
    assert.equal((await call("POST", "/backends", both)).status, 400);
    assert.equal((await call("POST", "/backends", { ...common, type: "http" })).status, 400);
    assert.equal(
      (await call("POST", "/backends", { ...common, type: "app", app: "shop" })).status,
      201,
    );
    assert.match((await dialFrom("kairos").phone.dial("*369#")).screen, /^Shop\n/);
  });

  test("an app's state is in no file in the clear, nor in the API", async () => {
    const { phone, msisdn } = dialFrom("ola");
    await phone.dial("*365#");
    for (const input of ["2", "843456789", "5"]) await phone.type(input);
    const { records } = await onlySessionOf(gateway.url, msisdn);
    assert.doesNotMatch(JSON.stringify(records), /stack/);
    const files = readFiles(gateway.dataDir);
    // The test would pass on files that say nothing: the screen has to be there.
    assert.ok([...files.values()].some((octets) => octets.includes("Transfer Summary")));
    for (const [name, octets] of files) assert.ok(!octets.includes('"stack"'), name);
  });
});

test("a gateway killed in the middle of an effect: it ran once, and nobody is told otherwise", async () => {
  const ledger = join(folder, "killed");
  const env = { TEST_LEDGER: ledger, TEST_TRANSFER_MS: "1500" };
  const first = await startGateway({ configFile: CONFIG, env });
  const msisdn = newMsisdn();
  const dialling = phoneOn("africastalking", first.url, msisdn, "killed-1");
  await dialling.dial("*365#");
  for (const input of ["2", "843456789", "5", PIN]) await dialling.type(input);
  const lost = dialling.type("1").catch(() => undefined);
  await until("the effect to begin", () => linesOf(ledger).length === 1);
  first.kill("SIGKILL");
  await lost;
  await first.exited;
  const { dataDir } = first;
  const env2 = { ...env, TEST_TRANSFER_MS: "0", PORT: String(first.port) };
  const second = await startGateway({ configFile: CONFIG, dataDir, env: env2 });
  try {
    // The network asks again; the state is there, and so is the doubt.
    assert.match((await dialling.again()).screen, /^We are confirming your request/);
    // The app's own word: to the gateway it is a turn like any other.
    const { records } = await onlySessionOf(second.url, msisdn);
    assert.equal(records.at(-1)?.outcome, "ok");
    await wait(100);
    assert.equal(linesOf(ledger).length, 1);
  } finally {
    await second.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test("an app whose code is somebody else's stops the start with what to do", async () => {
  const plain = await startGateway({ env: {} });
  await fetch(`${plain.url}/backends`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...{ name: "Theirs", type: "http", method: "POST", status: "active" },
      ...{ service_code: "*365#", callback_url: "http://127.0.0.1:1/" },
    }),
  });
  plain.kill("SIGTERM");
  await plain.exited;
  await assert.rejects(
    startGateway({ configFile: CONFIG, dataDir: plain.dataDir }),
    /\*365# is registered for backend 1 "Theirs": delete that backend/,
  );
  rmSync(plain.dataDir, { recursive: true, force: true });
});

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").trim().split("\n");
  } catch {
    return [];
  }
}
