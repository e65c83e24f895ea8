import assert from "node:assert/strict";
import { test } from "node:test";
import type { Msisdn, ServiceCode, SessionDetail, TurnRecord } from "../types.ts";
import { fingerprint, insightsOf } from "./insights.ts";

const START_MS = Date.parse("2026-11-25T07:10:00Z");
const turn = (startedAtMs: number, input: string, screen: string): TurnRecord => ({
  ...{ outcome: "ok", startedAtMs, tookMs: 100, backendMs: 90, input, screen, action: "continue" },
  ...{ attempts: [], requestOctets: 1, replyOctets: 1, flaw: undefined },
});
const session = (
  outcome: SessionDetail["outcome"],
  ...said: (readonly [string, string])[]
): SessionDetail => ({
  ...{ id: "sess_1", channel: "ola", msisdn: "258840000001" as Msisdn, provider: "movitel" },
  ...{ networkSessionId: undefined, serviceCode: "*365#" as ServiceCode, startedAtMs: START_MS },
  ...{ lastAtMs: START_MS, turns: said.length, outcome, lastReply: undefined },
  records: said.map(([input, screen], index) => turn(START_MS + index * 1_100, input, screen)),
});

test("screens that differ in their numbers alone are one", () => {
  assert.equal(fingerprint("1. Balance: 12,500 MZN"), "1. Balance: #,# MZN");
});

test("a tree of screens says where dialogues end and where they are left", () => {
  const found = insightsOf([
    session("completed", ["", "Menu"], ["1", "Balance 100"]),
    session("completed", ["", "Menu"], ["1", "Balance 250"]),
    session("abandoned", ["", "Menu"], ["9", "Menu"], ["1", "Balance 7777"]),
    session("abandoned", ["", "Menu"]),
    session("live", ["", "Menu"]),
  ]);
  assert.deepEqual(found.nodes, [
    { parent: null, screen: "Menu", views: 5, left: 1, completed: 0 },
    { parent: 0, screen: "Balance #", views: 2, left: 0, completed: 2 },
    { parent: 0, screen: "Menu", views: 1, left: 0, completed: 0 },
    { parent: 2, screen: "Balance #", views: 1, left: 1, completed: 0 },
  ]);
  assert.deepEqual([found.sessions, found.completed, found.turns_per_completed], [5, 2, 2]);
  assert.deepEqual(found.invalid, [{ screen: "Menu", input: "9", times: 1 }]);
  assert.deepEqual(found.answers, [{ screen: "Menu", answers: 4, p50_ms: 1_000, p95_ms: 1_000 }]);
  assert.deepEqual(found.by_code, [{ name: "*365#", sessions: 5, completed: 2 }]);
  assert.deepEqual(found.by_hour[7], { sessions: 5, completed: 2 });
});

test("a tree stays small whatever applications say", () => {
  const names = Array.from({ length: 400 }, (_, index) => {
    const letters = String(index).replace(/\d/g, (digit) => "abcdefghij"[Number(digit)] ?? "");
    return session("completed", ["", "Menu"], ["1", `Hello ${letters}`]);
  });
  const { nodes } = insightsOf(names);
  assert.equal(nodes.length, 201);
  assert.deepEqual(nodes.at(-1), {
    ...{ parent: 0, screen: "…", views: 201, left: 0, completed: 201 },
  });
});
