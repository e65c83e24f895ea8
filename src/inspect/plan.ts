/** An app as a graph: its screens, what leads from each to which, and what is written on them. */
import type { AnyScreen, App, Keys } from "../app/app.ts";
import type { FlowDef } from "../app/flow.ts";
import type { Text } from "../app/text.ts";
import { waysOf, type Ways } from "./ways.ts";

export type AnyApp = App<never, never>;
export type Edge = {
  readonly to: string;
  /** The option that leads there; "" where any answer may. */
  readonly label: Text;
  /** By a handler, not by name. */
  readonly isDynamic: boolean;
};
export type Node = {
  readonly name: string;
  readonly screen: AnyScreen;
  readonly edges: readonly Edge[];
  /** Of its options and of what follows its answers. */
  readonly ways: readonly Ways[];
  /** The reserved keys that lead away from it when it is not the first screen. */
  readonly away: readonly string[];
};
export type Plan = {
  readonly app: AnyApp;
  readonly nodes: ReadonlyMap<string, Node>;
  /** From the start and the codes. */
  readonly reached: ReadonlySet<string>;
  /** A screen that is reached leads somewhere that nobody can read off. */
  readonly hasOpaque: boolean;
};

export function planOf(app: AnyApp): Plan {
  const nodes = new Map(
    Object.entries(app.screens).map(([name, screen]) => [name, nodeOf(app.keys, name, screen)]),
  );
  const reached = new Set<string>();
  const waiting = [app.start, ...app.codes.values()];
  let hasOpaque = false;
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const node = nodes.get(name);
    if (node === undefined || reached.has(name)) continue;
    reached.add(name);
    hasOpaque ||= node.ways.some(({ isOpaque }) => isOpaque);
    waiting.push(...node.edges.map(({ to }) => to));
  }
  return { app, nodes, reached, hasOpaque };
}

function nodeOf(appKeys: Keys, name: string, screen: AnyScreen): Node {
  if (screen.kind === "flow")
    return { name, screen, edges: [], ways: [], away: flowAway(appKeys, screen) };
  const { shape } = screen;
  const edges: Edge[] = [];
  const ways: Ways[] = [];
  const add = (found: Ways, label: Text): void => {
    ways.push(found);
    edges.push(...found.screens.map((to) => ({ to, label, isDynamic: !found.isPlain })));
  };
  for (const { to, targets, label, id } of shape.options) add(waysOf(to, targets), label ?? id);
  if (shape.onward !== undefined) add(waysOf(shape.onward, shape.targets), "");
  if (shape.zero !== undefined) add(waysOf(shape.zero, undefined), "0");
  const keys = { ...appKeys, ...screen.ownKeys };
  const away = !screen.keys ? [] : [keys.back, keys.home, keys.exit].filter((key) => key !== false);
  return { name, screen, edges, ways, away };
}

function flowAway({ back, home, exit }: Keys, { steps }: FlowDef<unknown>): readonly string[] {
  const isConfirmed = steps.some(({ kind }) => kind === "confirm");
  const keys = steps.some((step) => step.keys) ? [back, home, exit] : [];
  return [...keys.filter((key) => key !== false), ...(isConfirmed ? ["cancel"] : [])];
}
