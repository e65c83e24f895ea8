import assert from "node:assert/strict";
import { test } from "node:test";
import { defineCommand, helpText, parseCommand } from "./args.ts";

const command = defineCommand({
  name: "dialyard dial",
  summary: "A phone in the terminal.",
  positionals: [{ name: "code", help: "what to dial" }],
  options: [
    { name: "msisdn", type: "string", default: "258", help: "who dials", value: "NUMBER" },
    { name: "port", type: "integer", default: 8080, short: "p", help: "where" },
    { name: "key", type: "string", help: "admin key" },
    { name: "quiet", type: "boolean", help: "say less" },
    { name: "set", type: "list", help: "a setting", value: "NAME=VALUE" },
  ],
});

function invalid(...argv: readonly string[]): string {
  const parsed = parseCommand(command, argv);
  assert.equal(parsed.type, "invalid");
  assert.equal(parsed.type === "invalid" && parsed.status, 2);
  return parsed.type === "invalid" ? parsed.text : "";
}

test("what is not given has its default", () => {
  assert.deepEqual(parseCommand(command, []), {
    type: "run",
    values: { msisdn: "258", port: 8080, key: undefined, quiet: false, set: [] },
    positionals: [],
  });
});

test("values, flags, short names, repeated options and a positional are read", () => {
  const argv = ["*365#", "--quiet", "-p", "9", "--key=a=b", "--set", "x=1", "--set=y=2"];
  assert.deepEqual(parseCommand(command, argv), {
    type: "run",
    values: { msisdn: "258", port: 9, key: "a=b", quiet: true, set: ["x=1", "y=2"] },
    positionals: ["*365#"],
  });
});

test("the values have the types of their rows", () => {
  const parsed = parseCommand(command, ["--port", "9"]);
  assert.ok(parsed.type === "run");
  const port: number = parsed.values.port;
  const key: string | undefined = parsed.values.key;
  const set: readonly string[] = parsed.values.set;
  assert.deepEqual([port, key, set], [9, undefined, []]);
});

test("an unknown option is named, with the one that was meant", () => {
  assert.equal(
    invalid("--msidn=1"),
    "dialyard dial: unknown option --msidn; did you mean --msisdn?\nSee dialyard dial --help\n",
  );
});

test("what cannot be right is refused with its reason", () => {
  assert.match(invalid("--frobnicate"), /^dialyard dial: unknown option --frobnicate\nSee /);
  assert.match(invalid("--ksy", "-p"), /did you mean --key\?/);
  assert.match(invalid("--kye"), /did you mean --key\?/);
  assert.match(invalid("--port", "http"), /--port must be a whole number/);
  assert.match(invalid("--port", "-1"), /--port/);
  assert.match(invalid("--key"), /--key needs a value/);
  assert.match(invalid("--key", "--quiet"), /--key needs a value/);
  assert.match(invalid("--key="), /--key needs a value/);
  assert.match(invalid("--quiet=yes"), /--quiet takes no value/);
  assert.match(invalid("--key", "a", "--key", "b"), /--key is given twice/);
  assert.match(invalid("*1#", "*2#"), /unexpected argument "\*2#"/);
});

test("all problems are told at once", () => {
  assert.equal(invalid("--port", "x", "--what").split("\n").length, 4);
});

test("the help lists every option with its default, and is given even beside a mistake", () => {
  const text = helpText(command);
  assert.match(text, /^A phone in the terminal\.\n\nUsage: dialyard dial \[code\] \[options\]\n/);
  assert.match(text, /^ {2}code +what to dial$/m);
  assert.match(text, /^ {2} {4}--msisdn NUMBER +who dials \(default 258\)$/m);
  assert.match(text, /^ {2}-p, --port N +where \(default 8080\)$/m);
  assert.match(text, /^ {2} {4}--set NAME=VALUE +a setting \(may be repeated\)$/m);
  assert.match(text, /^ {2}-h, --help +show this text$/m);
  for (const argv of [["--help"], ["-h"], ["--what", "--help"]]) {
    assert.deepEqual(parseCommand(command, argv), { type: "help", text, status: 0 });
  }
});
