/**
 * `dialyard lint`: what can be found in an app without calling anything of it (APP-FRAMEWORK 10).
 * Ids stay as they are: people silence them by name.
 */
import type { FlowDef } from "../app/flow.ts";
import { AppMistake } from "../app/mistake.ts";
import { say, systemText, type Text } from "../app/text.ts";
import { measureScreen, transliterate } from "../core/screen.ts";
import type { Node, Plan } from "./plan.ts";

export type FindingId =
  | "unreachable"
  | "dead-end"
  | "no-way-back"
  | "unknown-target"
  | "dynamic-target"
  | "duplicate-key"
  | "reserved-name"
  | "bad-keys"
  | "missing-id"
  | "empty-flow"
  | "secret-last"
  | "no-confirm"
  | "too-long"
  | "ucs2"
  | "too-many-options"
  | "untranslated"
  | "zero-shadowed"
  | "shortcut-secret";
/** An error is wrong on some phone; a warning may be meant. `--strict` takes both for failures. */
export type Finding = {
  readonly id: FindingId;
  readonly level: "error" | "warning";
  /** "transfer.amount"; "" for the app. */
  readonly place: string;
  readonly message: string;
};
export type LintOptions = {
  /** Octets of a screen: 160. */
  readonly octetsMax: number;
  /** Languages to look at; those of the app's own catalogs where empty. */
  readonly locales: readonly string[];
};

const OPTIONS_MAX = 8;

export function lint(plan: Plan, options: LintOptions): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (id: FindingId, place: string, message: string): void => {
    findings.push({ id, level: WARNINGS.has(id) ? "warning" : "error", place, message });
  };
  const texts = [...plan.nodes.values()].flatMap(textsOf);
  const spoken = languagesOf(plan);
  const locales = options.locales.length > 0 ? options.locales : spoken;
  for (const node of plan.nodes.values()) {
    checkTargets(plan, node, add);
    if (node.screen.kind === "flow") checkFlow(node.name, node.screen, add);
    else checkOptions(node, add);
    checkWayOut(plan, node, add);
    checkKeys(node, plan, add);
  }
  for (const { place, text } of texts) {
    checkSize(place, text, locales.length === 0 ? [plan.app.locale] : locales, options, add);
    if (spoken.length > 0 && typeof text === "string" && /\p{L}{2}/u.test(text))
      add("untranslated", place, `"${short(text)}" is the same in every language`);
  }
  checkCodes(plan, add);
  return findings;
}

/** The languages of an app's own catalogs; none where all it says is the same in every language. */
export function languagesOf(plan: Plan): readonly string[] {
  const texts = [...plan.nodes.values()].flatMap(textsOf);
  return [...new Set(texts.flatMap(({ text }) => localesOf(text)))];
}

/** What kept an app from being made at all. */
export function mistakeOf(error: unknown): Finding | undefined {
  if (!(error instanceof AppMistake)) return undefined;
  return { id: error.code, level: "error", place: "", message: error.message };
}

const WARNINGS: ReadonlySet<FindingId> = new Set([
  "dynamic-target",
  "no-confirm",
  "ucs2",
  "too-many-options",
  "untranslated",
  "no-way-back",
]);
type Add = (id: FindingId, place: string, message: string) => void;

function checkTargets(plan: Plan, { name, edges, ways }: Node, add: Add): void {
  for (const { to } of edges) {
    if (!plan.nodes.has(to)) add("unknown-target", name, `there is no screen "${to}"`);
  }
  if (ways.some(({ isOpaque }) => isOpaque))
    add("dynamic-target", name, "leads where only its code knows: declare `targets`");
  // Where a handler may lead anywhere, nobody can say what is not reached.
  if (!plan.reached.has(name) && !plan.hasOpaque)
    add("unreachable", name, "neither the start nor a code leads here");
}

function checkFlow(name: string, { steps, unconfirmed }: FlowDef<unknown>, add: Add): void {
  const kinds = steps.map(({ kind }) => kind);
  const confirmedAt = kinds.lastIndexOf("confirm");
  for (const { key, kind } of steps.slice(confirmedAt + 1)) {
    if (confirmedAt !== -1 && kind === "secret")
      add(
        "secret-last",
        `${name}.${key}`,
        "a secret after the confirm: what is confirmed is not all",
      );
  }
  if (confirmedAt === -1 && !unconfirmed)
    add(
      "no-confirm",
      name,
      "run is reached without a confirm; `unconfirmed: true` where it is meant",
    );
}

function checkOptions({ name, screen }: Node, add: Add): void {
  if (screen.kind === "flow") return;
  const { options } = screen.shape;
  if (options.length > OPTIONS_MAX)
    add(
      "too-many-options",
      name,
      `${options.length} options; more than ${OPTIONS_MAX} are not read`,
    );
  for (const { isById, id } of options) {
    if (!isById)
      add("missing-id", name, `option ${Number(id) + 1} is known by its position: give it an id`);
  }
}

function checkWayOut({ app }: Plan, node: Node, add: Add): void {
  const { name, screen, ways, away, edges } = node;
  if (screen.kind === "flow") return;
  const isStart = name === app.start;
  // On the first screen there is nothing to go back to: the exit alone is shown.
  const exit = { ...app.keys, ...screen.ownKeys }.exit;
  const keys = isStart ? (exit === false || !screen.keys ? [] : [exit]) : away;
  const isOpaque = ways.some((way) => way.isOpaque);
  const leads = edges.length > 0 || ways.some(({ ends, returns }) => ends || returns);
  if (!leads && keys.length === 0 && !isOpaque)
    return add("dead-end", name, "no option and no key leads away from it");
  const isAsked = screen.shape.kind === "input";
  const returns =
    ways.some((way) => way.returns || way.ends) || edges.some(({ to }) => to === app.start);
  if (!isStart && !isAsked && keys.length === 0 && !returns && !isOpaque)
    add("no-way-back", name, "whoever came here by mistake cannot go back, home or leave");
}

/** "0. Exit" written into a text, and examples that are a key: the key wins over the answer (R9). */
function checkKeys({ name, screen }: Node, { app }: Plan, add: Add): void {
  const places =
    screen.kind === "flow"
      ? screen.steps.map(({ key, keys, literal, examples }) => ({
          place: `${name}.${key}`,
          keys: keys ? [app.keys.back, app.keys.home, app.keys.exit] : [],
          text: literal,
          examples,
        }))
      : [
          {
            place: name,
            keys: screen.keys ? reserved({ ...app.keys, ...screen.ownKeys }) : [],
            text: screen.shape.text,
            examples: screen.shape.examples,
          },
        ];
  for (const { place, keys, text, examples } of places) {
    const written = text === undefined ? "" : say(text, app.locale);
    for (const key of keys) {
      if (key === false) continue;
      if (examples.includes(key))
        add("zero-shadowed", place, `${key} is an answer and a key: say \`back: false\``);
      if (
        written
          .split("\n")
          .some((line) => line.startsWith(`${key}. `) || line.startsWith(`${key}) `))
      )
        add("zero-shadowed", place, `its text offers ${key}, which is a key of the app's`);
    }
  }
}

function reserved({ back, home, exit }: Plan["app"]["keys"]) {
  return [back, home, exit];
}

function checkCodes({ app, nodes }: Plan, add: Add): void {
  for (const [code, to] of app.codes) {
    const screen = nodes.get(to)?.screen;
    if (screen?.kind === "flow" && screen.steps[0]?.kind === "secret")
      add("shortcut-secret", to, `${code} opens at a secret: it invites to dial the secret along`);
  }
}

type Written = { readonly place: string; readonly text: Text };

/** What is written in the definition itself; what is made at a turn is the crawl's. */
function textsOf({ name, screen }: Node): readonly Written[] {
  if (screen.kind === "flow") {
    return screen.steps.flatMap(({ key, literal }) =>
      literal === undefined ? [] : [{ place: `${name}.${key}`, text: literal }],
    );
  }
  const { text, options } = screen.shape;
  return [
    ...(text === undefined ? [] : [{ place: name, text }]),
    ...options.flatMap(({ label }) => (label === undefined ? [] : [{ place: name, text: label }])),
    ...(screen.zero === undefined ? [] : [{ place: name, text: screen.zero.label }]),
  ];
}

function localesOf(text: Text): readonly string[] {
  return typeof text === "string" ? [] : (text.locales ?? []);
}

/** The room beside a text: a way back and a way on, or one option. */
function checkSize(
  place: string,
  text: Text,
  locales: readonly string[],
  { octetsMax }: LintOptions,
  add: Add,
): void {
  for (const locale of locales) {
    const said = say(text, locale);
    const beside = `\n0. ${say(systemText("back", locale), locale)}`;
    const { octets, units, alphabet } = measureScreen(said + beside);
    const where = locales.length > 1 ? ` in ${locale}` : "";
    if (octets > octetsMax)
      add("too-long", place, `${units} characters${where} with the keys: more than one screen`);
    if (alphabet === "ucs2") {
      const odd = [...new Set([...said].filter((one) => measureScreen(one).alphabet === "ucs2"))];
      const plain = measureScreen(transliterate(said)).alphabet === "gsm7";
      const help = plain ? "; transliterating would spare that" : "";
      add("ucs2", place, `${odd.slice(0, 5).join(" ")}${where} leave 80 characters of 182${help}`);
    }
  }
}

function short(text: string): string {
  const line = text.replaceAll("\n", " ");
  return line.length > 30 ? `${line.slice(0, 27)}...` : line;
}
