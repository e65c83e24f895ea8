/** A file that is opened as a session is one in every field that the page shows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { importedSession, keepImported } from "./imported.ts";

const attempt = { transaction_id: "t1", start_ms: 1, took_ms: 8, status: 200, failure: null };
const turn = {
  ...{ outcome: "answered", started_at: "2026-11-25T10:00:00Z", took_ms: 9, backend_ms: 8 },
  ...{ input: "", screen: "Welcome", action: "continue", flaw: null },
  ...{ request_octets: 120, reply_octets: 60, attempts: [attempt] },
};
const session = {
  ...{ id: "sess_1", channel: "kairos", msisdn: "258••••567", provider: "movitel" },
  ...{ service_code: null, started_at: turn.started_at, last_at: turn.started_at },
  ...{ turns: 1, outcome: "completed", records: [turn] },
};

test("what the gateway exported is kept for the page", () => {
  assert.equal(keepImported(JSON.stringify(session)), undefined);
  assert.deepEqual(importedSession(), session);
});

test("of anything else the field that is wrong is named, and what was kept stays", () => {
  const wrong: readonly (readonly [unknown, string])[] = [
    ["a text", "JSON"],
    [{ ...session, id: 7 }, "id"],
    [{ ...session, last_at: "yesterday" }, "last_at"],
    [{ ...session, records: {} }, "records"],
    [{ ...session, records: [turn, { ...turn, took_ms: "9" }] }, "records[1].took_ms"],
    [{ ...session, records: [{ ...turn, attempts: [null] }] }, "records[0].attempts[0]"],
  ];
  for (const [value, place] of wrong) assert.equal(keepImported(JSON.stringify(value)), place);
  assert.equal(keepImported("{"), "JSON");
  assert.equal(keepImported(`"${"x".repeat(4_000_001)}"`), "JSON");
  assert.deepEqual(importedSession(), session);
});
