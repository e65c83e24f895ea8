import assert from "node:assert/strict";
import { test } from "node:test";
import { bounded } from "./bounded.ts";
import { CALLBACK_PATH, olaDoor } from "./dialogue.ts";
import { formatCents, parseCents } from "./money.ts";
import type { JsonAnswer } from "./serve.ts";

type Door = ReturnType<typeof olaDoor<number>>;

/** A dialogue that counts its steps; each takes as long as `pause` does. */
function counting(pause: () => Promise<void> = async () => {}) {
  const clock = { nowMs: 0 };
  let steps = 0;
  const door = olaDoor<number>({
    start: 1,
    async step(state, { input }) {
      steps += 1;
      if (input === "throw") throw new Error("as asked");
      await pause();
      return { lines: [`state ${state}`], next: input === "0" ? undefined : state + 1 };
    },
    failed: ["System error"],
    nowMs: () => clock.nowMs,
    sessionTtlMs: 1_000,
  });
  return { door, clock, steps: () => steps };
}

function post(door: Door, body: Record<string, unknown>): Promise<JsonAnswer> {
  return door({ method: "POST", path: CALLBACK_PATH, headers: {}, body });
}
const dial = { msisdn: "258821234567", session_id: "s1", transaction_id: "t1", input: "" };
const lines = (answer: JsonAnswer): unknown => (answer.body as { output: unknown }).output;

test("a step runs once however often its transaction id arrives", async () => {
  const { door, steps } = counting();
  const first = await post(door, dial);
  assert.deepEqual(await post(door, dial), first);
  assert.equal(steps(), 1);
});

test("a twin that overtakes a slow step waits for its answer", async () => {
  let release = (): void => {};
  const { door, steps } = counting(() => new Promise((resolve) => (release = resolve)));
  const first = post(door, dial);
  const twin = post(door, dial);
  await new Promise(setImmediate);
  release();
  assert.deepEqual(await twin, await first);
  assert.equal(steps(), 1);
});

test("of two answers at once the second is taken in the state after the first", async () => {
  const { door } = counting(() => new Promise(setImmediate));
  await post(door, dial);
  const both = await Promise.all([
    post(door, { ...dial, transaction_id: "t2", input: "5" }),
    post(door, { ...dial, transaction_id: "t3", input: "5" }),
  ]);
  assert.deepEqual(both.map(lines), [["state 2"], ["state 3"]]);
});

test("nothing is done twice when a dialogue is ended by two answers at once", async () => {
  const { door, steps } = counting(() => new Promise(setImmediate));
  await post(door, dial);
  const both = await Promise.all([
    post(door, { ...dial, transaction_id: "t2", input: "0" }),
    post(door, { ...dial, transaction_id: "t3", input: "0" }),
  ]);
  assert.deepEqual(lines(both[1]), ["Session expired", "", "Please dial again"]);
  assert.equal(steps(), 2);
});

test("another subscriber with the same ids has a dialogue of their own", async () => {
  const { door } = counting();
  await post(door, dial);
  await post(door, { ...dial, transaction_id: "t2", input: "5" });
  const other = await post(door, { ...dial, msisdn: "258849999999" });
  assert.deepEqual(lines(other), ["state 1"]);
});

test("an answer after the TTL is not taken for a choice of the main menu", async () => {
  const { door, clock, steps } = counting();
  await post(door, dial);
  clock.nowMs = 1_000;
  const late = await post(door, { ...dial, transaction_id: "t2", input: "1" });
  assert.deepEqual(lines(late), ["Session expired", "", "Please dial again"]);
  assert.equal(steps(), 1);
});

test("the TTL slides: each answer begins it anew", async () => {
  const { door, clock } = counting();
  await post(door, dial);
  clock.nowMs = 900;
  await post(door, { ...dial, transaction_id: "t2", input: "1" });
  clock.nowMs = 1_800;
  const later = await post(door, { ...dial, transaction_id: "t3", input: "1" });
  assert.deepEqual(lines(later), ["state 3"]);
});

test("a step that throws is a screen that ends the session", async () => {
  const { door } = counting();
  await post(door, dial);
  const { status, body } = await post(door, { ...dial, transaction_id: "t2", input: "throw" });
  assert.equal(status, 200);
  assert.deepEqual(body, {
    session_id: "s1",
    transaction_id: "t2",
    output: ["System error"],
    end_session: true,
  });
});

test("a request that lacks a field is refused by its name", async () => {
  const { door, steps } = counting();
  for (const field of ["msisdn", "session_id", "transaction_id"]) {
    const answer = await post(door, { ...dial, [field]: undefined });
    assert.equal(answer.status, 400);
    const body = { error: "missing_field", message: `${field} is required` };
    assert.deepEqual(answer.body, body);
  }
  assert.equal((await post(door, { ...dial, input: 5 })).status, 400);
  assert.equal(steps(), 0);
});

test("the oldest entries leave a full map, rewritten ones stay", () => {
  const map = bounded<number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  map.set("c", 4);
  assert.deepEqual([map.get("a"), map.get("b"), map.get("c"), map.size], [3, undefined, 4, 2]);
  assert.deepEqual(map.first(), ["a", 3]);
});

test("amounts are read strictly, in cents", () => {
  assert.deepEqual(
    ["500", "0.1", "12.05", "999999999.99", "0050"].map(parseCents),
    [50_000, 10, 1_205, 99_999_999_999, 5_000],
  );
  for (const text of ["", "0", "0.00", "-5", "1e3", "5abc", "1.005", "5.", ".5", "1,000", " 5"]) {
    assert.equal(parseCents(text), undefined, text);
  }
  assert.deepEqual([5, 50, 123_456].map(formatCents), ["0.05", "0.50", "1234.56"]);
});
