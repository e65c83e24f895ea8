import assert from "node:assert/strict";
import { test } from "node:test";
import { createRejects } from "./rejects.ts";

test("refusals are counted by reason, newest first; what was taken is none", () => {
  let nowMs = 0;
  const rejects = createRejects(() => (nowMs += 1));
  rejects.note({ channel: "a", status: 200, reason: undefined });
  rejects.note({ channel: "a", status: 403, reason: "address not allowed" });
  rejects.note({ channel: "a", status: 400, reason: "msisdn is required" });
  rejects.note({ channel: "a", status: 403, reason: "address not allowed" });
  assert.deepEqual(rejects.of("a"), [
    { status: 403, reason: "address not allowed", count: 2, lastAtMs: 3 },
    { status: 400, reason: "msisdn is required", count: 1, lastAtMs: 2 },
  ]);
  assert.deepEqual(rejects.of("b"), []);
});

test("a channel keeps twenty reasons; none holds a number or a PIN, or is long", () => {
  const rejects = createRejects(() => 0);
  for (let n = 0; n < 100; n++)
    rejects.note({ channel: "a", status: 400, reason: `${"x".repeat(n)} is not known` });
  rejects.note({ channel: "a", status: 400, reason: "1234 is not known here" });
  rejects.note({ channel: "a", status: 400, reason: "258840000993 is given twice" });
  const rows = rejects.of("a");
  assert.equal(rows.length, 20);
  assert.equal(rows[0]?.reason, "•••• is given twice");
  assert.equal(rows[1]?.reason, "•••• is not known here");
  assert.ok(rows.every(({ reason }) => reason.length <= 120));
});
