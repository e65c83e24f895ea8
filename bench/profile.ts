/** Where the gateway's processor time goes: functions by their own time, from node's profile. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fixed, tableText } from "./figures.ts";

const SHOWN = 25;

export function profileArgs(folder: string): readonly string[] {
  return ["--cpu-prof", "--cpu-prof-interval", "250", "--cpu-prof-dir", folder];
}

/** https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
type Profile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

/** Written when the process ended; `share` is of the time in which it was not idle. */
export function profileTable(folder: string): string {
  const [file] = readdirSync(folder).filter((name) => name.endsWith(".cpuprofile"));
  if (file === undefined) return "node wrote no profile";
  const profile = JSON.parse(readFileSync(join(folder, file), "utf8")) as Profile;
  const places = new Map(profile.nodes.map((node) => [node.id, placeOf(node.callFrame)]));
  const times = new Map<string, number>();
  let sum = 0;
  profile.samples.forEach((id, index) => {
    const place = places.get(id) ?? "";
    if (place.startsWith("(idle)")) return;
    const us = profile.timeDeltas[index] ?? 0;
    times.set(place, (times.get(place) ?? 0) + us);
    sum += us;
  });
  const ranked = [...times].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN);
  const cells = ranked.map(([place, us]) => [place, `${fixed((us / sum) * 100, 1)} %`]);
  return tableText(["function", "self"], cells);
}

function placeOf(frame: Profile["nodes"][number]["callFrame"]): string {
  const { functionName, url, lineNumber } = frame;
  const name = functionName === "" ? "(anonymous)" : functionName;
  const file = url.replace(/^.*\/node_modules\//, "").replace(/^.*\/src\//, "src/");
  return url === "" ? name : `${name} ${file}:${lineNumber + 1}`;
}
