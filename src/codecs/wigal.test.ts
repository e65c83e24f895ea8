/** What Wigal's `other` is for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import type { Backend, Turn } from "../types.ts";
import { createCodec } from "./index.ts";

const serviceCode = asServiceCode("*920*12#");
assert.ok(serviceCode);
const turn: Turn = {
  ...{ sessionId: "sess_1", transactionId: "txn_1", number: 2, input: "1", inputs: ["1"] },
  ...{ msisdn: parseMsisdn("233241234567"), serviceCode, provider: "MTN", dialledDigits: [] },
};
const backend = { serviceCode, method: "POST" } as Backend;

for (const version of ["1", "2"]) {
  test(`version ${version}: an end that says nothing else is one`, () => {
    const codec = createCodec("wigal", { version });
    const said = { network: "MTN", sessionid: "w-1", mode: "END", msisdn: "233241234567" };
    const whole = { ...said, username: "shop", trafficid: "t-3" };
    const { phase } = codec.decode({
      ...{ method: version === "1" ? "GET" : "POST", path: "" },
      query: new URLSearchParams(whole).toString(),
      headers: { "content-type": "application/json" },
      body: JSON.stringify(whole),
    });
    assert.equal(phase, "abort");
  });

  test(`version ${version}: what an application says in other comes back with the next request`, () => {
    const codec = createCodec("wigal", { version });
    const before = codec.request(turn, backend);
    assert.doesNotMatch(before.query + before.body, /other/);
    const said = { sessionid: "sess_1", trafficid: "txn_1", mode: "MORE", userdata: "Amount?" };
    const reply =
      version === "1"
        ? { status: 200, headers: {}, body: "MTN|MORE|233241234567|sess_1|Amount?|shop|txn_1|kept" }
        : {
            status: 200,
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ ...said, other: "kept" }),
          };
    const { memo } = codec.reply(reply, turn);
    assert.equal(memo, "kept");
    const next = codec.request({ ...turn, memo }, backend);
    assert.match(next.query + next.body, /other=kept|"other":"kept"/);
  });
}
