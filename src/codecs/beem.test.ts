/** What Beem's `request_id` is for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import type { Backend, Turn } from "../types.ts";
import { createCodec } from "./index.ts";

const serviceCode = asServiceCode("*150*60#");
assert.ok(serviceCode);
const turn: Turn = {
  ...{ sessionId: "sess_1", transactionId: "txn_1", number: 1, input: "", inputs: [] },
  ...{ msisdn: parseMsisdn("255692189307"), serviceCode, provider: "tigo", dialledDigits: [] },
};
const backend = { serviceCode, method: "POST" } as Backend;
const codec = createCodec("beem");

function idIn(body: string): unknown {
  return (JSON.parse(body) as { payload: { request_id: unknown } }).payload.request_id;
}

for (const id of [7, "menu-7"]) {
  test(`an application's ${JSON.stringify(id)} is said back to it with the next request, 0 at first`, () => {
    assert.equal(idIn(codec.request(turn, backend).body), 0);
    const { memo } = codec.reply(
      {
        status: 200,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          ...{ session_id: "sess_1", command: "continue" },
          payload: { request_id: id, request: "Amount?" },
        }),
      },
      turn,
    );
    const next = { ...turn, number: 2, input: "5", inputs: ["5"], memo };
    assert.equal(idIn(codec.request(next, backend).body), id);
  });
}
