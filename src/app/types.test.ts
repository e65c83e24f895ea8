/**
 * What does not compile: `tsc` must pass, so every line after a ts-expect-error is an error. The
 * test below runs what does compile.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { phone } from "../testing/phone.ts";
import { type App, catalog, createDialogue, memoryAppStore, ok, say, ussd } from "./index.ts";

type Account = { readonly msisdn: string; readonly name: string };
type Routes = { main: object; pay: object; amount: { to: Account } };
type Ctx = { readonly user: string };
const u = ussd<Routes, Ctx>();
const number = (raw: string) => ok(Number(raw));
const ask = () => u.flow().ask("amount", "Amount", number);
const main = u.menu({ title: "x", items: [{ label: "Pay", to: "pay" }] });
const pay = ask()
  .confirm((v) => v.amount.toFixed(2))
  .run(async (v) => String(v.amount));
// Params come from the key a screen is mounted under, `value` from `parse`: no annotation.
const screens = {
  main,
  pay,
  amount: u.input<Routes["amount"], number>({
    prompt: ({ params }) => params.to.name,
    parse: number,
    next: ({ value, end }) => end(value.toFixed(2)),
  }),
};
const app = u.app({
  name: "t",
  start: "main",
  codes: { "*1*2#": "pay" },
  screens: {
    main,
    pay,
    amount: u.input({
      prompt: ({ params, ctx }) => `${params.to.name} ${ctx.user}`,
      parse: number,
      next: ({ value, end }) => end(value.toFixed(2)),
    }),
  },
});

/** Never called: only its types count. */
export function doesNotCompile(): void {
  const base = { name: "t", start: "main" } as const;
  // @ts-expect-error 1: a screen is missing
  u.app({ ...base, screens: { main, pay } });
  // @ts-expect-error 2: the start screen may not need params
  u.app({ name: "t", start: "amount", screens });
  // @ts-expect-error 3: a flow cannot be mounted where params are required
  u.app({ ...base, screens: { ...screens, amount: pay } });
  // @ts-expect-error 4: a star code may not lead to a screen with params
  u.app({ ...base, screens, codes: { "*1*2#": "amount" } });
  // @ts-expect-error 5: nobody resumes at a screen that is not there
  u.app({ ...base, screens, resume: { mode: "ask", withinMs: 1, screens: ["nope"] } });
  u.menu<object>({
    title: "x",
    items: [
      // @ts-expect-error 6: unknown screen
      { label: "a", to: "nope" },
      // @ts-expect-error 7: `amount` needs params, so it cannot be a bare target
      { label: "b", to: "amount" },
      // @ts-expect-error 8: params missing
      { label: "c", to: ({ go }) => go("amount") },
      // @ts-expect-error 9: wrong params
      { label: "d", to: ({ go }) => go("amount", { to: "x" }) },
      { label: "e", to: ({ go }) => go("amount", { to: { msisdn: "m", name: "n" } }) },
    ],
  });
  u.input<Routes["amount"], number>({
    // @ts-expect-error 10: this screen has no param `nope`
    prompt: ({ params }) => params.nope,
    parse: number,
    next: ({ end }) => end(""),
  });
  // @ts-expect-error 11: the context has no `account`
  u.text<object>({ body: ({ ctx }) => ctx.account });
  // @ts-expect-error 12: `to` has not been asked yet
  u.flow().ask("amount", (v) => `To ${v.to}`, number);
  // @ts-expect-error 13: `to` is not an answer of this flow
  ask().run(async (v) => v.to);
  // @ts-expect-error 14: answers are read-only
  ask().run(async (v) => String((v.amount = 1)));
  const secret = u.flow().secret("pin", "PIN", () => ok(true));
  // @ts-expect-error 15: a secret is never part of the answers
  secret.run(async (v) => v.pin);
  // @ts-expect-error 16: a secret passes or does not; it has no value
  u.flow().secret("pin", "PIN", (raw) => ok(raw));
  // @ts-expect-error 17: a key is asked once
  ask().ask("amount", "again", number);
  const maybe = ask()
    .ask("note", "Note", (raw) => ok(raw))
    .when((v) => v.amount > 100);
  // @ts-expect-error 18: a step that may be skipped may have no answer
  maybe.run(async (v) => v.note.trim());
  // @ts-expect-error 19: a step's condition cannot look at its own answer
  ask().when((v) => v.amount > 1);
  const chosen = u.flow().choose("kind", "Kind", [
    { id: "s", label: "Savings", value: "savings" },
    { id: "c", label: "Current", value: "current" },
  ]);
  // @ts-expect-error 20: nothing else was offered
  chosen.run(async (v) => (v.kind === "cheque" ? "a" : "b"));
  const dated = u.flow().ask("at", "When?", (raw) => ok(new Date(raw)));
  // @ts-expect-error 21: what a store gives back of a Date is a string
  dated.run(async (v) => v.at.toISOString());
  // @ts-expect-error 22: a message is no number
  ask().run(async (v) => v.amount);
  // @ts-expect-error 23: this app needs a context
  phone(app, {});
  // @ts-expect-error 24: and one with a user in it
  phone(app, { context: () => ({ account: 1 }) });
  // @ts-expect-error 25: the phone knows the screens
  void phone(app, { context: () => ({ user: "" }) }).at("nope");
  // @ts-expect-error 26: a dialogue needs its context too
  createDialogue(app, { store: memoryAppStore(), digest: String });
}

const t = catalog({
  en: {
    hello: "Hello {name}",
    due: "{amount:number} due",
    left: { one: "{n} try", other: "{n} tries" },
  },
  pt: {
    hello: "Bom dia {name}",
    due: "Faltam {amount:number}",
    left: { one: "{n} tentativa", other: "{n} tentativas" },
  },
});

export function catalogDoesNotCompile(): void {
  // @ts-expect-error 27: a key is missing in one locale
  catalog({ en: { a: "A", b: "B" }, pt: { a: "A" } });
  // @ts-expect-error 28: a placeholder has another name in one locale
  catalog({ en: { a: "Hello {name}" }, pt: { a: "Bom dia {nome}" } });
  // @ts-expect-error 29: a value is missing
  t.hello();
  // @ts-expect-error 30: a value of another name
  t.hello({ nome: "Ana" });
  // @ts-expect-error 31: a number is a number
  t.due({ amount: "many" });
  // @ts-expect-error 32: the plural's number too
  t.left({ n: "two" });
  // @ts-expect-error 33: no such message
  t.goodbye();
}

test("what compiles runs, and a value has the type it was parsed to", async () => {
  const context = () => ({ user: "John" });
  const p = await phone(app, { context }).dial("*1*2#");
  (await p.send("12.5")).expectText("12.50\n1. Confirm\n0. Cancel");
  (await p.send("1")).expectEnd("12.5");
  const q = await phone(app, { context }).at("amount", { to: { msisdn: "1", name: "Jane" } });
  q.expectText("Jane John\n0. Back");
  const anyApp: App<never, Ctx> = app;
  assert.equal(anyApp.name, "t");
});

test("a catalog's messages are in the subscriber's language, with its plural forms", () => {
  assert.equal(say(t.hello({ name: "Ana" }), "pt-MZ"), "Bom dia Ana");
  assert.equal(say(t.hello({ name: "{n}" }), "sw"), "Hello {n}");
  assert.equal(say(t.due({ amount: 3 }), "en"), "3 due");
  assert.equal(say(t.left({ n: 1 }), "en"), "1 try");
  assert.equal(say(t.left({ n: 2 }), "pt"), "2 tentativas");
});
