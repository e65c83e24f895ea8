/** The app object: inert data and functions, safe to import anywhere (APP-FRAMEWORK 4). */
import { asDialled } from "../core/address.ts";
import { flow, type FlowDef } from "./flow.ts";
import {
  input,
  type InputDef,
  language,
  type LanguageDef,
  list,
  type ListDef,
  menu,
  type MenuDef,
  type Paramless,
  type Screen,
  text,
  type TextDef,
} from "./screens.ts";
import { AppMistake } from "./mistake.ts";
import type { ServedApp, ServeOptions } from "./node.ts";
import type { SystemTexts } from "./text.ts";
import type { Middleware } from "./turn.ts";

/** The keys that every screen shares; false takes one away. `exit` is off by default. */
export type Keys = {
  readonly back: string | false;
  readonly home: string | false;
  readonly exit: string | false;
  /** Of menus and lists; a text too long for a screen finds a key that it does not offer itself. */
  readonly more: string;
};
export type Resume<Name extends string> = {
  /** What a dial does that finds an unfinished session of this subscriber (APP-FRAMEWORK 8). */
  readonly mode: "never" | "continue" | "ask";
  readonly withinMs: number;
  /** Where one may resume; everywhere when absent. */
  readonly screens?: readonly Name[];
};
export type AppDef<R, C> = {
  readonly name: string;
  readonly version?: string;
  readonly start: Paramless<R> & string;
  readonly screens: {
    readonly [K in keyof R]: Screen<R, C, R[K]> | (object extends R[K] ? FlowDef<C> : never);
  };
  /** What may be dialled to begin at a screen: declared, never replayed by position (R12). */
  readonly codes?: Readonly<Record<string, Paramless<R> & string>>;
  readonly keys?: Partial<Keys>;
  readonly resume?: Resume<keyof R & string>;
  /** Where the mount knows no better. */
  readonly locale?: string;
  readonly texts?: Partial<SystemTexts>;
  readonly use?: readonly Middleware[];
};

/** An application: screens by name, and where to begin. Made by `u.app()`. */
export interface App<R, C> {
  readonly name: string;
  readonly version: string | undefined;
  readonly start: string;
  readonly screens: Readonly<Record<string, AnyScreen>>;
  readonly codes: ReadonlyMap<string, string>;
  readonly keys: Keys;
  readonly resume: Resume<string>;
  readonly locale: string;
  readonly texts: Partial<SystemTexts>;
  readonly use: readonly Middleware[];
  /**
   * Serves it over HTTP in the protocol named, on every path; `serveApp` is the same. The server is
   * loaded when this is called: until then an app is data.
   * @example
   * const { url } = await app.listen({ protocol: "africastalking", port: 8081, context });
   */
  listen(options: ServeOptions<C>): Promise<ServedApp>;
  /** Never called: carries the types of routes and context to mounts and phones. */
  readonly types?: (routes: R, ctx: C) => void;
}

export type AnyRoutes = Readonly<Record<string, unknown>>;
export type AnyScreen = Screen<AnyRoutes, unknown, unknown> | FlowDef<unknown>;

const DEFAULT_KEYS: Keys = { back: "0", home: "00", exit: false, more: "98" };

export interface Builders<R, C> {
  /**
   * Numbered choices.
   * @example
   * u.menu({
   *   title: ({ ctx }) => `Welcome ${ctx.user.name}`,
   *   items: [
   *     { label: "Balance", to: ({ ctx, end }) => end(`Available: ${ctx.user.balance}`) },
   *     { label: "Transfer", to: "transfer" },
   *   ],
   *   zero: ["Exit", ({ end }) => end("Goodbye!")],
   * })
   */
  menu<P>(def: MenuDef<R, C, P>): Screen<R, C, P>;
  /**
   * One question as a screen of its own.
   * @example
   * u.input({
   *   prompt: "Enter meter number:",
   *   parse: (raw) => (/^\d{11}$/.test(raw) ? ok(raw) : bad("11 digits, please")),
   *   next: ({ value, go }) => go("meter", { number: value }),
   * })
   */
  input<P, T>(def: InputDef<R, C, P, T>): Screen<R, C, P>;
  /**
   * Rows from somewhere, as many on a page as fit.
   * @example
   * u.list({
   *   title: "Your contracts",
   *   load: ({ ctx }) => ctx.contracts(),
   *   id: (row) => row.id,
   *   label: (row) => row.name,
   *   to: ({ row, go }) => go("contract", { id: row.id }),
   * })
   */
  list<P, T>(def: ListDef<R, C, P, T>): Screen<R, C, P>;
  /**
   * Something to read, in pages where it is long.
   * @example
   * u.text({ body: "Call 123 for help." })
   */
  text<P>(def: TextDef<R, C, P>): Screen<R, C, P>;
  /**
   * A choice of languages, each by its own name; `rememberLocale` of the mount keeps the choice.
   * @example
   * u.language({
   *   title: "Language / Lugha",
   *   locales: { en: "English", sw: "Kiswahili" },
   *   to: ({ home }) => home(),
   * })
   */
  language<P>(def: LanguageDef<R, C, P>): Screen<R, C, P>;
  /**
   * Questions one after another, and what is done with the answers.
   * @example
   * u.flow().ask("amount", "Amount?", parseAmount).confirm((v) => `Pay ${v.amount}?`).run(pay)
   */
  flow(): ReturnType<typeof flow<C>>;
  /**
   * Checks the definition and gives the app.
   * @example
   * export const app = u.app({ name: "bank", start: "main", screens: { main, transfer } });
   */
  app(def: AppDef<R, C>): App<R, C>;
}

/**
 * The builders, bound to the route type (screen name ▶ params) and to the per-turn context.
 * @example
 * const u = ussd<{ main: {}; item: { id: string } }, { shop: Shop }>();
 * export const app = u.app({
 *   name: "shop",
 *   start: "main",
 *   screens: {
 *     main: u.list({
 *       title: "Our goods",
 *       load: ({ ctx }) => ctx.shop.list(),
 *       id: (row) => row.id,
 *       label: (row) => row.name,
 *       to: ({ row, go }) => go("item", { id: row.id }),
 *     }),
 *     item: u.text({ body: ({ ctx, params }) => ctx.shop.describe(params.id) }),
 *   },
 * });
 */
export function ussd<R, C = object>(): Builders<R, C> {
  return { menu, input, list, text, language, flow, app: (def) => createApp(def) };
}

function createApp<R, C>(def: AppDef<R, C>): App<R, C> {
  const { name, version, start, codes = {}, keys = {}, locale = "en", texts = {}, use = [] } = def;
  // The one place where screens of different params share a list: each is only ever given the
  // params of its own frame.
  const screens = { ...def.screens } as unknown as Readonly<Record<string, AnyScreen>>;
  if (!Object.hasOwn(screens, start))
    throw new AppMistake("unknown-target", `app "${name}": no screen "${start}"`);
  for (const [key, screen] of Object.entries(screens)) checkScreen(name, key, screen);
  const resume = def.resume ?? { mode: "never", withinMs: 0 };
  const chosenKeys = { ...DEFAULT_KEYS, ...keys };
  checkKeys(name, chosenKeys);
  const app: App<R, C> = {
    name,
    version,
    start,
    screens,
    codes: new Map(Object.entries(codes).map(([code, to]) => checkCode(name, screens, code, to))),
    keys: chosenKeys,
    resume,
    locale,
    texts,
    use,
    async listen(options) {
      const { serveApp } = await import("./node.ts");
      return serveApp(app, options);
    },
  };
  return app;
}

const RESERVED = new Set(["__proto__", "constructor", "prototype"]);

function checkName(app: string, what: string): void {
  if (what === "" || RESERVED.has(what) || what.startsWith("$")) {
    throw new AppMistake("reserved-name", `app "${app}": "${what}" is a reserved name`);
  }
}

function checkScreen(app: string, key: string, screen: AnyScreen): void {
  checkName(app, key);
  if (screen.kind !== "flow") return;
  if (screen.steps.length === 0)
    throw new AppMistake("empty-flow", `app "${app}": flow "${key}" has no steps`);
  const seen = new Set<string>();
  for (const step of screen.steps) {
    if (step.kind !== "confirm") checkName(app, step.key);
    const twice = `app "${app}": flow "${key}" asks "${step.key}" twice`;
    if (seen.has(step.key)) throw new AppMistake("duplicate-key", twice);
    seen.add(step.key);
  }
}

function checkKeys(app: string, { back, home, exit, more }: Keys): void {
  const chosen = [back, home, exit, more].filter((key) => key !== false);
  if (new Set(chosen).size === chosen.length && !chosen.includes("")) return;
  throw new AppMistake("bad-keys", `app "${app}": back, home, exit and more need different keys`);
}

function checkCode(
  app: string,
  screens: Readonly<Record<string, AnyScreen>>,
  code: string,
  to: string,
): readonly [string, string] {
  if (asDialled(code) === undefined)
    throw new AppMistake("bad-keys", `app "${app}": "${code}" is not like *365*2#`);
  if (!Object.hasOwn(screens, to))
    throw new AppMistake("unknown-target", `app "${app}": "${code}" leads to no screen`);
  return [code, to];
}
