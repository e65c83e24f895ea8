/**
 * The fault matrix, network and content of one backend (RELIABILITY 5, F01 to F17 and F23 to F29):
 * what the subscriber reads, how often the backend is asked, what is recorded, and that all is well
 * afterwards. F03 and F04 need a resolver of their own: src/backend/call.test.ts.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text as readText } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { httpReply, olaReply, type ScriptedBackend } from "../src/testing/scripted-backend.ts";
import {
  assertWithinBudget,
  closePlaces,
  configFile,
  greetAll,
  meetFault,
  openPlace,
  startSwallower,
  startUntrusted,
  timed,
  type Fault,
} from "./support/faults.ts";
import { findLeaks, readFiles } from "./support/leaks.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { onlySessionOf, SCREENS, until } from "./support/operator.ts";

const OK = { raw: olaReply("Paid", true) };
const DISCONNECTED = "backend_disconnected";
type Script = Parameters<ScriptedBackend["answer"]>[0];

const always = (script: Script) => (backend: ScriptedBackend) => backend.answer(script);
/** The first answer after now is this, all later ones are good. */
const once = (script: Exclude<Script, (...args: never) => unknown>) => {
  return (backend: ScriptedBackend) => {
    const before = backend.requests.length;
    backend.answer((_, count) => (count === before + 1 ? script : PAID_ON));
  };
};
const PAID_ON = { raw: olaReply("Paid") };
const strict = { idempotent: false };
const maybeDone = (outcome: string, attempts: readonly string[]) => ({
  screen: SCREENS.maybeDone,
  outcome,
  attempts,
  hits: attempts.length,
});
const paidAfter = (failure: string) => ({
  screen: "Paid",
  outcome: "ok",
  attempts: [failure, "ok"],
  hits: 2,
});
const gone = {
  screen: SCREENS.notSent,
  outcome: "backend_unreachable",
  attempts: ["backend_unreachable", "backend_unreachable"],
  hits: 0,
};
const refuse = (backend: ScriptedBackend) => backend.refuse();
const listen = (backend: ScriptedBackend) => backend.listenAgain();
const reset = { then: "rst" } as const;
const silent = { then: "hold" } as const;
const cutHeaders = { raw: "HTTP/1.1 200 OK\r\nContent-Ty", then: "fin" } as const;
const cutBody = { raw: olaReply("Paid 500").replace("{{LEN}}", "999"), then: "fin" } as const;

/** RELIABILITY 2.1: what may have been executed is asked again only where that does no harm. */
function maybeDoneRows(
  id: string,
  via: Fault["via"],
  what: string,
  script: typeof reset | typeof silent | typeof cutBody | typeof cutHeaders,
  failure: string,
): readonly Fault[] {
  return [
    {
      title: `${id} ${what}, each time`,
      via,
      inflict: always(script),
      ...maybeDone(failure, [failure, failure]),
    },
    { title: `${id} ${what}, once`, via, inflict: once(script), ...paidAfter(failure) },
    {
      title: `${id} ${what}: a backend that must not be asked twice is asked once`,
      via,
      registration: strict,
      inflict: once(script),
      ...maybeDone(failure, [failure]),
    },
  ];
}

const network: readonly Fault[] = [
  { title: "F01 port closed", via: "kairos", inflict: refuse, heal: listen, ...gone },
  {
    title: "F01 port closed: nothing was sent, so a strict backend is tried again too",
    via: "ixo",
    registration: strict,
    inflict: refuse,
    heal: listen,
    ...gone,
  },
  {
    title: "F07 FIN on accept",
    via: "africastalking",
    inflict: (backend) => greetAll(backend, "fin"),
    ...maybeDone(DISCONNECTED, [DISCONNECTED, DISCONNECTED]),
    hits: 0,
  },
  {
    title: "F07 FIN on accept: a backend that must not be asked twice is asked once",
    via: "kairos",
    registration: strict,
    inflict: (backend) => greetAll(backend, "fin"),
    ...maybeDone(DISCONNECTED, [DISCONNECTED]),
    hits: 0,
  },
  {
    title: "F07 FIN on accept, once",
    via: "ixo",
    inflict: async (backend) => {
      backend.answer(PAID_ON);
      await greetAll(backend, "fin");
      setTimeout(() => backend.greet("read"), 500);
    },
    ...paidAfter(DISCONNECTED),
    hits: 1,
  },
  ...maybeDoneRows("F08", "africastalking", "request read, then RST", reset, DISCONNECTED),
  ...maybeDoneRows("F09", "ixo", "reply lost", silent, "backend_timeout"),
  {
    title: "F10 latency below the attempt's timeout",
    via: "kairos",
    inflict: always({ ...PAID_ON, delayMs: 600 }),
    screen: "Paid",
    outcome: "ok",
    attempts: ["ok"],
    hits: 1,
  },
  {
    title: "F13 one octet at a time",
    via: "africastalking",
    registration: { retries: 0 },
    inflict: always({ ...PAID_ON, dripMs: 100 }),
    ...maybeDone("backend_timeout", ["backend_timeout"]),
  },
  ...maybeDoneRows("F14", "kairos", "reply cut in its headers", cutHeaders, DISCONNECTED),
  ...maybeDoneRows("F14", "ixo", "reply cut in its body", cutBody, DISCONNECTED),
  {
    title: "F15 one kilobyte a second",
    via: "kairos",
    registration: { timeout: 3 }, // a busy machine drips more slowly
    inflict: always({ ...PAID_ON, dripMs: 1 }),
    screen: "Paid",
    outcome: "ok",
    attempts: ["ok"],
    hits: 1,
  },
];

const ids = '"session_id":"{{SESSION_ID}}","transaction_id":"{{TRANSACTION_ID}}"';
const screenOf = (body: string) => httpReply(`{${body}}`);
const endless = {
  raw: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
  repeat: "400\r\n".concat("x".repeat(1_024), "\r\n"),
};
const broken: readonly [title: string, script: Exclude<Script, (...args: never) => unknown>][] = [
  [
    "F23 another session's id",
    {
      raw: screenOf(`${ids.replace("{{SESSION_ID}}", "sess_1")},"output":["9"],"end_session":true`),
    },
  ],
  [
    "F23 another turn's transaction_id",
    {
      raw: screenOf(`${ids.replace("{{TRANSACTION_ID}}", "t")},"output":["9"],"end_session":true`),
    },
  ],
  ["F24 end_session as text", { raw: screenOf(`${ids},"output":["9"],"end_session":"false"`) }],
  ["F24 end_session missing", { raw: screenOf(`${ids},"output":["9"]`) }],
  ["F24 output empty", { raw: screenOf(`${ids},"output":[],"end_session":true`) }],
  ["F24 output of numbers", { raw: screenOf(`${ids},"output":[9],"end_session":true`) }],
  ["F24 an error page", { raw: httpReply("<html>oops</html>") }],
  ["F24 404", { raw: httpReply("{}", "404 Not Found") }],
  ["F24 no HTTP at all", { raw: "SSH-2.0-OpenSSH_9.6\r\n\r\n" }],
  ["F27 ten megabytes announced", { raw: httpReply("").replace("{{LEN}}", "10000000") }],
  ["F27 endless chunks", endless],
  ["F27 compressed", { raw: olaReply("9", true, "200 OK", "Content-Encoding: gzip\r\n") }],
];
const vias = ["africastalking", "ixo", "kairos"] as const;
const content: readonly Fault[] = [
  ...broken.map(([title, script], index): Fault => ({
    title: `${title}: not asked again, nothing of it is shown`,
    via: vias[index % vias.length] ?? "ixo",
    inflict: always(script),
    ...maybeDone("backend_malformed", ["backend_malformed"]),
  })),
  {
    title: "F25 500 each time",
    via: "africastalking",
    inflict: always({ raw: httpReply("{}", "500 Internal Server Error") }),
    ...maybeDone("backend_failed", ["backend_failed", "backend_failed"]),
  },
  {
    title: "F25 503 once",
    via: "ixo",
    inflict: once({ raw: httpReply("{}", "503 Service Unavailable") }),
    ...paidAfter("backend_failed"),
  },
  {
    title: "F25 500: a backend that must not be asked twice is asked once",
    via: "kairos",
    registration: strict,
    inflict: once({ raw: httpReply("{}", "500 Internal Server Error") }),
    ...maybeDone("backend_failed", ["backend_failed"]),
  },
];

// Most of each is waiting; all at once, on a small machine, is time that a budget does not have.
describe("faults", { concurrency: 12 }, () => {
  let gateway: StartedGateway;
  before(async () => {
    gateway = await startGateway({ configFile, env: { SESSION_TURNS_MAX: "12" } });
  });
  after(async () => {
    assert.doesNotMatch(gateway.stdout(), /unexpected_error|unhandled_rejection/);
    await closePlaces();
    assert.equal(await gateway.stop(), 0);
  });

  for (const fault of [...network, ...content]) {
    test(fault.title, () => meetFault(gateway, fault));
  }

  test("F02 a name that does not exist", async () => {
    const { newPhone, serviceCode, backendId, backend } = await openPlace(gateway, {
      callback_url: "http://backend.invalid/ussd",
    });
    await backend.close();
    for (let nth = 0; nth < 2; nth++) {
      const { phone, msisdn } = newPhone("kairos");
      const { value: seen, tookMs } = await timed(() => phone.dial(serviceCode));
      assert.deepEqual(seen, { status: 200, isEnd: true, screen: SCREENS.notSent });
      assertWithinBudget(tookMs);
      const { outcome, records } = await onlySessionOf(gateway.url, msisdn);
      assert.deepEqual([outcome, records.length], ["backend_unreachable", 1]);
      assert.ok((records[0]?.attempts.length ?? 0) >= 1);
    }
    assert.ok((await alarmsOf(backendId)) <= 1, "an alarm once a minute, not for each turn");
  });

  test("F05 a host that swallows connections is waited for two seconds", async (context) => {
    const swallower = await startSwallower(context);
    if (swallower === undefined) return;
    const { newPhone, serviceCode, backend } = await openPlace(gateway, {
      callback_url: `http://127.0.0.1:${swallower}/ussd`,
      timeout: 5,
    });
    await backend.close();
    const { phone, msisdn } = newPhone("kairos");
    const { value: seen, tookMs } = await timed(() => phone.dial(serviceCode));
    assert.deepEqual(seen, { status: 200, isEnd: true, screen: SCREENS.notSent });
    assertWithinBudget(tookMs);
    const [record] = (await onlySessionOf(gateway.url, msisdn)).records;
    const [first] = record?.attempts ?? [];
    assert.equal(first?.failure, "backend_unreachable");
    assert.ok(first.took_ms <= 2_500, `${first.took_ms} ms for a connection`);
  });

  test("F06 RST on accept: the text says what the system call proves", async () => {
    const { newPhone, serviceCode, backend, expectHealthy } = await openPlace(gateway);
    await greetAll(backend, "rst");
    const { phone, msisdn } = newPhone("ixo");
    const { value: seen, tookMs } = await timed(() => phone.dial(serviceCode));
    assertWithinBudget(tookMs);
    const [record] = (await onlySessionOf(gateway.url, msisdn)).records;
    const failures = record?.attempts.map(({ failure }) => failure) ?? [];
    assert.equal(failures.length, 2);
    const isUnsent = failures.every((failure) => failure === "backend_unreachable");
    assert.equal(seen.screen, isUnsent ? SCREENS.notSent : SCREENS.maybeDone);
    assert.equal(backend.requests.length, 0);
    backend.greet("read");
    await expectHealthy("ixo");
    await backend.close();
  });

  test("F11 a reply after its attempt's timeout is shown to nobody", async () => {
    const { newPhone, serviceCode, backend } = await openPlace(gateway);
    backend.answer((_, count) => ({
      raw: olaReply(`Answer ${count}`),
      ...(count === 1 ? { delayMs: 1_300 } : {}),
    }));
    const { phone } = newPhone("kairos");
    assert.equal((await phone.dial(serviceCode)).screen, "Answer 2");
    assert.equal((await phone.type("1")).screen, "Answer 3");
    const asked = backend.requests.map(({ headers }) => headers["idempotency-key"]);
    assert.equal(asked[0], asked[1]);
    assert.notEqual(asked[1], asked[2]);
    await backend.close();
  });

  test("F12 latency of 30 seconds: the connection is given up with the turn", async () => {
    const { newPhone, serviceCode, backend, expectHealthy } = await openPlace(gateway);
    backend.answer({ ...OK, delayMs: 30_000 });
    const { phone } = newPhone("africastalking");
    const { value: seen, tookMs } = await timed(() => phone.dial(serviceCode));
    assert.equal(seen.screen, SCREENS.maybeDone);
    assertWithinBudget(tookMs);
    await until("no connection is kept", () => backend.openConnections() === 0, 1_000);
    backend.answer({ raw: olaReply() });
    await expectHealthy("africastalking");
    await backend.close();
  });

  for (const idempotent of [true, false]) {
    test(`F16 idle connections closed as we send, idempotent ${idempotent}`, async () => {
      const { newPhone, serviceCode, backend } = await openPlace(gateway, { idempotent });
      for (let nth = 0; nth < 20; nth++) {
        const { phone } = newPhone("kairos");
        assert.equal((await phone.dial(serviceCode)).screen, "Welcome");
        backend.closeIdle();
        // Strict: it must have been seen that the connection is gone, so time for that.
        await wait(idempotent ? nth % 4 : 20);
      }
      await backend.close();
    });
  }

  test("F17 TLS that nobody vouches for: nothing is sent, one alarm a minute", async (context) => {
    const backend = await startUntrusted(context);
    if (backend === undefined) return;
    const {
      newPhone,
      serviceCode,
      backendId,
      backend: unused,
    } = await openPlace(gateway, {
      callback_url: `https://localhost:${backend.port}/ussd`,
    });
    await unused.close();
    for (let nth = 0; nth < 2; nth++) {
      const { phone, msisdn } = newPhone("ixo");
      assert.equal((await phone.dial(serviceCode)).screen, SCREENS.notSent);
      assert.equal((await onlySessionOf(gateway.url, msisdn)).outcome, "backend_unreachable");
    }
    assert.equal(backend.hits(), 0);
    assert.equal(await alarmsOf(backendId), 1);
  });

  test("F26 a redirect is not followed", async () => {
    const { backend: elsewhere } = await openPlace(gateway);
    const redirect = httpReply("", "302 Found", `Location: ${elsewhere.url}\r\n`);
    await meetFault(gateway, {
      title: "F26",
      via: "kairos",
      inflict: always({ raw: redirect }),
      ...maybeDone("backend_malformed", ["backend_malformed"]),
    });
    assert.equal(elsewhere.requests.length, 0);
    await elsewhere.close();
  });

  test("'nothing was charged' is not said when the first of several digits arrived", async () => {
    const server = createServer();
    let hits = 0;
    server.on("request", (request, response) => {
      hits += 1;
      if (hits === 2) server.close(); // no new connection; this one is answered and ends
      void readText(request).then((body) => {
        const { session_id, transaction_id } = JSON.parse(body) as Record<string, string>;
        const answer = { session_id, transaction_id, output: ["Sent 500"], end_session: false };
        const headers = { "content-type": "application/json", connection: "close" };
        response.writeHead(200, headers).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { newPhone, serviceCode } = await openPlace(gateway, {
      callback_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      retries: 0,
    });
    const { phone, msisdn } = newPhone("ixo");
    const seen = await phone.dial(serviceCode.replace("#", "*1*2#"));
    assert.equal(hits, 2, "the dial and the first digit");
    const [record] = (await onlySessionOf(gateway.url, msisdn)).records;
    const results = record?.attempts.map(({ failure }) => failure);
    assert.deepEqual(results, [null, null, "backend_unreachable"]);
    assert.deepEqual(seen, { status: 200, isEnd: true, screen: SCREENS.maybeDone });
  });

  test("F27 an endless reply is cut off, not read", async () => {
    const { newPhone, serviceCode, backend } = await openPlace(gateway);
    backend.answer(endless);
    assert.equal((await newPhone("ixo").phone.dial(serviceCode)).screen, SCREENS.maybeDone);
    await until("the connection is closed", () => backend.openConnections() === 0, 1_000);
    assert.ok(backend.octetsSent() < 8_000_000, `${backend.octetsSent()} octets`);
    await backend.close();
  });

  const long = Array.from({ length: 40 }, (_, index) => `${index + 1}. Choice`).join(" ");
  const texts: readonly [title: string, text: string, charactersMax: number][] = [
    ["GSM-7", long, 182],
    ["UCS-2", long.replaceAll("Choice", "Выбор"), 80],
    ["emoji", long.replaceAll("Choice", "👍 ok"), 80],
  ];
  for (const [title, text, charactersMax] of texts) {
    test(`F28 a ${title} screen too long is leafed through, whole`, async () => {
      const { newPhone, serviceCode, backend } = await openPlace(gateway);
      backend.answer({ raw: olaReply(text) });
      const { phone } = newPhone("kairos");
      let page = await phone.dial(serviceCode);
      let shown = "";
      for (let nth = 0; nth < 20; nth++) {
        assert.ok(page.screen.length <= charactersMax, `${page.screen.length} characters`);
        shown += page.screen.replace(/\n(?:98|0)\.[^]*$/, " ");
        if (!page.screen.includes("98.")) break;
        page = await phone.type("98");
      }
      assert.deepEqual(shown.match(/\d+\. \S+/g), text.match(/\d+\. \S+/g));
      assert.equal(backend.requests.length, 1);
      await backend.close();
    });
  }

  test("F29 a dialogue without an end has one after so many turns", async () => {
    const { newPhone, serviceCode, backend } = await openPlace(gateway);
    const { phone, msisdn } = newPhone("ixo");
    let seen = await phone.dial(serviceCode);
    for (let nth = 0; nth < 20 && !seen.isEnd; nth++) seen = await phone.type("1");
    assert.deepEqual(seen, { status: 200, isEnd: true, screen: SCREENS.ended });
    assert.equal(backend.requests.length, 12);
    assert.equal((await onlySessionOf(gateway.url, msisdn)).outcome, "session_too_long");
    await backend.close();
  });

  test("a PIN typed into a fault is in no output, record or file", async () => {
    const { newPhone, serviceCode, backend } = await openPlace(gateway, strict);
    for (const via of vias) {
      const { phone, msisdn } = newPhone(via);
      backend.answer((request) =>
        request.body.includes(CANARY) ? reset : { raw: olaReply("Enter your PIN") },
      );
      await phone.dial(serviceCode);
      assert.equal((await phone.type(CANARY)).screen, SCREENS.maybeDone);
      const session = await onlySessionOf(gateway.url, msisdn);
      assert.equal(session.records[1]?.input, "****");
      assert.equal(JSON.stringify(session).includes(CANARY), false);
    }
    assert.equal(backend.requests.filter(({ body }) => body.includes(CANARY)).length, 3);
    await wait(700); // Log lines are written twice a second.
    assert.match(gateway.stdout(), /"outcome":"backend_disconnected"/);
    assert.equal(gateway.stdout().includes(CANARY), false);
    assert.deepEqual(findLeaks(CANARY, readFiles(gateway.dataDir)), []);
    await backend.close();
  });

  /** Lines of the log that call an operator to this backend. */
  async function alarmsOf(backendId: number): Promise<number> {
    await wait(700);
    return gateway
      .stdout()
      .split("\n")
      .filter((line) => line.includes('"event":"backend_needs_mending"'))
      .filter((line) => line.includes(`"backend_id":${backendId},`)).length;
  }
});

const CANARY = "7391846";
