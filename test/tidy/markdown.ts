import assert from "node:assert/strict";

/** Body rows of the first table below a heading, cells without backticks. */
export function tableBelow(page: string, heading: string): readonly (readonly string[])[] {
  const lines = page.split("\n");
  const from = lines.indexOf(heading);
  assert.ok(from >= 0, `the page has no line "${heading}"`);
  const start = lines.findIndex((line, index) => index > from && line.startsWith("|"));
  assert.ok(start >= 0, `no table follows "${heading}"`);
  const rows: (readonly string[])[] = [];
  for (let index = start + 2; lines[index]?.startsWith("|"); index++) {
    const cells = lines[index]?.split("|").slice(1, -1) ?? [];
    rows.push(cells.map((cell) => cell.trim().replaceAll("`", "")));
  }
  return rows;
}
