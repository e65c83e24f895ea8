/** One turn with everything else stood in for: what crashes and copies do to it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDeadlines } from "./backend/deadlines.ts";
import { createCodec } from "./codecs/index.ts";
import { asServiceCode } from "./core/address.ts";
import { failureScreen } from "./core/failure.ts";
import { wordsOf } from "./core/words.ts";
import { type Gateway, handleTurn } from "./gateway.ts";
import { memoryStore } from "./stores/memory.ts";
import type { Backend, Channel, Codec, Inbound, Reply, Turn, WireRequest } from "./types.ts";

/** A gateway in memory, with one backend of which every call is noted. */
function openGateway(answer: (turn: Turn, kept: Kept) => { reply: Reply; appState?: string }) {
  const { sessions } = memoryStore();
  const clock: { ms: number; cameAtMs?: number } = { ms: 1_000_000 };
  let ids = 0;
  const serviceCode = asServiceCode("*365#");
  assert.ok(serviceCode);
  const codec = { name: "app" } as Backend["codec"];
  const backend = { id: 1, serviceCode, codec, isActive: true, idempotent: true } as Backend;
  const gateway: Writable<Gateway> = {
    routes: new Map([[serviceCode, backend]]),
    backendById: () => backend,
    store: sessions,
    callBackend(_backend, turn, _budget, kept) {
      const told = { attempts: [], requestOctets: 0, replyOctets: 0 };
      return Promise.resolve({ type: "reply", ...answer(turn, kept), ...told });
    },
    notifyBackend: () => undefined,
    observe: () => undefined,
    report: (error) => assert.ifError(error),
    nowMs: () => clock.ms,
    cameAtMs: () => clock.cameAtMs ?? clock.ms,
    wallMs: () => clock.ms,
    waitMs(ms) {
      clock.ms += ms;
      return Promise.resolve();
    },
    deadlines: createDeadlines({ nowMs: () => clock.ms }),
    newSessionId: () => `sess_${(ids += 1)}`,
    digest: (text) => `#${text}`,
    keyOf: (name) => name,
    words: () => wordsOf("en"),
    secretPatterns: () => [],
    sessionTtlMs: 300_000,
    turnsMax: 50,
  };
  return { gateway, sessions, clock };
}
type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
type Kept = { readonly appState: string | undefined };
const MENU: Reply = { action: "continue", screen: "Menu" };

function channelOn(codec: Codec): Channel {
  const limits = { turnBudgetMs: 10_000, screenOctetsMax: 160, transliterate: false };
  return { name: "ghana", codec, provider: "ghana", ...limits };
}

/** A codec whose wire is the Inbound itself, as JSON. */
function plainCodec(change: Partial<Codec> = {}): Codec {
  return {
    name: "plain",
    decode: ({ body }) => JSON.parse(body) as Inbound,
    encode: (answer) => ({ status: 200, headers: {}, body: JSON.stringify(answer) }),
    request: () => assert.fail("no backend speaks it"),
    reply: () => assert.fail("no backend speaks it"),
    ...change,
  };
}
const wireOf = (body: object): WireRequest => ({
  ...{ method: "POST", path: "", query: "" },
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const SAID = { sessionId: "n1", echo: {}, input: { kind: "latest", text: "" } };

test("what a backend wants to be told again is told with the next call, and once", async () => {
  const told: (string | undefined)[] = [];
  const { gateway } = openGateway(({ number }, { appState }) => {
    told.push(appState);
    return number === 1 ? { reply: MENU, appState: "step 1" } : { reply: MENU };
  });
  const say = (ussdString: string) =>
    handleTurn(
      gateway,
      channelOn(createCodec("kairos")),
      wireOf({ msisdn: "233241234567", sessionId: "n1", messageType: "0", ussdString }),
    );
  await say("*365#");
  await say("1");
  await say("2");
  assert.deepEqual(told, [undefined, "step 1", undefined]);
});

test("of digits dialled in one go, each call is told what the one before left", async () => {
  const told: (string | undefined)[] = [];
  const { gateway } = openGateway(({ number }, { appState }) => {
    told.push(appState);
    return { reply: MENU, appState: `after ${number}` };
  });
  const body = { msisdn: "233241234567", sessionId: "n1", messageType: "0" };
  const dial = wireOf({ ...body, ussdString: "*365*1*2#" });
  await handleTurn(gateway, channelOn(createCodec("kairos")), dial);
  assert.deepEqual(told, [undefined, "after 1", "after 2"]);
});

describe("a wire that names the subscriber on the first leg only", () => {
  const dial = { ...SAID, phase: "begin", dialled: "*365#", msisdn: "233241234567" };
  const typed = { ...SAID, phase: "continue", input: { kind: "latest", text: "1" } };

  test("is followed by the network's id alone", async () => {
    const calls: string[] = [];
    const { gateway } = openGateway(({ msisdn, input }) => {
      calls.push(`${msisdn} ${input}`);
      return { reply: MENU };
    });
    const channel = channelOn(plainCodec({ keyedById: "answers" }));
    await handleTurn(gateway, channel, wireOf(dial));
    await handleTurn(gateway, channel, wireOf(typed));
    assert.deepEqual(calls, ["233241234567 ", "233241234567 1"]);
  });

  test("tells whether a dialogue lives, and a notice changes nothing", async () => {
    const { gateway } = openGateway(() => ({ reply: MENU }));
    const channel = channelOn(plainCodec({ keyedById: "answers" }));
    const ask = async (phase: string, sessionId: string) => {
      const { wire } = await handleTurn(gateway, channel, wireOf({ ...SAID, sessionId, phase }));
      return (JSON.parse(wire.body) as { isLive?: boolean; reply?: Reply }).isLive;
    };
    await handleTurn(gateway, channel, wireOf(dial));
    assert.equal(await ask("query", "n1"), true);
    assert.equal(await ask("query", "n2"), false);
    assert.equal(await ask("notice", "n1"), undefined);
    assert.equal(await ask("query", "n1"), true);
    await handleTurn(gateway, channel, wireOf({ ...SAID, phase: "abort" }));
    assert.equal(await ask("query", "n1"), false);
  });
});

describe("while the store does not answer", () => {
  const down = () => Promise.reject(new Error("the store is down"));
  const read = async (message: object): Promise<string> => {
    const { gateway, sessions } = openGateway(() => assert.fail("no backend is asked"));
    const store = { ...sessions, open: down };
    const { wire } = await handleTurn(
      { ...gateway, store, report: () => undefined },
      channelOn(plainCodec()),
      wireOf({ ...SAID, msisdn: "233241234567", ...message }),
    );
    return (JSON.parse(wire.body) as { reply: Reply }).reply.screen;
  };

  test("of a dial nothing was sent (F44)", async () => {
    const screen = await read({ phase: "begin", dialled: "*365#" });
    assert.equal(screen, failureScreen("store_unavailable", "en"));
  });

  for (const [what, message] of [
    ["an answer", { phase: "continue", input: { kind: "latest", text: "1" } }],
    ["a dial with a transfer behind it", { phase: "begin", dialled: "*365*2*500#" }],
    ["a history", { phase: "unknown", dialled: "*365#", input: { kind: "history", text: "1" } }],
  ] as const) {
    test(`${what} may be a copy of one that was executed: nothing is promised`, async () => {
      assert.equal(await read(message), failureScreen("turn_unsettled", "en"));
    });
  }
});

test("a turn whose time runs out behind another one is told to wait, not that the store failed", async () => {
  const { gateway, sessions, clock } = openGateway(() => assert.fail("no backend is asked"));
  let asked = 0;
  const store = {
    ...sessions,
    open(): ReturnType<typeof sessions.open> {
      asked += 1;
      if (asked === 1) return Promise.resolve({ type: "busy", twin: true });
      // The deadline passes while the store is asked once more.
      clock.ms += 20_000;
      return new Promise(() => undefined);
    },
  };
  const { wire } = await handleTurn(
    { ...gateway, store },
    channelOn(plainCodec()),
    wireOf({ ...SAID, msisdn: "233241234567", phase: "continue" }),
  );
  const { reply } = JSON.parse(wire.body) as { reply: Reply };
  assert.equal(reply.screen, failureScreen("session_busy", "en"));
});

test("a retransmit that a second kill cut off is still a retransmit", async () => {
  const calls: string[] = [];
  const { gateway, sessions, clock } = openGateway(({ number, input }) => {
    calls.push(`${number}:${input}`);
    return { reply: MENU };
  });
  const say = (ussdString: string) =>
    handleTurn(
      gateway,
      channelOn(createCodec("kairos")),
      wireOf({ msisdn: "233241234567", sessionId: "n1", messageType: "0", ussdString }),
    );

  await say("*365#");
  const { key, sessionId } = await say("1");
  assert.ok(sessionId);
  await sessions.undelivered(key, sessionId);
  // The network says "1" again; the gateway takes the turn and is killed before it settles.
  const ask = { key, freshId: "sess_x", msisdn: undefined, digest: "#1", nowMs: clock.ms };
  await sessions.open({ ...ask, leaseMs: 12_000 });
  clock.ms += 13_000;
  await say("1");
  assert.deepEqual(calls, ["1:", "2:1"]);
});

describe("on a wire without message ids, where the same words may be the next answer", () => {
  const open = () => {
    const calls: string[] = [];
    const { gateway, clock } = openGateway(({ input }) => {
      calls.push(input);
      return { reply: MENU };
    });
    const channel = channelOn(createCodec("kairos"));
    const say = async (ussdString: string, isGone?: () => boolean) => {
      const body = { msisdn: "233241234567", sessionId: "n1", messageType: "0", ussdString };
      const { wire } = await handleTurn(gateway, channel, wireOf(body), isGone);
      return (JSON.parse(wire.body) as { ussdString: string }).ussdString;
    };
    return { gateway, clock, calls, say };
  };
  const WAIT = failureScreen("session_busy", "en");

  test("what waited for us until its time was over is not begun (F61)", async () => {
    const { clock, calls, say } = open();
    await say("*365#");
    // Stopped for 11 s: another node has answered the repeat since.
    Object.assign(clock, { cameAtMs: clock.ms, ms: clock.ms + 11_000 });
    assert.equal(await say("1"), WAIT);
    assert.deepEqual(calls, [""]);
  });

  test("what waited for a while has the rest of its time", async () => {
    const { gateway, clock, calls, say } = open();
    Object.assign(clock, { cameAtMs: clock.ms, ms: clock.ms + 6_000 });
    const budgets: number[] = [];
    const { callBackend } = gateway;
    gateway.callBackend = (backend, turn, budget, kept) => {
      budgets.push(budget.deadlineMs - clock.ms);
      return callBackend(backend, turn, budget, kept);
    };
    await say("*365#");
    assert.deepEqual([calls, budgets], [[""], [4_000]]);
  });

  test("an answer of a network that hung up before we asked is not begun (F36)", async () => {
    const { calls, say } = open();
    await say("*365#");
    await say("1", () => true);
    assert.deepEqual(calls, [""]);
    await say("1");
    assert.deepEqual(calls, ["", "1"]);
  });

  test("of one that hung up while we asked, the repeat gets the same screen (F36)", async () => {
    const { calls, say } = open();
    await say("*365#");
    await say("1", () => calls.length === 2);
    assert.equal(await say("1"), "Menu");
    await say("1");
    assert.deepEqual(calls, ["", "1", "1"]);
  });

  test("a screen that came later than the budget may have met nobody", async () => {
    const { gateway, clock, calls, say } = open();
    await say("*365#");
    const { callBackend } = gateway;
    gateway.callBackend = (...asked) => {
      clock.ms += 11_000;
      return callBackend(...asked);
    };
    assert.equal(await say("1"), failureScreen("turn_unsettled", "en"));
    gateway.callBackend = callBackend;
    assert.equal(await say("1"), "Menu");
    assert.deepEqual(calls, ["", "1"]);
  });

  test("a notice that it is over has its effect, however late", async () => {
    const { gateway, clock } = open();
    const channel = channelOn(plainCodec());
    const dial = { ...SAID, phase: "begin", dialled: "*365#", msisdn: "233241234567" };
    await handleTurn(gateway, channel, wireOf(dial));
    Object.assign(clock, { cameAtMs: clock.ms, ms: clock.ms + 11_000 });
    const over = { ...SAID, phase: "abort", msisdn: "233241234567" };
    await handleTurn(gateway, channel, wireOf(over), () => true);
    const asked = { ...SAID, phase: "query", msisdn: "233241234567" };
    const { wire } = await handleTurn(gateway, channel, wireOf(asked), () => true);
    assert.equal((JSON.parse(wire.body) as { isLive: boolean }).isLive, false);
  });
});
