/** `npm run chaos`: a run as its options say, and status 1 where a checker found something. */
import { defineCommand, parseCommand } from "../../src/cli/args.ts";
import type { Options } from "./plan.ts";
import { list, runChaos, type ChaosResult } from "./run.ts";

const command = defineCommand({
  name: "npm run chaos --",
  summary: "Three gateways, PostgreSQL, perhaps Redis and a ledger, while all of them are killed.",
  options: [
    { name: "seed", type: "integer", help: "draws the same plan again; default: a new one" },
    { name: "minutes", type: "string", value: "N", default: "10", help: "how long sessions begin" },
    { name: "sessions", type: "integer", default: 50_000, help: "spread over that time" },
    { name: "kills", type: "integer", default: 100, help: "kill -9 of gateways" },
    { name: "stops", type: "integer", default: 20, help: "SIGSTOP of gateways" },
    { name: "postgres-kills", type: "integer", default: 5, help: "kill -9 of PostgreSQL" },
    { name: "redis-kills", type: "integer", default: 0, help: "kill -9 of Redis" },
    { name: "cuts", type: "integer", default: 60, help: "severed, slowed and stalled connections" },
    { name: "store", type: "string", default: "postgres", help: "of sessions: postgres or redis" },
    {
      name: "redis-disk",
      type: "string",
      default: "everysec",
      help: "appendfsync of Redis: always or everysec; none is no append-only file",
    },
    { name: "budget-ms", type: "integer", default: 6_000, help: "turn budget of the channels" },
    { name: "json", type: "boolean", help: "the result as one JSON object" },
  ],
});

/** Of each rule. */
const VIOLATIONS_SHOWN = 6;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const parsed = parseCommand(command, argv);
  if (parsed.type !== "run") {
    console.error(parsed.text);
    return parsed.status;
  }
  const { values } = parsed;
  const { store, "redis-disk": redisDisk } = values;
  const minutes = Number(values.minutes);
  if (store !== "postgres" && store !== "redis") return wrong("--store is postgres or redis");
  if (redisDisk !== "always" && redisDisk !== "everysec" && redisDisk !== "none")
    return wrong("--redis-disk is always, everysec or none");
  if (!(minutes > 0 && minutes <= 600)) return wrong("--minutes is a number up to 600");
  const options: Options = {
    ...{ minutes, store, redisDisk },
    seed: values.seed ?? Math.floor(Math.random() * 2 ** 31),
    ...{ sessions: values.sessions, kills: values.kills, stops: values.stops, cuts: values.cuts },
    postgresKills: values["postgres-kills"],
    redisKills: values["redis-kills"],
    budgetMs: values["budget-ms"],
  };
  console.error(`seed ${options.seed}: again with --seed ${options.seed}`);
  const result = await runChaos(options, (line) => console.error(line));
  console.log(values.json ? JSON.stringify({ options, ...result }) : describe(options, result));
  return result.verdict.violations.length === 0 ? 0 : 1;
}

function wrong(problem: string): number {
  console.error(problem);
  return 2;
}

export function describe(options: Options, result: ChaosResult): string {
  const { verdict, faults, requests, brokenConnections, slowRequests, countedLost } = result;
  const rules = new Map<string, number>();
  for (const { rule } of verdict.violations) rules.set(rule, (rules.get(rule) ?? 0) + 1);
  const lost =
    countedLost === undefined ? [] : [`Lost by Redis      ${countedLost}, as nodes count`];
  const seconds = Math.round(result.tookMs / 1_000);
  const connections = `${brokenConnections} connections broke, ${slowRequests} beyond the budget`;
  return [
    `Chaos of seed ${options.seed}: ${options.sessions} sessions, ${seconds} s`,
    `Faults             ${list(faults)}`,
    `Requests           ${requests}, ${connections}`,
    `Sessions ended     ${list(verdict.ends)}`,
    `Screens accepted   ${verdict.accepted}, ${verdict.missing} without a record`,
    `Transfers          ${verdict.transfers}; calls that came again ${verdict.repeatedCalls}`,
    `Unknown turns      ${verdict.unknown}`,
    ...lost,
    rules.size === 0 ? "No violation." : `Violations         ${list(Object.fromEntries(rules))}`,
    ...[...rules.keys()]
      .flatMap((rule) =>
        verdict.violations.filter((one) => one.rule === rule).slice(0, VIOLATIONS_SHOWN),
      )
      .map(({ rule, what }) => `  ${rule}: ${what}`),
    ...(rules.size === 0 ? [] : ["Faults", ...result.story.map((line) => `  ${line}`)]),
  ].join("\n");
}
