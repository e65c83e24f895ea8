/** docs/errors.md is written by hand and held to the failure table. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { FailureCode, RetryClass } from "../src/core/failure.ts";
import { FAILURES, failureScreen, mayRetry } from "../src/core/failure.ts";
import { tableBelow } from "./tidy/markdown.ts";

const page = readFileSync(new URL("../docs/errors.md", import.meta.url), "utf8");
const codes = Object.keys(FAILURES) as readonly FailureCode[];

test("docs/errors.md lists every failure as the code has it", () => {
  const expected = codes.map((code) => {
    const { class: retryClass, status, error, level } = FAILURES[code];
    const screen = failureScreen(code, "en");
    return [code, retryClass, triedAgain(code), `${status} ${error}`, level, screen];
  });
  assert.deepEqual(tableBelow(page, "## Codes"), expected);
});

test("docs/errors.md says when each failure happens", () => {
  const rows = tableBelow(page, "## When each one happens");
  assert.deepEqual(
    rows.map(([code]) => code),
    codes,
  );
  for (const [code, when = ""] of rows) assert.match(when, /^[A-Z`].{20,}\.$/, code);
});

test("docs/errors.md explains every class", () => {
  const classes = new Set<RetryClass>(codes.map((code) => FAILURES[code].class));
  const explained = tableBelow(page, "# Failures").map(([name]) => name);
  assert.deepEqual(explained.toSorted(), [...classes].toSorted());
});

function triedAgain(code: FailureCode): string {
  if (mayRetry(code, false)) return "yes";
  return mayRetry(code, true) ? "if the backend is idempotent" : "no";
}
