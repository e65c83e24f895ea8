/**
 * Screens: functions of their params, "props, not globals", so that going back restores exactly
 * what was there. A screen names what it shows and what an answer means; the engine lays it out,
 * fits it and remembers what was on the phone.
 */
import { chain, type MaybePromise, type Parsed, type Refusal } from "./answers.ts";
import { AppMistake } from "./mistake.ts";
import type { Text } from "./text.ts";
import type { AppTurn } from "./turn.ts";

/** The screens of R that can be opened without params. */
export type Paramless<R> = keyof { [K in keyof R as object extends R[K] ? K : never]: 1 };
type ParamsOf<P> = object extends P ? [params?: P] : [params: P];

/** Where a handler sends the subscriber. */
export type Next<R> =
  | {
      [K in keyof R]: {
        readonly type: "go";
        readonly screen: K;
        readonly params: R[K];
        readonly replace: boolean;
      };
    }[keyof R]
  | { readonly type: "end"; readonly text: Text }
  | { readonly type: "back" }
  | { readonly type: "home" }
  | { readonly type: "stay"; readonly refusal: Refusal }
  | { readonly type: "speak"; readonly locale: string; readonly next: Next<R> };

/** `updated`: what was chosen is not there any more. Both say so above the same screen. */
export type Answered<R> = Next<R> | { readonly type: "invalid" | "updated" };

export type Nav<R> = {
  /** On to a screen; Back returns here. */
  go<K extends keyof R>(screen: K, ...params: ParamsOf<R[K]>): Next<R>;
  /** On to a screen in place of this one; Back skips this one. */
  replace<K extends keyof R>(screen: K, ...params: ParamsOf<R[K]>): Next<R>;
  /** Shows a last text and closes the session. */
  end(text: Text): Next<R>;
  back(): Next<R>;
  home(): Next<R>;
  /** The same screen again, with this text above it, or a refusal made with `instead`. */
  stay(error: Text | Refusal): Next<R>;
  /** Goes on there in another language, which holds for the rest of the session. */
  speak(locale: string, next: Next<R>): Next<R>;
};

/** What every handler of a screen is given: one frozen object, made for this call. */
export type Args<R, C, P> = Nav<R> & {
  readonly params: P;
  readonly ctx: C;
  readonly turn: AppTurn;
};

/** Too long for one screen? "truncate" ends with "..."; "error" answers with the safe screen. */
export type FitPolicy = "paginate" | "truncate" | "error";

/** One numbered line. */
export type Line = { readonly id: string; readonly label: Text };
export type View = {
  readonly text: Text;
  readonly lines?: readonly Line[];
  readonly fit?: FitPolicy;
  /** An empty line above the reserved keys. */
  readonly gap?: boolean;
};

/** How a screen's reserved keys differ from the app's; false takes one away. */
export type ScreenKeys = {
  readonly back?: string | false;
  readonly home?: string | false;
  readonly exit?: string | false;
};
/** What menus, lists and texts have in common. */
export type ScreenOptions<R, C, P> = {
  /** What the back key does here instead of going back, and its label. */
  readonly zero?: readonly [label: Text, to: (a: Args<R, C, P>) => MaybePromise<Next<R>>];
  readonly keys?: ScreenKeys;
  /** An empty line above the reserved keys, where there are numbered lines. */
  readonly gap?: boolean;
};

/** Where something leads: a screen, or a handler that says so. */
export type Way = string | ((...args: never) => unknown);
/** What of a screen is known without showing it: for lint and graph, never for a turn. */
export type Shape = {
  readonly kind: "menu" | "input" | "list" | "text";
  /** Undefined where it is made at each turn. */
  readonly text: Text | undefined;
  readonly options: readonly {
    readonly id: string;
    /** Undefined where it is made at each turn. */
    readonly label: Text | undefined;
    /** By its position alone, which a deploy changes. */
    readonly isById: boolean;
    readonly to: Way;
    readonly targets: readonly string[] | undefined;
  }[];
  /** What follows an answer that is no option. */
  readonly onward: Way | undefined;
  readonly targets: readonly string[] | undefined;
  readonly examples: readonly string[];
  readonly zero: Way | undefined;
};

export interface Screen<R, C, P> {
  readonly kind: "screen";
  readonly shape: Shape;
  /** Reserved keys work here. False where they are legal answers (R9). */
  readonly keys: boolean;
  readonly ownKeys?: ScreenKeys;
  /** What the back key does here instead of going back, and its label. */
  readonly zero?: {
    readonly label: Text;
    to(a: Args<R, C, P>): MaybePromise<Next<R>>;
  };
  render(a: Args<R, C, P>): MaybePromise<View>;
  /** `id` is of the line that was on the phone with the number typed (R3). */
  answer(input: string, id: string | undefined, a: Args<R, C, P>): MaybePromise<Answered<R>>;
}

type Said<A> = Text | ((a: A) => MaybePromise<Text>);
type Target<R, A> = Paramless<R> | ((a: A) => MaybePromise<Next<R>>);

export type MenuItem<R, C, P> = {
  /** Its identity across deploys; by default its target's name, or its label. */
  readonly id?: string;
  readonly label: Text | ((a: Args<R, C, P>) => Text);
  readonly to: Target<R, Args<R, C, P>>;
  /** The item is left out while this is false. */
  readonly when?: (a: Args<R, C, P>) => boolean;
  /** Where `to` may lead, where its code does not show: for lint and graph. */
  readonly targets?: readonly (keyof R & string)[];
};
export type MenuDef<R, C, P> = ScreenOptions<R, C, P> & {
  readonly title: Said<Args<R, C, P>>;
  readonly items: readonly MenuItem<R, C, P>[];
  /** In place of "Invalid option". */
  readonly invalid?: Text | Refusal;
};

export function menu<R, C, P>(def: MenuDef<R, C, P>): Screen<R, C, P> {
  const { title, items, invalid, gap = false } = def;
  const ids = items.map(idOf);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined)
    throw new AppMistake("duplicate-key", `two items with the id "${twice}"`);
  const options = items.map(({ id, label, to, targets }, index) => ({
    id: ids[index] ?? "",
    label: typeof label === "function" ? undefined : label,
    isById: id !== undefined || typeof to === "string" || typeof label === "string",
    to,
    targets,
  }));
  return {
    ...commonOf(def, { kind: "menu", text: literal(title), options }),
    render(a) {
      const lines: Line[] = [];
      for (const [index, item] of items.entries()) {
        if (item.when?.(a) === false) continue;
        const label = typeof item.label === "function" ? item.label(a) : item.label;
        lines.push({ id: ids[index] ?? "", label });
      }
      return chain(said(title, a), (text) => ({ text, lines, gap }));
    },
    answer(_input, id, a) {
      if (id === undefined) return invalid === undefined ? { type: "invalid" } : a.stay(invalid);
      const item = items[ids.indexOf(id)];
      // It was on the phone, and a deploy removed it or its condition no longer holds.
      if (item === undefined || item.when?.(a) === false) return { type: "updated" };
      return follow(item.to, a);
    },
  };
}

export type InputDef<R, C, P, T> = {
  readonly prompt: Said<Args<R, C, P>>;
  readonly parse: (raw: string, a: Args<R, C, P>) => MaybePromise<Parsed<T>>;
  readonly next: (a: Args<R, C, P> & { readonly value: T }) => MaybePromise<Next<R>>;
  /** False where the reserved keys are legal answers: an amount of 0. */
  readonly back?: boolean;
  readonly fit?: FitPolicy;
  /** Answers that `dialyard crawl` types. */
  readonly examples?: readonly string[];
  /** Where `next` may lead, where its code does not show: for lint and graph. */
  readonly targets?: readonly (keyof R & string)[];
};

export function input<R, C, P, T>(def: InputDef<R, C, P, T>): Screen<R, C, P> {
  const { prompt, parse, next, back = true, fit = "paginate", examples = [], targets } = def;
  const asked = { kind: "input", text: literal(prompt), onward: next, examples, targets } as const;
  return {
    ...commonOf<R, C, P>({}, asked),
    keys: back,
    render: (a) => chain(said(prompt, a), (text) => ({ text, fit })),
    async answer(raw, _id, a) {
      const parsed = await parse(raw, a);
      switch (parsed.type) {
        case "ok":
          return next(Object.freeze({ ...a, value: parsed.value }));
        case "bad":
          return a.stay(parsed);
        case "stop":
          return a.end(parsed.text);
      }
    },
  };
}

export type ListDef<R, C, P, T> = ScreenOptions<R, C, P> & {
  readonly title: Said<Args<R, C, P>>;
  readonly load: (a: Args<R, C, P>) => MaybePromise<readonly T[]>;
  /** What a row is known by while it is on the phone: not its position. */
  readonly id: (row: T) => string;
  readonly label: (row: T, a: Args<R, C, P>) => Text;
  readonly to: (a: Args<R, C, P> & { readonly row: T }) => MaybePromise<Next<R>>;
  /** Shown in place of the title when there are no rows. */
  readonly empty?: Text;
  /** In place of "Invalid option". */
  readonly invalid?: Text | Refusal;
  /** Where `to` may lead, where its code does not show: for lint and graph. */
  readonly targets?: readonly (keyof R & string)[];
};

export function list<R, C, P, T>(def: ListDef<R, C, P, T>): Screen<R, C, P> {
  const { targets, to } = def;
  return {
    ...commonOf(def, { kind: "list", text: literal(def.title), onward: to, targets }),
    async render(a) {
      const rows = await def.load(a);
      if (rows.length === 0 && def.empty !== undefined) return { text: def.empty };
      const lines = rows.map((row) => ({ id: def.id(row), label: def.label(row, a) }));
      return { text: await said(def.title, a), lines, gap: def.gap === true };
    },
    async answer(_input, id, a) {
      if (id === undefined)
        return def.invalid === undefined ? { type: "invalid" } : a.stay(def.invalid);
      const row = (await def.load(a)).find((candidate) => def.id(candidate) === id);
      return row === undefined ? { type: "updated" } : def.to(Object.freeze({ ...a, row }));
    },
  };
}

export type LanguageDef<R, C, P> = {
  readonly title: Said<Args<R, C, P>>;
  /** Each language by its own name. */
  readonly locales: Readonly<Record<string, string>>;
  readonly to: (a: Args<R, C, P>) => MaybePromise<Next<R>>;
};

export function language<R, C, P>(def: LanguageDef<R, C, P>): Screen<R, C, P> {
  const items = Object.entries(def.locales).map(([locale, label]) => ({
    id: locale,
    label,
    to: async (a: Args<R, C, P>) => a.speak(locale, await def.to(a)),
  }));
  return menu({ title: def.title, items });
}

export type TextDef<R, C, P> = ScreenOptions<R, C, P> & {
  readonly body: Said<Args<R, C, P>>;
  readonly fit?: FitPolicy;
  /** In place of "Invalid option". */
  readonly invalid?: Text | Refusal;
};

export function text<R, C, P>(def: TextDef<R, C, P>): Screen<R, C, P> {
  const { body, fit = "paginate", invalid } = def;
  return {
    ...commonOf(def, { kind: "text", text: literal(body) }),
    render: (a) => chain(said(body, a), (text) => ({ text, fit, gap: def.gap === true })),
    answer: (_input, _id, a) => (invalid === undefined ? { type: "invalid" } : a.stay(invalid)),
  };
}

function literal<A>(text: Said<A>): Text | undefined {
  return typeof text === "function" ? undefined : text;
}

function commonOf<R, C, P>(
  { zero, keys }: ScreenOptions<R, C, P>,
  shape: Pick<Shape, "kind" | "text"> & Partial<Shape>,
) {
  const nothing = { options: [], onward: undefined, targets: undefined, examples: [] };
  return {
    kind: "screen",
    keys: true,
    shape: { ...nothing, ...shape, zero: zero?.[1] } satisfies Shape,
    ...(zero && { zero: { label: zero[0], to: zero[1] } }),
    ...(keys && { ownKeys: keys }),
  } as const;
}

function idOf<R, C, P>({ id, to, label }: MenuItem<R, C, P>, index: number): string {
  if (id !== undefined) return id;
  if (typeof to === "string") return to;
  return typeof label === "string" ? label : String(index);
}

function follow<R, C, P>(to: Target<R, Args<R, C, P>>, a: Args<R, C, P>): MaybePromise<Next<R>> {
  if (typeof to === "function") return to(a);
  // Paramless: an empty object is what its params are.
  return { type: "go", screen: to, params: {}, replace: false } as unknown as Next<R>;
}

function said<A>(text: Said<A>, a: A): MaybePromise<Text> {
  return typeof text === "function" ? text(a) : text;
}
