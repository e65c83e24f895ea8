import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FAILURES, type FailureCode } from "../core/failure.ts";
import type { Reply, Turn, WireReply } from "../types.ts";
import { ola } from "./ola.ts";

const JSON_HEADERS = { "content-type": "application/json" };
const turn = { sessionId: "sess_1", transactionId: "txn_1_2" } as Turn;

describe("an OLA backend's contract (RELIABILITY 2.4)", () => {
  const codec = ola.create({});
  const good = {
    session_id: "sess_1",
    transaction_id: "txn_1_2",
    output: ["a"],
    end_session: false,
  };
  const read = (body: unknown, headers: WireReply["headers"] = JSON_HEADERS, status = 200) =>
    codec.reply(
      { status, headers, body: typeof body === "string" ? body : JSON.stringify(body) },
      turn,
    );

  test("200 and 201 count, with UTF-8 said or not", () => {
    const expected: Reply = { action: "continue", screen: "a" };
    assert.deepEqual(read(good), expected);
    assert.deepEqual(
      read(good, { "content-type": 'Application/JSON; charset="UTF-8"' }, 201),
      expected,
    );
  });

  test("a 500 with a displayable output is read: it may be shown after the last attempt", () => {
    assert.deepEqual(read({ ...good, end_session: true }, JSON_HEADERS, 500), {
      action: "end",
      screen: "a",
    });
  });

  test("a poisoned prototype changes nothing", () => {
    const poisoned = `{"__proto__":{"end_session":true},${JSON.stringify(good).slice(1)}`;
    assert.equal(read(poisoned).action, "continue");
    const { end_session: _, ...open } = good;
    assert.throws(
      () => read(`{"__proto__":{"end_session":true},${JSON.stringify(open).slice(1)}`),
      { code: "bad_reply" },
    );
  });

  const broken: readonly (readonly [string, unknown, WireReply["headers"]?, number?])[] = [
    ["another session's id", { ...good, session_id: "sess_2" }],
    ["another transaction's id", { ...good, transaction_id: "txn_1_1" }],
    ["no session id", { ...good, session_id: undefined }],
    ["end_session as a word", { ...good, end_session: "false" }],
    ["end_session as a number", { ...good, end_session: 0 }],
    ["end_session as null", { ...good, end_session: null }],
    ["output as one string", { ...good, output: "Welcome" }],
    ["output empty", { ...good, output: [] }],
    ["output blank", { ...good, output: ["", " "] }],
    ["output nested", { ...good, output: [["a"]] }],
    ["output like an array", { ...good, output: { 0: "a", length: 1 } }],
    ["an array", []],
    ["null", null],
    ["no JSON", "{"],
    ["another type", good, { "content-type": "text/html" }],
    ["another charset", good, { "content-type": "application/json; charset=latin1" }],
    ["no type", good, {}],
    ["a content encoding", good, { ...JSON_HEADERS, "content-encoding": "gzip" }],
    ["204", good, JSON_HEADERS, 204],
    ["302", good, JSON_HEADERS, 302],
    ["400", good, JSON_HEADERS, 400],
  ];
  for (const [what, body, headers_, status] of broken) {
    test(`${what} breaks it`, () => {
      assert.throws(() => read(body, headers_, status), { code: "bad_reply" });
    });
  }
});

describe("the test door", () => {
  const door = ola.create({ door: "true" });
  const said = { provider: "test", msisdn: "258823456789", session_id: "s", transaction_id: "t" };
  const ask = (fields: object) =>
    door.decode({
      method: "POST",
      path: "",
      query: "",
      headers: JSON_HEADERS,
      body: JSON.stringify({ ...said, service_code: "*365*2#", input: "", ...fields }),
    });

  test("every failure has the status and the error of the failure table, or is a screen", () => {
    const reply: Reply = { action: "end", screen: "Sorry." };
    for (const failure of Object.keys(FAILURES) as FailureCode[]) {
      const { status, error } = FAILURES[failure];
      const wire = door.encode({ reply, failure, serviceCode: undefined }, ask({}), 0);
      assert.equal(wire.status, status, failure);
      const body = JSON.parse(wire.body);
      if (status === 200) assert.deepEqual(body.output, ["Sorry."], failure);
      else assert.deepEqual([body.error, body.service_code], [error, "*365*2#"], failure);
    }
  });

  test("an unknown property is named, unless its name may be something typed", () => {
    assert.throws(() => ask({ admin: true }), { code: "unknown_field", message: /^admin / });
    assert.throws(() => ask({ 7351: "" }), { code: "unknown_field", message: /^a field / });
    const poisoned = `{"__proto__":{"service_code":"*1#"},${JSON.stringify(said).slice(1)}`;
    const request = { method: "POST", path: "", query: "", headers: JSON_HEADERS, body: poisoned };
    assert.throws(() => door.decode(request), { code: "unknown_field", message: /^__proto__ / });
  });
});
