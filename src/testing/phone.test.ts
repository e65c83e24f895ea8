import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bad, ok, ussd } from "../app/index.ts";
import { phone } from "./phone.ts";

const u = ussd<{ main: object; pay: { to: string } }, object>();
const anything = (raw: string) => ok(raw);
const pay = u.text<{ to: string }>({ body: ({ params }) => `Pay ${params.to}` });
const appOf = (main: Parameters<typeof u.app>[0]["screens"]["main"]) =>
  u.app({ name: "t", start: "main", screens: { main, pay } });

test("an app that keeps a request's state for all is found by the companion", async () => {
  let shared = "";
  const main = u.menu<object>({
    async title({ turn }) {
      shared = turn.msisdn;
      await wait(1);
      return `You are ${shared}`;
    },
    items: [],
  });
  const options = { msisdn: "258841111111" };
  const p = await phone(appOf(main), options).dial();
  assert.throws(() => p.expectText(/You are 258841111111/), { name: "AssertionError" });
  const alone = await phone(appOf(main), { ...options, companion: false }).dial();
  alone.expectText(/You are 258841111111/);
});

test("a secret that an app shows or keeps fails the test that typed it", async () => {
  let typed = "";
  const main = u
    .flow()
    .secret("pin", "PIN?", (pin) => {
      typed = pin;
      return ok(true);
    })
    .confirm(() => `Your PIN is ${typed}`)
    .run(async () => "");
  const p = await phone(appOf(main), {}).dial();
  await assert.rejects(p.send("9731"), /a secret is in the state, an event or the screen/);
  const kept = u
    .flow()
    .secret("pin", "PIN?", (pin) => ((typed = pin), ok(true)))
    .choose("copy", "?", () => [{ id: typed, label: "Go", value: typed }])
    .run(async () => "");
  const q = await phone(appOf(kept), {}).dial();
  await assert.rejects(q.send("9731"), /a secret is in the state/);
});

test("effects are the subscriber's alone: the companion has none", async () => {
  const ran: string[] = [];
  const main = u
    .flow()
    .ask("x", "x?", anything)
    .run(async (_v, _ctx, _key, turn) => {
      ran.push(turn.msisdn);
      return "done";
    });
  (await (await phone(appOf(main), { msisdn: "258841111111" }).dial()).send("a")).expectEnd("done");
  assert.deepEqual(ran, ["258841111111"]);
});

test("a test can begin anywhere: at a screen with its params, in a flow with its answers", async () => {
  const main = u
    .flow()
    .ask("to", "to?", anything)
    .ask("amount", (v) => `${v.to}: amount?`, anything)
    .run(async (v) => `${v.amount} to ${v.to}`);
  const p = await phone(appOf(main), {}).at("pay", { to: "Jane" });
  p.expectText("Pay Jane\n0. Back").expectScreen("pay");
  const w = ussd<{ main: object; transfer: object }>();
  const start = w.menu<object>({ title: "M", items: [] });
  const app = w.app({ name: "w", start: "main", screens: { main: start, transfer: main } });
  const q = await phone(app, {}).at("transfer", { to: "Jane" });
  q.expectText("Jane: amount?\n0. Back").expectScreen("transfer.amount");
  (await q.send("5")).expectEnd("5 to Jane");
});

test("the clock moves only when it is told to", async () => {
  const main = u.text<object>({ body: ({ turn }) => String(turn.nowMs) });
  const p = await phone(appOf(main), {}).dial();
  const before = Number(p.screen);
  p.clock.advance("5m");
  p.clock.advance(7);
  assert.equal(Number((await p.dial()).screen), before + 300_007);
  assert.throws(() => p.clock.advance("soon"), /not like/);
});

test("the network hangs up: what comes after is a new session", async () => {
  const main = u
    .flow()
    .ask("a", "a?", anything)
    .ask("b", "b?", anything)
    .run(async () => "");
  const p = await (await phone(appOf(main), {}).dial()).send("x");
  await p.expectScreen("main.b").drop();
  assert.equal(p.screen, "");
  (await p.redial()).expectScreen("main.a");
});

test("what is expected and not there says what is there", async () => {
  const main = u.menu<object>({ title: "Welcome", items: [] });
  const p = await phone(appOf(main), {}).dial();
  assert.throws(() => p.expectScreen("other"), /Welcome/);
  assert.throws(
    () => p.expectEnd(),
    /the session goes on\n\nThe conversation so far:\ndials \*123#\n  \| Welcome/,
  );
  assert.throws(() => p.expectText("Goodbye"), /Welcome/);
});

const paying = () =>
  appOf(
    u
      .flow()
      .ask("amount", 'How "much"?', anything)
      .secret("pin", "PIN?", (pin) => (pin === "739184" ? ok(true) : bad("Wrong")))
      .run((v) => `Paid ${v.amount}`),
  );

test("a failure shows the conversation so far, without its secrets", async () => {
  const p = await (await phone(paying(), {}).dial("*365#")).send("50", "739184");
  assert.throws(
    () => p.expectText("Paid 60"),
    ({ message }: Error) =>
      /types 50\n {2}\| PIN\?\n {2}\| 0. Back\ntypes \*\*\*\*\n {2}\| Paid 50 {2}\(end\)/.test(
        message,
      ) &&
      message.includes("Paid 60") &&
      !message.includes("739184"),
  );
});

test("a recording is a test that passes, once its secrets are filled in", async () => {
  const p = await (await phone(paying(), {}).dial("*365#")).send("50", "0000", "739184");
  await (await p.at("main", { amount: "20" })).drop();
  await (await p.redial()).sendTwice("70");
  const recorded = p.record("a payment");
  assert.ok(!recorded.includes("739184") && !recorded.includes('"0000"'));
  const folder = mkdtempSync(fileURLToPath(new URL("recorded-", import.meta.url)));
  try {
    const here = (file: string) => JSON.stringify(fileURLToPath(new URL(file, import.meta.url)));
    writeFileSync(
      join(folder, "app.ts"),
      `import { bad, ok, ussd } from ${here("../app/index.ts")};
      const u = ussd();
      const main = u.flow().ask("amount", 'How "much"?', (raw) => ok(raw))
        .secret("pin", "PIN?", (pin) => (pin === "739184" ? ok(true) : bad("Wrong")))
        .run((v) => \`Paid \${v.amount}\`);
      export const app = u.app({ name: "t", start: "main", screens: { main } } as never);`,
    );
    const filled = recorded
      .replace('"dialyard/testing"', here("index.ts"))
      .replace('const SECRETS = ["", ""]', 'const SECRETS = ["0000", "739184"]');
    writeFileSync(join(folder, "recorded.test.ts"), filled);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const file = join(folder, "recorded.test.ts");
    const run = spawnSync(process.execPath, ["--test", file], { encoding: "utf8", env });
    assert.equal(run.status, 0, run.stdout + run.stderr);
    assert.match(run.stdout, /a payment/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
