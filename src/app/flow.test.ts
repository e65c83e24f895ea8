import assert from "node:assert/strict";
import { test } from "node:test";
import { measureScreen } from "../core/screen.ts";
import { phone } from "../testing/phone.ts";
import {
  type AppEvent,
  bad,
  createDialogue,
  instead,
  keyedDigest,
  memoryAppStore,
  type Middleware,
  ok,
  stop,
  systemText,
  ussd,
} from "./index.ts";

const u = ussd<{ main: object }>();
const anything = (raw: string) => ok(raw);
const alone = { companion: false } as const;

test("a choice gives the value of the option on the phone, also after the options changed", async () => {
  let bundles = [
    { id: "s", label: "1 GB", value: { mb: 1_024, price: 50 } },
    { id: "l", label: "5 GB", value: { mb: 5_120, price: 200 } },
  ];
  const main = u
    .flow()
    .choose("bundle", "Which?", () => bundles)
    .confirm((v) => `${v.bundle.mb} MB for ${v.bundle.price}?`)
    .run(async (v) => `bought ${v.bundle.mb}`);
  const app = u.app({ name: "b", start: "main", screens: { main } });
  const p = await phone(app, alone).dial();
  p.expectText("Which?\n1. 1 GB\n2. 5 GB\n0. Back");
  (await p.send("3")).expectText(/^Invalid option\nWhich/);
  bundles = [{ id: "n", label: "New", value: { mb: 1, price: 1 } }, ...bundles];
  (await p.send("2")).expectText("5120 MB for 200?\n1. Confirm\n0. Cancel");
  (await p.send("1")).expectEnd("bought 5120");
  await p.dial();
  bundles = bundles.slice(0, 1);
  (await p.send("3")).expectText("Menu updated\nWhich?\n1. New\n0. Back");
});

test("a step is skipped while its condition is false, and asked when an answer changes it", async () => {
  const main = u
    .flow()
    .ask("amount", "amount?", (raw) => ok(Number(raw)))
    .ask("reason", "reason?", anything)
    .when((v) => v.amount > 100)
    .confirm((v) => `${v.amount} ${v.reason ?? "for nothing"}?`, { back: "ask" })
    .run(async (v) => JSON.stringify(v));
  const app = u.app({ name: "w", start: "main", screens: { main } });
  const p = await (await phone(app, alone).dial()).send("50");
  p.expectText("50 for nothing?\n1. Confirm\n2. Back\n0. Cancel");
  (await p.send("2", "500")).expectText("reason?\n0. Back");
  (await p.send("gift")).expectText(/^500 gift\?/);
  (await p.send("2", "present")).expectText(/^500 present\?/);
  (await p.send("1")).expectEnd('{"amount":500,"reason":"present"}');
});

test("an answer whose question no longer applies is not part of what is done", async () => {
  const asks = () =>
    u
      .flow()
      .ask("amount", "amount?", (raw) => ok(Number(raw)))
      .ask("reason", "reason?", anything);
  const app = (limit: number) => {
    const main = asks()
      .when((v) => v.amount > limit)
      .confirm("sure?")
      .run(async (v) => JSON.stringify(v));
    return u.app({ name: "w", start: "main", screens: { main } });
  };
  const p = await (await phone(app(100), alone).dial()).send("500", "gift");
  (await p.deploy(app(1_000)).send("1")).expectText(/^Menu updated\nsure\?/);
  (await p.send("1")).expectEnd('{"amount":500}');
});

test("a refusal stands above the question, in its place, or ends the session", async () => {
  const parse = (raw: string) => {
    if (raw === "a") return bad("Above");
    if (raw === "b") return instead("Instead");
    return raw === "c" ? stop("Over") : ok(raw);
  };
  const main = u
    .flow()
    .ask("x", "x?", parse)
    .run(async (v) => `got ${v.x}`);
  const app = u.app({ name: "r", start: "main", screens: { main } });
  const p = await phone(app, alone).dial();
  (await p.send("a")).expectText("Above\nx?\n0. Back");
  (await p.send("b")).expectText("Instead").expectScreen("main.x");
  (await p.send("d")).expectEnd("got d");
  (await (await p.dial()).send("c")).expectEnd("Over");
});

test("Back goes through the questions one by one, then out of the flow", async () => {
  const w = ussd<{ main: object; pay: object }>();
  const pay = w
    .flow()
    .ask("a", "a?", anything)
    .ask("b", "b?", anything)
    .run(async () => "");
  const main = w.menu({ title: "M", items: [{ label: "Pay", to: "pay" }] });
  const app = w.app({ name: "b", start: "main", screens: { main, pay } });
  const p = await (await phone(app, {}).dial()).send("1", "x");
  (await p.expectScreen("pay.b").send("0")).expectScreen("pay.a");
  (await p.send("0")).expectScreen("main");
});

test("a screen given back to holds the params it was opened with", async () => {
  const w = ussd<{ main: object; item: { id: number }; note: object }>();
  const app = w.app({
    name: "p",
    start: "main",
    screens: {
      main: w.menu({
        title: "M",
        items: [{ label: "Seven", to: ({ go }) => go("item", { id: 7 }) }],
      }),
      item: w.menu({
        title: ({ params }) => `Item ${params.id}`,
        items: [{ label: "Note", to: "note" }],
      }),
      note: w.text({ body: "Note" }),
    },
  });
  const p = await (await phone(app, {}).dial()).send("1", "1");
  (await p.expectText("Note\n0. Back\n00. Home").send("0")).expectText("Item 7\n1. Note\n0. Back");
});

test("the events of a dialogue: where it went, what was done, how long it took", async () => {
  const w = ussd<{ main: object; pay: object }>();
  const pay = w
    .flow()
    .ask("a", "a?", (raw) => (raw === "x" ? bad("no") : ok(raw)))
    .run(async () => "done");
  const main = w.menu({ title: "M", items: [{ label: "Pay", to: "pay" }] });
  const app = w.app({ name: "e", version: "2", start: "main", screens: { main, pay } });
  const p = await (await phone(app, alone).dial()).send("1", "x", "y");
  const told = (event: AppEvent) => `${event.type} ${"screen" in event ? event.screen : ""}`.trim();
  assert.deepEqual(p.events.filter(({ type }) => type !== "turn").map(told), [
    "session:start",
    "screen:enter main",
    "screen:exit main",
    "screen:enter pay.a",
    "flow:started",
    "screen:invalid pay.a",
    "screen:exit pay.a",
    "flow:done",
    "session:end",
  ]);
  const turns = p.events.filter((event) => event.type === "turn");
  assert.equal(turns.length, 4);
  const [first] = turns;
  assert.deepEqual([first?.app, first?.version, first?.units], ["e", "2", "M\n1. Pay".length]);
  assert.ok(first !== undefined && first.tookMs >= first.storeMs && first.storeMs >= 0);
});

test("a listener that throws changes nothing", async () => {
  const app = u.app({ name: "l", start: "main", screens: { main: u.text({ body: "Fine" }) } });
  const { take } = createDialogue(app, {
    store: memoryAppStore(),
    digest: keyedDigest(),
    onEvent: () => {
      throw new Error("listener");
    },
  });
  const said = { sessionId: "s", msisdn: undefined, phase: "begin", dialled: undefined } as const;
  const rest = { input: { kind: "latest", text: "" }, messageId: "m", network: undefined } as const;
  assert.equal((await take({ ...said, ...rest, echo: {} })).reply?.screen, "Fine");
});

test("middleware runs around every turn, once, and can answer in place of the app", async () => {
  let isDown = false;
  const order: string[] = [];
  const outer: Middleware = async (turn, next) => {
    order.push(`in ${turn.transactionId}`);
    const reply = await next();
    order.push(`out ${reply.screen}`);
    return reply;
  };
  const maintenance: Middleware = (_turn, next) =>
    isDown ? { action: "end", screen: "Back at 6:00" } : next();
  const main = u.menu({ title: "M", items: [{ label: "Go", to: ({ end }) => end("went") }] });
  const using = (...use: readonly Middleware[]) =>
    u.app({ name: "m", start: "main", use, screens: { main } });
  const p = await phone(using(outer, maintenance), alone).dial();
  assert.deepEqual(order, ["in m1", "out M\n1. Go"]);
  isDown = true;
  (await p.send("1")).expectEnd("Back at 6:00").expectScreen("main");
  isDown = false;
  // What was on the phone was not the menu, so "1" is not an answer to it.
  (await p.send("1")).expectText("M\n1. Go");
  (await p.send("1")).expectEnd("went");
  const twice: Middleware = async (_turn, next) => {
    await next();
    return next();
  };
  (await phone(using(twice), alone).dial()).expectEnd(/^Service unavailable/);
});

test("an app words the framework's texts as it likes", async () => {
  const main = u.menu({ title: "M", items: [] });
  const texts = { invalid: { in: (locale: string) => `What? (${locale})` } };
  const app = u.app({ name: "t", start: "main", texts, screens: { main } });
  (await (await phone(app, { locale: "pt" }).dial()).send("7")).expectText("What? (pt)\nM");
});

test("the framework's own texts are in four languages, and keep a screen in GSM-7", () => {
  const keys = [
    "back",
    "home",
    "more",
    "exit",
    "goodbye",
    "confirm",
    "cancel",
    "cancelled",
  ] as const;
  const more = ["invalid", "updated", "locked", "failed", "resume", "resumed", "restart"] as const;
  const english = [...keys, ...more].map((key) => systemText(key, "en"));
  for (const locale of ["en", "fr", "pt", "sw"]) {
    const texts = [...keys, ...more].map((key) => systemText(key, locale));
    for (const text of texts) assert.equal(measureScreen(text).alphabet, "gsm7", text);
    if (locale !== "en") assert.notDeepEqual(texts, english);
  }
  assert.equal(systemText("back", "de"), "Back");
});

test("definitions that cannot work are refused when the app is built", () => {
  const main = u.menu<object>({ title: "M", items: [] });
  const flowOf = (key: string) =>
    u
      .flow()
      .ask(key, "?", anything)
      .run(async () => "");
  const build = (screen: typeof main | ReturnType<typeof flowOf>) => () =>
    u.app({ name: "x", start: "main", screens: { main: screen } });
  for (const key of ["__proto__", "constructor", "$x", ""]) {
    assert.throws(build(flowOf(key)), /reserved/);
  }
  const twice = u
    .flow()
    .ask("a", "?", anything)
    .ask("a" as never, "?", anything);
  assert.throws(build(twice.run(async () => "")), /twice/);
  assert.throws(build(u.flow().run(async () => "")), /no steps/);
  const same = { label: "A", to: () => ({ type: "back" }) as const };
  assert.throws(() => u.menu({ title: "M", items: [same, same] }), /two items/);
  const codes = { "365": "main" } as const;
  assert.throws(() => u.app({ name: "x", start: "main", codes, screens: { main } }), /not like/);
  assert.throws(() => u.flow().when(() => true), /follows/);
});
