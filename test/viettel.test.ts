/**
 * Viettel's gateway over real sockets: acknowledged at once, the screen a call to the network's own
 * address, tried again inside the turn's budget; Movitel's dialect, in front of an OLA backend.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { register, startApp, type App } from "./support/phones.ts";

const PASS = "s3cr3t-pass";
const BUDGET_MS = 4_000;
const LONG = Array.from({ length: 24 }, (_, line) => `${line + 10}. A & B`).join("\n");

describe("Viettel", () => {
  let gateway: StartedGateway;
  let app: App;
  let network: Server;
  let delayMs = 0;
  /** Texts and types of the calls that came, and what is said to each in turn. */
  let calls: { readonly msg: string; readonly type: string; readonly body: string }[] = [];
  let codes: string[] = [];
  let transactions = 0;

  before(async () => {
    network = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      request.on("end", () => {
        const field = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`, "s").exec(body)?.[1];
        calls.push({ msg: field("msg") ?? "", type: field("requestType") ?? "", body });
        const code = codes.shift() ?? "0";
        if (code === "500") response.statusCode = 500;
        response.end(`<Envelope><Body><return>${code}</return></Body></Envelope>`);
      });
    });
    await new Promise<void>((done) => network.listen(0, "127.0.0.1", done));
    const { port } = network.address() as AddressInfo;
    gateway = await startGateway({
      configFile: `export const config = { channels: { movitel: { protocol: "viettel",
        options: { preset: "movitel", user: "op", pass: "${PASS}-own" },
        turnBudgetMs: ${BUDGET_MS}, pushUrl: "http://127.0.0.1:${port}/ussdgw" } } };`,
    });
    app = await startApp("ola", async ({ said }) => {
      await wait(delayMs);
      return { screen: said === "7" ? LONG : `Heard\n${said}`, end: said === "9" };
    });
    await register(gateway.url, { service_code: "*123#", callback_url: app.url });
  });
  after(async () => {
    await gateway.stop();
    await app.close();
    network.closeAllConnections();
    network.close();
  });
  beforeEach(() => {
    calls = [];
    codes = [];
    delayMs = 0;
    transactions += 1;
  });

  const post = async (type: number, msg: string, msisdn = "null"): Promise<string> => {
    const response = await fetch(`${gateway.url}/ussd/movitel/callback`, {
      method: "POST",
      headers: { "content-type": "text/xml" },
      body:
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><urn:start>' +
        `<user>them</user><pass>${PASS}</pass><msisdn>${msisdn}</msisdn><msg>${msg}</msg>` +
        `<sessionid>null</sessionid><transactionid>W-${transactions}</transactionid>` +
        `<requestType>${type}</requestType><ussdgw_id>3</ussdgw_id>` +
        "</urn:start></e:Body></e:Envelope>",
    });
    assert.equal(response.status, 200);
    return response.text();
  };
  const until = async (isDone: () => boolean): Promise<void> => {
    for (let nth = 0; nth < 200 && !isDone(); nth += 1) await wait(25);
    assert.ok(isDone(), JSON.stringify(calls.map(({ msg, type }) => [type, msg])));
  };
  const OK = /<errorCode>0<\/errorCode>/;
  const MSISDN = "258861234567";

  test("a dialogue: acknowledged before the backend answers, its screens come as calls", async () => {
    delayMs = 300;
    const startMs = performance.now();
    assert.match(await post(100, "*123#", MSISDN), OK);
    assert.ok(performance.now() - startMs < 250, "the acknowledgement waits for nobody");
    await until(() => calls.length === 1);
    delayMs = 0;
    // The number is said once; the transaction is what the dialogue is known by.
    assert.match(await post(101, "1"), OK);
    await until(() => calls.length === 2);
    assert.match(await post(103, "null"), OK);
    assert.match(await post(101, "9"), OK);
    await until(() => calls.length === 3);
    assert.deepEqual(
      calls.map(({ type, msg }) => [type, msg]),
      [
        ["202", "Heard"],
        ["202", "Heard<br>1"],
        ["203", "Heard<br>9"],
      ],
    );
    assert.match(calls[0]?.body ?? "", /<user>op<\/user>.*<ussdgw_id>3<\/ussdgw_id>/);
    const heard = app.heard.slice(-3);
    assert.deepEqual(
      heard.map(({ msisdn, said }) => [msisdn, said]),
      [
        [MSISDN, ""],
        [MSISDN, "1"],
        [MSISDN, "9"],
      ],
    );
  });

  test("a screen is at most 182 octets between its tags, escapes and breaks counted", async () => {
    await post(100, "*123*7#", MSISDN);
    await until(() => calls.length === 1);
    let page = 0;
    while (calls.at(-1)?.msg.includes("98. ") === true) {
      page += 1;
      await post(101, "98");
      await until(() => calls.length === page + 1);
    }
    assert.ok(page >= 2, `${page} pages`);
    for (const { msg } of calls) assert.ok(Buffer.byteLength(msg) <= 182, msg);
    const lines = calls
      .flatMap(({ msg }) => msg.split("<br>"))
      .filter((line) => /A &amp; B/.test(line));
    assert.equal(lines.length, 24, "and nothing of it is lost");
  });

  test("a call that fails is made again, until the network takes it", async () => {
    codes = ["500", "-1", "0"];
    await post(100, "*123#", MSISDN);
    await until(() => calls.length === 3);
    await wait(400);
    assert.equal(calls.length, 3);
    assert.equal(new Set(calls.map(({ body }) => body)).size, 1, "the same screen");
  });

  test("a transaction that the network forgot is not called again", async () => {
    codes = ["2"];
    await post(100, "*123#", MSISDN);
    await until(() => calls.length === 1);
    await wait(800);
    assert.equal(calls.length, 1);
  });

  test("an answer that is too late is dropped", async () => {
    const heard = app.heard.length;
    delayMs = BUDGET_MS + 600;
    await post(100, "*123#", MSISDN);
    await until(() => calls.length === 1);
    assert.match(calls[0]?.msg ?? "", /confirming/, "what the subscriber reads in time");
    await wait(1_500);
    assert.equal(calls.length, 1);
    assert.ok(app.heard.length > heard);
  });

  test("cancelled: no screen, and an answer after it is nobody's", async () => {
    await post(100, "*123#", MSISDN);
    await until(() => calls.length === 1);
    assert.match(await post(102, "null"), OK);
    await wait(200);
    assert.equal(calls.length, 1);
    await post(101, "1");
    await until(() => calls.length === 2);
    assert.equal(calls[1]?.type, "203");
    assert.match(calls[1]?.msg ?? "", /dial again/);
  });

  test("a dialogue of our own: pushed, answered, and ended like any other", async () => {
    const response = await fetch(`${gateway.url}/api/v1/push`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        ...{ channel: "movitel", msisdn: MSISDN, service_code: "*123#" },
        ...{ text: "Pay 50?\n1. Yes", type: "request" },
      }),
    });
    assert.equal(response.status, 201, await response.text());
    assert.deepEqual([calls[0]?.type, calls[0]?.msg], ["200", "Pay 50?<br>1. Yes"]);
    const [, transaction = ""] = /<transactionid>(.*?)</.exec(calls[0]?.body ?? "") ?? [];
    const answered = await fetch(`${gateway.url}/ussd/movitel/callback`, {
      method: "POST",
      headers: { "content-type": "text/xml" },
      body:
        "<Envelope><Body><start><msisdn>null</msisdn><msg>9</msg>" +
        `<transactionid>${transaction}</transactionid><requestType>101</requestType>` +
        "</start></Body></Envelope>",
    });
    assert.match(await answered.text(), OK);
    await until(() => calls.length === 2);
    assert.deepEqual([calls[1]?.type, calls[1]?.msg], ["203", "Heard<br>9"]);
  });

  test("no password is in a log or a file", () => {
    assert.ok(!gateway.stdout().includes(PASS));
    for (const file of readdirSync(gateway.dataDir)) {
      if (file.endsWith(".config.ts")) continue;
      assert.ok(!readFileSync(join(gateway.dataDir, file), "latin1").includes(PASS), file);
    }
  });
});
