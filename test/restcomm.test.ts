/**
 * RestComm's gateway over real sockets: it dials and keeps our cookie, and it takes dialogues that
 * we open, in which its replies are what the subscriber typed. In front of an OLA backend.
 */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { register, startApp, type App } from "./support/phones.ts";

const MSISDN = "79273605819";
const BUDGET_MS = 4_000;

describe("RestComm", () => {
  let gateway: StartedGateway;
  let app: App;
  let network: Server;
  let calls: { readonly body: string; readonly cookie: string | undefined }[] = [];
  /** What the network says to each call in turn; it repeats the call's userObject. */
  let answers: Answer[] = [];
  let dialled = 0;
  let heardBefore = 0;

  before(async () => {
    network = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      request.on("end", () => {
        calls.push({ body, cookie: request.headers.cookie });
        const { say = () => "", delayMs = 0, status = 200 } = answers.shift() ?? {};
        const headers = { "content-type": "text/xml", "set-cookie": "JSESSIONID=net,1; Path=/" };
        setTimeout(() => response.writeHead(status, headers).end(say(userObjectOf(body))), delayMs);
      });
    });
    await new Promise<void>((done) => network.listen(0, "127.0.0.1", done));
    const { port } = network.address() as AddressInfo;
    gateway = await startGateway({
      configFile: `export const config = { channels: { map: { protocol: "restcomm",
        turnBudgetMs: ${BUDGET_MS}, pushUrl: "http://127.0.0.1:${port}/restcomm" } } };`,
    });
    app = await startApp("ola", ({ said }) => ({ screen: `Heard\n${said}`, end: said === "9" }));
    await register(gateway.url, { service_code: "*234#", callback_url: app.url });
  });
  after(async () => {
    await gateway.stop();
    await app.close();
    network.closeAllConnections();
    network.close();
  });
  beforeEach(() => {
    calls = [];
    answers = [];
    heardBefore = app.heard.length;
    dialled += 1;
  });

  const dialog = (about: string, inner: string): string =>
    `<dialog localId="${dialled}" remoteId="9" ${about}>${inner}</dialog>`;
  const answered = (typed: string, about = ""): string =>
    dialog(
      `type="Continue" mapMessagesSize="1" ${about}`,
      `<unstructuredSSRequest_Response invokeId="0" dataCodingScheme="15" string="${typed}"/>`,
    );
  const over = (about: string, reason: string): string =>
    dialog(`type="Unknown" mapMessagesSize="0" ${about} ${reason}`, "<errComponents/>");
  const post = async (body: string, cookie?: string) => {
    const response = await fetch(`${gateway.url}/ussd/map/callback`, {
      method: "POST",
      headers: { "content-type": "text/xml", ...(cookie === undefined ? {} : { cookie }) },
      body,
    });
    assert.equal(response.status, 200);
    const [set] = response.headers.getSetCookie();
    return { text: await response.text(), cookie: set?.split(";")[0] };
  };
  const dial = () =>
    post(
      dialog(
        'type="Begin" mapMessagesSize="1"',
        '<processUnstructuredSSRequest_Request invokeId="3" dataCodingScheme="15" ' +
          `string="*234#"><msisdn number="${MSISDN}"/></processUnstructuredSSRequest_Request>`,
      ),
    );
  const push = async (type: "notify" | "request", text: string) => {
    const response = await fetch(`${gateway.url}/api/v1/push`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ channel: "map", msisdn: MSISDN, service_code: "*234#", text, type }),
    });
    const said = (await response.json()) as { session_id?: string; message?: string };
    return { status: response.status, ...said };
  };
  const until = async (isDone: () => boolean): Promise<void> => {
    for (let nth = 0; nth < 200 && !isDone(); nth += 1) await wait(25);
    assert.ok(isDone(), JSON.stringify(calls));
  };
  const notified = (mine: string): string =>
    dialog(
      `type="Continue" mapMessagesSize="1" ${mine}`,
      '<unstructuredSSNotify_Response invokeId="0"/>',
    );
  const heard = () => app.heard.slice(heardBefore).map(({ msisdn, said }) => [msisdn, said]);
  const cookies = () => calls.map(({ cookie }) => cookie);

  test("a dialogue: the cookie says whose it is, and the last screen repeats the invokeId", async () => {
    const first = await dial();
    assert.match(first.text, /<unstructuredSSRequest_Request .*string="Heard"/);
    assert.ok(first.cookie);
    const second = await post(answered("1"), first.cookie);
    assert.match(second.text, /string="Heard&#10;1"/);
    const last = await post(answered("9"), first.cookie);
    assert.match(last.text, /prearrangedEnd="false".*_Response invokeId="3".*"Heard&#10;9"/);
    assert.deepEqual(
      heard(),
      ["", "1", "9"].map((said) => [MSISDN, said]),
    );
  });

  test("an answer without the cookie is nobody's, and meets nobody's session", async () => {
    await dial();
    const { text } = await post(answered("1"));
    assert.match(text, /processUnstructuredSSRequest_Response .*dial again/i);
    assert.equal(heard().length, 1);
  });

  test("the phone page gives back what it was told, as a network does its cookie", async () => {
    const turn = async (inputs: readonly string[], memo?: string) => {
      const response = await fetch(`${gateway.url}/api/v1/phone/turns`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          ...{ channel: "map", msisdn: MSISDN, dialled: "*234#", inputs, memo },
          ...{ session_id: `sess_${"a1".repeat(16)}`, number: inputs.length + 1 },
        }),
      });
      return (await response.json()) as { screen: string; memo?: string };
    };
    const first = await turn([]);
    assert.match(first.memo ?? "", /^JSESSIONID=/);
    assert.equal((await turn(["1"], first.memo)).screen, "Heard\n1");
    assert.equal((await turn(["1", "9"], first.memo)).screen, "Heard\n9");
  });

  test("cancelled: the session is over, and an answer after it is refused", async () => {
    const { cookie } = await dial();
    const { text } = await post(over("", 'mapUserAbortChoice="isUserSpecificReason"'), cookie);
    assert.match(text, /<dialog mapMessagesSize="0" prearrangedEnd="false"\/>/);
    assert.match((await post(answered("1"), cookie)).text, /dial again/i);
  });

  test("a notice of ours: taken when the handset has shown it, and closed", async () => {
    answers = [{ say: notified }];
    const sent = await push("notify", "Your balance is 5");
    assert.equal(sent.status, 201, sent.message);
    await until(() => calls.length === 2);
    assert.match(calls[0]?.body ?? "", /<unstructuredSSNotify_Request .*number="79273605819"/);
    assert.match(calls[1]?.body ?? "", /<dialog mapMessagesSize="0" prearrangedEnd="false"\/>/);
    assert.deepEqual(cookies(), [undefined, "JSESSIONID=net,1"]);
  });

  test("a dialogue of ours: the replies are the answers, a notice is the last screen", async () => {
    answers = [
      // A person reads: longer than any refusal takes.
      { say: (mine) => answered("1", mine), delayMs: 1_300 },
      { say: (mine) => answered("9", mine) },
      { say: notified },
    ];
    const startMs = performance.now();
    const sent = await push("request", "Pay 50?\n1. Yes");
    assert.equal(sent.status, 201, sent.message);
    assert.ok(performance.now() - startMs < 1_250, "the API does not wait for who reads");
    await until(() => calls.length === 4);
    assert.deepEqual(
      calls.map(({ body }) => / string="([^"]*)"/.exec(body)?.[1]),
      ["Pay 50?&#10;1. Yes", "Heard&#10;1", "Heard&#10;9", undefined],
    );
    assert.deepEqual(
      calls.map(({ body }) => /<(unstructured\w+)/.exec(body)?.[1]),
      ["unstructuredSSRequest_Request", "unstructuredSSRequest_Request", NOTIFY, undefined],
    );
    assert.deepEqual(cookies().slice(1), Array(3).fill("JSESSIONID=net,1"));
    assert.deepEqual(
      heard(),
      ["", "1", "9"].map((said) => [MSISDN, said]),
    );
    const record = await fetch(`${gateway.url}/api/v1/sessions/${sent.session_id}`);
    const { outcome, turns } = (await record.json()) as { outcome: string; turns: number };
    assert.deepEqual([outcome, turns], ["completed", 3]);
  });

  test("refused at once: nothing was delivered, and the API says so", async () => {
    answers = [{ say: (mine) => over(mine, 'mapRefuseReason="NoReasonGiven"') }];
    const refused = await push("request", "Pay 50?");
    assert.equal(refused.status, 502, JSON.stringify(refused));
    assert.match(refused.message ?? "", /network ended it/);
    answers = [{ status: 500 }];
    assert.equal((await push("request", "Pay 50?")).status, 502);
    assert.equal(calls.length, 2, "and is not tried again: a screen might be shown twice");
  });

  test("ended by the network while the subscriber reads: the session is over", async () => {
    answers = [{ say: (mine) => over(mine, 'dialogTimedOut="true"'), delayMs: 1_300 }];
    const sent = await push("request", "Pay 50?");
    assert.equal(sent.status, 201, sent.message);
    await wait(600);
    const record = await fetch(`${gateway.url}/api/v1/sessions/${sent.session_id}`);
    const { outcome } = (await record.json()) as { outcome: string };
    assert.equal(outcome, "cancelled");
    assert.equal(calls.length, 1);
  });
});

type Answer = {
  readonly say?: (userObject: string) => string;
  readonly delayMs?: number;
  readonly status?: number;
};
const NOTIFY = "unstructuredSSNotify_Request";
const userObjectOf = (body: string): string => /userObject="[^"]+"/.exec(body)?.[0] ?? "";
