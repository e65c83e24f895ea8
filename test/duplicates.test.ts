/**
 * The same request twice: one backend call and one screen, on each of the four protocols
 * (RELIABILITY 2.2; fault matrix F30 to F36, F39, F41).
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { request as httpRequest } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import {
  createNumbering,
  onlySessionOf,
  phoneOn,
  SCREENS,
  sessionsOf,
  until,
} from "./support/operator.ts";
import { register, startApp, type App, type Phone } from "./support/phones.ts";

const PROTOCOLS = ["ola", "africastalking", "ixo", "kairos"];
/** On these wires the same message later is known to be the same one. */
const KNOWS_REPEATS = ["ola", "africastalking", "ixo"];
const CODE = "*710#";
/** Answered after half a second, the second one with the end of the session. */
const [SLOW, LAST] = ["slow 500", "slow 501"];
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("duplicates", { concurrency: true }, () => {
  let gateway: StartedGateway;
  let app: App;
  const newMsisdn = createNumbering("25884");

  before(async () => {
    gateway = await startGateway({
      configFile: `export const config = { channels: {
        ixo: { protocol: "ixo", requestsPerMinuteMax: 0 },
        signed: { protocol: "kairos", signingSecret: "${SECRET}" },
      } };`,
    });
    // Counts its calls on the screen: a call too many cannot look like a repeated answer.
    app = await startApp("ola", async ({ said }, nth) => {
      const slow = /^slow ?([0-9]+)/.exec(said)?.[1];
      await wait(slow === undefined ? 150 : Number(slow));
      return { screen: `call ${nth + 1}: ${said}`, end: said === "9" || said === LAST };
    });
    await register(gateway.url, { service_code: CODE, callback_url: app.url });
    await register(gateway.url, { service_code: "*711#", callback_url: app.url });
  });
  after(async () => {
    assert.doesNotMatch(gateway.stdout(), /unexpected_error|unhandled_rejection/);
    await gateway.stop();
    await app.close();
  });

  const callsOf = (msisdn: string) =>
    app.heard.filter((turn) => turn.msisdn === msisdn).map(({ said }) => said);
  const newPhone = (protocol: string): { phone: Phone; msisdn: string; id: string } => {
    const msisdn = newMsisdn();
    const id = `dup-${protocol}-${msisdn}`;
    return { phone: phoneOn(protocol, gateway.url, msisdn, id), msisdn, id };
  };
  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(gateway.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
    return { status: response.status, body: await response.text() };
  };

  for (const protocol of PROTOCOLS) {
    test(`${protocol}: a dial sent three times at once is one call and one screen`, async () => {
      const { phone, msisdn } = newPhone(protocol);
      const screens = await Promise.all([phone.dial(CODE), phone.again(), phone.again()]);
      const menu = { status: 200, isEnd: false, screen: "call 1: " };
      assert.deepEqual(screens, [menu, menu, menu]);
      assert.deepEqual(await phone.again(), menu, "and once more when it was answered");
      assert.deepEqual(callsOf(msisdn), [""]);
      assert.equal((await onlySessionOf(gateway.url, msisdn)).turns, 1);
    });

    test(`${protocol}: an answer sent three times at once is one call and one screen`, async () => {
      const { phone, msisdn } = newPhone(protocol);
      await phone.dial(CODE);
      const screens = await Promise.all([phone.type("1"), phone.again(), phone.again()]);
      const answer = { status: 200, isEnd: false, screen: "call 2: 1" };
      assert.deepEqual(screens, [answer, answer, answer]);
      assert.deepEqual(callsOf(msisdn), ["", "1"]);
      const { turns, records } = await onlySessionOf(gateway.url, msisdn);
      assert.equal(turns, 2);
      const outcomes = records.map(({ outcome }) => outcome);
      assert.deepEqual(outcomes, ["ok", "ok", "repeat", "repeat"]);
    });

    test(`${protocol}: of two answers at once one runs, the other is told to wait`, async () => {
      const { phone, msisdn, id } = newPhone(protocol);
      await phone.dial(CODE);
      const running = phone.type("slow 1500");
      await until("the first answer is being worked on", () => callsOf(msisdn).length === 2);
      const startedMs = performance.now();
      const other = await otherAnswer(protocol, msisdn, id);
      const tookMs = performance.now() - startedMs;
      assert.deepEqual(other, { status: 200, screen: SCREENS.wait });
      assert.ok(tookMs > 350 && tookMs < 1_400, `told after ${tookMs} ms`);
      assert.equal((await running).screen, "call 2: slow 1500");
      assert.deepEqual(callsOf(msisdn), ["", "slow 1500"]);
    });

    test(`${protocol}: a session id that another number has begins a session`, async () => {
      const { phone, id, msisdn } = newPhone(protocol);
      await phone.dial(CODE);
      await phone.type("1");
      const stranger = newMsisdn();
      const second = phoneOn(protocol, gateway.url, stranger, id);
      assert.equal((await second.dial(CODE)).screen, "call 1: ", "nothing of the first is seen");
      assert.equal((await second.type("2")).screen, "call 2: 2");
      assert.equal((await phone.type("3")).screen, "call 3: 3", "nor is the first disturbed");
      const ids = app.heard.filter((turn) => [msisdn, stranger].includes(turn.msisdn));
      assert.equal(new Set(ids.map(({ sessionId }) => sessionId)).size, 2);
    });
  }

  for (const protocol of KNOWS_REPEATS) {
    test(`${protocol}: an answer sent again later gets the same screen, no call`, async () => {
      const { phone, msisdn } = newPhone(protocol);
      await phone.dial(CODE);
      const answer = await phone.type("1");
      assert.deepEqual(await phone.again(), answer);
      assert.deepEqual(await phone.again(), answer);
      assert.equal((await phone.type("1")).screen, "call 3: 1", "typed again it is new");
      assert.deepEqual(callsOf(msisdn), ["", "1", "1"]);
    });

    test(`${protocol}: the last screen of a session that ended is repeated`, async () => {
      const { phone, msisdn } = newPhone(protocol);
      await phone.dial(CODE);
      const last = await phone.type("9");
      assert.deepEqual(last, { status: 200, isEnd: true, screen: "call 2: 9" });
      assert.deepEqual(await phone.again(), last);
      assert.deepEqual(callsOf(msisdn), ["", "9"]);
    });
  }

  test("kairos: a digit typed again after its answer arrived is new input", async () => {
    const { phone, msisdn } = newPhone("kairos");
    await phone.dial(CODE);
    for (const expected of ["call 2: 1", "call 3: 1", "call 4: 1"]) {
      assert.equal((await phone.type("1")).screen, expected);
    }
    assert.deepEqual(callsOf(msisdn), ["", "1", "1", "1"]);
  });

  for (const input of [SLOW, LAST]) {
    test(`kairos: "${input}" again after an answer that was not written is a repeat`, async () => {
      const { phone, msisdn, id } = newPhone("kairos");
      await phone.dial(CODE);
      const body = { msisdn, sessionId: id, messageType: "0", ussdString: input };
      const hangUp = send(`${gateway.url}/ussd/kairos/callback`, JSON.stringify(body));
      await until("it is being worked on", () => callsOf(msisdn).length === 2);
      hangUp();
      await until("the turn is settled all the same", async () => {
        return (await onlySessionOf(gateway.url, msisdn)).records.length === 2;
      });
      await wait(50); // The note that it was not delivered follows the settling.
      const repeated = await phone.type(input);
      assert.equal(repeated.screen, `call 2: ${input}`);
      assert.equal(repeated.isEnd, input === LAST);
      assert.deepEqual(callsOf(msisdn), ["", input]);
      if (input === LAST) return;
      assert.equal((await phone.type(input)).screen, `call 3: ${input}`, "typed anew");
    });
  }

  test("kairos: a digit on a session that ended never reaches the backend", async () => {
    const { phone, msisdn } = newPhone("kairos");
    await phone.dial(CODE);
    await phone.type("9");
    assert.equal((await phone.again()).isEnd, true);
    assert.equal((await phone.type("1")).isEnd, true);
    assert.deepEqual(callsOf(msisdn), ["", "9"]);
  });

  test("kairos: a code dialled on a live session starts over", async () => {
    const { phone, msisdn } = newPhone("kairos");
    await phone.dial(CODE);
    await phone.type("1");
    assert.equal((await phone.dial(CODE)).screen, "call 1: ");
    assert.deepEqual(callsOf(msisdn), ["", "1", ""]);
    const outcomes = (await sessionsOf(gateway.url, msisdn)).map(({ outcome }) => outcome);
    assert.deepEqual(outcomes.toSorted(), ["live", "replaced"]);
  });

  for (const protocol of ["africastalking", "ixo"]) {
    test(`${protocol}: a late copy of an old turn, a fork and a skipped turn run nothing`, async () => {
      const { phone, msisdn, id } = newPhone(protocol);
      await phone.dial(CODE);
      await phone.type("1");
      const shown = await phone.type("22");
      const send = (text: string) => sendText(protocol, msisdn, id, text);
      assert.equal((await send("1")).screen, shown.screen, "late: the screen shown last");
      assert.equal((await phone.type("3*3")).screen, "call 4: 3*3", "people type stars");
      assert.equal((await send("1*99*3*3")).screen, SCREENS.ended, "a fork");
      assert.equal((await send("1*22*3*3*4")).screen, SCREENS.ended, "which ends the session");
      assert.deepEqual(callsOf(msisdn), ["", "1", "22", "3*3"]);
    });
  }

  test("ixo: a text on a session never seen is told to dial again", async () => {
    const { msisdn, id } = newPhone("ixo");
    assert.deepEqual(await sendText("ixo", msisdn, id, "1*2"), {
      status: 200,
      screen: SCREENS.ended,
    });
    assert.deepEqual(callsOf(msisdn), []);
  });

  test("a transaction_id used with another input is refused with 422", async () => {
    const { phone, msisdn, id } = newPhone("ola");
    await phone.dial(CODE);
    await phone.type("1");
    const refused = await sendOla(msisdn, id, `${id}-1`, "2");
    assert.equal(refused.status, 422);
    const { error, message } = JSON.parse(refused.body) as { error: string; message: string };
    assert.equal(error, "invalid_request");
    assert.match(message, /transaction_id was used with another input/);
    assert.equal((await phone.again()).screen, "call 2: 1", "the first use stands");
    assert.deepEqual(callsOf(msisdn), ["", "1"]);
  });

  test("a transaction_id used with another service code is refused with 422", async () => {
    const { phone, msisdn } = newPhone("ola");
    await phone.dial(CODE);
    assert.equal((await phone.dial("*711#")).status, 422);
    assert.deepEqual(callsOf(msisdn), [""]);
  });

  test("a second answer runs when the first is done within half a second", async () => {
    const { phone, msisdn, id } = newPhone("ola");
    await phone.dial(CODE);
    const first = phone.type("slow 250");
    await until("the first is being worked on", () => callsOf(msisdn).length === 2);
    const second = await sendOla(msisdn, id, `${id}-next`, "2");
    assert.match(second.body, /call 3: 2/);
    assert.equal((await first).screen, "call 2: slow 250");
  });

  test("the webhook-id of a signed channel names the message", async () => {
    const msisdn = newMsisdn();
    const send = (webhookId: string, ussdString: string) => {
      const body = { msisdn, sessionId: `signed-${msisdn}`, messageType: "0", ussdString };
      const text = JSON.stringify(body);
      return post("/ussd/signed/callback", text, signed(webhookId, text));
    };
    await send("msg_0", CODE);
    const first = await send("msg_1", "1");
    assert.match(first.body, /call 2: 1/);
    assert.match((await send("msg_1", "1")).body, /call 2: 1/);
    assert.match((await send("msg_2", "1")).body, /call 3: 1/);
    assert.deepEqual(callsOf(msisdn), ["", "1", "1"]);
  });

  const notices: readonly [title: string, protocol: string, notice: string][] = [
    ["cancelled (messageType 4)", "kairos", "4"],
    ["timed out (messageType 5)", "kairos", "5"],
    ["ended (event)", "africastalking", "Incomplete"],
    ["failed (event)", "africastalking", "Failed"],
  ];
  for (const [title, protocol, notice] of notices) {
    test(`${protocol}: a notice that the session is ${title} closes it, once`, async () => {
      const { phone, msisdn, id } = newPhone(protocol);
      await phone.dial(CODE);
      const send = () => sendNotice(protocol, msisdn, id, notice);
      const statuses = await Promise.all([send(), send(), send()]);
      assert.deepEqual(statuses, [200, 200, 200]);
      assert.equal(await send(), 200);
      const { outcome, records } = await onlySessionOf(gateway.url, msisdn);
      assert.equal(outcome, "cancelled");
      assert.deepEqual(
        records.map((record) => record.outcome),
        ["ok", "abort"],
      );
      assert.equal((await phone.type("1")).isEnd, true, "nothing is typed into it any more");
      assert.equal((await phone.dial(CODE)).screen, "call 1: ", "the id can be dialled anew");
      assert.deepEqual(callsOf(msisdn), ["", ""]);
    });
  }

  test("kairos: a notice while a turn runs closes the session after it", async () => {
    const { phone, msisdn, id } = newPhone("kairos");
    await phone.dial(CODE);
    const running = phone.type("slow 1200");
    await until("the turn runs", () => callsOf(msisdn).length === 2);
    assert.equal(await sendNotice("kairos", msisdn, id, "5"), 200);
    assert.equal((await running).screen, "call 2: slow 1200");
    assert.equal((await onlySessionOf(gateway.url, msisdn)).outcome, "cancelled");
  });

  test("a notice about a session never seen is taken and leaves nothing", async () => {
    for (const [, protocol, notice] of notices) {
      const { msisdn, id } = newPhone(protocol);
      assert.equal(await sendNotice(protocol, msisdn, id, notice), 200);
      assert.deepEqual(await sessionsOf(gateway.url, msisdn), []);
    }
  });

  async function sendOla(msisdn: string, sessionId: string, transactionId: string, input: string) {
    const ids = { msisdn, session_id: sessionId, transaction_id: transactionId };
    const body = JSON.stringify({ provider: "movitel", ...ids, service_code: CODE, input });
    return post("/ussd/test/callback", body);
  }

  async function sendText(protocol: string, msisdn: string, sessionId: string, text: string) {
    const fields = { sessionId, serviceCode: CODE, phoneNumber: `+${msisdn}`, text };
    const { status, body } =
      protocol === "ixo"
        ? await post("/api/ussd", JSON.stringify(fields))
        : await post("/api/v1/ussd", new URLSearchParams(fields).toString(), FORM);
    return { status, screen: body.slice(4) };
  }

  /** Another answer than the one under way, in a message of its own. */
  async function otherAnswer(protocol: string, msisdn: string, id: string) {
    if (protocol === "ola") {
      const { status, body } = await sendOla(msisdn, id, `${id}-other`, "2");
      return { status, screen: (JSON.parse(body) as { output: string[] }).output.join("\n") };
    }
    if (protocol !== "kairos") return sendText(protocol, msisdn, id, "2");
    const body = { msisdn, sessionId: id, messageType: "0", ussdString: "2" };
    const answer = await post("/ussd/kairos/callback", JSON.stringify(body));
    const { ussdString } = JSON.parse(answer.body) as { ussdString: string };
    return { status: answer.status, screen: ussdString };
  }

  async function sendNotice(protocol: string, msisdn: string, id: string, notice: string) {
    if (protocol === "kairos") {
      const body = { msisdn, sessionId: id, messageType: notice, ussdString: "" };
      return (await post("/ussd/kairos/callback", JSON.stringify(body))).status;
    }
    const ids = { sessionId: id, serviceCode: CODE, phoneNumber: `+${msisdn}` };
    const event = { ...ids, status: notice, durationInMillis: "1200", networkCode: "63902" };
    const body = new URLSearchParams(event).toString();
    return (await post("/ussd/africastalking/callback", body, FORM)).status;
  }
});

const FORM = { "content-type": "application/x-www-form-urlencoded" };

function signed(id: string, body: string): Record<string, string> {
  const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
  const timestamp = String(Math.floor(Date.now() / 1000));
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${mac}` };
}

/** Returns what an aggregator does that loses patience: the connection goes (F36). */
function send(url: string, body: string): () => void {
  const headers = { "content-type": "application/json" };
  const request = httpRequest(url, { method: "POST", headers });
  request.on("error", () => undefined);
  request.end(body);
  return () => request.destroy();
}
