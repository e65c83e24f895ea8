import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ATTEMPT_MS_MIN, nextAttempt, planAttempts, RESERVE_MS } from "./attempts.ts";

const defaults = { timeoutMs: 5_000, retries: 2 };
const spans = (backend: { timeoutMs: number; retries: number }, budgetMs: number) =>
  planAttempts(backend, budgetMs).attempts.map(({ startMs, endMs }) => [startMs, endMs]);

// RELIABILITY 1, "Worked examples with a silent backend".
test("OLA's defaults on a 20 s budget run at 0-5, 6-11 and 13-18 s", () => {
  const expected = [[0, 5_000], [6_000, 11_000], [13_000, 18_000]]; // prettier-ignore
  assert.deepEqual(spans(defaults, 20_000), expected);
  assert.equal(planAttempts(defaults, 20_000).isCut, false);
});

test("on Africa's Talking's 12 s the third attempt has no room", () => {
  assert.deepEqual(spans(defaults, 12_000), [[0, 5_000], [6_000, 11_000]]); // prettier-ignore
  assert.equal(planAttempts(defaults, 12_000).isCut, true);
});

test("on Kairos' 10 s the second attempt ends at 9.7 s", () => {
  assert.deepEqual(spans(defaults, 10_000), [[0, 5_000], [6_000, 9_700]]); // prettier-ignore
});

test("OLA's PUT example (10 s, 3 retries) asks for 47 s and gets 0-10, 11-19.7 of 20", () => {
  const backend = { timeoutMs: 10_000, retries: 3 };
  assert.deepEqual(spans(backend, 20_000), [[0, 10_000], [11_000, 19_700]]); // prettier-ignore
  assert.equal(planAttempts(backend, 20_000).wantedMs, 47_000);
});

test("waits double: 1, 2, 4, 8 s", () => {
  const waits = [0, 1, 2, 3, 4].map(
    (attempt) =>
      nextAttempt({ attempt, elapsedMs: 0, budgetMs: 60_000, timeoutMs: 1_000, retries: 9 })
        ?.waitMs,
  );
  assert.deepEqual(waits, [0, 1_000, 2_000, 4_000, 8_000]);
});

test("no attempt beyond the retries asked for", () => {
  const ask = { elapsedMs: 0, budgetMs: 60_000, timeoutMs: 1_000, retries: 1 };
  assert.ok(nextAttempt({ ...ask, attempt: 1 }));
  assert.equal(nextAttempt({ ...ask, attempt: 2 }), undefined);
});

test("a wait that would leave less than 500 ms is not begun", () => {
  const ask = { attempt: 1, budgetMs: 10_000, timeoutMs: 5_000, retries: 2 };
  const lastElapsedMs = 10_000 - RESERVE_MS - 1_000 - ATTEMPT_MS_MIN;
  assert.deepEqual(nextAttempt({ ...ask, elapsedMs: lastElapsedMs }), {
    waitMs: 1_000,
    timeoutMs: ATTEMPT_MS_MIN,
  });
  assert.equal(nextAttempt({ ...ask, elapsedMs: lastElapsedMs + 1 }), undefined);
});

test("Retry-After lengthens a wait when it fits and is ignored when it does not", () => {
  const ask = { attempt: 1, elapsedMs: 100, budgetMs: 10_000, timeoutMs: 5_000, retries: 2 };
  assert.equal(nextAttempt({ ...ask, retryAfterMs: 3_000 })?.waitMs, 3_000);
  assert.equal(nextAttempt({ ...ask, retryAfterMs: 500 })?.waitMs, 1_000);
  assert.equal(nextAttempt({ ...ask, retryAfterMs: 3_600_000 })?.waitMs, 1_000);
});

test("no schedule ever runs past the budget less the reserve", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 120_000 }),
      fc.integer({ min: 0, max: 1_000 }),
      fc.integer({ min: 0, max: 60_000 }),
      (timeoutMs, retries, budgetMs) => {
        const { attempts } = planAttempts({ timeoutMs, retries }, budgetMs);
        let previousEndMs = 0;
        for (const { startMs, endMs } of attempts) {
          assert.ok(startMs >= previousEndMs);
          assert.ok(endMs - startMs >= ATTEMPT_MS_MIN);
          assert.ok(endMs - startMs <= timeoutMs);
          assert.ok(endMs <= budgetMs - RESERVE_MS);
          previousEndMs = endMs;
        }
      },
    ),
  );
});
