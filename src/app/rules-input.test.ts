/** Rules R1 to R4 of the app framework: whose input it is, and what it answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { parseMsisdn } from "../core/address.ts";
import { phone } from "../testing/phone.ts";
import { createDialogue, memoryAppStore, ussd } from "./index.ts";
import {
  anything,
  digest,
  menuOf,
  paying,
  payment,
  said,
  toConfirm,
  typed,
  u,
} from "./pay.fixture.ts";

test("R1: a thousand interleaved subscribers see their own data and nobody else's", async () => {
  const w = ussd<{ main: object; detail: { of: string } }, { number: string }>();
  const app = w.app({
    name: "own",
    start: "main",
    screens: {
      main: w.menu({
        title: ({ ctx }) => `I am ${ctx.number}`,
        items: [
          {
            label: "Detail",
            async to({ ctx, go }) {
              await wait(Math.random() * 5);
              return go("detail", { of: ctx.number });
            },
          },
        ],
      }),
      detail: w.text({ body: ({ ctx, params }) => `${ctx.number} reads ${params.of}` }),
    },
  });
  const context = async ({ msisdn }: { msisdn: string }) => {
    await wait(Math.random() * 5);
    return { number: msisdn };
  };
  const { take } = createDialogue(app, { store: memoryAppStore(), digest, context });
  const walk = async (n: number): Promise<void> => {
    const msisdn = parseMsisdn(`2588400${String(n).padStart(5, "0")}`);
    const ids = { sessionId: `s${n}`, msisdn };
    const first = await take(said({ ...ids, phase: "begin" }));
    assert.equal(first.reply?.screen, `I am ${msisdn}\n1. Detail`);
    const second = await take(said({ ...ids, input: typed("1") }));
    assert.equal(second.reply?.screen, `${msisdn} reads ${msisdn}\n0. Back`);
  };
  await Promise.all(Array.from({ length: 1_000 }, (_, n) => walk(n)));
});

test("R1: what handlers are given can't be changed for others", async () => {
  let caught: unknown;
  const app = u.app({
    name: "frozen",
    start: "main",
    screens: {
      main: u.menu({
        title(a) {
          try {
            (a as { params: unknown }).params = "mine";
          } catch (error) {
            caught = error;
          }
          return "M";
        },
        items: [],
      }),
      pay: u.text({ body: "" }),
    },
  });
  await phone(app, {}).dial();
  assert.ok(caught instanceof TypeError);
});

test("R2: an input whose step, flow or screen a deploy removed is dropped, and nothing runs", async (t) => {
  const ran: string[] = [];
  const { flow, check, run } = payment(ran);
  const main = menuOf("Pay");
  const using = (pay: Parameters<typeof u.app>[0]["screens"]["pay"]) =>
    u.app({ name: "pay", start: "main", screens: { main, pay } });
  await t.test("the confirm on the phone", async () => {
    const p = await (await phone(paying(ran), {}).dial()).send(...toConfirm);
    await p.deploy(using(flow.secret("pin", "PIN?", check).run(run))).send("1");
    p.expectText("Menu updated\nM\n1. Pay").expectScreen("main");
  });
  await t.test("the question on the phone", async () => {
    const p = await (await phone(paying(ran), {}).dial()).send("1", "84");
    const shorter = u.flow().ask("to", "to?", anything).confirm("sure?").run(run);
    (await p.deploy(using(shorter)).send("1")).expectText("Menu updated\nM\n1. Pay");
  });
  await t.test("the flow, replaced by a screen of its name", async () => {
    const p = await (await phone(paying(ran), {}).dial()).send(...toConfirm);
    const closed = u.menu<object>({ title: "Closed", items: [] });
    (await p.deploy(using(closed)).send("1")).expectText("Menu updated\nM\n1. Pay");
  });
  await t.test("a screen below the one on the phone: Back skips it", async () => {
    const w = ussd<{ main: object; middle: object; top: object }>();
    const to = (title: string, next: "main" | "middle" | "top") =>
      w.menu({ title, items: [{ label: "on", to: next }] });
    const screens = { main: to("M", "middle"), middle: to("Mid", "top"), top: to("Top", "main") };
    const p = await phone(w.app({ name: "w", start: "main", screens }), {}).dial();
    (await p.send("1", "1")).expectText("Top\n1. on\n0. Back\n00. Home");
    const less = ussd<{ main: object; top: object }>();
    const { main: first, top } = screens as never as Record<"main" | "top", never>;
    p.deploy(less.app({ name: "w", start: "main", screens: { main: first, top } }));
    (await p.send("0")).expectScreen("main");
  });
  assert.deepEqual(ran, []);
});

test("R2: after a safe screen the next input is answered by showing where one was", async () => {
  let isBroken = true;
  const main = u.menu({
    title: "M",
    items: [
      {
        label: "Pay",
        to({ go }) {
          if (isBroken) throw new Error("down");
          return go("pay");
        },
      },
    ],
  });
  const { take } = createDialogue(
    u.app({ name: "pay", start: "main", screens: { main, pay: u.text({ body: "P" }) } }),
    { store: memoryAppStore(), digest },
  );
  await take(said({ phase: "begin" }));
  const failed = await take(said({ input: typed("1") }));
  assert.match(failed.reply?.screen ?? "", /^Service unavailable/);
  isBroken = false;
  assert.equal((await take(said({ input: typed("1") }))).reply?.screen, "M\n1. Pay");
  assert.match((await take(said({ input: typed("1") }))).reply?.screen ?? "", /^P/);
});

test("R3: a number means the item that was on the phone, whatever the menu is by now", async () => {
  const pay = u
    .flow()
    .ask("to", "to?", anything)
    .run(async () => "");
  const using = (...labels: readonly string[]) => {
    const main = u.menu<object>({
      title: "M",
      items: labels.map((label) => ({ label, id: label, to: ({ end }) => end(`chose ${label}`) })),
    });
    return u.app({ name: "m", start: "main", screens: { main, pay } });
  };
  const dial = () => phone(using("A", "B"), {}).dial();
  (await (await dial()).deploy(using("New", "A", "B")).send("2")).expectEnd("chose B");
  (await (await dial()).deploy(using("B", "A")).send("1")).expectEnd("chose A");
  const p = (await dial()).deploy(using("A"));
  (await p.send("2")).expectText("Menu updated\nM\n1. A").expectScreen("main");
});

test("R3: only digits are a number, and object keys are no items", async () => {
  const app = paying();
  for (const odd of ["1e0", "+1", "1.0", "-1", "", "2", "constructor", "__proto__", "0x1", "١"]) {
    const p = await phone(app, {}).dial();
    (await p.send(odd)).expectText("Invalid option\nM\n1. Pay");
  }
  for (const one of ["1", " 1 ", "01", "001"]) {
    (await (await phone(app, {}).dial()).send(one)).expectScreen("pay.to");
  }
});

test("R3: a row of a list is found by its id after the rows have changed", async () => {
  let rows = ["a", "b", "c"];
  const w = ussd<{ main: object }>();
  const main = w.list({
    title: "Rows",
    load: async () => rows,
    id: (row) => row,
    label: (row) => `row ${row}`,
    to: ({ row, end }) => end(`chose ${row}`),
    empty: "No rows",
  });
  const app = w.app({ name: "l", start: "main", screens: { main } });
  const options = { companion: false } as const;
  let p = await phone(app, options).dial();
  rows = ["x", "a", "b", "c"];
  (await p.send("2")).expectEnd("chose b");
  p = await phone(app, options).dial();
  rows = ["b"];
  (await p.send("1")).expectText("Menu updated\nRows\n1. row b");
  rows = [];
  (await phone(app, options).dial()).expectText("No rows");
});

test("R4: what a deploy put before the confirm on the phone is asked, and confirmed again", async () => {
  const ran: string[] = [];
  const { check, run } = payment(ran);
  const inserted = u
    .flow()
    .ask("to", "to?", anything)
    .ask("amount", "amount?", anything)
    .ask("reason", "reason?", anything)
    .secret("pin", "PIN?", check)
    .confirm("sure?")
    .run(run);
  const app = u.app({
    name: "pay",
    start: "main",
    screens: { main: menuOf("Pay"), pay: inserted },
  });
  const p = (await (await phone(paying(ran), {}).dial()).send(...toConfirm)).deploy(app);
  (await p.send("1")).expectText("reason?\n0. Back");
  (await p.send("gift")).expectText("sure?\n1. Confirm\n0. Cancel");
  assert.deepEqual(ran, []);
  (await p.send("1")).expectEnd('paid {"to":"84","amount":"500","reason":"gift"}');
});

test("R4: when a question before the confirm was removed, the confirm is shown again without it", async () => {
  const ran: string[] = [];
  const { check, run } = payment(ran);
  const start = async (pay: Parameters<typeof u.app>[0]["screens"]["pay"]) => {
    const app = u.app({ name: "pay", start: "main", screens: { main: menuOf("Pay"), pay } });
    return (await (await phone(paying(ran), {}).dial()).send(...toConfirm)).deploy(app);
  };
  const noAmount = u.flow().ask("to", "to?", anything).secret("pin", "PIN?", check);
  const p = await start(noAmount.confirm("sure?").run(run));
  (await p.send("1")).expectText("Menu updated\nsure?\n1. Confirm\n0. Cancel");
  assert.deepEqual(ran, []);
  (await p.send("1")).expectEnd('paid {"to":"84"}');
  assert.equal(ran.length, 1);
  const noPin = u.flow().ask("to", "to?", anything).ask("amount", "amount?", anything);
  const q = await start(noPin.confirm("sure?").run(run));
  (await q.send("1")).expectText("Menu updated\nsure?\n1. Confirm\n0. Cancel");
  assert.equal(ran.length, 1);
  (await q.send("1")).expectEnd('paid {"to":"84","amount":"500"}');
  assert.equal(ran.length, 2);
});
