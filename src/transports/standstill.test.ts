/** When a request may have come that is read after the process stood still. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { watchStandstill } from "./standstill.ts";

/** `stand`: time in which the process does nothing. `beat`: time in which it does what is due. */
function open(t: TestContext) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const clock = { ms: 1_000 };
  const { cameAtMs, close } = watchStandstill({ nowMs: () => clock.ms });
  t.after(close);
  const beat = (): void => {
    clock.ms += 50;
    t.mock.timers.tick(50);
  };
  for (let beats = 0; beats < 20; beats += 1) beat();
  return { clock, cameAtMs, stand: (ms: number) => void (clock.ms += ms), beat };
}

test("what is read while all goes well came now", (t) => {
  const { clock, cameAtMs, stand } = open(t);
  assert.equal(cameAtMs(), clock.ms);
  stand(120);
  assert.equal(cameAtMs(), clock.ms);
});

test("what is read after a standstill may have come before it", (t) => {
  const { clock, cameAtMs, stand, beat } = open(t);
  const beganMs = clock.ms;
  stand(9_000);
  assert.equal(cameAtMs(), beganMs - 100, "before any timer of ours ran");
  beat();
  assert.equal(cameAtMs(), beganMs - 50, "accepted after it, and read in the next round");
  beat();
  beat();
  assert.equal(cameAtMs(), clock.ms, "and then all was read that had waited");
});

test("of a process that is always late, what it reads has waited for two rounds", (t) => {
  const { clock, cameAtMs, stand, beat } = open(t);
  for (let rounds = 0; rounds < 40; rounds += 1) {
    stand(950);
    beat();
  }
  assert.equal(clock.ms - cameAtMs(), 2_000);
});
