/** `dialyard lint`, `graph` and `crawl`: what can be known of an app without a subscriber. */
import { crawl, type Crawled } from "../inspect/crawl.ts";
import { graph } from "../inspect/graph.ts";
import { type Finding, languagesOf, lint, mistakeOf } from "../inspect/lint.ts";
import { planOf, type AnyApp } from "../inspect/plan.ts";
import { defineCommand } from "./args.ts";
import { type AppModule, loadApp } from "./load-app.ts";

const file = { name: "app file", help: "module that exports what u.app() gives as `app`" } as const;
const json = { name: "json", type: "boolean", help: "one JSON document on stdout" } as const;
const locale = {
  name: "locale",
  type: "list",
  value: "en",
  help: "language to look at, more than once for more; default: those of the app",
} as const;
const octets = {
  name: "octets",
  type: "integer",
  default: 160,
  value: "N",
  help: "octets of a screen: 160 are 182 GSM-7 characters or 80 others",
} as const;
export const lintCommand = defineCommand({
  name: "dialyard lint",
  summary: "Finds faults in an app without calling it. Status 1 when there is an error.",
  positionals: [file],
  options: [{ name: "strict", type: "boolean", help: "warnings fail too" }, locale, octets, json],
});
export const graphCommand = defineCommand({
  name: "dialyard graph",
  summary: "Prints an app as a Mermaid flowchart: dashed is what a handler decides.",
  positionals: [file],
  options: [],
});
export const crawlCommand = defineCommand({
  name: "dialyard crawl",
  summary: "Walks every option of an app; no effect happens. Status 1 when a handler threw.",
  positionals: [file],
  options: [
    { name: "strict", type: "boolean", help: "screens never reached and dead ends fail too" },
    { name: "max", type: "integer", default: 5_000, value: "N", help: "turns at most" },
    {
      name: "msisdn",
      type: "string",
      default: "258841234567",
      value: "NUMBER",
      help: "who is dialling",
    },
    locale,
    octets,
    json,
  ],
});

export type Io = {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Undefined where stderr is no terminal: no line is written over another. */
  readonly progress: ((text: string) => void) | undefined;
  readonly folder: string;
};
type Status = 0 | 1 | 2;

export async function runLint(
  path: string | undefined,
  options: {
    readonly strict: boolean;
    readonly locale: readonly string[];
    readonly octets: number;
    readonly json: boolean;
  },
  io: Io,
): Promise<Status> {
  const loaded = await load(path, io);
  if (loaded.type === "refused") return 2;
  const findings =
    loaded.type === "mistake"
      ? [loaded.finding]
      : lint(planOf(loaded.app), { octetsMax: options.octets, locales: options.locale });
  if (options.json) io.out(JSON.stringify({ findings }, undefined, 2));
  else io.out(findings.length === 0 ? "No faults found." : findings.map(lineOf).join("\n"));
  const isBad = findings.some(({ level }) => level === "error" || options.strict);
  return isBad ? 1 : 0;
}

export async function runGraph(path: string | undefined, io: Io): Promise<Status> {
  const loaded = await load(path, io);
  if (loaded.type === "app") io.out(graph(planOf(loaded.app)));
  if (loaded.type === "mistake") io.err(lineOf(loaded.finding));
  return loaded.type === "app" ? 0 : loaded.type === "mistake" ? 1 : 2;
}

export async function runCrawl(
  path: string | undefined,
  options: {
    readonly strict: boolean;
    readonly max: number;
    readonly msisdn: string;
    readonly locale: readonly string[];
    readonly octets: number;
    readonly json: boolean;
  },
  io: Io,
): Promise<Status> {
  const loaded = await load(path, io);
  if (loaded.type === "refused") return 2;
  if (loaded.type === "mistake") {
    io.err(lineOf(loaded.finding));
    return 1;
  }
  const { progress } = io;
  const spoken = languagesOf(planOf(loaded.app));
  const own = spoken.length === 0 ? [loaded.app.locale] : spoken;
  const crawled = await crawl(loaded.app, {
    context: loaded.context,
    locales: options.locale.length === 0 ? own : options.locale,
    octetsMax: options.octets,
    turnsMax: options.max,
    msisdn: options.msisdn,
    ...(progress && { onTurn: (turns) => progress(`${turns} turns`) }),
  });
  if (progress) progress("");
  io.out(options.json ? JSON.stringify(crawled, undefined, 2) : reportOf(crawled));
  const { threw, neverReached, deadEnds } = crawled;
  const isBad = threw.length > 0 || (options.strict && neverReached.length + deadEnds.length > 0);
  return isBad ? 1 : 0;
}

type Loaded =
  | { readonly type: "app"; readonly app: AnyApp; readonly context: AppModule["context"] }
  | { readonly type: "mistake"; readonly finding: Finding }
  | { readonly type: "refused" };

async function load(path: string | undefined, io: Io): Promise<Loaded> {
  if (path === undefined) {
    io.err("dialyard: which app? Give the file that exports it: dialyard lint app.ts");
    return { type: "refused" };
  }
  try {
    const { app, context } = await loadApp(path, io.folder);
    return { type: "app", app: app as unknown as AnyApp, context };
  } catch (error) {
    const finding = mistakeOf(error);
    if (finding !== undefined) return { type: "mistake", finding };
    io.err(`dialyard: ${error instanceof Error ? error.message : String(error)}`);
    return { type: "refused" };
  }
}

function lineOf({ id, level, place, message }: Finding): string {
  return `${level.padEnd(8)} ${id.padEnd(17)} ${place === "" ? "" : `${place}: `}${message}`;
}

const LONGEST_SHOWN = 10;

function reportOf({ walked, turns, isCut, neverReached, deadEnds, threw }: Crawled): string {
  const [longest] = walked;
  const rows = walked
    .slice(0, LONGEST_SHOWN)
    .map(({ place, locale: spoken, units, octets: size, isUcs2 }) =>
      [
        String(units).padStart(5),
        isUcs2 ? "UCS-2" : "GSM-7",
        String(size).padStart(4),
        spoken,
        place,
      ].join("  "),
    );
  const said = (title: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${title}: ${names.join(", ")}`];
  return [
    `${turns} turns, ${walked.length} screens${isCut ? "; cut off by --max" : ""}`,
    "",
    "chars  code   octets  place",
    ...rows,
    ...(longest === undefined
      ? []
      : ["", `The longest, ${longest.place}:`, indent(longest.screen)]),
    ...(neverReached.length + deadEnds.length + threw.length === 0 ? [] : [""]),
    ...said("Never reached", neverReached),
    ...said("Nothing that was tried leads on", deadEnds),
    ...said(
      "Handlers that threw",
      threw.map(({ place, inputs }) => `${place} (${inputs} inputs)`),
    ),
  ].join("\n");
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  | ${line}`)
    .join("\n");
}
