/**
 * An application of Viettel's gateway behind Dialyard, over real sockets and written by hand from
 * PROTOCOLS 3.3: it acknowledges each request and brings its screen by a call of its own.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { networks, register, type Phone } from "./support/phones.ts";

const USER = "crdb";
const PASS = "s3cr3t-pass";
const BUDGET_MS = 5_000;
const MSISDN = "255629099842";
const CONFIRMING = /We are confirming your request/;

type Asked = {
  readonly type: string;
  readonly msg: string;
  readonly transaction: string;
  readonly body: string;
};
type Acknowledging = {
  readonly code?: string;
  readonly afterMs?: number;
  readonly status?: number;
};

describe("an application of Viettel's gateway", () => {
  let gateway: StartedGateway;
  let app: Server;
  let asked: Asked[] = [];
  /** What the application does with a request that wants a screen, beside acknowledging it. */
  let answer: (request: Asked) => Promise<void> = () => Promise.resolve();
  let acknowledging: Acknowledging = {};
  let dialogues = 0;

  before(async () => {
    app = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      request.on("end", () => {
        const type = fieldOf(body, "requestType");
        const transaction = fieldOf(body, "transactionid");
        const heard = { type, msg: fieldOf(body, "msg"), transaction, body };
        const isTurn = type === "100" || type === "101";
        // What comes late of a dialogue of the test before is not this one's.
        if (isTurn || asked.some((one) => one.transaction === transaction)) asked.push(heard);
        const { code = "0", afterMs = 0, status = 200 } = acknowledging;
        if (isTurn) void answer(heard);
        setTimeout(
          () => {
            response.writeHead(status, { "content-type": "text/xml" });
            response.end(
              '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>' +
                `<ussdresponse><errorCode>${isTurn ? code : "0"}</errorCode></ussdresponse>` +
                "</soap:Body></soap:Envelope>",
            );
          },
          isTurn ? afterMs : 0,
        );
      });
    });
    await new Promise<void>((done) => app.listen(0, "127.0.0.1", done));
    gateway = await startGateway({
      configFile: `export const config = { channels: {
        test: { protocol: "ola", options: { door: "true" }, turnBudgetMs: ${BUDGET_MS} },
        vodacom: { protocol: "truroute", turnBudgetMs: ${BUDGET_MS} } } };`,
    });
    const { port } = app.address() as AddressInfo;
    const protocol_options = { user: USER, pass: PASS };
    const registered = { protocol: "viettel", protocol_options, timeout: 2, retries: 1 };
    const callback_url = `http://127.0.0.1:${port}/mo`;
    await register(gateway.url, { ...registered, service_code: "*123#", callback_url });
    const down = { ...registered, service_code: "*124#", callback_url: "http://127.0.0.1:9/mo" };
    await register(gateway.url, down);
  });
  after(async () => {
    await gateway.stop();
    app.closeAllConnections();
    app.close();
  });
  beforeEach(() => {
    asked = [];
    acknowledging = {};
    answer = () => Promise.resolve();
    dialogues += 1;
  });

  const fieldOf = (body: string, name: string): string =>
    new RegExp(`<${name}>(.*?)</${name}>`, "s").exec(body)?.[1] ?? "";
  /** The application's call; resolves with the error code that it is answered. */
  const push = async (
    transaction: string,
    type: string,
    msg: string,
    pass = PASS,
    url = gateway.url,
  ) => {
    const response = await fetch(`${url}/backends/viettel/push`, {
      method: "POST",
      headers: { "content-type": "text/xml; charset=utf-8" },
      body:
        '<?xml version="1.0" encoding="utf-8"?><soap:Envelope ' +
        'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>' +
        `<InsertMO xmlns="http://tempuri.org/"><user>${USER}</user><pass>${pass}</pass>` +
        `<msisdn>null</msisdn><msg>${msg}</msg><sessionid>null</sessionid>` +
        `<transactionid>${transaction}</transactionid><requestType>${type}</requestType>` +
        "<ussdgw_id>1</ussdgw_id></InsertMO></soap:Body></soap:Envelope>",
    });
    assert.equal(response.status, 200);
    return fieldOf(await response.text(), "errorCode");
  };
  /** Each request is acknowledged first, and answered a moment later. */
  const answerBy =
    (screen: (request: Asked) => readonly [type: string, msg: string]) =>
    async (request: Asked): Promise<void> => {
      await wait(60);
      const [type, msg] = screen(request);
      assert.equal(await push(request.transaction, type, msg), "0");
    };
  const phone = (): Phone => {
    const { ola } = networks;
    assert.ok(ola);
    return ola(gateway.url, MSISDN, `v-${dialogues}`);
  };
  const until = async (isDone: () => boolean): Promise<void> => {
    for (let nth = 0; nth < 200 && !isDone(); nth += 1) await wait(25);
    assert.ok(isDone(), JSON.stringify(typesOf(asked)));
  };
  const typesOf = (requests: readonly Asked[]): readonly string[] =>
    requests.map(({ type }) => type);

  test("a dialogue: asked, acknowledged, answered by a call, and told that it was shown", async () => {
    answer = answerBy(({ type, msg }) =>
      type === "100" ? ["202", "Welcome<br>1. Balance &amp; more"] : ["203", `Heard ${msg}`],
    );
    const handset = phone();
    const menu = await handset.dial("*123#");
    assert.deepEqual(menu, { screen: "Welcome\n1. Balance & more", isEnd: false, status: 200 });
    await until(() => asked.length === 2);
    const last = await handset.type("1");
    assert.deepEqual(last, { screen: "Heard 1", isEnd: true, status: 200 });
    await until(() => asked.length === 4);
    assert.deepEqual(typesOf(asked), ["100", "103", "101", "103"]);
    const [dial, , reply] = asked;
    assert.equal(dial?.msg, "*123#");
    assert.match(dial?.body ?? "", new RegExp(`<user>${USER}</user><pass>${PASS}</pass>`));
    assert.match(dial?.body ?? "", new RegExp(`<msisdn>${MSISDN}</msisdn>`));
    assert.equal(reply?.msg, "1");
    assert.match(dial?.transaction ?? "", /^W/, "as Viettel's begin");
    assert.equal(new Set(asked.map(({ transaction }) => transaction)).size, 1, "one transaction");
  });

  test("a call that comes before the acknowledgement is an answer all the same", async () => {
    acknowledging = { afterMs: 600 };
    answer = async ({ transaction }) => void (await push(transaction, "203", "At once"));
    const startMs = performance.now();
    assert.equal((await phone().dial("*123#")).screen, "At once");
    assert.ok(performance.now() - startMs < 500, "nobody waits for the acknowledgement");
  });

  test("a call that comes twice is answered twice and shown once", async () => {
    const codes: string[] = [];
    answer = async ({ transaction, type }) => {
      const msg = type === "100" ? "Menu" : "Balance";
      for (let nth = 0; nth < 2; nth += 1) codes.push(await push(transaction, "202", msg));
    };
    const handset = phone();
    assert.equal((await handset.dial("*123#")).screen, "Menu");
    await until(() => codes.length === 2);
    assert.equal((await handset.type("1")).screen, "Balance");
    await until(() => codes.length === 4);
    assert.deepEqual(codes, ["0", "0", "0", "0"]);
  });

  test("acknowledged and never answered: 104, the subscriber is not told to repeat it", async () => {
    const startMs = performance.now();
    const seen = await phone().dial("*123#");
    const tookMs = performance.now() - startMs;
    assert.equal(seen.status, 504, seen.screen);
    assert.ok(tookMs >= 1_900 && tookMs < 3_000, `${tookMs} ms: the attempt's own time-out`);
    await until(() => asked.length === 2);
    await wait(200);
    assert.deepEqual(typesOf(asked), ["100", "104"], "what it has acknowledged is not sent again");
    // Too late, and nobody's: the next dial of the same subscriber has a screen of its own.
    const { transaction = "" } = asked[0] ?? {};
    assert.equal(await push(transaction, "202", "Too late"), "2");
    dialogues += 1;
    answer = answerBy(() => ["203", "In time"]);
    const dialling = phone().dial("*123#");
    await until(() => asked.length === 3);
    assert.equal(await push(transaction, "202", "Too late"), "2");
    assert.equal((await dialling).screen, "In time");
  });

  test("with what the registration does not name a call is refused, and the turn goes on", async () => {
    let refused = "";
    answer = async ({ transaction }) => {
      refused = await push(transaction, "203", "Forged", "guess");
      await push(transaction, "203", "Real");
    };
    assert.equal((await phone().dial("*123#")).screen, "Real");
    assert.equal(refused, "1");
    assert.equal(await push("W-unknown", "202", "Forged", "guess"), "1");
    assert.equal(await push("W-unknown", "202", "Nobody's"), "2");
  });

  test("an error for an acknowledgement: asked again where that may help, and nobody waits", async () => {
    acknowledging = { code: "-1" };
    assert.equal((await phone().dial("*123#")).status, 502);
    assert.deepEqual(typesOf(asked), ["100", "100"], "a system error, and one retry");
    assert.equal(new Set(asked.map(({ body }) => body)).size, 1);
    dialogues += 1;
    asked = [];
    acknowledging = { code: "1" };
    assert.equal((await phone().dial("*123#")).status, 502);
    await wait(200);
    assert.deepEqual(typesOf(asked), ["100"], "refused for good, and no 104: it has nothing");
  });

  test("no acknowledgement in time: its answer to the first attempt is the turn's", async () => {
    acknowledging = { afterMs: 4_000 };
    answer = async ({ transaction }) => {
      await wait(2_500);
      assert.equal(await push(transaction, "203", "Slow"), "0");
    };
    const startMs = performance.now();
    assert.equal((await phone().dial("*123#")).screen, "Slow");
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < 2_900, `${tookMs} ms: the wait between attempts ends with the answer`);
    await until(() => asked.length >= 2);
    assert.deepEqual(typesOf(asked), ["100", "103"]);
  });

  test("an application that is down has provably not been asked", async () => {
    const seen = await kiosk("1", "*124#");
    assert.match(seen, /Nothing was charged/);
    assert.deepEqual(asked, []);
  });

  test("a call whose type is no screen's ends the turn", async () => {
    let code = "";
    answer = async ({ transaction }) => void (code = await push(transaction, "204", "Notify"));
    assert.match(await kiosk("1", "*123#"), CONFIRMING);
    assert.equal(code, "-1");
  });

  test("time-outs and cancels as a subscriber and an application see them", async () => {
    assert.match(await kiosk("1", "*123#"), CONFIRMING);
    await until(() => asked.length === 2);
    assert.deepEqual(typesOf(asked), ["100", "104"]);
    dialogues += 1;
    asked = [];
    answer = answerBy(() => ["202", "Menu"]);
    assert.match(await kiosk("1", "*123#"), /Menu/);
    await until(() => asked.length === 2);
    await kiosk("3", "");
    await until(() => asked.length === 3);
    assert.deepEqual(typesOf(asked), ["100", "103", "102"]);
    assert.equal(asked[2]?.transaction, asked[0]?.transaction);
  });

  test("only a POST of a message that can be read is an answer", async () => {
    const url = `${gateway.url}/backends/viettel/push`;
    assert.equal((await fetch(url)).status, 405);
    const large = await fetch(url, { method: "POST", body: "x".repeat(9_000) });
    assert.equal(large.status, 413);
    // A line a second says what was not taken; lines come in their own time.
    await wait(1_100);
    for (const body of ["PIN 7351", "", "<a>", new Uint8Array([0xff, 0xfe])]) {
      const response = await fetch(url, { method: "POST", body });
      assert.equal(response.status, 200);
      assert.equal(fieldOf(await response.text(), "errorCode"), "-1");
    }
    await until(() => /answer_not_taken.*: XML: /.test(gateway.stdout()));
    assert.ok(!gateway.stdout().includes("7351"));
    const described = await fetch(`${gateway.url}/openapi.json`);
    const { paths } = (await described.json()) as { readonly paths: Record<string, object> };
    assert.ok("post" in (paths["/backends/viettel/push"] ?? {}));
  });

  test("a gateway that is told to stop takes the answers that are still to come", async (context) => {
    const other = await startGateway();
    context.after(() => other.kill("SIGKILL"));
    const { port } = app.address() as AddressInfo;
    await register(other.url, {
      ...{ service_code: "*123#", callback_url: `http://127.0.0.1:${port}/mo` },
      ...{ protocol: "viettel", protocol_options: { user: USER, pass: PASS } },
    });
    let code = "";
    answer = async ({ transaction }) => {
      other.kill("SIGTERM");
      await wait(1_000);
      code = await push(transaction, "203", "Still there", PASS, other.url);
    };
    const { ola } = networks;
    assert.ok(ola);
    const seen = await ola(other.url, MSISDN, "stopping").dial("*123#");
    assert.equal(seen.screen, "Still there");
    assert.equal(code, "0");
    assert.equal(await other.exited, 0);
    assert.deepEqual(typesOf(asked), ["100", "103"], "and the application hears of it");
  });

  test("no password is in a log or a record", async () => {
    await until(() => gateway.stdout().includes('"event":"turn"'));
    assert.ok(!gateway.stdout().includes(PASS));
    const sessions = await fetch(`${gateway.url}/api/v1/sessions?limit=100`);
    assert.equal(sessions.status, 200);
    const listed = await sessions.text();
    assert.match(listed, /sess_/);
    assert.ok(!listed.includes(PASS));
    const logs = readdirSync(gateway.dataDir).filter((file) => /log|jsonl/.test(file));
    for (const file of logs)
      assert.ok(!readFileSync(join(gateway.dataDir, file), "latin1").includes(PASS), file);
  });

  /** A network whose screens say in plain words what subscribers read. */
  async function kiosk(type: string, msg: string): Promise<string> {
    const response = await fetch(`${gateway.url}/ussd/vodacom/callback`, {
      method: "POST",
      headers: { "content-type": "text/xml" },
      body:
        `<ussd><msisdn>${MSISDN}</msisdn><sessionid>k-${dialogues}</sessionid>` +
        `<type>${type}</type><msg>${msg}</msg></ussd>`,
    });
    assert.equal(response.status, 200);
    return fieldOf(await response.text(), "msg");
  }
});
