import assert from "node:assert/strict";
import { test } from "node:test";
import { phone } from "../testing/phone.ts";
import { bad, ok, type Resume, ussd } from "./index.ts";

const u = ussd<{ main: object; pay: object; help: object }>();
const anything = (raw: string) => ok(raw);
function using(resume: Resume<"main" | "pay" | "help">, ran: string[] = []) {
  return u.app({
    name: "pay",
    start: "main",
    resume,
    codes: { "*123*9#": "help" },
    screens: {
      main: u.menu({ title: "M", items: [{ label: "Pay", to: "pay" }] }),
      help: u.text({ body: "Help" }),
      pay: u
        .flow()
        .ask("to", "to?", anything)
        .ask("amount", (v) => `${v.to}: amount?`, anything)
        .secret("pin", "PIN?", (pin) => (pin === "9731" ? ok(true) : bad("Wrong PIN")))
        .confirm("sure?")
        .run(async (v, _ctx, key) => {
          ran.push(key);
          return `paid ${v.amount} to ${v.to}`;
        }),
    },
  });
}
const inputs = ["1", "84", "500", "9731"] as const;
const within = (mode: "continue" | "ask") => ({ mode, withinMs: 600_000 }) as const;

test("never: a dial begins at the start", async () => {
  const p = await (await phone(using({ mode: "never", withinMs: 0 }), {}).dial()).send("1", "84");
  await p.drop();
  (await p.redial()).expectText("M\n1. Pay");
});

test("continue: dropped anywhere, a dial goes on there; never past the PIN", async () => {
  const expected = ["main", "pay.to", "pay.amount", "pay.pin", "pay.pin"];
  for (const [typed, place] of expected.entries()) {
    const ran: string[] = [];
    const p = await (
      await phone(using(within("continue"), ran), {}).dial()
    ).send(...inputs.slice(0, typed));
    await p.drop();
    p.clock.advance("9m");
    (await p.redial()).expectText(/^Welcome back\n/).expectScreen(place);
    const rest = place === "pay.pin" ? ["9731", "1"] : [...inputs.slice(typed), "1"];
    (await p.send(...rest)).expectEnd("paid 500 to 84");
    assert.deepEqual(ran, ["p-session-1/pay"]);
  }
});

test("ask: continue or start again, as the subscriber chooses", async () => {
  const resumed = async () => {
    const p = await (await phone(using(within("ask")), {}).dial()).send("1", "84");
    await p.drop();
    (await p.redial()).expectText("Continue where you left off?\n1. Continue\n2. Start again");
    return p;
  };
  (await (await resumed()).send("1")).expectText("84: amount?\n0. Back");
  (await (await resumed()).send("2")).expectText("M\n1. Pay");
  const p = await resumed();
  (await p.send("7")).expectText(/^Invalid option\nContinue where/);
  await p.drop();
  (await (await p.redial()).send("1")).expectScreen("pay.amount");
});

test("outside the window, and after the end, a dial begins at the start", async () => {
  const p = await (await phone(using(within("continue")), {}).dial()).send("1", "84");
  p.clock.advance("11m");
  (await p.redial()).expectText("M\n1. Pay");
  const q = await (await phone(using({ mode: "continue", withinMs: 1_000 }), {}).dial()).send("1");
  q.clock.advance("2s");
  (await q.redial()).expectText("M\n1. Pay");
  assert.ok(q.events.some(({ type }) => type === "session:expired"));
  const r = await (await phone(using(within("continue")), {}).dial()).send(...inputs, "1");
  (await r.expectEnd().redial()).expectText("M\n1. Pay");
});

test("a star code wins over resuming, and other screens can be left out of it", async () => {
  const p = await (await phone(using(within("continue")), {}).dial()).send("1", "84");
  (await p.dial("*123*9#")).expectScreen("help");
  const some = using({ ...within("continue"), screens: ["help"] });
  const q = await (await phone(some, {}).dial()).send("1", "84");
  (await q.redial()).expectText("M\n1. Pay");
});

test("a deploy in between: on a screen that is gone one begins at the start", async () => {
  const p = await (await phone(using(within("continue")), {}).dial()).send("1", "84");
  const less = ussd<{ main: object }>();
  const main = less.menu<object>({ title: "New", items: [] });
  const next = less.app({
    name: "pay",
    start: "main",
    resume: within("continue"),
    screens: { main },
  });
  (await p.deploy(next).redial()).expectText("New");
});

test("after a safe screen one goes on where it happened", async () => {
  const w = ussd<{ main: object }>();
  let isDown = true;
  const app = w.app({
    name: "down",
    start: "main",
    resume: within("continue"),
    screens: {
      main: w
        .flow()
        .ask("a", "a?", anything)
        .ask("b", "b?", (raw) => {
          if (isDown) throw new Error("down");
          return ok(raw);
        })
        .run(async (v) => `${v.a} ${v.b}`),
    },
  });
  const p = await (await phone(app, { companion: false }).dial()).send("x", "y");
  p.expectEnd(/^Service unavailable/);
  isDown = false;
  (await p.redial()).expectText("Welcome back\nb?\n0. Back");
  (await p.send("y")).expectEnd("x y");
});

test("a node that died at the confirm: the dial after it is told, the one after that is new", async () => {
  const ran: string[] = [];
  const q = await (await phone(using(within("continue"), ran), {}).dial()).send(...inputs);
  await q.crash();
  (await q.redial()).expectEnd(/^We are confirming your request/);
  (await q.redial()).expectText("M\n1. Pay");
  assert.deepEqual(ran, []);
});
