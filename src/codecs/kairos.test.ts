import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Turn, WireReply } from "../types.ts";
import { kairos } from "./kairos.ts";

const headers = { "content-type": "application/json" };
const turn = { sessionId: "171632898024603649", msisdn: "233559400612" } as Turn;
const good = {
  sessionId: "171632898024603649",
  ussdString: "Welcome",
  msisdn: "233559400612",
  timestamp: "1",
  messageType: "2",
};
const wire = (fields: object, status = 200): WireReply => ({
  status,
  headers,
  body: JSON.stringify({ ...good, ...fields }),
});

test("ended by the network, cancelled and timed out are all notices; other types are turns", () => {
  const codec = kairos.create({});
  const phaseOf = (messageType: string) => {
    const { sessionId, msisdn } = good;
    const body = JSON.stringify({ sessionId, msisdn, messageType, ussdString: "1" });
    return codec.decode({ method: "POST", path: "", query: "", headers, body }).phase;
  };
  assert.deepEqual(["2", "4", "5"].map(phaseOf), ["abort", "abort", "abort"]);
  assert.deepEqual(["0", "1", "3", "x"].map(phaseOf), Array(4).fill("continue"));
});

describe("an application's five fields", () => {
  const codec = kairos.create({});

  test("end by the end type alone", () => {
    assert.equal(codec.reply(wire({}), turn).action, "end");
    assert.equal(codec.reply(wire({ messageType: "0" }), turn).action, "continue");
    assert.equal(codec.reply(wire({ messageType: "1" }), turn).action, "continue");
  });

  test("never end where an account honours one type for everything", () => {
    const lenient = kairos.create({ continueType: "0", endType: "0" });
    assert.equal(lenient.reply(wire({ messageType: "0" }), turn).action, "continue");
  });

  const broken: readonly (readonly [string, object, number?])[] = [
    ["another session", { sessionId: "171632898024603650" }],
    ["another subscriber", { msisdn: "233559400613" }],
    ["a session id as a number", { sessionId: 171632898024603649 }],
    ["no text", { ussdString: undefined }],
    ["a blank text", { ussdString: " \n" }],
    ["a message type as a number", { messageType: 2 }],
    ["an error status", {}, 500],
    ["a redirect", {}, 302],
  ];
  for (const [what, fields, status] of broken) {
    test(`are refused with ${what}`, () => {
      assert.throws(() => codec.reply(wire(fields, status), turn), { code: "bad_reply" });
    });
  }
});
