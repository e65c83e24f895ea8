/**
 * Scenario files (docs/scenarios.md): what the phone records, and what nndi-oss/dialoguss reads.
 * Pure: text in, scenarios out, or an error that names the place.
 */
import { parse } from "yaml";

export type ScenarioStep = {
  /** Undefined at the dial. */
  readonly input: string | undefined;
  /** Name of the secret that is typed; its value is given when the scenario is run. */
  readonly secret: string | undefined;
  readonly expect: string | undefined;
  /** A regular expression that the screen has to match. */
  readonly matches: RegExp | undefined;
  /** Undefined: either will do. */
  readonly isEnd: boolean | undefined;
};
export type Scenario = {
  readonly name: string;
  readonly dialled: string;
  readonly msisdn: string;
  readonly channel: string | undefined;
  /** Where the application is, for files that say so. */
  readonly url: string | undefined;
  readonly steps: readonly ScenarioStep[];
};

const MSISDN = "258841234567";
const STEPS_MAX = 100;

/** Throws an Error for people. */
export function parseScenarios(text: string, file: string): readonly Scenario[] {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 10 });
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const fields = objectOf(value, file);
  const { sessions } = fields;
  if (!Array.isArray(sessions)) return [scenarioOf(fields, {}, file)];
  return sessions.map((session: unknown, index) =>
    scenarioOf(objectOf(session, file), fields, `${file}, session ${index + 1}`),
  );
}

/** `shared` are the fields of a dialoguss file that its sessions have in common. */
function scenarioOf(own: Fields, shared: Fields, place: string): Scenario {
  const fields = { ...shared, ...own };
  const dialled = textOf(fields, ["dial"], place);
  if (dialled === undefined) throw new Error(`${place}: "dial" is missing: the code to dial`);
  const { steps } = own;
  if (!Array.isArray(steps) || steps.length === 0 || steps.length > STEPS_MAX) {
    throw new Error(`${place}: "steps" must be a list of 1 to ${STEPS_MAX} steps`);
  }
  return {
    dialled,
    name: textOf(fields, ["name", "description", "id"], place) ?? dialled,
    msisdn: textOf(fields, ["msisdn", "phoneNumber"], place) ?? MSISDN,
    channel: textOf(fields, ["channel"], place),
    url: textOf(fields, ["url"], place),
    steps: steps.map((step: unknown, index) => {
      const where = `${place}, step ${index + 1}`;
      return stepOf(objectOf(step, where), index === 0, where);
    }),
  };
}

function stepOf(fields: Fields, isDial: boolean, place: string): ScenarioStep {
  const input = textOf(fields, ["send", "userInput", "text"], place);
  const secret = textOf(fields, ["secret"], place);
  if (isDial && (input !== undefined || secret !== undefined)) {
    throw new Error(`${place}: the first step is the dial: it only expects`);
  }
  if (!isDial && input === undefined && secret === undefined) {
    throw new Error(`${place}: "send" is missing: what is typed`);
  }
  const { end } = fields;
  if (end !== undefined && typeof end !== "boolean") {
    throw new Error(`${place}: "end" is true or false`);
  }
  return {
    ...{ input, secret },
    expect: textOf(fields, ["expect"], place)?.replace(/\n+$/, ""),
    matches: patternOf(textOf(fields, ["matches"], place), place),
    isEnd: end,
  };
}

function patternOf(text: string | undefined, place: string): RegExp | undefined {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text, "u");
  } catch {
    throw new Error(`${place}: "matches" is no regular expression`);
  }
}

type Fields = Readonly<Record<string, unknown>>;

function objectOf(value: unknown, place: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Error(`${place}: names and values are expected here`);
}

/** The first of these names that is there; YAML reads an unquoted number as one. */
function textOf(fields: Fields, names: readonly string[], place: string): string | undefined {
  const name = names.find((one) => fields[one] !== undefined && fields[one] !== null);
  const value = name === undefined ? undefined : fields[name];
  if (value === undefined || typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw new Error(`${place}: "${name}" is no text`);
}
