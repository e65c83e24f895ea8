/** What Hubtel's wire and Emergent's say in more than one way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import type { Reply, Turn } from "../types.ts";
import { createCodec } from "./index.ts";

const headers = { "content-type": "application/json" };
const asked = { SessionId: "s1", Mobile: "233208183783", Type: "Initiation", Sequence: 1 };
const serviceCode = asServiceCode("*713*4#");
assert.ok(serviceCode);
const turn: Turn = {
  ...{ sessionId: "s1", transactionId: "txn_1", number: 2, input: "1", inputs: ["1"] },
  ...{ msisdn: parseMsisdn("233208183783"), serviceCode, provider: "MTN", dialledDigits: [] },
};

function dialledIn(name: string, more: Readonly<Record<string, string>>): string | undefined {
  const body = JSON.stringify({ ...asked, ...more });
  return createCodec(name).decode({ method: "POST", path: "", query: "", headers, body }).dialled;
}

test("the code is read under each name that is written for it", () => {
  assert.equal(dialledIn("hubtel", { Message: "", ServiceCode: "713*4" }), "*713*4#");
  assert.equal(dialledIn("hubtel", { Message: "", serviceCode: "713*4" }), "*713*4#");
  assert.equal(dialledIn("emergent", { Message: "", USERID: "713*4" }), "*713*4#");
});

test("what was dialled says more than the code; a text that is no code does not hide it", () => {
  assert.equal(dialledIn("hubtel", { Message: "*713*4*1#", ServiceCode: "713*4" }), "*713*4*1#");
  assert.equal(dialledIn("hubtel", { Message: "hello", ServiceCode: "713*4" }), "*713*4#");
});

function replyOf(name: string, more: Readonly<Record<string, unknown>>): Reply {
  const body = JSON.stringify({ Type: "Response", Message: "PIN?", ...more });
  return createCodec(name).reply({ status: 200, headers, body }, turn);
}

test("Hubtel's applications say that the next input is to be hidden, Emergent's always do", () => {
  assert.equal(replyOf("hubtel", { MaskNextRoute: true }).asksSecret, true);
  assert.equal(replyOf("hubtel", { Mask: true }).asksSecret, true);
  assert.equal(replyOf("hubtel", { MaskNextRoute: false }).asksSecret, undefined);
  assert.equal(replyOf("hubtel", { MaskNextRoute: true, Type: "Release" }).asksSecret, undefined);
  assert.equal(replyOf("emergent", { MaskNextRoute: true }).asksSecret, undefined);
});

test("and to Hubtel we say so ourselves", () => {
  const codec = createCodec("hubtel");
  const body = JSON.stringify({ ...asked, Message: "*713*4#", ServiceCode: "713*4" });
  const inbound = codec.decode({ method: "POST", path: "", query: "", headers, body });
  const answer = (reply: Reply) =>
    codec.encode({ reply, failure: undefined, serviceCode: undefined }, inbound, 0).body;
  const plain: Reply = { action: "continue", screen: "PIN?" };
  assert.match(answer({ ...plain, asksSecret: true }), /"MaskNextRoute":true/);
  assert.doesNotMatch(answer(plain), /Mask/);
});
