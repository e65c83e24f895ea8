/**
 * Arguments of a command, read after a table from which its --help is printed too. Takes values:
 * only main.ts has process.argv.
 */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

export type Option = {
  /** Without the dashes. */
  readonly name: string;
  /** "list" may be given more than once. */
  readonly type: "string" | "integer" | "boolean" | "list";
  readonly default?: string | number;
  readonly help: string;
  /** One letter. */
  readonly short?: string;
  /** What stands for the value in the help: "--msisdn NUMBER". */
  readonly value?: string;
};
export type Command<Options extends readonly Option[] = readonly Option[]> = {
  /** "dialyard dial" */
  readonly name: string;
  readonly summary: string;
  readonly positionals?: readonly {
    readonly name: string;
    readonly help: string;
    /** Of the last one: any number of them. */
    readonly isMany?: true;
  }[];
  readonly options: Options;
};

export type Values<Options extends readonly Option[]> = {
  readonly [O in Options[number] as O["name"]]: ValueOf<O>;
};
type ValueOf<O extends Option> = O["type"] extends "boolean"
  ? boolean
  : O["type"] extends "list"
    ? readonly string[]
    : (O["type"] extends "integer" ? number : string) | AbsentOf<O>;
type AbsentOf<O extends Option> = O extends { readonly default: string | number }
  ? never
  : undefined;

export type Parsed<Options extends readonly Option[]> =
  | {
      readonly type: "run";
      readonly values: Values<Options>;
      readonly positionals: readonly string[];
    }
  /** --help was asked for: for stdout, status 0. */
  | { readonly type: "help"; readonly text: string; readonly status: 0 }
  /** For stderr, status 2. */
  | { readonly type: "invalid"; readonly text: string; readonly status: 2 };

/** Keeps the names and types of the options, for Values. */
export function defineCommand<const Options extends readonly Option[]>(
  command: Command<Options>,
): Command<Options> {
  return command;
}

export function parseCommand<const Options extends readonly Option[]>(
  command: Command<Options>,
  argv: readonly string[],
): Parsed<Options> {
  const { tokens } = parseArgs({
    args: [...argv],
    options: nodeOptions(command.options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const known = new Map([...command.options, HELP].map((option) => [option.name, option]));
  const given: Given = new Map();
  const positionals: string[] = [];
  const problems: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = known.get(token.name);
    const problem =
      option === undefined
        ? unknownOption(token.rawName, [...known.keys()])
        : take(option, valueOf(token), given);
    if (problem !== undefined) problems.push(problem);
  }
  if (given.has(HELP.name)) return { type: "help", text: helpText(command), status: 0 };
  const isMany = command.positionals?.at(-1)?.isMany === true;
  const surplus = isMany ? undefined : positionals[command.positionals?.length ?? 0];
  if (surplus !== undefined) problems.push(`unexpected argument "${surplus}"`);
  if (problems.length > 0) {
    const lines = problems.map((problem) => `${command.name}: ${problem}\n`).join("");
    return { type: "invalid", text: `${lines}See ${command.name} --help\n`, status: 2 };
  }
  const values = Object.fromEntries(
    command.options.map((option) => [option.name, given.get(option.name) ?? absent(option)]),
  );
  // Each name has the value that its row asks for: take() let nothing else into `given`.
  return { type: "run", values: values as Values<Options>, positionals };
}

export function helpText({ name, summary, positionals = [], options }: Command): string {
  const usage = [name, ...positionals.map((positional) => `[${positional.name}]`), "[options]"];
  const rows = [...options, HELP].map((option) => [flag(option), optionHelp(option)] as const);
  const arguments_ = positionals.map(({ name, help }) => [name, help] as const);
  const width = Math.max(...[...arguments_, ...rows].map(([left]) => left.length));
  const table = (lines: readonly (readonly [string, string])[]): string =>
    lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join("");
  const first = arguments_.length === 0 ? "" : `${table(arguments_)}\n`;
  return `${summary}\n\nUsage: ${usage.join(" ")}\n\n${first}${table(rows)}`;
}

type Given = Map<string, string | number | boolean | readonly string[]>;
const HELP: Option = { name: "help", type: "boolean", short: "h", help: "show this text" };

/** "--url --quiet": an option behind an option is not its value. */
function valueOf(token: {
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}): string | undefined {
  return token.inlineValue !== true && token.value?.startsWith("-") ? undefined : token.value;
}

/** Notes the option's value; tells what is wrong with it, if anything is. */
function take(option: Option, value: string | undefined, given: Given): string | undefined {
  const { name, type } = option;
  if (type === "boolean") {
    if (value !== undefined) return `--${name} takes no value`;
    given.set(name, true);
    return undefined;
  }
  if (value === undefined || value === "") return `--${name} needs a value`;
  if (type === "list") {
    const before = given.get(name);
    given.set(name, [...(typeof before === "object" ? before : []), value]);
    return undefined;
  }
  if (given.has(name)) return `--${name} is given twice`;
  if (type === "string") {
    given.set(name, value);
    return undefined;
  }
  if (!/^[0-9]{1,15}$/.test(value)) return `--${name} must be a whole number`;
  given.set(name, Number(value));
  return undefined;
}

function absent(option: Option): string | number | boolean | readonly string[] | undefined {
  if (option.type === "boolean") return false;
  return option.type === "list" ? [] : option.default;
}

function nodeOptions(options: readonly Option[]): ParseArgsOptionsConfig {
  const config: ParseArgsOptionsConfig = {};
  for (const { name, type, short } of [...options, HELP]) {
    const nodeType = type === "boolean" ? "boolean" : "string";
    config[name] = { type: nodeType, ...(short === undefined ? {} : { short }) };
  }
  return config;
}

function unknownOption(rawName: string, names: readonly string[]): string {
  const typed = rawName.replace(/^-+/, "");
  const near = names.find((name) => isNear(typed, name));
  return `unknown option ${rawName}${near === undefined ? "" : `; did you mean --${near}?`}`;
}

/** One begins the other, or they differ by one letter: added, left out, wrong or swapped. */
function isNear(typed: string, name: string): boolean {
  if (typed.length < 2) return false;
  if (name.startsWith(typed) || typed.startsWith(name)) return true;
  let start = 0;
  while (start < typed.length && typed[start] === name[start]) start += 1;
  const [left, right] = [typed.slice(start), name.slice(start)];
  if (left.slice(1) === right || left === right.slice(1)) return true;
  if (left.slice(1) === right.slice(1)) return true;
  return left[0] === right[1] && left[1] === right[0] && left.slice(2) === right.slice(2);
}

function flag({ name, type, short, value }: Option): string {
  const dashes = `${short === undefined ? "    " : `-${short}, `}--${name}`;
  if (type === "boolean") return dashes;
  return `${dashes} ${value ?? (type === "integer" ? "N" : "TEXT")}`;
}

function optionHelp({ help, type, default: byDefault }: Option): string {
  if (type === "list") return `${help} (may be repeated)`;
  return byDefault === undefined ? help : `${help} (default ${byDefault})`;
}
