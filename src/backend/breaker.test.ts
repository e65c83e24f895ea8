import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FailureCode } from "../core/failure.ts";
import { createBreaker } from "./breaker.ts";

type Breaker = ReturnType<typeof createBreaker>;

function attempt(breaker: Breaker, nowMs: number, code?: FailureCode): string {
  const admission = breaker.admit(nowMs, 100);
  if (admission === "admitted") breaker.settle(nowMs, code);
  return admission;
}
function fail(
  breaker: Breaker,
  times: number,
  nowMs: number,
  code: FailureCode = "backend_timeout",
) {
  for (let count = 0; count < times; count++) attempt(breaker, nowMs, code);
}

test("three failures in a row, as a developer's stopped backend makes them, leave it closed", () => {
  const breaker = createBreaker();
  fail(breaker, 3, 0);
  assert.equal(breaker.state(0).isOpen, false);
  assert.equal(attempt(breaker, 1), "admitted");
});

for (const code of ["backend_unreachable", "backend_timeout", "backend_failed"] as const) {
  test(`opens at the tenth ${code} in a row`, () => {
    const breaker = createBreaker();
    fail(breaker, 9, 0, code);
    assert.equal(breaker.state(0).isOpen, false);
    fail(breaker, 1, 0, code);
    assert.equal(breaker.state(0).isOpen, true);
    assert.equal(attempt(breaker, 1), "open");
  });
}

test("a reply that breaks the contract is no reason to open: the backend is there", () => {
  const breaker = createBreaker();
  fail(breaker, 50, 0, "backend_malformed");
  assert.equal(breaker.state(0).isOpen, false);
});

test("a success in between starts the count again, until half of the last 20 have failed", () => {
  const breaker = createBreaker();
  for (let count = 0; count < 9; count++) {
    attempt(breaker, 0, "backend_timeout");
    attempt(breaker, 0);
  }
  assert.equal(breaker.state(0).isOpen, false);
  attempt(breaker, 0, "backend_timeout");
  attempt(breaker, 0);
  assert.equal(breaker.state(0).isOpen, true);
});

test("failures half a minute ago do not count", () => {
  const breaker = createBreaker();
  fail(breaker, 9, 0);
  fail(breaker, 9, 31_000);
  assert.equal(breaker.state(31_000).isOpen, false);
});

test("an open breaker lets one probe in per 5 s and closes when it succeeds", () => {
  const breaker = createBreaker();
  fail(breaker, 10, 1_000);
  assert.equal(attempt(breaker, 5_999), "open");
  assert.equal(attempt(breaker, 6_000, "backend_timeout"), "admitted");
  assert.equal(attempt(breaker, 6_001), "open");
  assert.equal(attempt(breaker, 10_999), "open");
  assert.equal(attempt(breaker, 11_000), "admitted");
  assert.equal(breaker.state(11_000).isOpen, false);
  assert.equal(attempt(breaker, 11_001), "admitted");
});

test("over ten minutes of outage the backend gets one call per 5 s", () => {
  const breaker = createBreaker();
  let calls = 0;
  for (let nowMs = 0; nowMs < 600_000; nowMs += 10) {
    if (attempt(breaker, nowMs, "backend_unreachable") === "admitted") calls += 1;
  }
  assert.ok(calls >= 119 && calls <= 131, `${calls} calls for 60,000 turns`);
});

test("under any mix of results it changes state at most once per 5 s", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 2_000 }), fc.boolean()), { maxLength: 400 }),
      (results) => {
        const breaker = createBreaker();
        let nowMs = 0;
        let wasOpen = false;
        let changedAtMs = -Infinity;
        for (const [afterMs, isGood] of results) {
          nowMs += afterMs;
          attempt(breaker, nowMs, isGood ? undefined : "backend_disconnected");
          const { isOpen, inFlight } = breaker.state(nowMs);
          assert.equal(inFlight, 0);
          if (isOpen === wasOpen) continue;
          assert.ok(nowMs - changedAtMs >= 5_000);
          wasOpen = isOpen;
          changedAtMs = nowMs;
        }
      },
    ),
  );
});

test("admits as many attempts at once as the backend's limit", () => {
  const breaker = createBreaker();
  assert.equal(breaker.admit(0, 2), "admitted");
  assert.equal(breaker.admit(0, 2), "admitted");
  assert.equal(breaker.admit(0, 2), "full");
  breaker.settle(0, undefined);
  assert.equal(breaker.admit(0, 2), "admitted");
});

test("three retries may always be in flight, beyond that a tenth of the last 10 s' turns", () => {
  const breaker = createBreaker();
  const takeAll = (nowMs: number) => {
    let taken = 0;
    while (breaker.takeRetry(nowMs)) taken += 1;
    for (let count = 0; count < taken; count++) breaker.giveBackRetry();
    return taken;
  };
  assert.equal(takeAll(0), 3);
  for (let count = 0; count < 100; count++) breaker.countTurn(500);
  assert.equal(takeAll(500), 10);
  for (let count = 0; count < 100; count++) breaker.countTurn(6_500);
  assert.equal(takeAll(9_900), 20);
  assert.equal(takeAll(10_500), 10);
  assert.equal(takeAll(60_000), 3);
});

test("an open breaker grants no retry", () => {
  const breaker = createBreaker();
  fail(breaker, 10, 0);
  assert.equal(breaker.takeRetry(0), false);
});
