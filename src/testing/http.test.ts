import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatReply, formatRequest, parseReply, parseRequest } from "./http.ts";

const text = fc.string({ unit: "binary" });
const headers = fc.dictionary(
  fc.stringMatching(/^[a-z][a-z-]{0,15}$/),
  fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/),
  { noNullPrototype: true },
);

test("a request survives being written and read", () => {
  const path = fc.constantFrom("", "/ussd", "/a/b");
  const query = fc.constantFrom("", "code=*365%23", "a=1&b=?");
  fc.assert(
    fc.property(path, query, headers, text, (path, query, headers, body) => {
      const request = { method: "POST", path, query, headers, body };
      assert.deepEqual(parseRequest(formatRequest(request)), request);
    }),
  );
});

test("a reply survives being written and read", () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), headers, text, (status, headers, body) => {
      assert.deepEqual(parseReply(formatReply({ status, headers, body })), {
        status,
        headers,
        body,
      });
    }),
  );
});

test("captures with CRLF, upper-case names and a reason phrase are read as they are", () => {
  const reply = parseReply("HTTP/1.1 200 OK\r\nContent-Type:  text/plain \r\n\r\nCON a\r\n\r\nb");
  const expected = {
    status: 200,
    headers: { "content-type": "text/plain" },
    body: "CON a\r\n\r\nb",
  };
  assert.deepEqual(reply, expected);
});

test("a head without a body has an empty one", () => {
  const request = parseRequest("\nGET /?text=1 HTTP/1.1\n");
  assert.deepEqual(request, { method: "GET", path: "", query: "text=1", headers: {}, body: "" });
});

test("what is not HTTP is refused: a vector with a typo must not pass", () => {
  assert.throws(() => parseRequest("POST ussd\n\n"), /request line/);
  assert.throws(() => parseReply("200 OK\n\n"), /status line/);
  assert.throws(() => parseReply("HTTP/1.1 200\ncontent-type text\n\n"), /not a header/);
});
