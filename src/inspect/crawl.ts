/**
 * `dialyard crawl`: walks an app as a subscriber would who tries everything. No effect happens:
 * `run` is stood in for. Bounded by the places seen and by `turnsMax`.
 */
import { dialogueOf } from "../app/dialogue.ts";
import type { AppTurn } from "../app/index.ts";
import { memoryAppStore } from "../app/store.ts";
import { parseMsisdn } from "../core/address.ts";
import { measureScreen } from "../core/screen.ts";
import type { Inbound } from "../types.ts";
import type { AnyApp } from "./plan.ts";

export type CrawlOptions = {
  readonly context?: ((turn: AppTurn) => unknown) | undefined;
  readonly locales: readonly string[];
  readonly octetsMax: number;
  /** Turns in all languages together. */
  readonly turnsMax: number;
  readonly msisdn: string;
  readonly onTurn?: (turns: number) => void;
};
export type Walked = {
  /** "transfer.amount" */
  readonly place: string;
  readonly locale: string;
  /** The longest that was read there. */
  readonly screen: string;
  readonly units: number;
  readonly octets: number;
  readonly isUcs2: boolean;
};
export type Crawled = {
  readonly walked: readonly Walked[];
  readonly turns: number;
  /** The bound was reached: there may be more. */
  readonly isCut: boolean;
  readonly neverReached: readonly string[];
  /** Places at which nothing that was tried led anywhere else. */
  readonly deadEnds: readonly string[];
  /** Handlers that threw, by place, without what they said: it may quote an input. */
  readonly threw: readonly { readonly place: string; readonly inputs: number }[];
};

/** What a subscriber might type where there is nothing to choose. */
const TRIES = ["1", "2", "10", "500", "1234", "12345", "258841234567", "Ana", ""] as const;
const DEPTH_MAX = 24;
const TRIED_MAX = 24;

export async function crawl(app: AnyApp, options: CrawlOptions): Promise<Crawled> {
  const state: State = { turns: 0, longest: new Map(), threw: new Map(), exits: new Map() };
  const seen = new Set<string>();
  let isCut = false;
  for (const locale of options.locales) {
    const paths: (readonly string[])[] = [[]];
    const visited = new Set<string>();
    for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
      if (state.turns >= options.turnsMax) {
        isCut = true;
        break;
      }
      const end = await walk(app, path, locale, options, state);
      if (end === undefined) continue;
      seen.add(end.place);
      if (visited.has(end.place) || path.length >= DEPTH_MAX) continue;
      visited.add(end.place);
      for (const input of inputsAt(app, end)) paths.push([...path, input]);
    }
  }
  const reached = new Set([...seen].map((place) => place.split(".")[0] ?? ""));
  return {
    walked: [...state.longest.values()].sort((a, b) => b.octets - a.octets),
    turns: state.turns,
    isCut,
    neverReached: Object.keys(app.screens).filter((name) => !reached.has(name)),
    deadEnds: [...state.exits].filter(([, leads]) => !leads).map(([place]) => place),
    threw: [...state.threw].map(([place, inputs]) => ({ place, inputs })),
  };
}

type State = {
  turns: number;
  readonly longest: Map<string, Walked>;
  readonly threw: Map<string, number>;
  /** Whether anything led away from a place. */
  readonly exits: Map<string, boolean>;
};
type End = { readonly place: string; readonly screen: string };

/** One session from the dial on; undefined where it ended. */
async function walk(
  app: AnyApp,
  path: readonly string[],
  locale: string,
  options: CrawlOptions,
  state: State,
): Promise<End | undefined> {
  let hasThrown = false;
  const { take } = dialogueOf(withoutEffects(app), {
    ...(options.context && { context: options.context }),
    store: memoryAppStore(),
    digest: (text) => text,
    locale: () => locale,
    log: () => (hasThrown = true),
    deadlineMs: 5_000,
    screen: { octetsMax: options.octetsMax },
  });
  let end: End = { place: "", screen: "" };
  for (const [index, input] of ["", ...path].entries()) {
    state.turns += 1;
    options.onTurn?.(state.turns);
    hasThrown = false;
    const { reply, place = "" } = await take(messageOf(options.msisdn, index, input));
    const screen = reply?.screen ?? "";
    const isEnd = reply?.action === "end";
    note(state, isEnd ? `${end.place} (end)` : place, locale, screen);
    if (hasThrown) state.threw.set(end.place, (state.threw.get(end.place) ?? 0) + 1);
    const leads = isEnd || place !== end.place;
    if (end.place !== "") state.exits.set(end.place, state.exits.get(end.place) === true || leads);
    if (isEnd) return undefined;
    end = { place, screen };
  }
  return end;
}

function note({ longest }: State, place: string, locale: string, screen: string): void {
  const { octets, units, alphabet } = measureScreen(screen);
  const key = `${place} ${locale}`;
  const before = longest.get(key);
  if (before !== undefined && before.octets >= octets) return;
  longest.set(key, { place, locale, screen, units, octets, isUcs2: alphabet === "ucs2" });
}

/** The keys and numbers on the screen, the examples of its question, and what people type. */
function inputsAt(app: AnyApp, { place, screen }: End): readonly string[] {
  const offered = screen.split("\n").flatMap((line) => /^(\S{1,3})[.)] /.exec(line)?.[1] ?? []);
  const [name = "", step] = place.split(".");
  const def = app.screens[name];
  const examples =
    def?.kind === "flow"
      ? (def.steps.find(({ key }) => key === step)?.examples ?? [])
      : (def?.shape.examples ?? []);
  return [...new Set([...examples, ...offered, ...TRIES])].slice(0, TRIED_MAX);
}

function messageOf(msisdn: string, index: number, text: string): Inbound {
  return {
    sessionId: "crawl",
    msisdn: parseMsisdn(msisdn),
    phase: index === 0 ? "begin" : "continue",
    dialled: undefined,
    input: { kind: "latest", text },
    messageId: `m${index}`,
    network: undefined,
    echo: {},
  };
}

function withoutEffects(app: AnyApp): AnyApp {
  const screens = Object.entries(app.screens).map(([name, screen]) =>
    screen.kind === "flow" ? [name, { ...screen, run: () => "(done)" }] : [name, screen],
  );
  return { ...app, screens: Object.fromEntries(screens) as AnyApp["screens"] };
}
