/** A short run of `npm run bench:app`'s overlapping requests: the promise, and a check of the check. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Load, measureCrosstalk } from "../bench/app/crosstalk.ts";

const load: Load = {
  subscribers: 1_000,
  requestsPerSecond: 400,
  services: 1,
  lookupMs: [5, 50],
  seed: 1,
};

test("1,000 subscribers at 400 requests a second: all read their own, and all read something", async () => {
  const tally = await measureCrosstalk("dialyard/app", load);
  const none = { another: 0, wrong: 0, unanswered: 0, twice: 0 };
  assert.deepEqual(tally, { requests: 2_000, right: 2_000, ...none });
});

test("the same load finds what a menu shared by all requests does to them", async () => {
  const tally = await measureCrosstalk("ussd-menu-builder, callback", load);
  assert.ok(tally.another > 100 && tally.unanswered > 100, JSON.stringify(tally));
});
