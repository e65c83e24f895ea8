import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Reply, WireReply } from "../types.ts";
import { readPrefixed } from "./con-end.ts";

describe("an application's CON and END", () => {
  const read = (body: string, contentType = "text/plain", status = 200) =>
    readPrefixed({ status, headers: { "content-type": contentType }, body });
  const screen = "Welcome\n1. Pay";

  for (const body of [
    `CON ${screen}`,
    `CON\n${screen}`,
    `CON\r\n${screen}`,
    `CON${screen}`,
    `\uFEFF CON ${screen}`,
    JSON.stringify(`CON ${screen}`),
  ]) {
    test(`${JSON.stringify(body)} continues`, () => {
      assert.deepEqual(read(body), { action: "continue", screen });
    });
  }

  test("PHP's default type is no obstacle where there is a prefix", () => {
    assert.deepEqual(read("END Bye", "text/html; charset=UTF-8"), { action: "end", screen: "Bye" });
  });

  test("a missing prefix continues and is noted, JSON-quoted or not", () => {
    const expected: Reply = { action: "continue", screen, flaw: "missing_prefix" };
    assert.deepEqual(read(screen), expected);
    assert.deepEqual(read(JSON.stringify(screen), "application/json"), expected);
  });

  const refused: readonly (readonly [string, string, string?, number?])[] = [
    ["an error page", "<html>OK</html>", "text/html"],
    ["an error object", '{"detail":"Not Found"}', "application/json"],
    ["an empty body", " \n"],
    ["a quoted nothing", '""', "application/json"],
    ["a status that is no success", "END Sorry", "text/plain", 500],
    ["a redirect", "CON Moved", "text/plain", 302],
  ];
  for (const [what, body, contentType, status] of refused) {
    test(`${what} is no screen`, () => {
      assert.throws(() => read(body, contentType, status), { code: "bad_reply" });
    });
  }

  test("a compressed reply is not read", () => {
    const reply: WireReply = {
      status: 200,
      headers: { "content-encoding": "gzip" },
      body: "CON x",
    };
    assert.throws(() => readPrefixed(reply), { code: "bad_reply" });
  });
});
