/** Runs a scenario turn by turn, and says in which line a screen is not what was expected. */
import { diff } from "node:util";
import type { Reply } from "../types.ts";
import type { Scenario, ScenarioStep } from "./scenario-file.ts";

/** One dialogue: the inputs so far, the latest last; none at the dial. */
export type Dialogue = (inputs: readonly string[]) => Promise<Pick<Reply, "screen" | "action">>;

export type ScenarioResult = {
  readonly scenario: Scenario;
  readonly tookMs: number;
  /** Undefined: all was as expected. */
  readonly problem: string | undefined;
};

export async function runScenario(
  scenario: Scenario,
  dialogue: Dialogue,
  secrets: ReadonlyMap<string, string>,
  nowMs: () => number,
): Promise<ScenarioResult> {
  const startedAtMs = nowMs();
  const problem = await findProblem(scenario, dialogue, secrets);
  return { scenario, problem, tookMs: nowMs() - startedAtMs };
}

async function findProblem(
  { steps, dialled }: Scenario,
  dialogue: Dialogue,
  secrets: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const inputs: string[] = [];
  let isOver = false;
  for (const step of steps) {
    const { input, secret } = step;
    const said = sayOf(step, dialled);
    if (isOver) return `${said}: the session had ended before`;
    const value = secret === undefined ? input : secrets.get(secret);
    if (secret !== undefined && value === undefined) {
      return `${said}: give its value by --secret ${secret}=VALUE`;
    }
    if (value !== undefined) inputs.push(value);
    const reply = await dialogue(inputs);
    const wrong = compare(step, reply);
    if (wrong !== undefined) return `${said}: ${wrong}`;
    isOver = reply.action === "end";
  }
  return undefined;
}

function sayOf({ input, secret }: ScenarioStep, dialled: string): string {
  if (secret !== undefined) return `after the secret ${secret}`;
  return input === undefined ? `after dialling ${dialled}` : `after ${JSON.stringify(input)}`;
}

function compare(step: ScenarioStep, reply: Awaited<ReturnType<Dialogue>>): string | undefined {
  const { expect, matches, isEnd } = step;
  const { screen, action } = reply;
  if (expect !== undefined && expect !== screen) {
    return `another screen\n${differenceOf(expect, screen)}`;
  }
  if (matches !== undefined && !matches.test(screen)) {
    return `the screen does not match ${String(matches)}\n${indent(screen, "+ ")}`;
  }
  if (isEnd !== undefined && isEnd !== (action === "end")) {
    return isEnd ? "the session goes on, and should have ended" : "the session ended too early";
  }
  return undefined;
}

/** "- " was expected, "+ " came. */
export function differenceOf(expected: string, actual: string): string {
  const marks = { "-1": "+ ", "0": "  ", "1": "- " } as const;
  return diff(expected.split("\n"), actual.split("\n"))
    .map(([kind, line]) => `    ${marks[kind === 0 ? "0" : kind === 1 ? "1" : "-1"]}${line}`)
    .join("\n");
}

function indent(text: string, mark: string): string {
  return text
    .split("\n")
    .map((line) => `    ${mark}${line}`)
    .join("\n");
}

/** As CI systems read it. */
export function junitOf(results: readonly ScenarioResult[]): string {
  const failures = results.filter(({ problem }) => problem !== undefined).length;
  const cases = results.map(({ scenario, problem, tookMs }) => {
    const seconds = (tookMs / 1_000).toFixed(3);
    const start = `  <testcase name="${escape(scenario.name)}" time="${seconds}"`;
    if (problem === undefined) return `${start}/>`;
    const [first = ""] = problem.split("\n");
    const failure = `<failure message="${escape(first)}">${escape(problem)}</failure>`;
    return `${start}>\n    ${failure}\n  </testcase>`;
  });
  const head = `<testsuite name="dialyard" tests="${results.length}" failures="${failures}">`;
  return ['<?xml version="1.0" encoding="UTF-8"?>', head, ...cases, "</testsuite>", ""].join("\n");
}

function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    ...{ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" },
  };
  return text
    .replace(/[&<>"]/g, (character) => entities[character] ?? "")
    .replace(/(?![\n\t])\p{Control}/gu, "?");
}
