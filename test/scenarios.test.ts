/** Scenario files, replays and `dev --to`, as a developer runs them: on a gateway of its own. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { scenarioText } from "../console/src/lib/scenario.ts";
import { parseScenarios } from "../src/cli/scenario-file.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { startApp, type App } from "./support/phones.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const MENU = "Shop\n1. Pay\n0. Exit";

type Ran = { readonly status: number; readonly out: string; readonly err: string };

function run(...args: readonly string[]): Promise<Ran> {
  return new Promise((done) => {
    const argv = ["--disable-warning=ExperimentalWarning", MAIN, ...args];
    execFile(process.execPath, argv, { encoding: "utf8" }, (error, out, err) =>
      done({ status: Number(error?.code ?? 0), out, err }),
    );
  });
}

describe("scenarios", () => {
  let app: App;
  let gateway: StartedGateway;
  let folder: string;
  const write = async (name: string, text: string) => {
    const file = join(folder, name);
    await writeFile(file, text);
    return file;
  };
  const scenario = (last: string) => `
name: Pays with a PIN
dial: "*365#"
steps:
  - expect: |-
      Shop
      1. Pay
      0. Exit
  - send: "1"
    matches: "PIN"
    end: false
  - secret: pin
    expect: ${JSON.stringify(last)}
    end: true
`;

  before(async () => {
    app = await startApp("ola", ({ said }) => {
      if (said === "1") return { screen: "Enter your PIN:", end: false };
      if (said === "4321") return { screen: "Paid", end: true };
      return { screen: MENU, end: false };
    });
    gateway = await startGateway({ args: ["--to", app.url] });
    folder = await mkdtemp(join(tmpdir(), "dialyard-scenarios-"));
  });
  after(async () => {
    await gateway.stop();
    await app.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("dev --to says where the app is on the phone, and that it is up", () => {
    assert.match(gateway.stdout(), /\*365# is http:\S+ \(ola\); it is up/);
    assert.match(gateway.stdout(), /\/phone\?code=\*365%23/);
  });

  test("a scenario that holds passes, and its secret comes from the command line", async () => {
    const file = await write("good.yml", scenario("Paid"));
    const ran = await run("test", file, "--url", gateway.url, "--secret", "pin=4321");
    assert.deepEqual([ran.status, ran.err], [0, ""]);
    assert.match(ran.out, /✔ Pays with a PIN .*\n1 passed, 0 failed/);
    const without = await run("test", file, "--url", gateway.url);
    assert.equal(without.status, 1);
    assert.match(without.out, /--secret pin=VALUE/);
  });

  test("another screen is shown line by line, fails, and is in the JUnit report", async () => {
    const good = await write("a.yml", scenario("Paid"));
    const bad = await write("b.yml", scenario("Thanks\nfor paying"));
    const report = join(folder, "report.xml");
    const options = ["--url", gateway.url, "--secret", "pin=4321", "--junit", report];
    const ran = await run("test", good, bad, ...options);
    assert.equal(ran.status, 1);
    assert.match(
      ran.out,
      /after the secret pin: another screen\n {4}- Thanks\n {4}- for paying\n {4}\+ Paid/,
    );
    assert.match(ran.out, /1 passed, 1 failed/);
    const junit = await readFile(report, "utf8");
    assert.match(junit, /tests="2" failures="1"/);
    assert.ok(!junit.includes("4321") && !ran.out.includes("4321"));
  });

  test("an application itself is tested without a gateway", async () => {
    const file = await write("direct.yml", scenario("Paid"));
    const ran = await run("test", file, "--to", app.url, "--secret", "pin=4321");
    assert.equal(ran.status, 0, ran.out + ran.err);
  });

  test("a session is replayed from the gateway and from its export", async () => {
    const list = (await (
      await fetch(`${gateway.url}/api/v1/sessions?outcome=completed`)
    ).json()) as {
      readonly sessions: readonly { readonly id: string }[];
    };
    const id = list.sessions[0]?.id ?? "";
    const exported = await (await fetch(`${gateway.url}/api/v1/sessions/${id}`)).text();
    const file = await write("session.json", exported);
    const options = ["--url", gateway.url, "--secret", "pin=4321"];
    assert.equal((await run("replay", id, ...options)).status, 0);
    const changed = await write("changed.json", exported.replace("1. Pay", "1. Buy"));
    assert.equal((await run("replay", file, ...options, "--to", app.url)).status, 0);
    const ran = await run("replay", changed, ...options);
    assert.equal(ran.status, 1);
    assert.match(ran.out, /- 1\. Buy\n {4}\+ 1\. Pay/);
    const far = await run("replay", file, "--to", "https://pay.example.com/ussd");
    assert.equal(far.status, 2);
    assert.match(far.err, /--yes/);
  });

  test("what nobody can run is refused with the place and the reason", async () => {
    for (const [text, reason] of [
      ["dial: ['", /broken\.yml: /],
      ["steps: []", /"dial" is missing/],
      ['dial: "*1#"', /"steps" must be a list/],
      ['dial: "*1#"\nsteps: [{ send: "1" }]', /step 1: the first step is the dial/],
      ['dial: "*1#"\nsteps: [{ expect: a }, { expect: b }]', /step 2: "send" is missing/],
      ['dial: "*1#"\nsteps: [{ matches: "(" }]', /no regular expression/],
    ] as const) {
      const ran = await run("test", await write("broken.yml", text), "--url", gateway.url);
      assert.equal(ran.status, 2);
      assert.match(ran.err, reason);
    }
  });
});

test("a dialoguss file is read as it is: sessions, userInput and text", () => {
  const scenarios = parseScenarios(
    `
url: http://localhost:7654
dial: "*1234*1234#"
phoneNumber: 265888123456
sessions:
  - id: 12345678910
    description: "Should return a balance"
    steps:
      - expect: "What is your name?"
      - userInput: "Zikani"
        expect: |
          Welcome, Zikani
          1. Balance
  - id: 2
    phoneNumber: 265888000000
    steps:
      - expect: "What is your name?"
      - text: "2"
        expect: "Bye"
`,
    "app.yml",
  );
  assert.deepEqual(
    scenarios.map(({ name, msisdn, dialled, url }) => ({ name, msisdn, dialled, url })),
    [
      {
        ...{ name: "Should return a balance", msisdn: "265888123456" },
        ...{ dialled: "*1234*1234#", url: "http://localhost:7654" },
      },
      { name: "2", msisdn: "265888000000", dialled: "*1234*1234#", url: "http://localhost:7654" },
    ],
  );
  assert.deepEqual(
    scenarios[0]?.steps.map(({ input, expect }) => [input, expect]),
    [
      [undefined, "What is your name?"],
      ["Zikani", "Welcome, Zikani\n1. Balance"],
    ],
  );
});

test("what the phone records is YAML that says the same, whatever the screen holds", () => {
  const screens = [
    "Menu\n\n1. Pay: now\n# Exit",
    "  leading space",
    "trailing \nspace ",
    "tab\there",
    "- a list?\n'quotes' \"too\"",
    "é ✓ {curly} [square] & *star",
  ];
  const steps = screens.map((screen, index) => ({
    ...{ typed: `${index}: "x"`, isSecret: index === 2, screen, isEnd: index === 5 },
  }));
  const text = scenarioText({
    ...{ name: 'A "name": 1', msisdn: "258841234567", dialled: "*365#", channel: "test", steps },
  });
  const value = parse(text) as { readonly steps: readonly { readonly expect: string }[] };
  assert.deepEqual(
    value.steps.map(({ expect }) => expect),
    screens,
  );
  const [read] = parseScenarios(text, "recorded.yml");
  assert.equal(read?.name, 'A "name": 1');
  assert.equal(read?.steps[2]?.secret, "pin");
  assert.equal(read?.steps[1]?.input, '1: "x"');
});
