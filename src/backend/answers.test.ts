import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { createCodec } from "../codecs/index.ts";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import type { Backend, ServiceCode, Turn, WireRequest } from "../types.ts";
import { type Answers, createAnswers, type Expected } from "./answers.ts";
import type { Outcome } from "./exchange.ts";

const codec = createCodec("viettel", { user: "app", pass: "s3cr3t" });
const open = createCodec("viettel");
const serviceCode = asServiceCode("*123#");
assert.ok(serviceCode);
const backend = { id: 7, serviceCode, codec, url: "http://app.example/mo" } as Backend;
const ACKNOWLEDGED: Outcome = {
  type: "replied",
  response: { status: 200, headers: {}, body: "<r><errorCode>0</errorCode></r>" },
  octets: 31,
};
const nowMs = () => performance.now();

let answers: Answers;
let told: string[] = [];
let registered = new Map<ServiceCode, Backend>();
let sessions = 0;

beforeEach(() => {
  told = [];
  registered = new Map([[backend.serviceCode, backend]]);
  sessions += 1;
  answers = createAnswers({
    backends: () => registered,
    tell: (_, notice) => told.push(fieldOf(notice.body, "requestType")),
    nowMs,
  });
});

const fieldOf = (body: string, name: string): string =>
  new RegExp(`<${name}>(.*?)</${name}>`).exec(body)?.[1] ?? "";
const turnOf = (number: number, session = sessions): Turn => ({
  ...{ sessionId: `sess_${session}`, transactionId: `txn_${session}_${number}`, number },
  ...{ msisdn: parseMsisdn("255629099842"), serviceCode, provider: "halotel" },
  ...{ input: number === 1 ? "" : "1", inputs: [], dialledDigits: [] },
});
function expect(number: number, of = backend): Expected {
  const { answersLater } = of.codec;
  assert.ok(answersLater);
  const expected = answers.expect(of, turnOf(number), answersLater);
  assert.ok(expected);
  return expected;
}
const callOf = (msg: string, given: { pass?: string; type?: string; id?: string } = {}) => {
  const { pass = "s3cr3t", type = "202", id = `Wsess_${sessions}` } = given;
  const body =
    `<e:Envelope><e:Body><InsertMO><user>app</user><pass>${pass}</pass><msg>${msg}</msg>` +
    `<transactionid>${id}</transactionid><requestType>${type}</requestType></InsertMO>` +
    "</e:Body></e:Envelope>";
  return { method: "POST", path: "", query: "", headers: {}, body } satisfies WireRequest;
};
const codeOf = (call: WireRequest): string =>
  fieldOf(answers.take(open, call).reply.body, "errorCode");
const waits = (expected: Expected, ms = 5_000): Promise<Outcome> =>
  expected.attempt(() => Promise.resolve(ACKNOWLEDGED), nowMs() + ms);
const screenOf = async (outcome: Promise<Outcome>): Promise<string> => {
  const settled = await outcome;
  assert.equal(settled.type, "replied");
  return settled.type === "replied" ? fieldOf(settled.response.body, "msg") : "";
};

describe("an answer that is a call of its own", () => {
  test("goes to the turn of its dialogue, and to no other", async () => {
    const first = expect(1);
    const outcome = waits(first);
    assert.equal(codeOf(callOf("Other", { id: "Wsess_other" })), "2");
    assert.equal(codeOf(callOf("Menu")), "0");
    assert.equal(await screenOf(outcome), "Menu");
    first.end(false);
    assert.equal(answers.count(), 0);
  });

  test("may come before the acknowledgement: an application may call while it is asked", async () => {
    const expected = expect(1);
    const outcome = expected.attempt(() => new Promise(() => undefined), nowMs() + 5_000);
    assert.equal(codeOf(callOf("Menu")), "0");
    assert.equal(await screenOf(outcome), "Menu");
    assert.equal(expected.isAcknowledged(), false);
  });

  test("may come between attempts: the next one sends nothing", async () => {
    const expected = expect(1);
    const silent: Outcome = {
      ...({ type: "failed", code: "backend_timeout", octets: 0 } as const),
      ...{ status: undefined, errorCode: undefined },
    };
    assert.equal(await expected.attempt(() => Promise.resolve(silent), nowMs()), silent);
    let isCalled = false;
    expected.whenCome(() => (isCalled = true));
    assert.equal(codeOf(callOf("Menu")), "0");
    assert.ok(isCalled, "the wait between attempts is over");
    const ask = () => assert.fail("nothing is sent");
    assert.equal(await screenOf(expected.attempt(ask, nowMs() + 5_000)), "Menu");
  });

  test("that does not come is a time-out of a request that was heard", async () => {
    const expected = expect(1);
    const outcome = await waits(expected, 60);
    assert.deepEqual(
      [outcome.type, outcome.type === "failed" && outcome.code],
      [...["failed", "backend_timeout"]],
    );
    assert.ok(expected.isAcknowledged());
    expected.end(true);
    assert.deepEqual(told, ["104"]);
    assert.equal(codeOf(callOf("Menu")), "2", "nobody waits for it any more");
  });

  test("that cannot be read ends the turn that waits for it", async () => {
    const outcome = waits(expect(1));
    assert.equal(codeOf(callOf("Notify", { type: "204" })), "-1");
    const settled = await outcome;
    assert.ok(settled.type === "replied");
    assert.throws(() => codec.reply(settled.response, turnOf(1)), /requestType/);
    answers.shown(`sess_${sessions}`);
    assert.deepEqual(told, [], "it was not shown");
  });

  test("carries what the registration names, or nobody hears it", async () => {
    const outcome = waits(expect(1));
    assert.equal(codeOf(callOf("Forged", { pass: "guess" })), "1");
    assert.equal(codeOf(callOf("Forged", { pass: "" })), "1");
    assert.equal(codeOf(callOf("Forged", { pass: "guess", id: "Wsess_none" })), "1");
    registered.clear();
    assert.equal(codeOf(callOf("Menu", { id: "Wsess_none" })), "1", "nobody has that password");
    assert.equal(codeOf(callOf("Menu")), "0");
    assert.equal(await screenOf(outcome), "Menu");
  });

  test("needs nothing where the registration names nothing: the dialogue's id is the secret", async () => {
    const expected = expect(1, { ...backend, codec: open });
    const outcome = waits(expected);
    assert.equal(codeOf(callOf("Menu", { pass: "any" })), "0");
    assert.equal(await screenOf(outcome), "Menu");
  });
});

describe("an answer that comes twice", () => {
  test("is taken once, and the copy is told the same", async () => {
    const first = expect(1);
    const outcome = waits(first);
    answers.take(open, callOf("Menu")).heard();
    assert.equal(codeOf(callOf("Menu")), "0", "before the turn has ended");
    await outcome;
    first.end(false);
    assert.equal(codeOf(callOf("Menu")), "0");
    assert.equal(codeOf(callOf("Another")), "2");
  });

  test("is no answer to the next turn, where our acknowledgement was not written whole", async () => {
    const first = expect(1);
    const outcome = waits(first);
    answers.take(open, callOf("Menu")); // never heard
    await outcome;
    first.end(false);
    const next = waits(expect(2));
    const copy = answers.take(open, callOf("Menu"));
    assert.equal(copy.verdict, "taken");
    assert.equal(codeOf(callOf("Balance")), "0");
    assert.equal(await screenOf(next), "Balance");
  });

  test("is the same screen again, where the first was acknowledged", async () => {
    const first = expect(1);
    const outcome = waits(first);
    answers.take(open, callOf("Wrong PIN. Try again")).heard();
    await outcome;
    first.end(false);
    const next = waits(expect(2));
    assert.equal(codeOf(callOf("Wrong PIN. Try again")), "0");
    assert.equal(await screenOf(next), "Wrong PIN. Try again");
  });
});

describe("an application hears what became of its screen", () => {
  test("103 once it is on its way, and once", async () => {
    const first = expect(1);
    const outcome = waits(first);
    answers.shown(`sess_${sessions}`);
    assert.deepEqual(told, []);
    assert.equal(codeOf(callOf("Menu")), "0");
    await outcome;
    first.end(false);
    assert.deepEqual(told, [], "taken is not shown");
    answers.shown(`sess_${sessions}`);
    answers.shown(`sess_${sessions}`);
    assert.deepEqual(told, ["103"]);
  });

  test("a screen that never went out is not said to be shown by the next turn", async () => {
    const first = expect(1);
    const outcome = waits(first);
    assert.equal(codeOf(callOf("Menu")), "0");
    await outcome;
    first.end(false);
    expect(2);
    answers.shown(`sess_${sessions}`);
    assert.deepEqual(told, []);
  });
});

describe("a request", () => {
  const refused = async (body: string, status = 200): Promise<string> => {
    const response = { status, headers: {}, body };
    const outcome = await expect(1).attempt(
      () => Promise.resolve({ type: "replied", response, octets: body.length }),
      nowMs() + 5_000,
    );
    return outcome.type === "failed" ? outcome.code : outcome.type;
  };

  test("that is not acknowledged is not waited for", async () => {
    assert.equal(await refused("<r><errorCode>-1</errorCode></r>"), "backend_failed");
    assert.equal(await refused("<r><errorCode>0</errorCode></r>", 503), "backend_failed");
    assert.equal(await refused("<r><errorCode>1</errorCode></r>"), "backend_malformed");
    assert.equal(await refused("OK"), "backend_malformed");
  });

  test("too many that wait: the next is not begun", () => {
    const { answersLater } = codec;
    assert.ok(answersLater);
    for (let nth = 0; nth < 10_000; nth += 1) {
      assert.ok(answers.expect(backend, turnOf(1, 1_000_000 + nth), answersLater));
    }
    assert.equal(answers.expect(backend, turnOf(1), answersLater), undefined);
    assert.equal(answers.count(), 10_000);
  });
});
