import assert from "node:assert/strict";
import { test } from "node:test";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import type { Backend, Turn } from "../types.ts";
import { africastalking } from "./africastalking.ts";

const codec = africastalking.create({});
const serviceCode = asServiceCode("*384*1234#");
assert.ok(serviceCode);
const turn: Turn = {
  sessionId: "sess_1",
  transactionId: "txn_1_2_end",
  number: 2,
  msisdn: parseMsisdn("254712345678"),
  serviceCode,
  provider: "safaricom",
  input: "",
  inputs: [],
  dialledDigits: [],
};

test("an application with an events URL is told of the end, and would hear it as one", () => {
  const url = "https://app.example/events";
  const notice = codec.notice?.(turn, { eventsUrl: url } as Backend);
  assert.ok(notice);
  assert.equal(notice.url, url);
  assert.equal(new URLSearchParams(notice.body).get("status"), "Incomplete");
  const heard = codec.decode(notice);
  const expected = { phase: "abort", sessionId: "sess_1", msisdn: "254712345678" };
  assert.deepEqual(
    { phase: heard.phase, sessionId: heard.sessionId, msisdn: heard.msisdn },
    expected,
  );
});

test("an application without an events URL is told nothing", () => {
  assert.equal(codec.notice?.(turn, { eventsUrl: undefined } as Backend), undefined);
});

test("an answer of 182 characters is taken at any place of the history, one of 183 at none", () => {
  const backend = { method: "POST" } as Backend;
  const text = (inputs: readonly string[]) =>
    codec.decode(codec.request({ ...turn, inputs }, backend)).input.text.length;
  assert.equal(text(["1", "9".repeat(182), "2"]), 186);
  assert.throws(() => text(["1", "9".repeat(183)]), { code: "bad_field" });
  assert.throws(() => text(Array.from({ length: 1_001 }, () => "1")), { code: "bad_field" });
});

test("a request with a text is a turn, whatever other fields an aggregator adds", () => {
  const { body, ...request } = codec.request({ ...turn, inputs: ["1"] }, {
    method: "POST",
  } as Backend);
  const { phase, input } = codec.decode({ ...request, body: `${body}&status=Active` });
  assert.deepEqual([phase, input.text], ["unknown", "1"]);
});
