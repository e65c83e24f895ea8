import assert from "node:assert/strict";
import { test } from "node:test";
import type { TurnEvent } from "../gateway.ts";
import { createBackendTimes } from "./backend-times.ts";

/** What is read of a turn: whose it is, and how long it waited. */
function turn(backendId: number | undefined, backendMs: number, attempts = 1): TurnEvent {
  const record = { backendMs, attempts: Array.from({ length: attempts }) };
  return { session: { backendId }, record } as unknown as TurnEvent;
}

test("the 95th percentile is of the newest two hundred turns", () => {
  const times = createBackendTimes();
  for (let n = 0; n < 500; n++) times.turn(turn(1, 9_000));
  for (let n = 1; n <= 200; n++) times.turn(turn(1, n));
  assert.deepEqual(times.of(1), { turns: 200, p95Ms: 190 });
});

test("turns that asked no backend are not of its time", () => {
  const times = createBackendTimes();
  times.turn(turn(undefined, 5));
  times.turn(turn(2, 0, 0));
  assert.equal(times.of(2), undefined);
  times.turn(turn(2, 7));
  assert.deepEqual(times.of(2), { turns: 1, p95Ms: 7 });
});
