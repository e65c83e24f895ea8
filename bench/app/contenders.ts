/**
 * The same menus in each library. Three screens and an end: main, amount, confirm. And a chain of
 * questions, for what a turn costs deep in a session.
 */
import UssdBuilder from "ussd-builder";
import UssdMenuBuilder from "ussd-menu-builder";
import {
  type App,
  type AppStore,
  createDialogue,
  createExchange,
  keyedDigest,
  memoryAppStore,
  ok,
  ussd,
} from "../../src/app/index.ts";
import { parseMsisdn } from "../../src/core/address.ts";

export const CODE = "*384*1#";
const MSISDN = "254711000001";
const SECRET = "thirty-two characters of a secret";

/** One request: all that was typed as wires with histories send it, and the last of it alone. */
export type Said = { readonly session: string; readonly text: string; readonly latest: string };
export type Contender = {
  /** What the subscriber reads, after "CON " or "END ". */
  readonly turn: (said: Said) => Promise<string>;
  readonly storeOps: () => number;
  /** What is stored of a session, where the library stores it. */
  readonly stored: (session: string) => string;
};
export type Made = {
  /** Main, amount, confirm, end. */
  readonly menu: () => Contender;
  /** Three menus, each leading to the next, the last to the first. */
  readonly round: () => Contender;
  /** Questions one after another, every answer kept. */
  readonly chain: (questions: number) => Contender;
};

/** Dial, choose, type an amount, confirm. */
export const MENU_TEXTS = ["", "1", "1*500", "1*500*1"];
export const MENU_SCREENS = [
  /^CON Welcome\n1\. Send/,
  /^CON Amount:/,
  /^CON Send 500\?\n1\. Confirm/,
  /^END Sent 500$/,
];

const screens = {
  menu: () => engine(menuApp()),
  round: () => engine(roundApp()),
  chain: (questions: number) => engine(screensOf(questions)),
};
export const contenders: Readonly<Record<string, Made>> = {
  "dialyard/app": { ...screens, chain: (questions) => engine(flowOf(questions)) },
  "dialyard/app, a screen each": screens,
  "dialyard/app with its codec": {
    menu: () => wire(menuApp()),
    round: () => wire(roundApp()),
    chain: (questions) => wire(flowOf(questions)),
  },
  "ussd-menu-builder, shared": peer(UssdMenuBuilder, "shared"),
  "ussd-menu-builder, per request": peer(UssdMenuBuilder, "per request"),
  "ussd-builder, shared": peer(UssdBuilder, "shared"),
  "ussd-builder, per request": peer(UssdBuilder, "per request"),
};

function menuApp() {
  const u = ussd<{ main: object; send: object }>();
  const send = u
    .flow()
    .ask("amount", "Amount:", (typed) => ok(Number(typed)))
    .confirm((v) => `Send ${v.amount}?`)
    .run((v) => `Sent ${v.amount}`);
  const main = u.menu({ title: "Welcome", items: [{ label: "Send", to: "send" }] });
  return u.app({ name: "bench", start: "main", screens: { main, send } });
}

function roundApp() {
  const u = ussd<{ q0: object; q1: object; q2: object }>();
  const menu = (title: string, to: "q0" | "q1" | "q2") =>
    u.menu({
      title,
      items: [{ label: "On", to: ({ go, home }) => (to === "q0" ? home() : go(to)) }],
    });
  const all = {
    q0: menu("Question 0", "q1"),
    q1: menu("Question 1", "q2"),
    q2: menu("Question 2", "q0"),
  };
  return u.app({ name: "bench", start: "q0", screens: all });
}

/** The answer that is measured shows another question, so that all of it is kept again. */
function flowOf(questions: number) {
  const u = ussd<{ main: object; ask: object }>();
  let flow = u.flow().ask<string, string>("q0", "Question 0", (typed) => ok(typed));
  for (let index = 1; index < questions; index += 1) {
    flow = flow.ask(`q${index}` as never, `Question ${index}`, (typed) => ok(typed));
  }
  const main = u.menu({ title: "Welcome", items: [{ label: "Ask", to: "ask" }] });
  return u.app({ name: "bench", start: "main", screens: { main, ask: flow.run(() => "Done") } });
}

/** The same as screens, each on top of the one before. */
function screensOf(questions: number) {
  const u = ussd<Record<string, object>>();
  const question = (index: number) =>
    u.input<object, string>({
      prompt: `Question ${index}`,
      parse: (typed) => ok(typed),
      next: ({ go, end }) => (index < questions - 1 ? go(`q${index + 1}`) : end("Done")),
    });
  const main = u.menu({ title: "Welcome", items: [{ label: "Ask", to: "q0" }] });
  const list = Array.from({ length: questions }, (_, index) => [`q${index}`, question(index)]);
  const all = { main, ...(Object.fromEntries(list) as object) };
  return u.app({ name: "bench", start: "main", screens: all });
}

function counted() {
  const memory = memoryAppStore();
  let ops = 0;
  const store: AppStore = {
    ...memory,
    open: (ask) => (ops++, memory.open(ask)),
    settle: (lease, settlement) => (ops++, memory.settle(lease, settlement)),
    release: (lease) => (ops++, memory.release(lease)),
  };
  const stored = (session: string): string => memory.peek(`bench\n${session}\n${MSISDN}`) ?? "";
  return { store, storeOps: () => ops, stored };
}

/** Messages as a wire with transaction ids gives them. */
function engine<R>(app: App<R, object>): Contender {
  const { store, storeOps, stored } = counted();
  const { take } = createDialogue(app, { store, digest: keyedDigest(SECRET) });
  const msisdn = parseMsisdn(MSISDN);
  const about = { msisdn, dialled: undefined, network: undefined, echo: {} };
  let messages = 0;
  return {
    async turn({ session, text, latest }) {
      messages += 1;
      const { reply } = await take({
        sessionId: session,
        phase: text === "" ? "begin" : "continue",
        input: { kind: "latest", text: latest },
        messageId: `t${messages}`,
        ...about,
      });
      return `${reply?.action === "end" ? "END" : "CON"} ${reply?.screen}`;
    },
    storeOps,
    stored,
  };
}

/** From a form's bytes to the answer's, history and its keyed digests included. */
function wire<R>(app: App<R, object>): Contender {
  const { store, storeOps, stored } = counted();
  const options = { store, secret: SECRET, protocol: "africastalking" };
  const exchange = createExchange(app, options);
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const about = `serviceCode=${encodeURIComponent(CODE)}&phoneNumber=%2B${MSISDN}`;
  return {
    async turn({ session, text }) {
      const body = `sessionId=${session}&${about}&text=${text}`;
      return (await exchange({ method: "POST", path: "", query: "", headers, body })).body;
    },
    storeOps,
    stored,
  };
}

type Library = typeof UssdMenuBuilder | typeof UssdBuilder;
type Menu = UssdMenuBuilder | UssdBuilder;

function peer(Library: Library, usage: "shared" | "per request"): Made {
  const made = (define: (menu: Menu, store: Sessions) => void): Contender => {
    const store = sessions();
    const create = (): Menu => {
      const menu = new Library();
      define(menu, store);
      return menu;
    };
    const one = create();
    const phoneNumber = `+${MSISDN}`;
    return {
      turn({ session, text }) {
        const menu = usage === "shared" ? one : create();
        return menu.run({ sessionId: session, serviceCode: CODE, phoneNumber, text });
      },
      storeOps: store.ops,
      stored: (session) => JSON.stringify(store.rows.get(session) ?? {}),
    };
  };
  return {
    menu: () => made(defineMenu),
    round: () => made(defineRound),
    chain: (questions) => made((menu) => defineChain(menu, questions)),
  };
}

/** The README's session store: objects in memory. Nothing is made JSON of, and nothing is kept. */
function sessions() {
  const rows = new Map<string, Record<string, unknown>>();
  let count = 0;
  return {
    rows,
    ops: () => count,
    async start(id: string) {
      count += 1;
      if (!rows.has(id)) rows.set(id, {});
    },
    async end(id: string) {
      count += 1;
      rows.delete(id);
    },
    async set(id: string, key: string, value: unknown) {
      count += 1;
      const row = rows.get(id);
      if (row !== undefined) row[key] = value;
    },
    async get(id: string, key: string) {
      count += 1;
      return rows.get(id)?.[key];
    },
  };
}
type Sessions = ReturnType<typeof sessions>;

type OwnSession = {
  readonly set: (key: string, value: unknown) => Promise<void>;
  readonly get: (key: string) => Promise<unknown>;
};

function defineMenu(menu: Menu, store: Sessions): void {
  menu.sessionConfig(store);
  const own = menu.session as OwnSession;
  menu.startState({ run: () => menu.con("Welcome\n1. Send"), next: { "1": "amount" } });
  menu.state("amount", { run: () => menu.con("Amount:"), next: { "*\\d+": "confirm" } });
  menu.state("confirm", {
    run() {
      const amount = Number(menu.val);
      void own.set("amount", amount).then(() => menu.con(`Send ${amount}?\n1. Confirm\n0. Cancel`));
    },
    next: { "1": "done" },
  });
  menu.state("done", {
    run() {
      void own.get("amount").then((amount) => menu.end(`Sent ${String(amount)}`));
    },
  });
}

function defineRound(menu: Menu): void {
  menu.startState({ run: () => menu.con("Question 0\n1. On"), next: { "1": "q1" } });
  menu.state("q1", { run: () => menu.con("Question 1\n1. On"), next: { "1": "q2" } });
  menu.state("q2", { run: () => menu.con("Question 2\n1. On"), next: { "1": "q0" } });
  menu.state("q0", { run: () => menu.con("Question 0\n1. On"), next: { "1": "q1" } });
}

function defineChain(menu: Menu, questions: number): void {
  menu.startState({ run: () => menu.con("Welcome\n1. Ask"), next: { "1": "q0" } });
  for (let index = 0; index < questions; index += 1) {
    menu.state(`q${index}`, {
      run: () => menu.con(`Question ${index}`),
      next: { "*\\d+": `q${index + 1}` },
    });
  }
  menu.state(`q${questions}`, { run: () => menu.end("Done") });
}
