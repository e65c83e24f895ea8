/** What one message means, given the session held for it: RELIABILITY 2.2, row by row. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Backend, Codec, Dialled, Inbound, Msisdn, Session } from "../types.ts";
import { asServiceCode } from "./address.ts";
import type { Routes } from "./route.ts";
import { closeTurn, openTurn, pageReply, pushedSession, type Given, type Opened } from "./turn.ts";

const codec = (facts: Partial<Codec> = {}) => ({ name: "c", ...facts }) as Codec;
const backendOf = (code: string, facts: Partial<Backend> = {}): Backend => {
  const serviceCode = asServiceCode(code);
  assert.ok(serviceCode);
  const id = Number(code.replaceAll(/\D/g, ""));
  return { id, serviceCode, codec: codec(), isActive: true, idempotent: true, ...facts } as Backend;
};
const backends = [
  backendOf("*365#"),
  backendOf("*366#", { codec: codec({ carriesDialledDigits: true, wantsHistory: true }) }),
  backendOf("*367#", { isActive: false }),
  backendOf("*368#", { idempotent: false }),
];
const routes: Routes = new Map(backends.map((backend) => [backend.serviceCode, backend]));

const given: Given = {
  routes,
  backendById: (id) => backends.find((backend) => backend.id === id),
  digest: (text) => `#${text}`,
  freshId: "sess_00000000000000000000000000000001",
  provider: "net",
  isRetransmit: false,
  redriven: false,
  lostTurns: 0,
  turnsMax: 50,
};
const base: Inbound = {
  sessionId: "net-1",
  msisdn: "258823456789" as Msisdn,
  phase: "unknown",
  dialled: "*365#" as Dialled,
  input: { kind: "latest", text: "" },
  messageId: undefined,
  network: undefined,
  echo: {},
};
const history = (text: string, facts: Partial<Inbound> = {}): Inbound => ({
  ...base,
  ...facts,
  input: { kind: "history", text },
});
const latest = (text: string, facts: Partial<Inbound> = {}): Inbound => ({
  ...base,
  phase: "continue",
  dialled: undefined,
  ...facts,
  input: { kind: "latest", text },
});
const dial = (dialled: string, facts: Partial<Inbound> = {}): Inbound => ({
  ...base,
  phase: "begin",
  dialled: dialled as Dialled,
  ...facts,
});

/** The session that a message leaves behind when the backend answers it. */
function answered(inbound: Inbound, held?: Session, facts: Partial<Session> = {}): Session {
  const opened = openTurn(inbound, held, given);
  assert.equal(opened.type, "ask");
  if (opened.type !== "ask") throw new Error("unreachable");
  const reply = { action: "continue", screen: "Menu" } as const;
  const lastNumber = opened.calls.at(-1)?.number;
  return {
    ...closeTurn(opened.session, {
      reply,
      failure: undefined,
      paging: undefined,
      asksSecret: false,
      lastNumber,
    }),
    ...facts,
  };
}
/** "ask 2*5" or "repeat" or "failed session_lost": what was decided, in words. */
function told(opened: Opened): string {
  if (opened.type === "ask")
    return `ask ${opened.calls.map((call) => `${call.number}:${call.input}`).join(" ")}`;
  if (opened.type === "failed") return `failed ${opened.code}`;
  if (opened.type === "unkept") return `unkept ${opened.code ?? "notice"}`;
  return opened.type;
}

describe("cumulative text is compared with the text answered last, never split", () => {
  const first = answered(history(""));
  const second = answered(history("1"), first);
  const withStar = answered(history("1*5*0"), second);
  const cases: readonly [
    title: string,
    text: string,
    held: Session | undefined,
    decision: string,
  ][] = [
    ["no session, no text: a dial", "", undefined, "ask 1:"],
    ["the first answer", "1", first, "ask 2:1"],
    ["the answer follows the text answered last", "1*2", second, "ask 3:2"],
    ["a typed * survives", "1*5*0", second, "ask 3:5*0"],
    ["what follows a typed * is cut at the right place", "1*5*0*9", withStar, "ask 4:9"],
    ["an empty answer", "1*", second, "ask 3:"],
    ["**** typed", "1*****", second, "ask 3:****"],
    ["the same text again is a retransmit", "1", second, "repeat"],
    ["the first text again is a retransmit", "", first, "repeat"],
    ["empty text on a session with answers is a new dial", "", second, "ask 1:"],
    ["a late copy of an old turn never runs a step twice", "1", withStar, "repeat"],
    ["a history that forked is lost", "9*2", second, "failed session_lost"],
    ["longer text that does not go on at a * is lost", "12", second, "failed session_lost"],
  ];
  for (const [title, text, held, decision] of cases) {
    test(title, () => assert.equal(told(openTurn(history(text), held, given)), decision));
  }
  test("text on a session never seen is what was dialled after the code, where the wire leaves it open", () => {
    assert.equal(told(openTurn(history("2*500"), undefined, given)), "ask 1: 2:2 3:500");
  });
  test("text on a session never seen is lost where the wire says that it continues", () => {
    assert.equal(
      told(openTurn(history("2", { phase: "continue" }), undefined, given)),
      "failed session_lost",
    );
  });
  test("text on a session never seen that nobody can dial is lost", () => {
    assert.equal(told(openTurn(history("2*ab"), undefined, given)), "failed session_lost");
  });
});

describe("a wire that sends the latest input alone", () => {
  const first = answered(dial("*365#"));
  const second = answered(latest("1"), first);
  test("a dial begins", () =>
    assert.equal(told(openTurn(dial("*365#"), undefined, given)), "ask 1:"));
  test("1 then 1 may be a person", () =>
    assert.equal(told(openTurn(latest("1"), second, given)), "ask 3:1"));
  test("1 again is a retransmit when the answer was not written or a twin waited for it", () => {
    assert.equal(told(openTurn(latest("1"), second, { ...given, isRetransmit: true })), "repeat");
  });
  test("another digit is an answer even after an answer that was not written", () => {
    assert.equal(told(openTurn(latest("2"), second, { ...given, isRetransmit: true })), "ask 3:2");
  });
  test("an answer to a session never seen is lost", () => {
    assert.equal(told(openTurn(latest("1"), undefined, given)), "failed session_lost");
  });
  test("the first dial sent twice shows the same menu", () => {
    assert.equal(told(openTurn(dial("*365#"), first, given)), "repeat");
  });
  test("the first dial sent twice does so where the wire does not tell it from an answer", () => {
    const unsaid = latest("365", { phase: "unknown", dialled: "*365#" as Dialled });
    const begun = answered(unsaid);
    assert.equal(told(openTurn(unsaid, begun, given)), "repeat");
    const asked = { ...unsaid, dialled: "*7#" as Dialled, input: { ...unsaid.input, text: "7" } };
    assert.equal(told(openTurn(asked, begun, given)), "ask 2:7");
    const later = answered(asked, begun);
    assert.equal(told(openTurn(unsaid, later, given)), "ask 3:365");
  });
  test("a dial on a session with answers starts over", () => {
    assert.equal(told(openTurn(dial("*365#"), second, given)), "ask 1:");
  });
  test("a dial on an ended session starts over", () => {
    assert.equal(told(openTurn(dial("*365#"), { ...first, ended: true }, given)), "ask 1:");
  });
  test("an answer to an ended session is lost", () => {
    assert.equal(
      told(openTurn(latest("1"), { ...second, ended: true }, given)),
      "failed session_lost",
    );
  });
});

describe("a wire that names its messages", () => {
  const first = answered(dial("*365#", { messageId: "m1" }));
  test("the same message again is a retransmit", () => {
    assert.equal(told(openTurn(dial("*365#", { messageId: "m1" }), first, given)), "repeat");
  });
  test("the same id with another text is refused, and nothing is sent", () => {
    assert.equal(
      told(openTurn(latest("9", { messageId: "m1" }), first, given)),
      "unkept message_changed",
    );
  });
  test("a late copy of an older message is a repeat, not an answer", () => {
    const second = answered(latest("1", { messageId: "m2" }), first);
    const third = answered(latest("2", { messageId: "m3" }), second);
    for (const [text, messageId] of [
      ["1", "m2"],
      ["", "m1"],
    ] as const) {
      assert.equal(told(openTurn(latest(text, { messageId }), third, given)), "repeat");
    }
  });
  test("the same digit under another id is an answer", () => {
    const second = answered(latest("1", { messageId: "m2" }), first);
    assert.equal(told(openTurn(latest("1", { messageId: "m3" }), second, given)), "ask 3:1");
  });
});

test("a dial that reached nobody is decided anew: the code may be registered since", () => {
  const opened = openTurn(history("", { dialled: "*999#" as Dialled }), undefined, given);
  assert.equal(told(opened), "failed backend_not_found");
  assert.ok(opened.type === "failed");
  const reply = { action: "end", screen: "This code is not in service." } as const;
  const left = closeTurn(opened.session, {
    reply,
    failure: opened.code,
    paging: undefined,
    asksSecret: false,
    lastNumber: undefined,
  });
  const again = history("", { dialled: "*365#" as Dialled });
  assert.equal(told(openTurn(again, left, given)), "ask 1:");
});

describe("notices", () => {
  test("end a live session", () => {
    assert.equal(
      told(openTurn(latest("", { phase: "abort" }), answered(dial("*365#")), given)),
      "abort",
    );
  });
  test("that come twice, or about nothing, change nothing", () => {
    const ended = { ...answered(dial("*365#")), ended: true };
    assert.equal(told(openTurn(latest("", { phase: "abort" }), ended, given)), "unkept notice");
    assert.equal(told(openTurn(latest("", { phase: "abort" }), undefined, given)), "unkept notice");
  });
});

describe("digits dialled after the code", () => {
  test("arrive one call after another", () => {
    assert.equal(told(openTurn(dial("*365*2*500#"), undefined, given)), "ask 1: 2:2 3:500");
  });
  test("arrive with the first call where the backend's protocol carries them", () => {
    const opened = openTurn(dial("*366*2*500#"), undefined, given);
    assert.equal(told(opened), "ask 1:");
    assert.deepEqual(opened.type === "ask" && opened.calls[0]?.dialledDigits, ["2", "500"]);
    assert.deepEqual(opened.type === "ask" && opened.session.inputs, ["2", "500"]);
  });
  test("are at most five", () => {
    assert.equal(
      told(openTurn(dial("*365*1*2*3*4*5#"), undefined, given)),
      "ask 1: 2:1 3:2 4:3 5:4 6:5",
    );
    assert.equal(
      told(openTurn(dial("*365*1*2*3*4*5*6#"), undefined, given)),
      "failed backend_not_found",
    );
  });
  test("are masked in the record: they may be a PIN", () => {
    const opened = openTurn(dial("*365*1234#"), undefined, given);
    assert.equal(opened.type === "ask" && opened.shownInput, "*365*****#");
  });
});

describe("who cannot be asked", () => {
  const cases: readonly [
    title: string,
    inbound: Inbound,
    facts: Partial<Given>,
    decision: string,
  ][] = [
    ["a code nobody registered", dial("*999#"), {}, "failed backend_not_found"],
    ["an inactive backend", dial("*367#"), {}, "failed backend_inactive"],
    [
      "a backend asked perhaps, that must not be asked twice",
      dial("*368#"),
      { redriven: true },
      "failed turn_unsettled",
    ],
    [
      "an idempotent backend asked perhaps is asked again",
      dial("*365#"),
      { redriven: true },
      "ask 1:",
    ],
  ];
  for (const [title, inbound, facts, decision] of cases) {
    test(title, () =>
      assert.equal(told(openTurn(inbound, undefined, { ...given, ...facts })), decision),
    );
  }
  test("a backend that was deleted in mid-session", () => {
    const held = { ...answered(dial("*365#")), backendId: 12_345 };
    assert.equal(told(openTurn(latest("1"), held, given)), "failed backend_inactive");
  });
  test("a backend paused in mid-session goes on to the end", () => {
    const held = { ...answered(dial("*365#")), backendId: 367 };
    assert.equal(told(openTurn(latest("1"), held, given)), "ask 2:1");
  });
  test("a session that does not end by itself is ended (F29)", () => {
    const held = answered(dial("*365#"), undefined, { turns: 50 });
    assert.equal(told(openTurn(latest("1"), held, given)), "failed session_too_long");
  });
});

describe("a backend that is registered anew in mid-session", () => {
  const latestOnly = backends[0]!;
  const wantsHistory = { ...latestOnly, codec: codec({ wantsHistory: true }) };
  const as = (backend: Backend): Given => ({
    ...given,
    routes: new Map([[backend.serviceCode, backend]]),
    backendById: () => backend,
  });
  const after = (held: Session, input: string, backend: Backend) =>
    openTurn(latest(input), held, as(backend));

  test("for a protocol with history gets none that begins in the middle", () => {
    const held = answered(latest("1"), answered(dial("*365#")));
    assert.equal(told(after(held, "2", wantsHistory)), "failed session_lost");
  });
  test("for a protocol without history is told the latest input", () => {
    const opened = openTurn(dial("*365#"), undefined, as(wantsHistory));
    assert.ok(opened.type === "ask");
    assert.deepEqual(opened.session.inputs, []);
    assert.equal(told(after({ ...opened.session, calls: 1 }, "2", latestOnly)), "ask 2:2");
  });
});

describe("the answer to a screen that we sent first", () => {
  const pushed = (code: string) => {
    const { id: backendId, serviceCode } = routes.get(asServiceCode(code)!)!;
    const facts = { networkSessionId: "net-1", serviceCode, backendId, provider: "net" };
    const reply = { action: "continue", screen: "Pay 500 to Ana?\n1. Yes" } as const;
    const opening = { msisdn: base.msisdn!, reply };
    return pushedSession(given.freshId, opening, { ...facts, asksSecret: false });
  };
  test("begins the backend's dialogue, one call after another", () => {
    const opened = openTurn(latest("1"), pushed("*365#"), given);
    assert.equal(told(opened), "ask 1: 2:1");
    assert.ok(opened.type === "ask");
    assert.equal(opened.session.pushed, undefined);
  });
  test("is carried with the first call where the protocol carries digits", () => {
    const opened = openTurn(latest("1"), pushed("*366#"), given);
    assert.ok(opened.type === "ask");
    assert.deepEqual(
      opened.calls.map(({ number, dialledDigits, inputs }) => [number, dialledDigits, inputs]),
      [[1, ["1"], ["1"]]],
    );
  });
  test("that is not typed as digits comes as a call of its own", () => {
    assert.equal(told(openTurn(latest("yes"), pushed("*366#"), given)), "ask 1: 2:yes");
  });
});

describe("an empty input that names a code, on a wire without phases", () => {
  const door = (code: string) => latest("", { phase: "unknown", dialled: code as Dialled });
  const held = answered(door("*365#"));
  for (const [title, code, decision] of [
    ["of the same backend is an empty answer", "*365#", "ask 2:"],
    ["of another backend is a dial", "*368#", "ask 1:"],
    ["that nobody is registered for is an empty answer", "*999#", "ask 2:"],
  ] as const) {
    test(title, () => assert.equal(told(openTurn(door(code), held, given)), decision));
  }
});

describe("ids", () => {
  test("a turn driven again after a crash carries the same transaction id", () => {
    const held = answered(dial("*365#"));
    const ids = [false, true].map((redriven) => {
      const opened = openTurn(latest("1"), held, { ...given, redriven });
      return opened.type === "ask" ? opened.calls[0]?.transactionId : undefined;
    });
    assert.equal(ids[0], "txn_00000000000000000000000000000001_2");
    assert.equal(ids[1], ids[0]);
  });
  test("the numbers of a turn that was given up are never used for another input", () => {
    const held = answered(dial("*365#"));
    assert.equal(told(openTurn(latest("7"), held, { ...given, lostTurns: 1 })), "ask 8:7");
  });
});

describe("a turn that a crash cut off", () => {
  const paging = {
    pages: ["one", "two"],
    shown: 0,
    moreKey: "98",
    backKey: "0",
    action: "continue",
  } as const;
  const numberOf = (opened: Opened) =>
    opened.type === "ask" ? opened.calls[0]?.number : undefined;

  test("leaves its number unused, also when the next turn is a page of ours", () => {
    const held = answered(dial("*365#"), undefined, { paging });
    const cutOff = numberOf(openTurn(latest("5"), held, given));
    const page = openTurn(latest("98"), held, { ...given, lostTurns: 1 });
    assert.ok(page.type === "page");
    assert.notEqual(numberOf(openTurn(latest("7"), page.session, given)), cutOff);
  });
  test("leaves its number unused, also when the next message is a repeat", () => {
    const held = answered(history("1"), answered(history("")));
    const cutOff = numberOf(openTurn(history("1*2"), held, given));
    const repeat = openTurn(history("1"), held, { ...given, lostTurns: 1 });
    assert.ok(repeat.type === "repeat");
    assert.notEqual(numberOf(openTurn(history("1*3"), repeat.session, given)), cutOff);
  });
  test("may have been executed, whatever became of its backend since", () => {
    const held = answered(dial("*365#"), undefined, { backendId: 12_345 });
    const opened = openTurn(latest("1"), held, { ...given, redriven: true });
    assert.equal(told(opened), "failed turn_unsettled");
    assert.equal(
      told(openTurn(dial("*367#"), undefined, { ...given, redriven: true })),
      "failed turn_unsettled",
    );
  });
});

describe("pages of a long screen", () => {
  const paging = {
    pages: ["one", "two", "three"],
    shown: 0,
    moreKey: "98",
    backKey: "0",
    action: "continue",
  } as const;
  const held = answered(dial("*365#"), undefined, { paging });
  const leaf = (text: string, session: Session) => {
    const opened = openTurn(latest(text), session, given);
    return opened.type === "page" ? `${opened.reply.action} ${opened.reply.screen}` : told(opened);
  };
  const cases: readonly [
    title: string,
    text: string,
    shown: number,
    action: "continue" | "end",
    seen: string,
  ][] = [
    ["more", "98", 0, "continue", "continue two"],
    ["back", "0", 1, "continue", "continue one"],
    ["back on the first page is the application's", "0", 0, "continue", "ask 2:0"],
    ["more on the last page is the application's", "98", 2, "continue", "ask 2:98"],
    ["an option of the menu is the application's", "3", 1, "continue", "ask 2:3"],
    ["the last page of an end ends", "98", 1, "end", "end three"],
    ["anything else while an end is read shows the page again", "7", 1, "end", "continue two"],
  ];
  for (const [title, text, shown, action, seen] of cases) {
    test(title, () =>
      assert.equal(leaf(text, { ...held, paging: { ...paging, shown, action } }), seen),
    );
  }
  test("an end in pages stays open until the last one", () => {
    assert.deepEqual(pageReply(["a", "b"], 0, "end"), { action: "continue", screen: "a" });
    assert.deepEqual(pageReply(["a", "b"], 1, "end"), { action: "end", screen: "b" });
  });
  test("leafing does not go on for ever either (F29)", () => {
    assert.equal(leaf("98", { ...held, turns: 50 }), "failed session_too_long");
  });
  test("page keys are not part of the history that a backend is told", () => {
    const first = answered(dial("*366#"), undefined, { paging });
    const leafed = openTurn(latest("98"), first, given);
    assert.equal(leafed.type, "page");
    const next = openTurn(latest("3"), leafed.type === "page" ? leafed.session : undefined, given);
    assert.deepEqual(next.type === "ask" && next.calls[0]?.inputs, ["3"]);
  });
});

test("what is typed after a screen that asked for a secret is masked", () => {
  const held = answered(dial("*365#"), undefined, { asksSecret: true });
  const opened = openTurn(latest("1234"), held, given);
  assert.equal(opened.type === "ask" && opened.shownInput, "****");
});
