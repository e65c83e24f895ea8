/** The documents that the product must satisfy, where they are: beside the repository. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../../../shared/specs/", import.meta.url);

/** Why tests that read the documents are skipped; false where they are there. */
export const specsMissing = existsSync(fileURLToPath(FOLDER))
  ? false
  : "the documents are not in ../shared/specs";

/** A document as it stands; "" where there are none. */
export function readSpec(name: string): string {
  return specsMissing === false ? readFileSync(new URL(name, FOLDER), "utf8") : "";
}

/**
 * What stands between two lines of a document, byte for byte but for the empty lines around it.
 * Throws unless both lines are there, so that no test runs on nothing.
 */
export function cut(document: string, startLine: string, endLine: string): string {
  const lines = `\n${document}\n`;
  const start = lines.indexOf(`\n${startLine}\n`);
  const end = lines.indexOf(`\n${endLine}\n`, start + 1);
  if (start === -1 || end === -1) throw new Error(`no "${startLine}" … "${endLine}"`);
  return lines.slice(start + startLine.length + 2, end + 1).replace(/^\n+|\n+$/g, "") + "\n";
}

/** What a document prints after `startLine` and then `titleLine`, without a newline at the end. */
export function cutPrinted(
  document: string,
  startLine: string,
  titleLine: string,
  endLine: string,
): string {
  const fromHere = document.slice(document.indexOf(`\n${startLine}\n`));
  return cut(fromHere, titleLine, endLine).replace(/\n$/, "");
}

/** The nth JSON value after a line of a document. */
export function cutJson(document: string, line: string, nth: number): Record<string, unknown> {
  const start = `\n${document}`.indexOf(`\n${line}\n`);
  if (start === -1) throw new Error(`no line "${line}"`);
  const lines = document.slice(start).split("\n");
  let seen = 0;
  for (let first = 0; first < lines.length; first++) {
    if (lines[first] !== "{" && lines[first] !== "[") continue;
    // The shortest run of lines that is JSON: indentation is lost in some of the documents.
    for (let last = first + 1; last <= lines.length; last++) {
      const value = parse(lines.slice(first, last).join("\n"));
      if (value === undefined) continue;
      if (seen === nth) return value;
      seen += 1;
      first = last - 1;
      break;
    }
  }
  throw new Error(`fewer than ${nth + 1} JSON values after "${line}"`);
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Names and types of a JSON value, in any order: what two answers of one kind have in common. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return typeof value;
  const shapes = Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)] as const);
  return Object.fromEntries(shapes.sort(([one], [two]) => (one < two ? -1 : 1)));
}
