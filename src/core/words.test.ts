import assert from "node:assert/strict";
import { test } from "node:test";
import { failureTexts } from "./failure.ts";
import { endWith, findTextProblem, wordsOf } from "./words.ts";

test("own words stand for the failures that say them; all others are built in", () => {
  const words = wordsOf("pt", new Map([["busy", "Volte mais tarde."]]));
  assert.deepEqual(endWith("backend_busy", words), { action: "end", screen: "Volte mais tarde." });
  const builtIn = wordsOf("pt");
  assert.equal(words.failure("session_lost"), builtIn.failure("session_lost"));
  assert.equal(builtIn.pages.more, "Mais");
});

const WRONG = /empty/;
for (const [what, text, problem] of [
  ["nothing", "", WRONG],
  ["blanks", " \u00a0 ", WRONG],
  ["a line feed", "Busy.\nDial again.", /one line/],
  ["a tab", "Busy.\tDial again.", /one line/],
  ["an escape", "Busy\u001b[31m", /one line/],
  ["half an emoji", "Busy \ud83d", /halves/],
  ["182 septets", "a".repeat(182), undefined],
  ["183 septets", "a".repeat(183), /183 septets.*182/],
  ["a euro sign is two septets", "a".repeat(181) + "€", /183 septets/],
  ["80 units of UCS-2", "ã".repeat(80), undefined],
  ["81 units of UCS-2", "ã".repeat(81), /81 UCS-2 units.*80/],
] as const) {
  test(`a text: ${what}`, () => {
    const found = findTextProblem(text);
    if (problem === undefined) assert.equal(found, undefined);
    else assert.match(found ?? "", problem);
  });
}

test("every built-in text passes the rule for an operator's own", () => {
  for (const { text } of failureTexts()) assert.equal(findTextProblem(text), undefined, text);
});
