/** `dialyard test` and `dialyard replay`: dialogues held again, and compared. */
import { globSync, readFileSync, statSync, watch, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { codecNames } from "../codecs/index.ts";
import { PROTOCOL_DEFAULT } from "../config.ts";
import { MASK } from "../core/redact.ts";
import { describeRefusal } from "../core/refusal.ts";
import { defineCommand } from "./args.ts";
import { backendDialogue, gatewayDialogue } from "./dialogues.ts";
import { createSend, GatewayError, isUnreachable } from "./gateway-client.ts";
import type { Send } from "./gateway-client.ts";
import { type Scenario, parseScenarios } from "./scenario-file.ts";
import { junitOf, runScenario, type ScenarioResult } from "./scenario-run.ts";

const shared = [
  {
    name: "url",
    type: "string",
    value: "URL",
    default: "http://127.0.0.1:8080",
    help: "the gateway that is dialled",
  },
  { name: "channel", type: "string", value: "NAME", default: "test", help: "channel to dial on" },
  { name: "to", type: "string", value: "URL", help: "an application itself, without a gateway" },
  {
    name: "as",
    type: "string",
    value: "PROTOCOL",
    default: PROTOCOL_DEFAULT,
    help: "what it speaks",
  },
  { name: "secret", type: "list", value: "NAME=VALUE", help: "what is typed at a secret" },
  { name: "key", type: "string", value: "KEY", help: "admin key, where the gateway wants one" },
] as const;

export const testCommand = defineCommand({
  name: "dialyard test",
  summary: "Holds the dialogues of scenario files and compares every screen.",
  positionals: [{ name: "files", help: "default: scenarios/**/*.yml", isMany: true }],
  options: [
    ...shared,
    { name: "junit", type: "string", value: "FILE", help: "writes a JUnit report too" },
    { name: "watch", type: "boolean", help: "again whenever a file changes" },
  ],
});
export const replayCommand = defineCommand({
  name: "dialyard replay",
  summary: "Types once more what a session's subscriber typed, and compares every screen.",
  positionals: [{ name: "session", help: "its id at the gateway, or an exported JSON file" }],
  options: [
    ...shared,
    { name: "yes", type: "boolean", help: "also where the target is not this machine" },
  ],
});

export type ScenarioValues = {
  readonly url: string;
  readonly channel: string;
  readonly to: string | undefined;
  readonly as: string;
  readonly secret: readonly string[];
  readonly key: string | undefined;
};
export type ScenarioIo = {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly nowMs: () => number;
};

const STATUS = { ok: 0, failed: 1, usage: 2, unreachable: 3 } as const;
const SETTLED_MS = 200;

export async function runTest(
  files: readonly string[],
  values: ScenarioValues & { readonly junit: string | undefined; readonly watch: boolean },
  io: ScenarioIo,
): Promise<number> {
  const wanted = files.length === 0 ? ["scenarios/**/*.{yml,yaml}"] : files;
  const found = () => [...new Set(wanted.flatMap((file) => globSync(file)))].sort();
  const once = () => explained(io, () => testFiles(found(), values, io));
  const status = await once();
  if (!values.watch) return status;
  const folders = new Set(found().map((file) => dirname(resolve(file))));
  let timer: NodeJS.Timeout | undefined;
  for (const folder of folders) {
    watch(folder, () => {
      clearTimeout(timer);
      timer = setTimeout(() => void once(), SETTLED_MS);
    });
  }
  io.err("Watching; Ctrl-C ends it.");
  return new Promise(() => undefined);
}

async function testFiles(
  files: readonly string[],
  values: ScenarioValues & { readonly junit: string | undefined },
  io: ScenarioIo,
): Promise<number> {
  if (files.length === 0) throw new UsageError("no scenario file; the phone at /phone records one");
  const scenarios = files.flatMap((file) => parseScenarios(readFileSync(file, "utf8"), file));
  const results = await runAll(scenarios, values, io);
  if (values.junit !== undefined) writeFileSync(values.junit, junitOf(results));
  const failed = results.filter(({ problem }) => problem !== undefined).length;
  io.out(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? STATUS.ok : STATUS.failed;
}

export async function runReplay(
  session: string | undefined,
  values: ScenarioValues & { readonly yes: boolean },
  io: ScenarioIo,
): Promise<number> {
  return explained(io, async () => {
    if (session === undefined) throw new UsageError("say which session: its id, or a file");
    const target = values.to ?? values.url;
    if (!values.yes && !isLocal(target)) {
      throw new UsageError(`${target} is not this machine: --yes sends the inputs there`);
    }
    const text = await readSession(session, values);
    const [result] = await runAll([scenarioOf(text, session)], values, io);
    return result?.problem === undefined ? STATUS.ok : STATUS.failed;
  });
}

async function runAll(
  scenarios: readonly Scenario[],
  values: ScenarioValues,
  io: ScenarioIo,
): Promise<readonly ScenarioResult[]> {
  const secrets = new Map(values.secret.map(readSecret));
  const http = createSend();
  const results: ScenarioResult[] = [];
  try {
    for (const scenario of scenarios) {
      const dialogue = dialogueOf(scenario, values, http.send);
      const result = await runScenario(scenario, dialogue, secrets, io.nowMs);
      results.push(result);
      const { problem, tookMs } = result;
      const mark = problem === undefined ? "✔" : "✖";
      io.out(`${mark} ${scenario.name} (${Math.round(tookMs)} ms)`);
      if (problem !== undefined) io.out(`  ${problem}`);
    }
  } finally {
    await http.close();
  }
  return results;
}

/** --to wins; else a file that names its application; else the gateway. */
function dialogueOf(scenario: Scenario, values: ScenarioValues, send: Send) {
  const url = values.to ?? scenario.url;
  if (url === undefined) {
    return gatewayDialogue(scenario, { send, ...values, adminKey: values.key });
  }
  if (!codecNames.includes(values.as))
    throw new UsageError(`--as ${values.as}: there are ${codecNames.join(", ")}`);
  return backendDialogue(scenario, { send, url, protocol: values.as });
}

function readSecret(text: string): readonly [string, string] {
  const mark = text.indexOf("=");
  if (mark < 1) throw new UsageError("--secret must be like pin=1234");
  return [text.slice(0, mark), text.slice(mark + 1)];
}

async function readSession(session: string, { url, key }: ScenarioValues): Promise<string> {
  if (statSync(session, { throwIfNoEntry: false })?.isFile() === true) {
    return readFileSync(session, "utf8");
  }
  const http = createSend();
  try {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const path = `${url}/api/v1/sessions/${encodeURIComponent(session)}`;
    const answer = await http.send(path, { method: "GET", headers, body: "" }, 10_000);
    if (answer.status !== 200) throw new GatewayError(describeRefusal(answer));
    return answer.body;
  } finally {
    await http.close();
  }
}

/** A session as the API shows it; numbers are masked there, so the scenario has one of its own. */
export function scenarioOf(text: string, name: string): Scenario {
  const { records, service_code } = JSON.parse(text) as {
    readonly service_code?: string | null;
    readonly records?: readonly {
      readonly outcome: string;
      readonly input: string;
      readonly screen: string;
      readonly action: string | null;
    }[];
  };
  if (records === undefined || typeof service_code !== "string") {
    throw new UsageError(`${name} is no session as the gateway exports them`);
  }
  const kept = records.filter(({ outcome, screen }) => screen !== "" && outcome !== "repeat");
  return {
    ...{ name, dialled: service_code, msisdn: "258841234567" },
    ...{ channel: undefined, url: undefined },
    steps: kept.map(({ input, screen, action }, index) => ({
      input: index === 0 || input === MASK ? undefined : input,
      secret: input === MASK ? "pin" : undefined,
      ...{ expect: screen, matches: undefined, isEnd: action === "end" },
    })),
  };
}

function isLocal(url: string): boolean {
  return /^https?:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?:[:/]|$)/.test(url);
}

class UsageError extends Error {
  override readonly name = "UsageError";
}

async function explained(io: ScenarioIo, run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (isUnreachable(error)) {
      io.err("nobody answers there; start a gateway with npm start, or check --to");
      return STATUS.unreachable;
    }
    io.err(message);
    return error instanceof GatewayError ? STATUS.failed : STATUS.usage;
  }
}
