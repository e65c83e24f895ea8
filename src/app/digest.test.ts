import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { keyedDigest } from "./digest.ts";

test("the digest is HMAC-SHA256, for keys below, at and above a block", () => {
  for (const length of [32, 63, 64, 65, 200]) {
    const secret = "k".repeat(length);
    const digest = keyedDigest(secret);
    for (const text of ["", "1", "1*500*1234", "ção".repeat(400)]) {
      const whole = createHmac("sha256", secret).update(text).digest("base64url");
      assert.equal(digest(text), whole.slice(0, 22), `${length} octets, ${text.length} characters`);
    }
  }
});
