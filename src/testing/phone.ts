/**
 * A phone for tests: a test reads like a conversation. No sockets, no sleeping. On every turn it
 * checks without being asked: the text fits the screen, the same message delivered again gets the
 * same reply, a second subscriber may walk along at the same time, and no secret is kept.
 */
import assert from "node:assert/strict";
import {
  type App,
  type AppEvent,
  type AppStore,
  type AppTurn,
  type ContextOption,
  keyedDigest,
  memoryAppStore,
  type MemoryAppStore,
  type Taken,
} from "../app/index.ts";
import { dialogueOf } from "../app/dialogue.ts";
import { asDialled, parseMsisdn } from "../core/address.ts";
import { measureScreen } from "../core/screen.ts";
import type { Inbound } from "../types.ts";
import { createRecording, type Said, withConversation } from "./recording.ts";

export type PhoneOptions<C> = ContextOption<C> & {
  /** E.164 digits, with or without "+". */
  readonly msisdn?: string;
  /** Octets of a screen: 160 holds 182 GSM-7 or 80 other characters. */
  readonly screenOctetsMax?: number;
  readonly transliterate?: boolean;
  readonly locale?: string;
  readonly deadlineMs?: number;
  /** False: messages are not delivered twice. */
  readonly twice?: boolean;
  /** A second subscriber who types the same at the same time, effects left out; false: nobody. */
  readonly companion?: string | false;
  readonly log?: AppTurn["log"];
  readonly rememberLocale?: (turn: AppTurn, locale: string) => void | Promise<void>;
};

export type Phone<R, C> = {
  /** What is on the screen. */
  readonly screen: string;
  readonly ended: boolean;
  /** Where the cursor is: "transfer.amount". */
  readonly place: string | undefined;
  /** The app says that the next input is a secret. */
  readonly asksSecret: boolean;
  readonly events: readonly AppEvent[];
  readonly clock: {
    readonly nowMs: () => number;
    /** "5m", "90s", "2h" or milliseconds. */
    readonly advance: (time: string | number) => void;
  };
  readonly dial: (code?: string) => Promise<Phone<R, C>>;
  readonly send: (...inputs: readonly string[]) => Promise<Phone<R, C>>;
  /** Begins at a screen with its params, or in a flow with the answers given before. */
  readonly at: (
    screen: keyof R & string,
    params?: Readonly<Record<string, unknown>>,
  ) => Promise<Phone<R, C>>;
  /** The network hangs up. */
  readonly drop: () => Promise<Phone<R, C>>;
  /** The same code again, in a session of its own. */
  readonly redial: () => Promise<Phone<R, C>>;
  /** A new version of the app is there from the next turn on. */
  readonly deploy: (next: App<never, C>) => Phone<R, C>;
  /** Both copies of one input arrive together. */
  readonly sendTwice: (input: string) => Promise<readonly [string, string]>;
  /** The network delivers the last message again. */
  readonly again: () => Promise<string>;
  /** The node dies holding a turn that nobody delivers again. */
  readonly crash: () => Promise<Phone<R, C>>;
  /** The node dies holding the turn, before anything is done; the network delivers it again. */
  readonly crashOn: (input: string) => Promise<Phone<R, C>>;
  /** A failure shows the conversation so far. */
  readonly expectText: (expected: string | RegExp) => Phone<R, C>;
  readonly expectScreen: (place: string | undefined) => Phone<R, C>;
  readonly expectEnd: (expected?: string | RegExp) => Phone<R, C>;
  /** What the store holds of this session. */
  readonly stored: () => string;
  /** All that was said, as a test that expects it again. Secrets are left out. */
  readonly record: (title?: string) => string;
};

const CODE = "*123#";
const COMPANION = "19995550123";
const START_MS = 1_750_000_000_000;
const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

let phones = 0;

/**
 * The app behind a simulated phone, with a store of its own.
 * @example
 * const p = await phone(app, { msisdn: "258823456789", context }).dial("*365#");
 * await p.send("2", "843456789", "500", "1234");
 * p.expectScreen("transfer.$confirm").expectText(/Amount: 500/);
 */
export function phone<R, C>(app: App<R, C>, options: PhoneOptions<C>): Phone<R, C> {
  phones += 1;
  const line = createLine(app, options, `p${phones}`);
  const state = { code: CODE, sessions: 0, inputs: 0 };
  const last: { said: Inbound | undefined; taken: Taken } = { said: undefined, taken: NOTHING };

  const message = (phase: Inbound["phase"], text: string): Inbound => {
    state.inputs += 1;
    return {
      sessionId: `p-session-${state.sessions}`,
      msisdn: parseMsisdn(options.msisdn ?? "258841234567"),
      phase,
      dialled: phase === "begin" ? asDialled(state.code) : undefined,
      input: { kind: "latest", text },
      messageId: `m${state.inputs}`,
      network: undefined,
      echo: {},
    };
  };
  const recording = createRecording();
  const hear = (said: Inbound, taken: Taken, doing: Pick<Said, "kind" | "params" | "input">) => {
    const isSecret = last.taken.secret && said.phase !== "begin";
    last.said = said;
    last.taken = taken;
    const { screen = "", action } = taken.reply ?? {};
    recording.note({ ...doing, screen, isEnd: action === "end", isSecret });
    withConversation(recording.conversation, () =>
      line.checkTurn(taken, isSecret ? said.input.text : ""),
    );
  };
  const take = async (said: Inbound, doing: Pick<Said, "kind" | "params" | "input">) => {
    hear(said, await line.deliver(said), doing);
    const again = await line.again(said);
    withConversation(recording.conversation, () => again(last.taken));
  };
  const begin = async (
    code: string,
    doing: Pick<Said, "kind" | "params" | "input"> = { kind: "dial", input: code },
  ): Promise<Phone<R, C>> => {
    state.code = code;
    state.sessions += 1;
    await take(message("begin", ""), doing);
    return self;
  };
  const self: Phone<R, C> = {
    get screen() {
      return last.taken.reply?.screen ?? "";
    },
    get ended() {
      return last.taken.reply?.action === "end";
    },
    get place() {
      return last.taken.place;
    },
    get asksSecret() {
      return last.taken.secret;
    },
    events: line.events,
    clock: line.clock,
    dial: (code = CODE) => begin(code),
    redial: () => begin(state.code),
    async at(screen, params = {}) {
      line.startAt({ screen, params });
      await begin(state.code, { kind: "at", input: screen, params });
      line.startAt(undefined);
      return self;
    },
    async send(...inputs) {
      for (const input of inputs) {
        await take(message("continue", input), { kind: "send", input });
      }
      return self;
    },
    async drop() {
      recording.note({ kind: "drop", input: "", isSecret: false, screen: "", isEnd: true });
      await line.only(message("abort", ""));
      last.taken = { ...last.taken, reply: undefined };
      return self;
    },
    deploy(next) {
      line.deploy(next);
      return self;
    },
    async sendTwice(input) {
      const said = message("continue", input);
      const [first, second] = await Promise.all([line.only(said), line.only(said)]);
      hear(said, first, { kind: "sendTwice", input });
      return [first.reply?.screen ?? "", second.reply?.screen ?? ""];
    },
    async again() {
      assert.ok(last.said !== undefined, "nothing was sent yet");
      const { reply } = await line.only(last.said);
      return reply?.screen ?? "";
    },
    async crash() {
      await line.crash();
      return self;
    },
    async crashOn(input) {
      await line.crash();
      await take(message("continue", input), { kind: "send", input });
      return self;
    },
    expectText(expected) {
      withConversation(recording.conversation, () => {
        if (typeof expected === "string") assert.equal(self.screen, expected);
        else assert.match(self.screen, expected);
      });
      return self;
    },
    expectScreen(place) {
      withConversation(recording.conversation, () => assert.equal(self.place, place));
      return self;
    },
    expectEnd(expected) {
      withConversation(recording.conversation, () => assert.ok(self.ended, "the session goes on"));
      return expected === undefined ? self : self.expectText(expected);
    },
    stored: line.stored,
    record: (title = "as recorded") => recording.test(title, options.msisdn),
  };
  return self;
}

const NOTHING: Taken = { reply: undefined, secret: false, place: undefined };

/** The network between phone and app, with all the bad habits of one. */
function createLine<R, C>(app: App<R, C>, options: PhoneOptions<C>, secret: string) {
  const { screenOctetsMax = 160, transliterate = false, locale, twice = true } = options;
  const { companion = COMPANION } = options;
  const memory = memoryAppStore();
  const spied = spy(memory);
  const events: AppEvent[] = [];
  const clock = createClock();
  let start: { readonly screen: string; readonly params: unknown } | undefined;
  const shared = {
    ...options,
    digest: keyedDigest(secret.padEnd(32, "-")),
    screen: { octetsMax: screenOctetsMax, transliterate },
    locale: () => locale,
    startAt: () => start,
    nowMs: clock.nowMs,
    random: () => 0.5,
  };
  const talk = <Q>(version: App<Q, C>) =>
    dialogueOf(version, {
      ...shared,
      store: spied.store,
      onEvent: (event) => events.push(event),
    });
  const shadow = <Q>(version: App<Q, C>) =>
    dialogueOf(withoutEffects(version), { ...shared, store: memoryAppStore() });
  let dialogue = talk(app);
  let beside = shadow(app);

  const walkAlong = async (said: Inbound): Promise<void> => {
    if (companion === false) return;
    // Whatever becomes of them is no matter: they are there to be in the way.
    await beside.take({ ...said, msisdn: parseMsisdn(companion) });
  };
  const only = (said: Inbound): Promise<Taken> => dialogue.take(said);
  return {
    events,
    clock,
    only,
    startAt(place: typeof start) {
      start = place;
    },
    async deliver(said: Inbound): Promise<Taken> {
      const [taken] = await Promise.all([only(said), walkAlong(said)]);
      return taken;
    },
    /** Delivers a message once more; what comes of it is checked against what it gives back. */
    async again(said: Inbound): Promise<(before: Taken) => void> {
      if (!twice) return () => undefined;
      const { reply } = await only(said);
      return (before) =>
        assert.deepEqual(reply, before.reply, "the same message again got another reply");
    },
    deploy<Q>(next: App<Q, C>) {
      dialogue = talk(next);
      beside = shadow(next);
    },
    /** Takes the lease of the next turn and lets it lapse. */
    async crash(): Promise<void> {
      const key = spied.key();
      await memory.open({ key, nowMs: clock.nowMs(), leaseMs: 1 });
      clock.advance(2);
    },
    stored: () => memory.peek(spied.key()) ?? "",
    checkTurn({ reply }: Taken, typed: string): void {
      if (reply === undefined) return;
      const { octets, units } = measureScreen(reply.screen);
      const size = `${units} characters, ${octets} octets of ${screenOctetsMax}`;
      assert.ok(octets <= screenOctetsMax, `too long for a screen: ${size}\n${reply.screen}`);
      if (typed.length < 3) return;
      const kept = `${memory.peek(spied.key()) ?? ""}\n${JSON.stringify(events)}\n${reply.screen}`;
      const word = new RegExp(`(?<!\\w)${RegExp.escape(typed)}(?!\\w)`);
      assert.doesNotMatch(kept, word, "a secret is in the state, an event or the screen");
    },
  };
}

/** Notes which session a turn was of. */
function spy(memory: MemoryAppStore): { readonly store: AppStore; readonly key: () => string } {
  let key = "";
  const store: AppStore = {
    ...memory,
    open(ask) {
      key = ask.key;
      return memory.open(ask);
    },
  };
  return { store, key: () => key };
}

function withoutEffects<Q, C>(app: App<Q, C>): App<Q, C> {
  const screens = Object.entries(app.screens).map(([name, screen]) =>
    screen.kind === "flow" ? [name, { ...screen, run: () => "" }] : [name, screen],
  );
  return { ...app, screens: Object.fromEntries(screens) as App<Q, C>["screens"] };
}

function createClock() {
  let nowMs = START_MS;
  return {
    nowMs: () => nowMs,
    advance(time: string | number): void {
      nowMs += typeof time === "number" ? time : parseTime(time);
    },
  };
}

function parseTime(time: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h)$/.exec(time) ?? [];
  if (count === undefined) throw new Error(`"${time}" is not like 90s, 5m or 2h`);
  return Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
}
