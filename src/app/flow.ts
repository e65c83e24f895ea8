/**
 * Flows: typed, linear data entry that is one frame of the stack. Each step adds to what later
 * callbacks see; secrets add nothing; `run` is the only place for effects.
 */
import type { MaybePromise, Parsed } from "./answers.ts";
import type { FitPolicy } from "./screens.ts";
import type { Text } from "./text.ts";
import type { AppTurn } from "./turn.ts";

/** Answers by step key: JSON values, as the subscriber has seen them. */
export type Answers = Readonly<Record<string, unknown>>;
export type Prompt<V, C> = Text | ((v: V, ctx: C, turn: AppTurn) => MaybePromise<Text>);
export type Check<V, C, T> = (raw: string, v: V, ctx: C, turn: AppTurn) => MaybePromise<Parsed<T>>;
/** One line to choose; the value is what later steps see. */
export type Option<T> = { readonly id: string; readonly label: Text; readonly value: T };
type Options<V, C, T> =
  readonly Option<T>[] | ((v: V, ctx: C, turn: AppTurn) => MaybePromise<readonly Option<T>[]>);

export type AskOptions = {
  /** False where the reserved keys are legal answers: an amount of 0 (R9). */
  readonly back?: boolean;
  readonly fit?: FitPolicy;
  /** Answers that `dialyard crawl` types. */
  readonly examples?: readonly string[];
};
export type SecretOptions<V, C> = {
  readonly back?: boolean;
  /** Wrong answers that are one too many; in this session, however often the step is left. */
  readonly attempts?: number;
  /** Secrets that `dialyard crawl` types: of a test, never a subscriber's. */
  readonly examples?: readonly string[];
  /** Lock the account here: the session ends with `locked` after it. */
  readonly onLocked?: (v: V, ctx: C, turn: AppTurn) => MaybePromise<void>;
  readonly locked?: Text;
};
export type ConfirmOptions = {
  readonly yes?: Text;
  readonly no?: Text;
  /** What the subscriber reads after declining. */
  readonly cancelled?: Text;
  /** In place of the question, for an answer that is neither. */
  readonly invalid?: Text;
  /**
   * Offers a way back to the question before. Secrets passed since are asked again, or skipped;
   * never replayed (R10).
   */
  readonly back?: "ask" | "skip";
};
export type RunOptions = {
  /** The effect may be asked for twice: whoever carries it out de-duplicates on the key (R6). */
  readonly idempotent?: boolean;
  /** On purpose nothing is confirmed before it: a log-in moves nothing. For `dialyard lint`. */
  readonly unconfirmed?: boolean;
};

/** A step with its types forgotten; methods, so that callbacks of any answers fit. */
export interface FlowStep {
  readonly key: string;
  readonly kind: "ask" | "choose" | "secret" | "confirm";
  readonly keys: boolean;
  readonly fit: FitPolicy;
  readonly attempts: number | undefined;
  readonly confirm: ConfirmOptions;
  readonly locked: Text | undefined;
  /** What it asks, where that is the same at each turn. */
  readonly literal: Text | undefined;
  readonly examples: readonly string[];
  prompt(v: Answers, ctx: unknown, turn: AppTurn): MaybePromise<Text>;
  parse(raw: string, v: Answers, ctx: unknown, turn: AppTurn): MaybePromise<Parsed<unknown>>;
  options(v: Answers, ctx: unknown, turn: AppTurn): MaybePromise<readonly Option<unknown>[]>;
  applies(v: Answers, ctx: unknown): boolean;
  onLocked(v: Answers, ctx: unknown, turn: AppTurn): MaybePromise<void>;
}
export interface FlowDef<C> {
  readonly kind: "flow";
  readonly steps: readonly FlowStep[];
  readonly idempotent: boolean;
  readonly unconfirmed: boolean;
  run(v: Answers, ctx: C, effectKey: string, turn: AppTurn): MaybePromise<Text>;
}

type Plain = string | number | boolean | null;
/** What a store gives back of a value: a Date is a string by then, and a function nothing. */
export type Stored<T> = T extends Plain
  ? T
  : T extends undefined
    ? null
    : T extends { toJSON(): infer J }
      ? J
      : T extends (...args: never) => unknown
        ? never
        : T extends object
          ? { readonly [P in keyof T]: T[P] extends undefined ? T[P] : Stored<T[P]> }
          : T;

type Fresh<K extends string, V> = K extends keyof V ? never : K;

/** C: the context. V: the answers so far. B: the answers before the step added last. */
export interface Flow<C, V extends Answers, B extends Answers> {
  /**
   * Asks for something typed; `key: T` is added to what later callbacks see. The key is the step's
   * identity across deploys: a question with another meaning gets another key.
   * @example
   * u.flow().ask("amount", "Enter amount:", parseAmount)
   */
  ask<K extends string, T>(
    key: Fresh<K, V>,
    prompt: Prompt<V, C>,
    parse: Check<V, C, T>,
    options?: AskOptions,
  ): Flow<C, V & { readonly [P in K]: Stored<T> }, V>;
  /**
   * Offers numbered options; the value of the chosen one is added.
   * @example
   * u.flow().choose("bundle", "Which bundle?", (_v, ctx) =>
   *   ctx.bundles.map((bundle) => ({ id: bundle.id, label: bundle.name, value: bundle })))
   */
  choose<K extends string, const T>(
    key: Fresh<K, V>,
    prompt: Prompt<V, C>,
    options: Options<V, C, T>,
  ): Flow<C, V & { readonly [P in K]: Stored<T> }, V>;
  /**
   * Checked and forgotten: V stays as it is, so nobody can use, store or print it (R5).
   * @example
   * .secret("pin", "Enter PIN:", (pin, _v, ctx) => ctx.checkPin(pin) ? ok(true) : bad("Wrong PIN"),
   *   { attempts: 3, onLocked: (_v, ctx) => ctx.lock() })
   */
  secret<K extends string>(
    key: Fresh<K, V>,
    prompt: Prompt<V, C>,
    check: Check<V, C, true>,
    options?: SecretOptions<V, C>,
  ): Flow<C, V, V>;
  /**
   * "1. Confirm" and "0. Cancel". Shown again when anything before it changed (R4).
   * @example
   * .confirm((v) => `Pay ${v.amount} to ${v.to.name}?`, { yes: "Pay now", back: "ask" })
   */
  confirm(prompt: Prompt<V, C>, options?: ConfirmOptions): Flow<C, V, V>;
  /**
   * Skips the step before while this is false; its answer may then be missing.
   * @example
   * .ask("reason", "What is it for?", parseReason).when((v) => v.amount > 1_000)
   */
  when(applies: (v: B, ctx: C) => boolean): Flow<C, B & Partial<Omit<V, keyof B>>, B>;
  /**
   * The only place for effects: runs once, under the turn's lease (R6). `effectKey` is the same
   * however often the turn is tried. The text returned is the session's last.
   * @example
   * .run(async (v, ctx, effectKey) => `Ref: ${await ctx.bank.pay(v.to, v.amount, effectKey)}`)
   */
  run(
    effect: (v: V, ctx: C, effectKey: string, turn: AppTurn) => MaybePromise<Text>,
    options?: RunOptions,
  ): FlowDef<C>;
}

export function flow<C>(): Flow<C, Readonly<Record<never, never>>, Readonly<Record<never, never>>> {
  return flowOf([]);
}

const PLAIN = {
  keys: true,
  fit: "paginate",
  attempts: undefined,
  confirm: {},
  locked: undefined,
  examples: [],
  parse: () => ({ type: "ok", value: true }),
  options: () => [],
  applies: () => true,
  onLocked: () => undefined,
} as const satisfies Partial<FlowStep>;

function flowOf<C, V extends Answers, B extends Answers>(
  steps: readonly FlowStep[],
): Flow<C, V, B> {
  const then = <W extends Answers>(step: FlowStep) => flowOf<C, W, V>([...steps, step]);
  return {
    ask(key, prompt, parse, { back = true, fit = "paginate", examples = [] } = {}) {
      const asked = { keys: back, fit, parse, examples, ...promptOf(prompt) };
      return then({ ...PLAIN, key, kind: "ask", ...asked });
    },
    choose(key, prompt, options) {
      const list = typeof options === "function" ? options : () => options;
      return then({ ...PLAIN, key, kind: "choose", ...promptOf(prompt), options: list });
    },
    secret(key, prompt, check, { back = true, attempts, onLocked, locked, examples = [] } = {}) {
      const lock = { attempts, locked, onLocked: onLocked ?? PLAIN.onLocked };
      const asked = { ...promptOf(prompt), parse: check, keys: back, examples };
      return then({ ...PLAIN, key, kind: "secret", ...asked, ...lock });
    },
    confirm(prompt, options = {}) {
      // "$" cannot begin a key of the application's.
      const nth = steps.filter(({ kind }) => kind === "confirm").length;
      const key = nth === 0 ? "$confirm" : `$confirm${nth + 1}`;
      const asked = { ...promptOf(prompt), confirm: options };
      return then({ ...PLAIN, key, kind: "confirm", ...asked });
    },
    when(applies) {
      const last = steps.at(-1);
      if (last === undefined || last.kind === "confirm") {
        throw new Error("when() follows the question it is about");
      }
      const condition: Pick<FlowStep, "applies"> = { applies: applies };
      return flowOf([...steps.slice(0, -1), { ...last, ...condition }]);
    },
    run(effect, { idempotent = false, unconfirmed = false } = {}) {
      return { kind: "flow", steps, idempotent, unconfirmed, run: effect };
    },
  };
}

function promptOf<V, C>(prompt: Prompt<V, C>) {
  return {
    literal: typeof prompt === "function" ? undefined : prompt,
    prompt: (v: V, ctx: C, turn: AppTurn): MaybePromise<Text> =>
      typeof prompt === "function" ? prompt(v, ctx, turn) : prompt,
  };
}
