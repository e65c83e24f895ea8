/** Where the links of MTECH's pages lead. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import type { Backend, Turn } from "../types.ts";
import { createCodec } from "./index.ts";

const serviceCode = asServiceCode("*7006#");
assert.ok(serviceCode);
const turn: Turn = {
  ...{ sessionId: "a417", transactionId: "txn_1", number: 2, input: "", inputs: [""] },
  ...{ msisdn: parseMsisdn("2348085832481"), serviceCode, provider: "MTN", dialledDigits: [] },
};
const codec = createCodec("mtech");

function pageAskedFor(links: string, input: string): string | undefined {
  const { memo } = codec.reply(
    {
      status: 200,
      headers: { "content-type": "text/xml" },
      body:
        '<page version="2.0"><session_id>a417</session_id><div>Food?</div>' +
        `<navigation>${links}</navigation></page>`,
    },
    turn,
  );
  const { body } = codec.request({ ...turn, input, memo }, { method: "POST" } as Backend);
  return /<page_id>(.*?)<\/page_id>/.exec(body)?.[1];
}

const MENU =
  '<link accesskey="1" pageId="index1">chicken</link>' +
  '<link accesskey="2" pageId="index2">beef</link>';

test("an answer asks for the page of the link with its key", () => {
  assert.equal(pageAskedFor(MENU, "1"), "index1");
  assert.equal(pageAskedFor(MENU, "2"), "index2");
});

test("what no link has goes to the link that takes anything, else to the first", () => {
  const any = '<link accesskey="*" pageId="amount" />';
  assert.equal(pageAskedFor(MENU + any, "250"), "amount");
  assert.equal(pageAskedFor(MENU, "9"), "index1");
});

test("too many links are refused, not cut", () => {
  const links = Array.from({ length: 50 }, (_, key) => {
    return `<link accesskey="${key}" pageId="${"p".repeat(60)}" />`;
  });
  assert.throws(() => pageAskedFor(links.join(""), "1"), { code: "bad_reply" });
});
