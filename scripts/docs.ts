/** Writes the generated parts of docs/. `npm run docs`; test/docs.test.ts finds drift. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describeSettings } from "../src/config.ts";
import { hasCaptures, PAGES, protocolPages } from "./protocol-docs.ts";

const FILE = new URL("../docs/configuration.md", import.meta.url);

const BEGIN = "<!-- settings: written by `npm run docs` -->";
const END = "<!-- /settings -->";

/** The table of settings, padded as prettier pads it. */
export function settingsTable(): string {
  const head = ["Setting", "In the file", "Must be", "Default", "What it is"];
  const rows = describeSettings().map((setting) => {
    const { env, name, expects, development, production, help } = setting;
    const fallback =
      development === production ? development : `${development}; in production ${production}`;
    return [`\`${env}\``, `\`${name}\``, expects.replaceAll("|", "\\|"), fallback, help];
  });
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

export function withSettings(page: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error("the page lost its markers");
  return `${before}${BEGIN}\n\n${settingsTable()}\n\n${END}${after}`;
}

if (import.meta.main) {
  writeFileSync(FILE, withSettings(readFileSync(FILE, "utf8")));
  if (hasCaptures) await writeProtocols();
  else console.error("docs/protocols/ is left alone: the captures that it counts are not here");
}

async function writeProtocols(): Promise<void> {
  const pages = await protocolPages();
  mkdirSync(PAGES, { recursive: true });
  for (const name of readdirSync(PAGES)) if (!pages.has(name)) rmSync(PAGES + name);
  for (const [name, text] of pages) writeFileSync(PAGES + name, text);
}
