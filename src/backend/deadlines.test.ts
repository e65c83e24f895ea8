import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createDeadlines } from "./deadlines.ts";

test("fires each callback once when its time has passed, in real time, at most a tick late", async () => {
  const nowMs = () => performance.now();
  const deadlines = createDeadlines({ nowMs });
  const startMs = nowMs();
  const lateMs = await Promise.all(
    [15, 40, 41, 95].map(
      (afterMs) =>
        new Promise<number>((resolve) => {
          deadlines.add(startMs + afterMs, () => resolve(nowMs() - startMs - afterMs));
        }),
    ),
  );
  assert.ok(Math.min(...lateMs) >= 0, `early: ${lateMs.join()}`);
  // Ten ms of tick; the rest is for a busy machine.
  assert.ok(Math.max(...lateMs) <= 60, `late: ${lateMs.join()}`);
  assert.equal(deadlines.count(), 0);
  deadlines.close();
});

test("on an even clock no deadline is more than 25 ms late", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  try {
    let now = 0;
    const deadlines = createDeadlines({ nowMs: () => now });
    const lateMs: number[] = [];
    for (let atMs = 1; atMs <= 500; atMs += 7) deadlines.add(atMs, () => lateMs.push(now - atMs));
    const expected = deadlines.count();
    for (; now <= 600; now++) mock.timers.tick(1);
    assert.equal(lateMs.length, expected);
    assert.ok(Math.min(...lateMs) >= 0);
    assert.ok(Math.max(...lateMs) <= 25);
    deadlines.close();
  } finally {
    mock.timers.reset();
  }
});

test("a cancelled deadline does not fire, also when cancelled by one that fires before it", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  try {
    let now = 0;
    const deadlines = createDeadlines({ nowMs: () => now });
    const fired: string[] = [];
    deadlines.cancel(deadlines.add(5, () => fired.push("cancelled")));
    deadlines.add(5, () => {
      fired.push("first");
      deadlines.cancel(second);
    });
    const second = deadlines.add(5, () => fired.push("second"));
    deadlines.add(5, () => fired.push("third"));
    now = 20;
    mock.timers.tick(20);
    assert.deepEqual(fired, ["first", "third"]);
    deadlines.close();
  } finally {
    mock.timers.reset();
  }
});

test("an earlier deadline added later still fires first", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  try {
    let now = 0;
    const deadlines = createDeadlines({ nowMs: () => now });
    const fired: number[] = [];
    deadlines.add(1_000, () => fired.push(1_000));
    deadlines.add(50, () => fired.push(50));
    for (; now < 60; now++) mock.timers.tick(1);
    assert.deepEqual(fired, [50]);
    deadlines.close();
  } finally {
    mock.timers.reset();
  }
});

test("starts its tick again after a pause long enough to give it up", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  try {
    let now = 0;
    const deadlines = createDeadlines({ nowMs: () => now });
    let fired = 0;
    deadlines.add(5, () => fired++);
    for (; now < 3_000; now++) mock.timers.tick(1);
    deadlines.add(now + 5, () => fired++);
    for (; now < 3_100; now++) mock.timers.tick(1);
    assert.equal(fired, 2);
    deadlines.close();
  } finally {
    mock.timers.reset();
  }
});

test("ten thousand waiting deadlines cost an idle tick one comparison", async () => {
  const deadlines = createDeadlines({ nowMs: () => performance.now() });
  const farMs = performance.now() + 3_600_000;
  for (let count = 0; count < 10_000; count++) deadlines.add(farMs, () => assert.fail());
  const before = process.cpuUsage();
  await sleep(300);
  const { user, system } = process.cpuUsage(before);
  deadlines.close();
  // Thirty ticks; scanning 10,000 entries on each would take well over this.
  assert.ok(user + system < 100_000, `${user + system} µs of CPU in 300 ms`);
});
