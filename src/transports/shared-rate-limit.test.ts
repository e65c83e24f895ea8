import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { KEYS_MAX } from "./rate-limit.ts";
import { createSharedRateLimit, TELL_EVERY_MS } from "./shared-rate-limit.ts";

const MAX = 10;
const MINUTE_MS = 60_000;

/** Two nodes and what is between them. */
function twoNodes() {
  const counted = new Map<string, number>();
  const reported: unknown[] = [];
  const store = { isDown: false, asked: 0, keysMost: 0 };
  const open = (node: string) =>
    createSharedRateLimit({
      perMinuteMax: MAX,
      wallMs: () => Date.now(),
      report: (error) => reported.push(error),
      async count(minute, own) {
        store.asked += 1;
        store.keysMost = Math.max(store.keysMost, own.size);
        await Promise.resolve();
        if (store.isDown) throw new Error("away");
        const other = node === "a" ? "b" : "a";
        for (const [key, n] of own) counted.set(`${node} ${minute} ${key}`, n);
        return new Map(
          [...own.keys()].map((key) => [key, counted.get(`${other} ${minute} ${key}`) ?? 0]),
        );
      },
    });
  return { counted, reported, store, a: open("a"), b: open("b") };
}

async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await new Promise((done) => setImmediate(done));
}

describe("a limit of 10 over two nodes", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000 * MINUTE_MS }));
  afterEach(() => mock.timers.reset());

  // "a 12 = 10": node a is asked 12 times and lets 10 in. "tell": both told each other, if they had
  // anything to tell. "down", "up": the store.
  for (const [title, ...steps] of [
    ["a node's own requests count at once", "a 12 = 10"],
    ["what one took is taken from the other", "a 6 = 6", "tell", "b 1 = 1", "tell", "b 9 = 3"],
    ["full on one is full on the other", "a 10 = 10", "tell", "b 1 = 1", "tell", "b 5 = 0"],
    ["each may fill it before it hears: never more", "a 20 = 10", "b 20 = 10", "tell", "b 1 = 0"],
    [
      "told first, a node hears with its next",
      "a 4 = 4",
      "b 4 = 4",
      "tell",
      "a 1 = 1",
      "tell",
      "a 4 = 1",
    ],
    ["a new minute is a new limit", "a 10 = 10", "tell", "minute", "b 12 = 10", "a 1 = 1"],
    ["what was not told of a minute is not told in the next", "a 9 = 9", "minute", "b 10 = 10"],
    ["without the store a node goes on alone", "down", "a 6 = 6", "tell", "a 9 = 4", "b 4 = 4"],
    ["… with what it knew", "a 6 = 6", "tell", "b 1 = 1", "tell", "down", "b 9 = 3"],
    ["… and tells when it is back", "down", "a 8 = 8", "tell", "up", "tell", "b 1 = 1", "tell"],
  ] as const) {
    test(`${title}: ${steps.join(", ")}`, async () => {
      const nodes = twoNodes();
      for (const step of steps) {
        const asked = /^([ab]) (\d+) = (\d+)$/.exec(step);
        if (asked !== null) {
          const { take } = nodes[asked[1] as "a" | "b"];
          const taken = Array.from({ length: Number(asked[2]) }, () => take("10.0.0.1"));
          assert.equal(taken.filter(Boolean).length, Number(asked[3]), step);
        } else if (step === "minute") await pass(MINUTE_MS);
        else if (step === "tell") await pass(TELL_EVERY_MS);
        else nodes.store.isDown = step === "down";
      }
      const isAway = (steps as readonly string[]).includes("down");
      assert.ok(nodes.reported.length <= (isAway ? 2 : 0));
    });
  }

  test("nothing is told while there is nothing to tell, nor what is refused", async () => {
    const { a, store } = twoNodes();
    await pass(10 * TELL_EVERY_MS);
    assert.equal(store.asked, 0);
    for (let nth = 0; nth < 20; nth += 1) a.take("10.0.0.1");
    await pass(TELL_EVERY_MS);
    assert.equal(store.asked, 1);
    a.take("10.0.0.1");
    await pass(10 * TELL_EVERY_MS);
    assert.equal(store.asked, 1);
  });

  test("a store that is away is reported once, and asked again each interval", async () => {
    const { a, store, reported, counted } = twoNodes();
    store.isDown = true;
    a.take("10.0.0.1");
    for (let nth = 0; nth < 5; nth += 1) await pass(TELL_EVERY_MS);
    assert.deepEqual([store.asked, reported.length], [5, 1]);
    store.isDown = false;
    await pass(TELL_EVERY_MS);
    assert.deepEqual([...counted.values()], [1]);
    store.isDown = true;
    a.take("10.0.0.1");
    await pass(TELL_EVERY_MS);
    assert.equal(reported.length, 2);
  });

  test("closed, it tells what it has not, and nothing after", async () => {
    const { a, counted, store } = twoNodes();
    a.take("10.0.0.1");
    await a.close();
    assert.deepEqual([...counted.values()], [1]);
    a.take("10.0.0.1");
    await pass(10 * TELL_EVERY_MS);
    assert.equal(store.asked, 1);
  });

  test("beyond 50,000 addresses the rest share one allowance; told a thousand at a time", async () => {
    const { a, b, counted, store } = twoNodes();
    for (let nth = 0; nth < KEYS_MAX; nth += 1) assert.equal(a.take(`k${nth}`), true);
    const rest = Array.from({ length: 1_000 }, (_, nth) => a.take(`rest${nth}`));
    assert.equal(rest.filter(Boolean).length, MAX);
    for (let nth = 0; nth <= KEYS_MAX; nth += 1) b.take(`other${nth}`);
    await pass(TELL_EVERY_MS);
    while (counted.size < 2 * (KEYS_MAX + 1)) await pass(0);
    assert.equal(store.keysMost, 1_000);
    b.take("rest1");
    await pass(TELL_EVERY_MS);
    assert.equal(b.take("rest2"), false);
  });
});
