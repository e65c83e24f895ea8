/** Rules R5 to R7 of the app framework: secrets, effects, and whatever goes wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createCodec } from "../codecs/index.ts";
import { parseMsisdn } from "../core/address.ts";
import { phone } from "../testing/phone.ts";
import { bad, createDialogue, createExchange, memoryAppStore, ok, ussd } from "./index.ts";
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

test("R5: a PIN typed is in no state, event, log or screen, on any protocol", async () => {
  // Long: four digits turn up in a time of day by themselves.
  const PIN = "9731948620";
  const WRONG = "4862135790";
  for (const protocol of ["ola", "africastalking", "ixo", "kairos"]) {
    const kept: unknown[] = [];
    const store = memoryAppStore();
    const loose = u
      .flow()
      .secret("pin", "PIN?", (pin) => {
        if (pin === "0000") throw new Error(`no such PIN: ${pin}`);
        return pin === PIN ? ok(true) : bad(`${pin} is wrong`);
      })
      .confirm("sure?")
      .run(async () => "done");
    const app = u.app({ name: "pay", start: "main", screens: { main: menuOf("Pay"), pay: loose } });
    const codec = createCodec(protocol);
    const exchange = createExchange(app, {
      codec,
      store: { ...store, settle: (lease, s) => (kept.push(s), store.settle(lease, s)) },
      onEvent: (event) => kept.push(event, String((event as { error?: unknown }).error)),
      log: (...line) => kept.push(line),
    });
    const inputs: string[] = [];
    const screens: string[] = [];
    for (const [index, input] of ["", "1", WRONG, PIN, "1"].entries()) {
      if (index > 0) inputs.push(input);
      const turn = {
        sessionId: "s-1",
        transactionId: `t-${index}`,
        number: index + 1,
        msisdn: parseMsisdn("258841234567"),
        serviceCode: "*365#",
        provider: "test",
        input,
        inputs: [...inputs],
        dialledDigits: [],
      } as never;
      const request = codec.request(turn, { method: "POST", serviceCode: "*365#" } as never);
      const { screen } = codec.reply(await exchange(request), turn);
      screens.push(screen);
      kept.push(screen);
    }
    assert.equal(screens[2], "**** is wrong\nPIN?\n0. Back", protocol);
    assert.equal(screens[4], "done", protocol);
    const text = JSON.stringify(kept);
    assert.ok(!text.includes(PIN), `${protocol} keeps the PIN`);
    assert.ok(!text.includes(WRONG), `${protocol} keeps a wrong PIN`);
  }
});

test("R5: an error thrown while a PIN is checked is not passed on with the PIN in it", async () => {
  const check = (pin: string) => {
    throw new Error(`no such PIN: ${pin}`);
  };
  const pay = u
    .flow()
    .secret("pin", "PIN?", check)
    .run(async () => "");
  const app = u.app({ name: "pay", start: "main", screens: { main: menuOf("Pay"), pay } });
  const p = await (await phone(app, {}).dial()).send("1", "4862");
  p.expectEnd(/^Service unavailable/);
  const errors = p.events.filter((event) => event.type === "error");
  assert.equal(errors.length, 1);
  assert.doesNotMatch(String(errors[0]?.error), /4862/);
});

test("R5: wrong PINs are counted however the step is left, and the last one locks", async () => {
  const locked: string[] = [];
  const check = (pin: string) => (pin === "9731" ? ok(true) : bad("Wrong PIN"));
  const pay = u
    .flow()
    .secret("pin", "PIN?", check, {
      attempts: 3,
      onLocked: (_v, _ctx, turn) => void locked.push(turn.msisdn),
    })
    .run(async () => "paid");
  const app = u.app({ name: "pay", start: "main", screens: { main: menuOf("Pay"), pay } });
  const alone = { companion: false } as const;
  const p = await (await phone(app, alone).dial()).send("1", "1111", "0", "1", "2222");
  p.expectText("Wrong PIN\nPIN?\n0. Back");
  (await p.send("3333")).expectEnd("Too many attempts.");
  assert.deepEqual(locked, ["258841234567"]);
  const q = await (await phone(app, alone).dial()).send("1", "1111", "2222", "9731");
  q.expectEnd("paid");
});

test("R6: a confirm delivered twice at once and again later has one effect and one text", async () => {
  const ran: string[] = [];
  const p = await (await phone(paying(ran), {}).dial()).send(...toConfirm);
  const [first, second] = await p.sendTwice("1");
  assert.equal(first, second);
  assert.match(first, /^paid/);
  assert.equal(await p.again(), first);
  assert.equal(ran.length, 1);
});

test("R6: twins are told apart from answers where the wire has no message id", async () => {
  const ran: string[] = [];
  const { flow, check, run } = payment(ran);
  const slow = async (...given: Parameters<typeof run>) => {
    await wait(15);
    return run(...given);
  };
  const pay = flow.secret("pin", "PIN?", check).confirm("sure?").run(slow);
  const app = u.app({ name: "pay", start: "main", screens: { main: menuOf("Pay"), pay } });
  const { take } = createDialogue(app, { store: memoryAppStore(), digest });
  await take(said({ phase: "begin" }));
  for (const text of toConfirm) await take(said({ input: typed(text) }));
  const twins = await Promise.all([1, 2, 3].map(() => take(said({ input: typed("1") }))));
  assert.deepEqual(new Set(twins.map(({ reply }) => reply?.screen)).size, 1);
  assert.equal(ran.length, 1);
});

test("R6: an input typed while another is answered is not an answer to what that one shows", async () => {
  const main = u.menu({
    title: "M",
    items: [
      {
        label: "Slow",
        async to({ go }) {
          await wait(20);
          return go("pay");
        },
      },
    ],
  });
  const ran: string[] = [];
  const pay = u
    .flow()
    .confirm("sure?")
    .run(async () => (ran.push("x"), "paid"));
  const { take } = createDialogue(u.app({ name: "p", start: "main", screens: { main, pay } }), {
    store: memoryAppStore(),
    digest,
  });
  await take(said({ phase: "begin", messageId: "a" }));
  const first = take(said({ messageId: "b", input: typed("1") }));
  const second = take(said({ messageId: "c", input: typed("1") }));
  assert.match((await first).reply?.screen ?? "", /^sure\?/);
  assert.match((await second).reply?.screen ?? "", /^sure\?/);
  assert.deepEqual(ran, []);
});

test("R6: when a node died holding the confirm, nobody pays again and the subscriber is told", async () => {
  const ran: string[] = [];
  const p = await (await phone(paying(ran), {}).dial()).send(...toConfirm);
  (await p.crashOn("1")).expectEnd(/^We are confirming your request/);
  assert.deepEqual(ran, []);
  assert.ok(p.events.some(({ type }) => type === "flow:unknown"));
});

test("R6: a flow that says its effect de-duplicates is driven again with the same key", async () => {
  const keys: string[] = [];
  const { flow, check, run } = payment(keys);
  const pay = flow.secret("pin", "PIN?", check).confirm("sure?").run(run, { idempotent: true });
  const app = u.app({ name: "pay", start: "main", screens: { main: menuOf("Pay"), pay } });
  const p = await (await phone(app, {}).dial()).send(...toConfirm);
  (await p.crashOn("1")).expectEnd(/^paid/);
  assert.deepEqual(keys, ["p-session-1/pay"]);
});

test("R6: a crash before the confirm costs nothing but a repetition", async () => {
  const ran: string[] = [];
  const p = await (await phone(paying(ran), {}).dial()).send("1", "84");
  await p.crashOn("500");
  (await p.send("9731", "1")).expectEnd(/^paid/);
  assert.equal(ran.length, 1);
});

test("R7: whatever callback throws, rejects or hangs, a safe screen comes and the session stays", async (t) => {
  const hang = () => new Promise<never>(() => undefined);
  const breaks = {
    throws: () => {
      throw new Error("stack trace with 5,000 MZN");
    },
    rejects: async () => Promise.reject(new Error("stack trace with 5,000 MZN")),
    hangs: hang,
  };
  for (const [how, fail] of Object.entries(breaks)) {
    const w = ussd<{ main: object; broken: object; asked: object; pay: object }>();
    const broken = {
      "a title": w.menu<object>({ title: fail, items: [] }),
      "a list's rows": w.list<object, string>({
        title: "L",
        load: fail,
        id: String,
        label: String,
        to: ({ end }) => end(""),
      }),
      "a text": w.text<object>({ body: fail }),
      "a flow's prompt": w
        .flow()
        .ask("a", fail, anything)
        .run(async () => ""),
      "a flow's options": w
        .flow()
        .choose("a", "?", fail)
        .run(async () => ""),
    };
    const asked = {
      "a parse": w.input<object, string>({ prompt: "?", parse: fail, next: ({ end }) => end("") }),
      "a next": w.input<object, string>({ prompt: "?", parse: anything, next: fail }),
      "a check": w
        .flow()
        .secret("pin", "?", fail)
        .run(async () => ""),
    };
    const main = w.menu<object>({
      title: "M",
      items: [
        { label: "broken", to: "broken" },
        { label: "asked", to: "asked" },
        { label: "handler", to: fail },
      ],
    });
    const pay = w.text<object>({ body: "" });
    const fails = async (title: string, screens: object, inputs: readonly string[]) => {
      await t.test(`${title} ${how}`, async () => {
        const fine = { broken: pay, asked: pay, pay, main };
        const app = w.app({ name: "b", start: "main", screens: { ...fine, ...screens } });
        const p = await phone(app, { deadlineMs: 15, companion: false }).dial();
        await p.send(...inputs.slice(0, -1));
        const before = p.place;
        await p.send(inputs.at(-1)!);
        p.expectEnd("Service unavailable. Please try again later.").expectScreen(before);
      });
    };
    for (const [title, screen] of Object.entries(broken))
      await fails(title, { broken: screen }, ["1"]);
    for (const [title, screen] of Object.entries(asked)) {
      await fails(title, { asked: screen }, ["2", "x"]);
    }
    await fails("a menu's handler", {}, ["3"]);
    await t.test(`the context ${how}`, async () => {
      const c = ussd<{ main: object }, { user: string }>();
      const app = c.app({ name: "c", start: "main", screens: { main: c.text({ body: "" }) } });
      const p = phone(app, { context: fail, deadlineMs: 15, companion: false });
      (await p.dial()).expectEnd(/^Service unavailable/);
    });
  }
});

test("R7: an effect that throws or hangs may have happened: the subscriber is told not to repeat it", async () => {
  const hang = () => new Promise<never>(() => undefined);
  const fail = () => Promise.reject(new Error("reset"));
  for (const [run, type] of [
    [hang, "flow:unknown"],
    [fail, "flow:failed"],
  ] as const) {
    const pay = u.flow().confirm("sure?").run(run);
    const app = u.app({ name: "pay", start: "main", screens: { main: menuOf("Pay"), pay } });
    const p = await (await phone(app, { deadlineMs: 15 }).dial()).send("1", "1");
    p.expectEnd(/^We are confirming your request. Please do not repeat it/);
    assert.ok(p.events.some((event) => event.type === type));
  }
});

test("R7: a lookup that returns after the deadline starts no effect any more", async () => {
  const ran: string[] = [];
  let signal: AbortSignal | undefined;
  const pay = u
    .flow()
    .secret("pin", "PIN?", async (_pin, _v, _ctx, turn) => {
      ({ signal } = turn);
      await wait(30);
      return ok(true);
    })
    .run(async () => (ran.push("late"), ""));
  const app = u.app({ name: "pay", start: "main", screens: { main: menuOf("Pay"), pay } });
  const p = await phone(app, { deadlineMs: 15, companion: false }).dial();
  (await p.send("1", "9731")).expectEnd(/^Service unavailable/);
  await wait(40);
  assert.deepEqual(ran, []);
  assert.equal(signal?.aborted, true);
});

test("R7: a store that fails gives a safe screen too", async () => {
  const broken = async () => Promise.reject(new Error("ECONNREFUSED"));
  const store = memoryAppStore();
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const unopened = createDialogue(paying(), { store: { ...store, open: broken }, digest, log });
  assert.match((await unopened.take(said({}))).reply?.screen ?? "", /^Service unavailable/);
  const unsettled = createDialogue(paying(), { store: { ...store, settle: broken }, digest, log });
  assert.match((await unsettled.take(said({}))).reply?.screen ?? "", /^We are confirming/);
  assert.equal(lines.length, 2);
});

test("R6: a turn that waited for one whose holder died is answered, not only shown again", async () => {
  const store = memoryAppStore();
  const { take } = createDialogue(paying(), { store, digest, deadlineMs: 1_000 });
  await take(said({ phase: "begin", messageId: "m1" }));
  await take(said({ input: typed("1"), messageId: "m2" }));
  // Dies holding the turn: the network delivers it again while the lease is still there.
  const key = "pay\ns1\n258841234567";
  const held = await store.open({ key, nowMs: Date.now(), leaseMs: 150 });
  assert.equal(held.type, "leased");
  const { reply } = await take(said({ input: typed("84"), messageId: "m3" }));
  assert.match(reply?.screen ?? "", /^amount\?/);
});
