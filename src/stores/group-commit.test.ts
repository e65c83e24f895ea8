import assert from "node:assert/strict";
import { test } from "node:test";
import type { Transaction } from "./group-commit.ts";
import { createGroupCommit } from "./group-commit.ts";

/** A transaction that writes down what is done to it; `fail` throws what it returns. */
function recorded(fail: (step: string, count: number) => Error | undefined = () => undefined) {
  const steps: string[] = [];
  const step = (name: string) => () => {
    steps.push(name);
    const error = fail(name, steps.filter((one) => one === name).length);
    if (error !== undefined) throw error;
  };
  const transaction: Transaction = {
    begin: step("begin"),
    commit: step("commit"),
    rollback: step("rollback"),
    isBusy: (error) => (error as Error).message === "busy",
    isOutage: (error) => ["busy", "full"].includes((error as Error).message),
  };
  return { steps, commits: createGroupCommit(transaction) };
}

function failing(): never {
  throw new Error("my fault");
}

test("what is asked for in one tick is one transaction", async () => {
  const { steps, commits } = recorded();
  const all = await Promise.all([1, 2, 3].map((n) => commits.submit(() => n * 2)));
  assert.deepEqual(all, [2, 4, 6]);
  assert.deepEqual(steps, ["begin", "commit"]);
});

test("what the next ticks bring joins the transaction, for some ticks and no longer", async () => {
  const { steps, commits } = recorded();
  const all: Promise<unknown>[] = [];
  let committedAfter: number | undefined;
  for (let tick = 1; tick <= 40; tick += 1) {
    all.push(commits.submit(() => tick));
    await new Promise(setImmediate);
    if (steps.includes("commit")) committedAfter ??= tick;
  }
  await Promise.all(all);
  assert.ok(committedAfter !== undefined && committedAfter > 4 && committedAfter < 20);
  assert.ok(steps.filter((step) => step === "commit").length <= 4);
});

test("64 that wait are committed at the next tick, whatever else is coming", async () => {
  const { steps, commits } = recorded();
  const all = Array.from({ length: 64 }, (_, n) => commits.submit(() => n));
  await new Promise(setImmediate);
  assert.deepEqual(steps, ["begin", "commit"]);
  await Promise.all(all);
});

test("nothing resolves before the commit", async () => {
  const { steps, commits } = recorded();
  const seen = commits.submit(() => 0).then(() => [...steps]);
  assert.deepEqual(await seen, ["begin", "commit"]);
});

test("an operation that throws fails alone, the others of its tick are committed", async () => {
  const { steps, commits } = recorded();
  const all = await Promise.allSettled([
    commits.submit(() => 1),
    commits.submit(failing),
    commits.submit(() => 3),
  ]);
  assert.deepEqual(
    all.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.equal(steps.filter((step) => step === "commit").length, 2);
});

test("a busy database is tried three times, then all operations of the tick fail", async () => {
  const { steps, commits } = recorded((step) => (step === "begin" ? new Error("busy") : undefined));
  const all = await Promise.allSettled([commits.submit(() => 1), commits.submit(() => 2)]);
  assert.deepEqual(
    all.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.equal(steps.filter((step) => step === "begin").length, 3);
});

test("a database that was busy once does the work at the second try", async () => {
  const { commits } = recorded((step, count) =>
    step === "commit" && count === 1 ? new Error("busy") : undefined,
  );
  assert.equal(await commits.submit(() => 7), 7);
});

test("a commit that fails for want of space fails every operation of the tick, once", async () => {
  const { steps, commits } = recorded((step) =>
    step === "commit" ? new Error("full") : undefined,
  );
  const all = await Promise.allSettled([commits.submit(() => 1), commits.submit(() => 2)]);
  assert.deepEqual(
    all.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.deepEqual(steps, ["begin", "commit", "rollback"]);
});

test("at most 10,000 operations wait, and those get through in transactions of 512", async () => {
  const { steps, commits } = recorded();
  const asked = Array.from({ length: 10_001 }, (_, n) => commits.submit(() => n));
  const all = await Promise.allSettled(asked);
  assert.equal(all.filter(({ status }) => status === "fulfilled").length, 10_000);
  assert.equal(all[10_000]?.status, "rejected");
  assert.equal(steps.filter((step) => step === "commit").length, Math.ceil(10_000 / 512));
});

test("closing commits what waits and refuses what comes after", async () => {
  const { commits } = recorded();
  const waiting = commits.submit(() => 1);
  commits.close();
  assert.equal(await waiting, 1);
  await assert.rejects(
    commits.submit(() => 2),
    /closed/,
  );
});
