import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { sign, verify } from "./signature.ts";

// The vector of the reference libraries' own test suites (standard-webhooks/standard-webhooks).
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const signedAtMs = 1_614_265_330_000;
const body = '{"test": 2432232314}';
const signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const headers = {
  "webhook-id": id,
  "webhook-timestamp": "1614265330",
  "webhook-signature": signature,
};

test("signs the reference vector", () => {
  assert.deepEqual(sign(secret, id, signedAtMs, body), headers);
});

test("verifies the reference vector and hands out the id to be remembered", () => {
  assert.deepEqual(verify(secret, headers, body, signedAtMs), { type: "verified", id });
});

test("a secret without whsec_ is used as the text it is", () => {
  const expected = createHmac("sha256", "plain ü").update(`m1.1614265330.x`).digest("base64");
  assert.equal(sign("plain ü", "m1", signedAtMs, "x")["webhook-signature"], `v1,${expected}`);
});

test("a body outside ASCII is signed as UTF-8", () => {
  const expected = createHmac("sha256", "s")
    .update(Buffer.from(`m.1614265330.é€`))
    .digest("base64");
  assert.equal(sign("s", "m", signedAtMs, "é€")["webhook-signature"], `v1,${expected}`);
});

const refusals: readonly [string, Record<string, string | undefined>, string, number, string][] = [
  ["another body", {}, `${body} `, 0, "no_match"],
  ["another id", { "webhook-id": "msg_other" }, body, 0, "no_match"],
  ["another timestamp", { "webhook-timestamp": "1614265331" }, body, 0, "no_match"],
  ["no id", { "webhook-id": undefined }, body, 0, "missing"],
  ["no signature", { "webhook-signature": undefined }, body, 0, "missing"],
  ["a timestamp that is no number", { "webhook-timestamp": "1e9" }, body, 0, "bad_timestamp"],
  ["five minutes and a second later", {}, body, 301_000, "stale"],
  ["five minutes and a second before", {}, body, -301_000, "stale"],
  [
    "a version that is not v1",
    { "webhook-signature": `v2${signature.slice(2)}` },
    body,
    0,
    "no_match",
  ],
  ["a cut signature", { "webhook-signature": signature.slice(0, 20) }, body, 0, "no_match"],
];
for (const [what, changed, sentBody, afterMs, problem] of refusals) {
  test(`refuses ${what}`, () => {
    const verified = verify(secret, { ...headers, ...changed }, sentBody, signedAtMs + afterMs);
    assert.deepEqual(verified, { type: "refused", problem });
  });
}

test("holds at five minutes either way", () => {
  for (const afterMs of [-300_000, 300_000]) {
    assert.equal(verify(secret, headers, body, signedAtMs + afterMs).type, "verified");
  }
});

test("of several signatures one must match, and only the first five are looked at", () => {
  const other = sign("another secret", id, signedAtMs, body)["webhook-signature"];
  const verdict = (others: number) => {
    const all = [...Array<string>(others).fill(other), signature].join(" ");
    return verify(secret, { ...headers, "webhook-signature": all }, body, signedAtMs).type;
  };
  assert.equal(verdict(4), "verified");
  assert.equal(verdict(5), "refused");
});
