/** How a screen looks in a terminal and in a pipe. Pure text. */
import { septetsMax } from "../core/gsm7.ts";
import { cleanScreen, measureScreen } from "../core/screen.ts";

export type Handset = {
  /** A screen and what is to be known about it. */
  screen(text: string, size: { readonly octetsMax: number; readonly tookMs: number }): string;
  /** What was typed, where the terminal did not show it already. */
  typed(text: string): string;
  /** Asks for input. */
  prompt(label: string): string;
  closing(why: "session ended" | "hung up"): string;
};

const BOX_COLUMNS_MIN = 24;
const BOX_COLUMNS_MAX = 60;

/** A box as wide as its longest line. */
export const terminalHandset: Handset = {
  screen(text, { octetsMax, tookMs }) {
    const lines = linesOf(text).flatMap(wrap);
    const longest = Math.max(...lines.map((line) => columnsOf(line)));
    const columns = Math.max(BOX_COLUMNS_MIN, longest);
    const rule = "─".repeat(columns + 2);
    const rows = lines.map((line) => `│ ${line}${" ".repeat(columns - columnsOf(line))} │\n`);
    const about = `  ${sizeOf(text, octetsMax)} · ${Math.round(tookMs)} ms\n`;
    return `┌${rule}┐\n${rows.join("")}└${rule}┘\n${about}`;
  },
  typed: () => "",
  prompt: (label) => `${label}> `,
  closing: (why) => `${why === "hung up" ? "\n" : ""}— ${why} —\n`,
};

/** One mark and a space before each line: "|" screen, "=" about it, ">" typed, "—" the end. */
export const pipeHandset: Handset = {
  screen(text, { octetsMax, tookMs }) {
    const rows = linesOf(text).map((line) => `| ${line}\n`);
    return `${rows.join("")}= ${sizeOf(text, octetsMax)}, ${Math.round(tookMs)} ms\n`;
  },
  typed: (text) => `> ${printable(text)}\n`,
  prompt: () => "",
  closing: (why) => `— ${why} —\n`,
};

/** "septets 58/182" or "characters 31/80 UCS-2". */
export function sizeOf(text: string, octetsMax: number): string {
  const { alphabet, units } = measureScreen(text);
  if (alphabet === "gsm7") return `septets ${units}/${septetsMax(octetsMax)}`;
  return `characters ${units}/${Math.floor(octetsMax / 2)} UCS-2`;
}

/** Neither a terminal's escapes nor marks that turn the reading direction (RELIABILITY T23). */
export function printable(text: string): string {
  return cleanScreen(text).replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
}

function linesOf(text: string): readonly string[] {
  return printable(text).split("\n");
}

function wrap(line: string): readonly string[] {
  const characters = Array.from(line);
  if (characters.length <= BOX_COLUMNS_MAX) return [line];
  const rows: string[] = [];
  for (let start = 0; start < characters.length; start += BOX_COLUMNS_MAX) {
    rows.push(characters.slice(start, start + BOX_COLUMNS_MAX).join(""));
  }
  return rows;
}

function columnsOf(line: string): number {
  return Array.from(line).length;
}
