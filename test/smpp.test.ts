/**
 * A channel on an SMPP link, from the PDU to an application over HTTP and back: against an SMSC
 * that is somebody else's (the `smpp` package), and our own SMSC against somebody else's client.
 */
import assert from "node:assert/strict";
import type { Server } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createCodec } from "../src/codecs/index.ts";
import { startSmsc, type Smsc } from "../src/testing/smsc.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { sessionsOf, until } from "./support/operator.ts";
import { register, startApp, type App } from "./support/phones.ts";
import {
  listen,
  type PackagePdu,
  type PackageSession,
  smppPackage,
  textOf,
} from "./support/smpp-package.ts";

const CODE = "*365#";
const PASSWORD = "s3cr3tpw";

function channel(port: number, extra = "", options = ""): string {
  return `{ protocol: "smpp", provider: "movitel", ${options} smpp: { host: "127.0.0.1",
    port: ${port}, systemId: "dialyard", password: "${PASSWORD}", ${extra} } }`;
}

async function metricsOf(url: string): Promise<string> {
  return await (await fetch(`${url}/metrics`)).text();
}

/** The SMSC of the package: takes binds, keeps what is submitted, answers as it is told. */
function foreignSmsc() {
  const submitted: PackagePdu[] = [];
  const bindings: PackagePdu[] = [];
  const state: { session?: PackageSession; refuse: number; mute: boolean } = {
    refuse: 0,
    mute: false,
  };
  const server: Server = smppPackage.createServer((session) => {
    session.on("error", () => undefined);
    session.on("bind_transceiver", (pdu: PackagePdu) => {
      bindings.push(pdu);
      session.send(pdu.response());
      state.session = session;
    });
    session.on("enquire_link", (pdu: PackagePdu) => session.send(pdu.response()));
    session.on("unbind", (pdu: PackagePdu) => session.send(pdu.response()));
    session.on("submit_sm", (pdu: PackagePdu) => {
      if (state.mute) return;
      const isRefused = state.refuse > 0;
      if (isRefused) state.refuse -= 1;
      else submitted.push(pdu);
      session.send(pdu.response({ command_status: isRefused ? 0x58 : 0 }));
    });
  });
  return { server, submitted, bindings, state };
}

describe("a gateway bound to somebody else's SMSC", () => {
  const smsc = foreignSmsc();
  let gateway: StartedGateway;
  let app: App;

  before(async () => {
    const port = await listen(smsc.server);
    app = await startApp("ola", async ({ said }, nth) => {
      if (nth === 0) return { screen: "Olá\n1. Saldo", end: false };
      if (said === "7") await wait(300);
      return { screen: said === "9" ? "Até já ê" : `you said ${said}`, end: said === "9" };
    });
    gateway = await startGateway({
      configFile: `export const config = { channels: { link: ${channel(port)} } };`,
    });
    await register(gateway.url, { service_code: CODE, callback_url: app.url });
    await until("the gateway to bind", () => smsc.state.session !== undefined);
  });
  after(async () => {
    await gateway.stop();
    await app.close();
    smsc.state.session?.destroy();
    await new Promise((done) => smsc.server.close(done));
  });

  let dialogue = 0;
  /** One deliver_sm; resolves with its resp and what was submitted for it. */
  async function deliver(
    op: number,
    text: string,
    fields: Record<string, unknown> = {},
  ): Promise<{ resp: PackagePdu; submit: PackagePdu | undefined }> {
    const before = smsc.submitted.length;
    const resp = await new Promise<PackagePdu>((done) => {
      smsc.state.session!.deliver_sm(
        {
          source_addr: "258841234567",
          destination_addr: CODE,
          service_type: "USSD",
          short_message: text,
          ussd_service_op: op,
          its_session_info: Buffer.from([dialogue, 0]),
          ...fields,
        },
        done,
      );
    });
    const untilMs = Date.now() + 3_000;
    while (smsc.submitted.length === before && Date.now() < untilMs && resp.command_status === 0) {
      if (op === 129) break;
      await wait(10);
    }
    return { resp, submit: smsc.submitted[before] };
  }

  test("it binds as a transceiver with what is configured", () => {
    const [bind] = smsc.bindings;
    assert.equal(bind?.system_id, "dialyard");
    assert.equal(bind.password, PASSWORD);
  });

  test("a whole dialogue: acknowledged at once, a screen for each turn, 17 at the end", async () => {
    dialogue = 1;
    const first = await deliver(1, CODE);
    assert.equal(first.resp.command_status, 0);
    assert.equal(textOf(first.submit!), "Olá\n1. Saldo");
    assert.equal(first.submit?.ussd_service_op, 2);
    assert.equal(first.submit.destination_addr, "258841234567");
    assert.equal(first.submit.source_addr, CODE);
    assert.deepEqual(first.submit.its_session_info, Buffer.from([1, 0]));
    const second = await deliver(18, "1*2");
    assert.equal(textOf(second.submit!), "you said 1*2");
    const last = await deliver(18, "9");
    assert.equal(last.submit?.ussd_service_op, 17);
    assert.equal(last.submit.data_coding, 8, "ê is outside GSM 03.38");
    assert.equal(textOf(last.submit), "Até já ê");
    const sessions = await sessionsOf(gateway.url, "258841234567");
    const found = sessions.find(({ outcome }) => outcome === "completed");
    assert.ok(found, "the record says that it was completed");
    assert.ok(app.heard.every(({ msisdn }) => msisdn === "258841234567"));
  });

  test("a throttled submit comes again and reaches the subscriber", async () => {
    dialogue = 2;
    smsc.state.refuse = 2;
    const { submit } = await deliver(1, CODE);
    assert.equal(submit?.ussd_service_op, 2);
    assert.equal(smsc.state.refuse, 0);
  });

  test("a screen that the SMSC never took is shown again, not asked for again", async () => {
    dialogue = 5;
    await deliver(1, CODE);
    smsc.state.mute = true;
    const lost = await deliver(18, "4");
    assert.equal(lost.submit, undefined);
    smsc.state.mute = false;
    // Until the submit is given up, the gateway cannot know that the screen was lost.
    await until("the submit to be given up", async () =>
      (await metricsOf(gateway.url)).includes('channel="link",status="502"'),
    );
    const calls = app.heard.length;
    const again = await deliver(18, "4");
    assert.equal(textOf(again.submit!), "you said 4");
    assert.equal(app.heard.length, calls, "the application was asked once");
  });

  test("a dial of nothing that is registered gets a screen that ends", async () => {
    dialogue = 3;
    const { submit } = await deliver(1, "*999#");
    assert.equal(submit?.ussd_service_op, 17);
    assert.match(textOf(submit), /not in service/);
  });

  test("what is no USSD is refused for good, and a receipt is only acknowledged", async () => {
    const bad = await deliver(1, "balance please");
    assert.equal(bad.resp.command_status, 0x65);
    const receipt = await deliver(1, CODE, { esm_class: 4 });
    assert.equal(receipt.resp.command_status, 0);
    assert.equal(receipt.submit, undefined);
  });

  const push = async (fields: object) => {
    const body = { channel: "link", msisdn: "258841234599", service_code: CODE, ...fields };
    const response = await fetch(`${gateway.url}/api/v1/push`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };

  test("a screen that we send first: its answer opens a session with the backend", async () => {
    const before = smsc.submitted.length;
    const heard = app.heard.length;
    const sent = await push({ text: "Pay 500 MZN to Ana?\n1. Yes" });
    assert.equal(sent.status, 201);
    const question = smsc.submitted[before]!;
    assert.equal(textOf(question), "Pay 500 MZN to Ana?\n1. Yes");
    assert.equal(question.ussd_service_op, 2);
    assert.equal(question.destination_addr, "258841234599");
    assert.equal(app.heard.length, heard, "the backend is not called before the answer");
    const twice = await push({ text: "Another?" });
    // Another dialogue of the link's own numbering: the network decides whether it takes two.
    assert.equal(twice.status, 201);
    const fields = {
      source_addr: "258841234599",
      its_session_info: question.its_session_info,
    };
    const { submit } = await deliver(18, "1", fields);
    assert.equal(textOf(submit!), "you said 1");
    assert.deepEqual(
      app.heard.slice(heard).map(({ said }) => said),
      ["", "1"],
    );
    assert.equal((await deliver(18, "9", fields)).submit?.ussd_service_op, 17);
  });

  test("a notice is only read", async () => {
    const before = smsc.submitted.length;
    assert.equal((await push({ text: "Your loan is due", type: "notify" })).status, 201);
    assert.equal(smsc.submitted[before]?.ussd_service_op, 3);
  });

  test("a push that cannot be says why", async () => {
    assert.match((await push({ channel: "nowhere", text: "x" })).body["message"]!, /no channel/);
    assert.match((await push({ channel: "kairos", text: "x" })).body["message"]!, /opens no/);
    assert.equal((await push({ service_code: "*999#", text: "x" })).status, 404);
    assert.equal((await push({ msisdn: "0841234567", text: "x" })).status, 400);
    assert.match((await push({ text: "ê".repeat(81) })).body["message"]!, /one screen/);
    smsc.state.mute = true;
    const lost = await push({ text: "x" });
    smsc.state.mute = false;
    assert.deepEqual([lost.status, lost.body["error"]], [502, "not_taken"]);
  });

  test("a lost link is bound again", async () => {
    const before = smsc.bindings.length;
    smsc.state.session!.destroy();
    await until("another bind", () => smsc.bindings.length > before);
    dialogue = 4;
    assert.equal((await deliver(1, CODE)).submit?.ussd_service_op, 2);
    assert.match(gateway.stdout(), /"link_down"/);
    assert.doesNotMatch(gateway.stdout(), new RegExp(PASSWORD));
  });

  test("what comes again on the next link, behind its screen, is no second answer", async () => {
    dialogue = 6;
    await deliver(1, CODE);
    const [calls, shown, bindings] = [
      app.heard.length,
      smsc.submitted.length,
      smsc.bindings.length,
    ];
    const fields = { source_addr: "258841234567", destination_addr: CODE, service_type: "USSD" };
    const its = Buffer.from([dialogue, 0]);
    const said = { ...fields, short_message: "7", ussd_service_op: 18, its_session_info: its };
    smsc.state.session!.deliver_sm(said);
    await until("the application to be asked", () => app.heard.length > calls);
    smsc.state.session!.destroy();
    await until("another bind", () => smsc.bindings.length > bindings);
    await until("its screen", () => smsc.submitted.length > shown);
    assert.equal(textOf(smsc.submitted.at(-1)!), "you said 7");
    await deliver(18, "7").then(({ submit }) => assert.equal(submit, undefined));
    assert.equal(app.heard.length, calls + 1);
    // It waited for three seconds: now a person has read the screen.
    assert.equal(textOf((await deliver(18, "7")).submit!), "you said 7");
    assert.equal(app.heard.length, calls + 2);
  });
});

describe("each profile of the catalogue, on our own SMSC", () => {
  for (const profile of ["standard", "tata", "mica", "sixdee"]) {
    test(`${profile}: a dialogue of two subscribers at once`, async () => {
      const codec = createCodec("smpp", { profile });
      const smsc = await startSmsc({ codec, password: PASSWORD, throttleFirst: 1 });
      const app = await startApp("africastalking", ({ said, msisdn }, nth) => ({
        screen: nth === 0 ? `menu of ${msisdn}` : `${msisdn} said ${said}`,
        end: said.endsWith("9"),
      }));
      const options = `options: { profile: "${profile}" },`;
      const gateway = await startGateway({
        configFile: `export const config = { channels: { link: ${channel(smsc.port, "", options)} } };`,
      });
      try {
        await register(gateway.url, {
          service_code: CODE,
          callback_url: app.url,
          protocol: "africastalking",
        });
        await smsc.bound();
        const walk = async (msisdn: string): Promise<void> => {
          const phone = await smsc.phone(msisdn).dial(CODE);
          assert.match(phone.screen(), new RegExp(`menu of \\+?${msisdn}`));
          assert.match((await phone.send("1*2")).screen(), /said .*1\*2/);
          assert.equal((await phone.send("9")).ended(), true);
          assert.match(phone.screen(), new RegExp(`${msisdn} said`));
        };
        await Promise.all([walk("258841234567"), walk("258841234568")]);
      } finally {
        await gateway.stop();
        await app.close();
        await smsc.close();
      }
    });
  }
});

describe("our SMSC and somebody else's application", () => {
  let smsc: Smsc;
  before(async () => {
    smsc = await startSmsc({ codec: createCodec("smpp"), systemId: "theirs", password: "pw" });
  });
  after(() => smsc.close());

  test("their bind is checked, their screens are shown", async () => {
    const client = smppPackage.connect({ host: "127.0.0.1", port: smsc.port });
    client.on("error", () => undefined);
    const bind = (password: string) =>
      new Promise<PackagePdu>((done) => {
        client.bind_transceiver({ system_id: "theirs", password }, done);
      });
    await new Promise((done) => client.once("connect", done));
    assert.equal((await bind("wrong")).command_status, 0x0e);
    assert.equal((await bind("pw")).command_status, 0);
    client.on("deliver_sm", (pdu: PackagePdu) => {
      client.send(pdu.response());
      client.submit_sm({
        source_addr: pdu.destination_addr,
        destination_addr: pdu.source_addr,
        short_message: `echo ${textOf(pdu)}`,
        ussd_service_op: textOf(pdu) === "9" ? 17 : 2,
        its_session_info: pdu.its_session_info,
      });
    });
    const phone = await smsc.phone("258841234567").dial(CODE);
    assert.equal(phone.screen(), `echo ${CODE}`);
    assert.equal((await phone.send("1")).ended(), false);
    assert.equal((await phone.send("9")).ended(), true);
    client.destroy();
  });
});
