/** What became of a session, in one sentence: the line an operator reads out to a subscriber. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionDetail, TurnShown } from "../lib/shapes.ts";
import { explain } from "./explain.ts";
import { partsOf } from "./waterfall-parts.ts";

function turn(given: Partial<TurnShown>): TurnShown {
  return {
    ...{ outcome: "ok", started_at: "2026-11-27T10:00:00.000Z", took_ms: 12, backend_ms: 9 },
    ...{ input: "", screen: "Menu\n1. Pay", action: "continue", request_octets: 1 },
    ...{ reply_octets: 1, flaw: null, attempts: [], ...given },
  };
}
function session(outcome: string, records: readonly TurnShown[]): SessionDetail {
  return {
    ...{ id: "sess_0", channel: "test", msisdn: "258****567", service_code: "*365#" },
    ...{ provider: "movitel", started_at: "2026-11-27T10:00:00.000Z", turns: records.length },
    ...{ last_at: "2026-11-27T10:00:09.400Z", outcome, records: [...records] },
  };
}
const attempt = (
  start_ms: number,
  took_ms: number,
  failure: string | null,
  status: number | null,
) => ({
  ...{ transaction_id: "txn_1", start_ms, took_ms, status, failure },
});
const pin = turn({ screen: "Enter PIN:" });
const failed = (outcome: string, status: number | null) =>
  turn({
    ...{ outcome, screen: "We are confirming your request.", took_ms: 9_400, backend_ms: 9_400 },
    attempts: [attempt(1, 5_000, outcome, status), attempt(6_000, 3_400, outcome, status)],
  });

for (const [outcome, records, said] of [
  ["completed", [turn({}), turn({ action: "end" })], /^Completed: .* after 2 turns and 9 s\.$/],
  ["live", [turn({}), pin], /^Under way: the subscriber reads “Enter PIN:”\.$/],
  ["abandoned", [pin], /^Nobody answered “Enter PIN:”/],
  ["cancelled", [pin, turn({ outcome: "abort", screen: "" })], /hung up.* at “Enter PIN:”/],
  [
    "backend_timeout",
    [pin, failed("backend_timeout", null)],
    /^The application did not answer in time: 2 attempts, 9\.40 s waited after “Enter PIN:”\.$/,
  ],
  ["backend_failed", [pin, failed("backend_failed", 503)], /status 503 after 2 attempts/],
  [
    "backend_not_found",
    [failed("backend_not_found", null)],
    /^Nobody has registered .* at the dial\.$/,
  ],
  ["store_unavailable", [failed("store_unavailable", null)], /^It ended with store_unavailable/],
] as const) {
  test(`${outcome} is explained`, () => assert.match(explain(session(outcome, records)), said));
}

test("a turn's time is laid out without a gap: before, attempts, waits, after", () => {
  const [, last] = [pin, failed("backend_timeout", null)];
  const parts = partsOf(last);
  assert.deepEqual(
    parts.map(({ kind, startMs, tookMs }) => [kind, startMs, tookMs]),
    [
      ["decode", 0, 1],
      ["failed", 1, 5_000],
      ["wait", 5_001, 999],
      ["failed", 6_000, 3_400],
    ],
  );
});
