/** One library under all loads at once, in a process of its own. */
import { type Load, measureCrosstalk } from "./crosstalk.ts";

const style = process.argv[2] ?? "";

process.on("message", (loads: readonly Load[]) => {
  const tallies = loads.map((load) => measureCrosstalk(style, load));
  void Promise.all(tallies).then((said) => process.send?.(said));
});
