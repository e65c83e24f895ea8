/** System calls for each turn, as strace counts them. It slows a process down: no other figures. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fixed, tableText, thousands } from "./figures.ts";
import type { Row } from "./measure.ts";
import type { Outcome, Order } from "./load.ts";
import { nextMessage, start, type Running } from "./processes.ts";

const SHOWN_MAX = 14;
const ATTACH_MS = 1_000;

export async function countSyscalls(
  load: Running,
  row: Row,
  folder: string,
  durationMs: number,
): Promise<string> {
  if (spawnSync("strace", ["-V"]).status !== 0) return "strace is not installed: nothing counted";
  const { contender, dialogue, connections } = row;
  const file = join(folder, "strace.txt");
  const strace = start("strace", ["-f", "-c", "-q", "-o", file, "-p", String(contender.pid)]);
  await new Promise((done) => setTimeout(done, ATTACH_MS));
  if (strace.child.exitCode !== null) return "strace may not attach here: nothing counted";
  const path = contender.pathOf(dialogue.channel);
  const order: Order = { port: contender.port, path, dialogue, connections, durationMs };
  load.child.send(order);
  const { turns } = await nextMessage<Outcome>(load, durationMs + 30_000);
  const gone = new Promise((done) => strace.child.once("exit", done));
  // It writes its table when it is interrupted.
  strace.child.kill("SIGINT");
  await gone;
  const counts = readCounts(readFileSync(file, "utf8"));
  const sum = counts.reduce((total, { calls }) => total + calls, 0);
  const shown = counts
    .slice(0, SHOWN_MAX)
    .map(({ name, calls }) => [name, fixed(calls / turns, 2)]);
  const title = `system calls: ${row.title}, ${thousands(turns)} turns`;
  return tableText([title, "a turn"], [...shown, ["all", fixed(sum / turns, 2)]]);
}

type Count = { readonly name: string; readonly calls: number };

/** Lines of "% time, seconds, usecs/call, calls, errors, syscall"; errors may be empty. */
function readCounts(text: string): readonly Count[] {
  const counts = text.split("\n").flatMap((line): readonly Count[] => {
    const cells = line.trim().split(/\s+/);
    const name = cells.at(-1) ?? "";
    const calls = Number(cells[3]);
    return cells.length >= 5 && calls > 0 && name !== "total" ? [{ name, calls }] : [];
  });
  return counts.toSorted((a, b) => b.calls - a.calls);
}
