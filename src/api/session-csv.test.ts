import assert from "node:assert/strict";
import { test } from "node:test";
import { csvCell } from "./session-csv.ts";

test("a cell is quoted where it has to be, and never a formula", () => {
  const cells: readonly (readonly [string | number | null, string])[] = [
    ["*365#", "*365#"],
    [7, "7"],
    [-7, "-7"],
    [null, ""],
    ['a "b", c', '"a ""b"", c"'],
    ["two\nlines", '"two\nlines"'],
    ["=HYPERLINK(1)", "'=HYPERLINK(1)"],
    ["+258", "'+258"],
    ["-1", "'-1"],
    ["@x", "'@x"],
    ["\t=1", "'\t=1"],
    ['=1+"a"', `"'=1+""a"""`],
  ];
  for (const [value, shown] of cells) assert.equal(csvCell(value), shown);
});
