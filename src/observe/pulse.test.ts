import assert from "node:assert/strict";
import { test } from "node:test";
import type { TurnEvent } from "../gateway.ts";
import { addPulses, createPulse, PULSE_MINUTES } from "./pulse.ts";

/** What is read of a turn: which it is, what it took, what became of its session. */
function turn(part: {
  readonly outcome?: string;
  readonly turns?: number;
  readonly ended?: string;
  readonly tookMs?: number;
}): TurnEvent {
  const { outcome = "ok", turns = 1, ended, tookMs = 5 } = part;
  const session = { turns, ended: ended !== undefined, outcome: ended };
  return { outcome, session, tookMs } as unknown as TurnEvent;
}

test("a session is begun once and over once, however often its turns are repeated", () => {
  const pulse = createPulse(() => 120_000);
  pulse.turn(turn({}));
  pulse.turn(turn({ outcome: "repeat" }));
  pulse.turn(turn({ turns: 2, ended: "completed" }));
  pulse.turn(turn({ outcome: "repeat", turns: 2, ended: "completed" }));
  pulse.turn(turn({ outcome: "abort", turns: 2, ended: "completed" }));
  const [minute] = pulse.read();
  const counts = { turns: 5, begun: 1, completed: 1, failed: 0, over: 1 };
  assert.deepEqual(minute, { minute: 2, p95Ms: 5, ...counts });
});

test("a timeout is a failure; hanging up and giving up are none", () => {
  const pulse = createPulse(() => 0);
  pulse.turn(turn({ outcome: "backend_timeout", ended: "backend_timeout" }));
  pulse.turn(turn({ outcome: "abort", turns: 3, ended: "cancelled" }));
  pulse.finished("abandoned");
  pulse.finished("unknown");
  const [minute] = pulse.read();
  assert.deepEqual([minute?.over, minute?.failed, minute?.completed], [4, 2, 0]);
});

test("each minute has its own percentile, and one of an hour ago is gone", () => {
  let nowMs = 0;
  const pulse = createPulse(() => nowMs);
  for (let n = 1; n <= 100; n++) pulse.turn(turn({ tookMs: n }));
  nowMs = 60_000;
  pulse.turn(turn({ tookMs: 7 }));
  assert.deepEqual(
    pulse.read().map(({ p95Ms }) => p95Ms),
    [95, 7],
  );
  nowMs = PULSE_MINUTES * 60_000;
  assert.deepEqual(
    pulse.read().map(({ minute }) => minute),
    [1],
  );
});

test("nodes are added up by the minute, and minutes without a turn are there", () => {
  const quiet = { begun: 0, completed: 0, failed: 0, over: 0 };
  const one = [{ minute: 99, turns: 4, p95Ms: 8, ...quiet }];
  const other = [{ minute: 99, turns: 6, p95Ms: 20, ...quiet }];
  const all = addPulses([one, other], 100 * 60_000);
  assert.equal(all.length, PULSE_MINUTES);
  assert.deepEqual(all.at(-2), { minute: 99, turns: 10, p95Ms: 20, ...quiet });
  assert.equal(all.at(-1)?.turns, 0);
});
