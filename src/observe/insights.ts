/** Where dialogues go and where they are left: figures of a sample of sessions, without numbers. */
import type { SessionDetail, TurnRecord } from "../types.ts";

export type InsightNode = {
  /** Index of the node before it; null for a first screen. */
  readonly parent: number | null;
  readonly screen: string;
  views: number;
  /** Dialogues that were neither continued nor ended by the application here. */
  left: number;
  completed: number;
};
type Group = { sessions: number; completed: number };
type Place = { readonly waits: number[]; readonly invalid: Map<string, number> };

const DEPTH_MAX = 8;
const NODES_MAX = 200;
const SCREENS_MAX = 500;
const INVALID_MAX = 10;
const SCREEN_CHARS_MAX = 160;
const OTHER = "…";

/** Balances and references differ where the screen is the same. */
export function fingerprint(screen: string): string {
  return screen.replace(/\d{2,}/g, "#").slice(0, SCREEN_CHARS_MAX);
}

export function insightsOf(sessions: readonly SessionDetail[]) {
  const nodes: InsightNode[] = [];
  const byPlace = new Map<string, number>();
  const places = new Map<string, Place>();
  const groups = { code: new Map<string, Group>(), network: new Map<string, Group>() };
  const hours = Array.from({ length: 24 }, (): Group => ({ sessions: 0, completed: 0 }));
  let completed = 0;
  let turns = 0;
  for (const session of sessions) {
    const isDone = session.outcome === "completed";
    if (isDone) completed += 1;
    if (isDone) turns += session.turns;
    count(groups.code, session.serviceCode ?? "–", isDone);
    count(groups.network, session.provider, isDone);
    add(hours[new Date(session.startedAtMs).getUTCHours()], isDone);
    const shown = session.records.filter(({ screen, outcome }) => screen !== "" && isNew(outcome));
    walk(shown, session.outcome, nodes, byPlace);
    measure(shown, places);
  }
  return {
    ...{ sessions: sessions.length, completed },
    turns_per_completed: completed === 0 ? null : turns / completed,
    nodes,
    by_code: listOf(groups.code),
    by_network: listOf(groups.network),
    by_hour: hours,
    ...summed(places),
  };
}

function isNew(outcome: TurnRecord["outcome"]): boolean {
  return outcome !== "repeat" && outcome !== "page";
}

function walk(
  shown: readonly TurnRecord[],
  outcome: SessionDetail["outcome"],
  nodes: InsightNode[],
  byPlace: Map<string, number>,
): void {
  let parent: number | null = null;
  for (const turn of shown.slice(0, DEPTH_MAX)) {
    parent = placeOf(parent, fingerprint(turn.screen), nodes, byPlace);
    const node = nodes[parent];
    if (node !== undefined) node.views += 1;
  }
  const last = parent === null ? undefined : nodes[parent];
  if (last === undefined || outcome === "live") return;
  if (outcome === "completed") last.completed += 1;
  else last.left += 1;
}

/** The tree is bounded: what comes when it is full is shown as "…" below its parent. */
function placeOf(
  parent: number | null,
  screen: string,
  nodes: InsightNode[],
  byPlace: Map<string, number>,
): number {
  for (const text of [screen, OTHER]) {
    const place = `${parent}|${text}`;
    const known = byPlace.get(place);
    if (known !== undefined) return known;
    if (nodes.length >= NODES_MAX && text !== OTHER) continue;
    byPlace.set(place, nodes.length);
    return nodes.push({ parent, screen: text, views: 0, left: 0, completed: 0 }) - 1;
  }
  return 0;
}

function measure(shown: readonly TurnRecord[], places: Map<string, Place>): void {
  for (const [index, turn] of shown.entries()) {
    const next = shown[index + 1];
    if (next === undefined) continue;
    const screen = fingerprint(turn.screen);
    if (!places.has(screen) && places.size >= SCREENS_MAX) continue;
    const place = places.get(screen) ?? { waits: [], invalid: new Map<string, number>() };
    places.set(screen, place);
    place.waits.push(Math.max(0, next.startedAtMs - turn.startedAtMs - turn.tookMs));
    // The application asked the same again: it did not take what was typed.
    if (fingerprint(next.screen) !== screen || next.outcome !== "ok") continue;
    const typed = next.input.slice(0, 20);
    place.invalid.set(typed, (place.invalid.get(typed) ?? 0) + 1);
  }
}

function summed(places: ReadonlyMap<string, Place>) {
  const answers = [...places].map(([screen, { waits }]) => {
    const sorted = waits.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
    return { screen, answers: sorted.length, p50_ms: at(0.5), p95_ms: at(0.95) };
  });
  const invalid = [...places].flatMap(([screen, place]) =>
    [...place.invalid].map(([input, times]) => ({ screen, input, times })),
  );
  return {
    answers: answers.toSorted((a, b) => b.answers - a.answers).slice(0, 20),
    invalid: invalid.toSorted((a, b) => b.times - a.times).slice(0, INVALID_MAX),
  };
}

function count(groups: Map<string, Group>, name: string, isDone: boolean): void {
  const group = groups.get(name) ?? { sessions: 0, completed: 0 };
  groups.set(name, group);
  add(group, isDone);
}

function add(group: Group | undefined, isDone: boolean): void {
  if (group === undefined) return;
  group.sessions += 1;
  if (isDone) group.completed += 1;
}

function listOf(groups: ReadonlyMap<string, Group>) {
  const list = [...groups].map(([name, group]) => ({ name, ...group }));
  return list.toSorted((a, b) => b.sessions - a.sessions).slice(0, 20);
}
