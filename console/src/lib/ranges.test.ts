/** Ranges of insights, and what they are compared with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { comparedRangeOf, localTime, OWN, rangeOf } from "./ranges.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = Date.parse("2026-11-28T12:00:00Z");
const [FROM, TO] = ["2026-11-20T08:00", "2026-11-20T18:30"];
const own = { fromMs: Date.parse(FROM), toMs: Date.parse(TO) };

test("a range ends now, and a day is what nobody chose", () => {
  assert.deepEqual(rangeOf({ range: "1h" }, NOW_MS), { fromMs: NOW_MS - HOUR_MS, toMs: NOW_MS });
  const day = { fromMs: NOW_MS - 24 * HOUR_MS, toMs: NOW_MS };
  for (const range of ["", "24h", "constructor"]) assert.deepEqual(rangeOf({ range }, NOW_MS), day);
});

test("of one's own it is what lies between two moments, in that order", () => {
  assert.deepEqual(rangeOf({ range: OWN, from: FROM, to: TO }, NOW_MS), own);
  for (const [from, to] of [
    [TO, FROM],
    [FROM, FROM],
    [FROM, ""],
    ["soon", TO],
  ] as const)
    assert.equal(rangeOf({ range: OWN, from, to }, NOW_MS), undefined);
});

test("compared is the time before, the same a while before, or another one", () => {
  const tenHours = own.toMs - own.fromMs;
  const ago = (ms: number) => ({ fromMs: own.fromMs - ms, toMs: own.toMs - ms });
  assert.equal(comparedRangeOf({}, own), undefined);
  assert.equal(comparedRangeOf({ compare: "1d" }, undefined), undefined);
  assert.deepEqual(comparedRangeOf({ compare: "1" }, own), ago(tenHours));
  assert.deepEqual(comparedRangeOf({ compare: "7d" }, own), ago(168 * HOUR_MS));
  const other = { compare: OWN, compare_from: FROM, compare_to: TO };
  assert.deepEqual(comparedRangeOf(other, { fromMs: 1, toMs: 2 }), own);
});

test("a moment is written as a person's clock shows it", () => {
  assert.equal(Date.parse(localTime(NOW_MS)), NOW_MS);
});
