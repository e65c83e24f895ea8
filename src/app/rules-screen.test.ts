/** Rules R8 to R12 of the app framework: what is shown, its keys, language and codes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { measureScreen } from "../core/screen.ts";
import { phone } from "../testing/phone.ts";
import { createBank } from "./bank.fixture.ts";
import {
  type AppEvent,
  type AppTurn,
  bad,
  catalog,
  createDialogue,
  memoryAppStore,
  ok,
  ussd,
} from "./index.ts";
import { anything, digest, menuOf, paying, said, typed, u } from "./pay.fixture.ts";
import { bankApp } from "./transfer.fixture.ts";

test("R8: every page of every list fits, and the pages hold all rows once, in order", async () => {
  const w = ussd<{ main: object }>();
  const label = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."abc XYZ€[]é"), maxLength: 50 }),
    fc.string({ unit: fc.constantFrom(..."añçш中"), maxLength: 25 }),
  );
  const sizes = fc.constantFrom(160, 140, 120);
  await fc.assert(
    fc.asyncProperty(fc.array(label, { maxLength: 40 }), sizes, async (labels, octetsMax) => {
      const main = w.list({
        title: "Rows",
        load: () => labels.map((text, n) => ({ id: `r${n}`, text })),
        id: ({ id }) => id,
        label: ({ id, text }) => `${id} ${text}`,
        to: ({ end }) => end("chosen"),
      });
      const app = w.app({ name: "l", start: "main", screens: { main } });
      const options = { screenOctetsMax: octetsMax, companion: false, twice: false } as const;
      const p = await phone(app, options).dial();
      const seen: string[] = [];
      for (let page = 0; page < 99; page += 1) {
        assert.ok(measureScreen(p.screen).octets <= octetsMax);
        seen.push(...[...p.screen.matchAll(/^\d+\. (r\d+)\b/gm)].map(([, id]) => id!));
        if (!p.screen.includes("\n98. More")) break;
        await p.send("98");
      }
      assert.deepEqual(
        seen,
        labels.map((_, n) => `r${n}`),
      );
    }),
    { numRuns: 60 },
  );
});

test("R8: a long question is paged, and confirmed on its last page only", async () => {
  const ran: string[] = [];
  const terms = Array.from({ length: 60 }, (_, n) => `word${n}`).join(" ");
  const pay = u
    .flow()
    .confirm(terms)
    .run(async () => (ran.push("x"), "paid"));
  const app = u.app({ name: "pay", start: "main", screens: { main: menuOf("Pay"), pay } });
  const p = await (await phone(app, {}).dial()).send("1");
  p.expectText(/^word0 .*\n98. More$/s);
  (await p.send("1")).expectText(/^word0 /);
  assert.deepEqual(ran, []);
  for (let page = 0; page < 9 && p.screen.includes("98. More"); page += 1) await p.send("98");
  p.expectText(/1. Confirm\n0. Cancel/);
  (await p.send("1")).expectEnd("paid");
});

test("R8: a long last text stays open until its last page was read", async () => {
  const body = Array.from({ length: 60 }, (_, n) => `word${n}`).join(" ");
  const pay = u
    .flow()
    .confirm("sure?")
    .run(async () => body);
  const app = u.app({ name: "pay", start: "main", screens: { main: menuOf("Pay"), pay } });
  const p = await (await phone(app, {}).dial()).send("1", "1");
  let read = p.screen;
  for (let page = 0; page < 9 && !p.ended; page += 1) read += `\n${(await p.send("98")).screen}`;
  for (const word of body.split(" ")) assert.match(read, new RegExp(`\\b${word}\\b`));
});

test("R8: nothing is cut but where it is asked for, and then visibly", async () => {
  const body = "x".repeat(300);
  const app = (fit: "truncate" | "error") =>
    u.app({
      name: "t",
      start: "main",
      screens: { main: u.text<object>({ body, fit }), pay: u.text({ body: "" }) },
    });
  (await phone(app("truncate"), {}).dial()).expectText(`${"x".repeat(179)}...`);
  (await phone(app("error"), {}).dial()).expectEnd(/^Service unavailable/);
});

test("R8: the spaces that Intl writes do not turn a screen into UCS-2", async () => {
  const money = new Intl.NumberFormat("pt-PT", { style: "currency", currency: "MZN" });
  const body = `${money.format(12345)} ${"x".repeat(150)}`;
  assert.match(body, /\u00a0/);
  const app = u.app({
    name: "t",
    start: "main",
    screens: { main: u.text<object>({ body }), pay: u.text({ body: "" }) },
  });
  const p = await phone(app, {}).dial();
  assert.equal(measureScreen(p.screen).alphabet, "gsm7");
});

test("R9: reserved keys work where they are shown, and are answers where they are not", async () => {
  const amount = (back: boolean) =>
    u
      .flow()
      .ask("amount", "amount?", anything, { back })
      .run(async (v) => `got ${v.amount}`);
  const using = (back: boolean, keys = {}) =>
    u.app({ name: "k", start: "main", keys, screens: { main: menuOf("Pay"), pay: amount(back) } });
  const dial = async (app: ReturnType<typeof using>) => (await phone(app, {}).dial()).send("1");
  (await (await dial(using(false))).expectText("amount?").send("0")).expectEnd("got 0");
  (await (await dial(using(true))).expectText("amount?\n0. Back").send("0")).expectScreen("main");
  const p = await dial(using(true, { back: "#", exit: "9" }));
  p.expectText("amount?\n#. Back\n9. Exit");
  (await p.send("#")).expectScreen("main");
  (await p.send("9")).expectEnd("Goodbye!");
  const off = await dial(using(true, { back: false }));
  (await off.expectText("amount?").send("0")).expectEnd("got 0");
});

test("R9: Home is shown from the third screen on and leads to the first", async () => {
  const w = ussd<{ main: object; sub: object; pay: object }>();
  const app = w.app({
    name: "h",
    start: "main",
    screens: {
      main: w.menu({ title: "M", items: [{ label: "Sub", to: "sub" }] }),
      sub: w.menu({ title: "S", items: [{ label: "Pay", to: "pay" }] }),
      pay: w
        .flow()
        .ask("a", "a?", anything)
        .ask("b", "b?", anything)
        .run(async () => ""),
    },
  });
  const p = await (await phone(app, {}).dial()).send("1");
  p.expectText("S\n1. Pay\n0. Back");
  (await p.send("00")).expectText("Invalid option\nS\n1. Pay\n0. Back");
  (await p.send("1", "x")).expectText("b?\n0. Back\n00. Home");
  (await p.send("00")).expectText("M\n1. Sub").expectScreen("main");
});

test("R9: no item's number is a reserved key, and keys that collide are refused", async () => {
  const main = menuOf(..."abcdefgh");
  const pay = u.text<object>({ body: "" });
  const app = u.app({ name: "k", start: "main", keys: { exit: "5" }, screens: { main, pay } });
  const p = await phone(app, {}).dial();
  p.expectText("M\n1. a\n2. b\n3. c\n4. d\n98. More\n5. Exit");
  (await p.send("98")).expectText("M\n1. e\n2. f\n3. g\n4. h\n0. Back\n5. Exit");
  (await p.send("0")).expectText(/1. a\n/);
  const same = { back: "0", home: "0" };
  assert.throws(
    () => u.app({ name: "k", start: "main", keys: same, screens: { main, pay } }),
    /different keys/,
  );
});

test("R10: Back from a confirm asks for the PIN again, or skips it, and never replays it", async () => {
  const checked: string[] = [];
  const using = (back: "ask" | "skip") => {
    const pay = u
      .flow()
      .ask("amount", "amount?", anything)
      .secret("pin", "PIN?", (pin) => (checked.push(pin), ok(true)))
      .confirm((v) => `pay ${v.amount}?`, { back })
      .run(async (v) => `paid ${v.amount}`);
    return u.app({ name: "pay", start: "main", screens: { main: menuOf("Pay"), pay } });
  };
  const alone = { companion: false } as const;
  const p = await (await phone(using("ask"), alone).dial()).send("1", "50", "9731");
  p.expectText("pay 50?\n1. Confirm\n2. Back\n0. Cancel");
  (await p.send("2")).expectText("amount?\n0. Back");
  (await p.send("70")).expectText("PIN?\n0. Back");
  assert.deepEqual(checked, ["9731"]);
  (await p.send("9731", "1")).expectEnd("paid 70");
  const q = await (await phone(using("skip"), alone).dial()).send("1", "50", "9731", "2", "70");
  q.expectText("pay 70?\n1. Confirm\n2. Back\n0. Cancel");
  (await q.send("1")).expectEnd("paid 70");
  assert.deepEqual(checked, ["9731", "9731", "9731"]);
});

test("R11: two languages interleaved in one process, each session in its own", async () => {
  const app = paying();
  const en = phone(app, { locale: "en", companion: false });
  const sw = phone(app, { locale: "sw", companion: false });
  const pt = phone(app, { locale: "pt-MZ", companion: false });
  await Promise.all([en.dial(), sw.dial(), pt.dial()]);
  await Promise.all([en.send("1"), sw.send("1"), pt.send("1")]);
  en.expectText("to?\n0. Back");
  sw.expectText("to?\n0. Rudi");
  pt.expectText("to?\n0. Voltar");
});

test("R11: clock, randomness and deadline are the turn's", async () => {
  const w = ussd<{ main: object }>();
  const body = ({ turn }: { turn: { nowMs: number; deadlineMs: number; random: () => number } }) =>
    `${turn.nowMs} ${turn.deadlineMs - turn.nowMs} ${turn.random()}`;
  const app = w.app({ name: "c", start: "main", screens: { main: w.text({ body }) } });
  const p = phone(app, { deadlineMs: 3_000 });
  (await p.dial()).expectText(`${p.clock.nowMs()} 3000 0.5`);
  p.clock.advance("5m");
  (await p.dial()).expectText(`${p.clock.nowMs()} 3000 0.5`);
});

test("R12: a star code leads to its screen, and no answer is ever dialled", async () => {
  const check = (pin: string) => (pin === "1234" ? ok(true) : bad("no"));
  const pay = u
    .flow()
    .secret("pin", "PIN?", check)
    .run(async () => "paid");
  const codes = { "*384*7#": "pay" } as const;
  const app = u.app({ name: "s", start: "main", codes, screens: { main: menuOf("Pay"), pay } });
  const p = phone(app, {});
  (await p.dial("*384*7#")).expectScreen("pay.pin");
  (await p.dial("*384*7*1234#")).expectText("PIN?\n0. Back");
  (await p.send("0")).expectText("M\n1. Pay");
  (await p.dial("*384*1#")).expectScreen("main");
  (await p.dial("*384#")).expectScreen("main");
});

test("R12: digits dialled are found in a wire's history, which begins with them for ever", async () => {
  const pay = u
    .flow()
    .ask("to", "to?", anything)
    .run(async (v) => `to ${v.to}`);
  const codes = { "*384*7#": "pay" } as const;
  const app = u.app({ name: "s", start: "main", codes, screens: { main: menuOf("Pay"), pay } });
  const { take } = createDialogue(app, { store: memoryAppStore(), digest });
  const history = (text: string) =>
    take({
      ...said({ phase: "unknown", input: { kind: "history", text } }),
      dialled: "*384#" as never,
    });
  assert.equal((await history("7")).reply?.screen, "to?\n0. Back");
  assert.equal((await history("7")).reply?.screen, "to?\n0. Back");
  assert.equal((await history("7*5*5")).reply?.screen, "to 5*5");
  assert.equal((await history("7*5*5")).reply?.screen, "to 5*5");
});

test("a bank's whole dialogue survives random inputs, with balances that add up", async () => {
  const input = fc.constantFrom("0", "1", "2", "00", "98", "843456789", "50", "1234", "9999", "x");
  await fc.assert(
    fc.asyncProperty(fc.array(input, { maxLength: 20 }), async (inputs) => {
      const bank = createBank();
      const user = bank.users.get("258823456789")!;
      const events: AppEvent[] = [];
      const context = () => ({ bank, user });
      const { take } = createDialogue(bankApp, {
        store: memoryAppStore(),
        digest,
        context,
        onEvent: (event) => events.push(event),
      });
      await take(said({ phase: "begin", messageId: "m" }));
      for (const [n, text] of inputs.entries()) {
        const message = said({ messageId: `m${n}`, input: typed(text) });
        const { reply } = await take(message);
        assert.ok(reply !== undefined && reply.screen !== "");
        assert.deepEqual((await take(message)).reply, reply);
        if (reply.action === "end") break;
      }
      const sum = [...bank.users.values()].reduce((total, { balance }) => total + balance, 0);
      assert.equal(sum, 8_000);
      assert.ok(bank.keys.length <= 1);
      assert.ok(!events.some(({ type }) => type === "error"));
    }),
    { numRuns: 200 },
  );
});

test("a stack has an end: the start stays, the oldest screens above it go", async () => {
  const w = ussd<{ main: object; next: { n: number } }>();
  const app = w.app({
    name: "deep",
    start: "main",
    screens: {
      main: w.menu({ title: "M", items: [{ label: "On", to: ({ go }) => go("next", { n: 1 }) }] }),
      next: w.menu({
        title: ({ params }) => `At ${params.n}`,
        items: [{ label: "On", to: ({ go, params }) => go("next", { n: params.n + 1 }) }],
      }),
    },
  });
  const p = await phone(app, { twice: false, companion: false }).dial();
  for (let n = 0; n < 500; n += 1) await p.send("1");
  p.expectText(/^At 500\n/);
  assert.ok(p.stored().length < 2_500, `${p.stored().length} characters are kept`);
  await p.send(...Array.from({ length: 40 }, () => "0"));
  p.expectText("Invalid option\nM\n1. On");
});

test("an answer that no store can keep is an error at once, not a surprise later", async () => {
  for (const value of [10n, () => 1, Symbol("x")]) {
    const pay = u
      .flow()
      .ask("x", "x?", () => ok(value))
      .confirm("sure?")
      .run(async () => "");
    const app = u.app({ name: "v", start: "main", screens: { main: menuOf("Pay"), pay } });
    (await (await phone(app, {}).dial()).send("1", "a")).expectEnd(/^Service unavailable/);
  }
  const seen: unknown[] = [];
  const pay = u
    .flow()
    .ask("when", "when?", () => ok(new Date(0)))
    .confirm((v) => (seen.push(v.when), "sure?"))
    .run(async (v) => String(v.when));
  const app = u.app({ name: "v", start: "main", screens: { main: menuOf("Pay"), pay } });
  (await (await phone(app, { companion: false }).dial()).send("1", "a", "1")).expectEnd(
    "1970-01-01T00:00:00.000Z",
  );
  assert.deepEqual(seen, ["1970-01-01T00:00:00.000Z"]);
});

test("R11: a language chosen holds for the session alone, and is told to who remembers it", async () => {
  const w = ussd<{ main: object; language: object; pay: object }>();
  const t = catalog({ en: { pay: "Pay {to}" }, sw: { pay: "Lipa {to}" } });
  const app = w.app({
    name: "l",
    start: "main",
    screens: {
      main: w.menu({
        title: () => t.pay({ to: "Ana" }),
        items: [
          { label: "Language", to: "language" },
          { label: t.pay({ to: "Juma" }), id: "pay", to: "pay" },
        ],
      }),
      language: w.language({
        title: "Language",
        locales: { en: "English", sw: "Kiswahili" },
        to: ({ home }) => home(),
      }),
      pay: w
        .flow()
        .ask("x", "x?", anything)
        .run(async () => t.pay({ to: "Eva" })),
    },
  });
  const chosen: string[] = [];
  const rememberLocale = ({ msisdn }: AppTurn, locale: string) =>
    void chosen.push(`${msisdn} ${locale}`);
  const store = { companion: false, rememberLocale } as const;
  const p = await (await phone(app, store).dial()).send("1");
  p.expectText("Language\n1. English\n2. Kiswahili\n0. Back");
  (await p.send("2")).expectText("Lipa Ana\n1. Language\n2. Lipa Juma");
  (await p.send("2")).expectText("x?\n0. Rudi");
  (await (await phone(app, store).dial()).send("2")).expectText("x?\n0. Back");
  (await p.send("y")).expectEnd("Lipa Eva");
  (await p.dial()).expectText(/^Pay Ana/);
  assert.deepEqual(chosen, ["258841234567 sw"]);
});

test("R9: a screen has keys of its own, a way back by its own name, and a line above them", async () => {
  const w = ussd<{ main: object; info: object; rows: object }>();
  const app = w.app({
    name: "keys",
    start: "main",
    keys: { exit: "*" },
    screens: {
      main: w.menu({
        title: "Start",
        items: [
          { label: "Info", to: "info" },
          { label: "Rows", to: "rows" },
        ],
      }),
      info: w.text({ body: "Info", keys: { back: false } }),
      rows: w.list({
        title: "Rows:",
        load: () => ["a", "b"],
        id: (row) => row,
        label: (row) => row,
        to: ({ end, row }) => end(row),
        zero: ["Back to Start", ({ home }) => home()],
        gap: true,
        keys: { exit: false },
        invalid: "Choose a row",
      }),
    },
  });
  const p = await phone(app, {}).dial();
  p.expectText("Start\n1. Info\n2. Rows\n*. Exit");
  (await p.send("1")).expectText("Info\n*. Exit");
  (await p.send("0")).expectText("Invalid option\nInfo\n*. Exit");
  (await p.send("*")).expectEnd("Goodbye!");
  await p.dial();
  (await p.send("2")).expectText("Rows:\n1. a\n2. b\n\n0. Back to Start");
  (await p.send("7")).expectText("Choose a row\nRows:\n1. a\n2. b\n\n0. Back to Start");
  (await p.send("0")).expectText("Start\n1. Info\n2. Rows\n*. Exit");
});
