/** Wires that have a codec of their own, told as data instead: they pass that codec's vectors. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { checkCodec } from "../testing/codec.ts";
import { checkGolden, GOLDEN_ROLES, goldenSkip, readGolden } from "../testing/golden.ts";
import { loadShelf } from "../testing/shelf.ts";
import type { Backend, Codec, Turn, WireReply } from "../types.ts";
import { createCodec, describeWire } from "./index.ts";
import type { Description } from "./wire-description.ts";

const SHARED = join(import.meta.dirname, "../../../shared/vectors");
const TEXT = { "content-type": "text/plain; charset=utf-8" };
const TURN = {
  ...{ sessionId: "s1", transactionId: "s1_1", number: 1, msisdn: "258821234567" },
  ...{ serviceCode: "*105#", provider: "tmcel", input: "", inputs: [], dialledDigits: [] },
} as unknown as Turn;
const CRLF = "\r\n";

const described: Readonly<Record<string, Description>> = {
  arkesel: {
    request: {
      as: "json",
      firstInput: "dialString",
      fields: {
        sessionID: "sessionId",
        userID: { constant: "DIALYARD" },
        newSession: { begin: true, continue: false },
        msisdn: "msisdn",
        userData: "input",
        network: "network",
      },
    },
    reply: {
      as: "json",
      fields: {
        ...{ sessionID: "sessionId", userID: { echo: "userID" }, msisdn: "msisdn" },
        ...{ message: "screen", continueSession: { continue: true, end: false } },
      },
    },
  },
  creditswitch: {
    screenCharsMax: 140,
    request: {
      as: "query",
      firstInput: "dialString",
      fields: {
        ...{ msisdn: "msisdn", input: "input", sessionid: "sessionId", network: "network" },
        action: { begin: "begin", continue: "request", end: "end" },
        allinput: "history",
      },
    },
    reply: {
      as: "json",
      fields: { message: "screen", action: { continue: "request", end: "end" } },
    },
  },
  dmark: {
    request: {
      as: "query",
      begins: "unknown",
      firstInput: "code",
      fields: {
        ...{ transactionId: "sessionId", msisdn: "+msisdn", ussdServiceCode: "code" },
        ...{ transactionTime: "unixTime", ussdRequestString: "input", creationTime: "unixTime" },
        response: { constant: "false" },
      },
    },
    reply: {
      as: "json",
      fields: { responseString: "screen", action: { continue: "request", end: "end" } },
    },
  },
  hollatags: {
    screenCharsMax: 160,
    request: {
      as: "form",
      methods: ["GET", "POST"],
      fields: {
        ...{ session_msisdn: "msisdn", session_msg: "input", session_id: "sessionId" },
        session_operation: { begin: "begin", continue: "continue", end: "end" },
        ...{ session_from: "code", session_mno: "network" },
        session_type: { begin: 1, continue: 1, end: 4 },
      },
    },
    reply: {
      as: "json",
      newline: CRLF,
      fields: {
        session_operation: { continue: "continue", end: "end" },
        session_type: { continue: 1, end: 4 },
        ...{ session_id: "sessionId", session_msg: "screen" },
      },
    },
  },
  mnotify: {
    request: {
      as: "json",
      begins: "dialString",
      firstInput: "dialString",
      fields: { msisdn: "msisdn", sequenceID: "sessionId", data: "input", timestamp: "isoTime" },
    },
    reply: {
      as: "json",
      newline: CRLF,
      fields: {
        ...{ msisdn: "msisdn", sequenceID: "sessionId", message: "screen" },
        ...{ timestamp: "isoTime", continueFlag: { continue: 0, end: 1 } },
      },
    },
  },
  nalo: {
    namesNoSession: true,
    screenCharsMax: 120,
    request: {
      as: "json",
      begins: "dialString",
      firstInput: "dialString",
      fields: {
        ...{ USERID: { constant: "DIALYARD" }, MSISDN: "msisdn", USERDATA: "input" },
        ...{
          MSGTYPE: { begin: true, continue: false },
          NETWORK: "network",
          SESSIONID: "sessionId",
        },
      },
    },
    reply: {
      as: "json",
      fields: {
        ...{ USERID: { echo: "USERID" }, MSISDN: "msisdn", MSG: "screen" },
        MSGTYPE: { continue: true, end: false },
      },
    },
  },
  nsano: {
    request: {
      as: "json",
      begins: "dialString",
      firstInput: "dialString",
      fields: {
        ...{ UserSessionID: "sessionId", msisdn: "msisdn", network: "network", msg: "input" },
      },
    },
    reply: {
      as: "json",
      fields: {
        "USSDResp.action": { continue: ["input", "showMenu"], end: "prompt" },
        "USSDResp.menus": { constant: "" },
        "USSDResp.title": "screen",
      },
    },
  },
  oltranz: {
    request: {
      as: "json",
      begins: "emptyInput",
      fields: {
        ...{ sessionId: "sessionId", serviceCode: "bareCode", phoneNumber: "msisdn" },
        ...{ text: "input", response: { constant: "" }, action: { constant: "CON" } },
        ...{ transactionId: { constant: "" }, requestTime: "isoTime" },
        ...{ newRequest: { constant: 0 }, charge: { constant: "N" }, amount: { constant: 0 } },
      },
    },
    reply: {
      as: "json",
      echoesRequest: true,
      headers: { "content-type": "application/json;charset=UTF-8" },
      fields: {
        ...{ sessionId: "sessionId", response: "screen" },
        action: { continue: "CON", end: "END" },
      },
    },
  },
  truroute: {
    request: {
      as: "xml",
      methods: ["POST", "GET"],
      root: "ussd",
      firstInput: "dialString",
      fields: {
        ...{ msisdn: "msisdn", sessionid: "sessionId" },
        type: { begin: "1", continue: "2", end: ["3", "4", "10"] },
        msg: "input",
      },
    },
    reply: {
      as: "xml",
      root: "ussd",
      refusesInKind: true,
      fields: { type: { continue: "2", end: "3" }, msg: "screen" },
    },
  },
};

function declared(name: string, options: Readonly<Record<string, string>> = {}): Codec {
  const { service_code = "" } = options;
  return createCodec("declarative", {
    ...{ description: JSON.stringify(described[name]), service_code },
  });
}

for (const name of Object.keys(described)) {
  const { vectors, golden } = await loadShelf(name);
  describe(`${name}, declared`, () => {
    for (const vector of vectors) {
      test(vector.title, () => checkCodec(declared(name, vector.options), vector));
    }
    for (const sheet of golden) {
      const file = join(SHARED, `${sheet.file}.jsonl`);
      const lines = existsSync(file) ? readGolden(readFileSync(file, "utf8")) : [];
      for (const vector of lines) {
        const options = typeof sheet.options === "function" ? sheet.options(vector) : sheet.options;
        for (const role of GOLDEN_ROLES) {
          const codec = declared(name, options);
          const skip = goldenSkip(codec, sheet, vector, role) ?? false;
          test(`golden: ${vector.name}, as ${role}`, { skip }, () => {
            checkGolden(codec, sheet, vector, role);
          });
        }
      }
    }
  });
}

/** What none of the wires above has; a name for each. */
const forms: readonly (readonly [what: string, reply: Description["reply"], wire: WireReply])[] = [
  [
    "a prefix",
    { as: "text", prefix: { continue: "CON ", end: "END " }, newline: "^" },
    { status: 200, headers: TEXT, body: "CON Olá^1. Saldo" },
  ],
  [
    "a header",
    { as: "text", headers: { freeflow: { continue: "FC", end: "FB" }, charge: "N" } },
    { status: 200, headers: { ...TEXT, freeflow: "FC", charge: "N" }, body: "Olá\n1. Saldo" },
  ],
  [
    "pipes",
    { as: "pipes", fields: { id: "sessionId", more: { continue: 1, end: 0 }, text: "screen" } },
    { status: 200, headers: TEXT, body: "s1|1|Olá\n1. Saldo" },
  ],
  [
    "a form",
    { as: "form", fields: { id: "sessionId", more: { continue: 1, end: 0 }, text: "screen" } },
    {
      status: 200,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "id=s1&more=1&text=Ol%C3%A1%0A1.%20Saldo",
    },
  ],
];
describe("forms of a reply, written to a network and read from a backend", () => {
  const screen = "Olá\n1. Saldo";
  for (const [what, reply, wire] of forms) {
    test(what, () => {
      const request: Description["request"] = {
        as: "pipes",
        fields: {
          ...{ id: "sessionId", from: "+msisdn", code: "bareCode", text: "input" },
          state: { begin: ["NEW", "START"], continue: "OLD" },
        },
      };
      const codec = createCodec("declarative", { description: JSON.stringify({ request, reply }) });
      const asked = codec.request(TURN, { method: "POST" } as Backend);
      assert.equal(asked.body, "s1|+258821234567|105||NEW");
      const inbound = codec.decode({ ...asked, body: "s1|258821234567|105||START" });
      assert.deepEqual(
        [inbound.sessionId, inbound.msisdn, inbound.dialled, inbound.phase],
        ["s1", "258821234567", "*105#", "begin"],
      );
      const answer = { reply: { action: "continue", screen }, failure: undefined } as const;
      assert.deepEqual(codec.encode({ ...answer, serviceCode: "*105#" }, inbound, 0), wire);
      assert.deepEqual(codec.reply(wire, TURN), { action: "continue", screen });
      const other = { ...TURN, sessionId: "s2" };
      if (reply.as === "pipes" || reply.as === "form")
        assert.throws(() => codec.reply(wire, other), /id is not the one asked with/);
    });
  }
});

test("a wire of JSON that also knows GET reads the same values from its query", () => {
  const { request, reply } = described["arkesel"]!;
  const both = { reply, request: { ...request, methods: ["POST", "GET"] as const } };
  const codec = createCodec("declarative", describeWire(both));
  for (const method of ["POST", "GET"] as const) {
    const asked = codec.request(TURN, { method } as Backend);
    assert.equal(asked.method, method);
    assert.equal(codec.decode(asked).phase, "begin");
  }
});

test("a limit in characters counts line ends as they are written", () => {
  const { takesScreen: takes } = declared("hollatags");
  assert.ok(takes);
  assert.deepEqual([takes(`${"a".repeat(158)}\n`), takes(`${"a".repeat(159)}\n`)], [true, false]);
});

test("a number with more digits than can be read is refused as an id, and as an echo", () => {
  const { request, reply } = described["arkesel"]!;
  const wire = { request: { ...request, fields: { ...request.fields, tx: "messageId" } }, reply };
  const codec = createCodec("declarative", describeWire(wire as Description));
  const asked = codec.request(TURN, { method: "POST" } as Backend);
  const having = (more: string) => ({ ...asked, body: asked.body.replace(/"tx":"[^"]*"/, more) });
  assert.equal(codec.decode(having('"tx":9007199254740991')).messageId, "9007199254740991");
  const refusal = { code: "bad_field", message: /digits/ };
  assert.throws(() => codec.decode(having('"tx":171632898024603649')), refusal);
  const { body } = having('"tx":"1"');
  const echoed = body.replace('"DIALYARD"', "171632898024603649");
  assert.throws(() => codec.decode({ ...asked, body: echoed }), refusal);
});

describe("a description that is wrong is refused in words that say what to change", () => {
  const good = described["arkesel"];
  assert.ok(good);
  const { request, reply } = good;
  const fields = { ...request.fields };
  const cases: readonly (readonly [what: string, description: unknown, says: RegExp])[] = [
    ["no JSON", "{", /description: must be JSON/],
    ["a list", [], /description: must be an object/],
    ["no reply", { request }, /reply: is missing/],
    ["a member unknown", { request, reply, replies: {} }, /replies is unknown: there are request/],
    [
      "a format unknown",
      { request: { ...request, as: "yaml" }, reply },
      /request\.as: must be one of json, form/,
    ],
    [
      "a word unknown",
      { request: { ...request, fields: { ...fields, userData: "imput" } }, reply },
      /request\.fields\.userData: must be one of sessionId/,
    ],
    [
      "no input",
      { request: { ...request, fields: { ...fields, userData: "network" } }, reply },
      /request\.fields: one must be "input" or "history"/,
    ],
    [
      "no number",
      { request: { ...request, fields: { ...fields, msisdn: "network" } }, reply },
      /one must be "msisdn" or "\+msisdn"/,
    ],
    [
      "half a phase",
      { request: { ...request, fields: { ...fields, newSession: { begin: true } } }, reply },
      /newSession: must have constant; or begin, continue, end\?/,
    ],
    [
      "nothing that begins",
      { request: { ...request, fields: { ...fields, newSession: { constant: true } } }, reply },
      /request\.begins: must be one of dialString, emptyInput, unknown/,
    ],
    [
      "an echo of nothing",
      { request, reply: { as: "json", fields: { ...reply.fields, userID: { echo: "user" } } } },
      /reply\.fields\.userID\.echo: must be one of sessionID, userID/,
    ],
    [
      "nothing that tells the end",
      { request, reply: { as: "json", fields: { message: "screen" } } },
      /reply: nothing tells whether more is expected/,
    ],
    [
      "no screen",
      { request, reply: { as: "json", fields: { end: { continue: 0, end: 1 } } } },
      /reply\.fields: one must be "screen"/,
    ],
    ["XML without a root", { request: { ...request, as: "xml" }, reply }, /request\.root: is the/],
    [
      "a name that is a prototype's",
      `{"request":{"as":"json","fields":{"__proto__":"input"}},"reply":{"as":"text"}}`,
      /request\.fields: names are like session_id/,
    ],
    [
      "a field inside of a value",
      { request: { ...request, fields: { ...fields, "userData.x": "network" } }, reply },
      /userData\.x: is inside of a field that has a value/,
    ],
    [
      "a header that frames",
      { request, reply: { ...reply, headers: { "content-length": "1" } } },
      /reply\.headers: names are in small letters/,
    ],
    [
      "an echo of what is no object",
      { request: { ...request, methods: ["GET"] }, reply: { ...reply, echoesRequest: true } },
      /reply\.echoesRequest: goes with JSON by POST/,
    ],
    [
      "a field inside of what is echoed",
      {
        request,
        reply: { ...reply, echoesRequest: true, fields: { ...reply.fields, "a.b": "network" } },
      },
      /reply\.fields\.a\.b: with echoesRequest fields are of the object itself/,
    ],
    ["a screen without end", { request, reply, screenOctetsMax: 1e9 }, /screenOctetsMax: must be/],
    [
      "a screen of half a character",
      { request, reply, screenCharsMax: 50.5 },
      /screenCharsMax: must/,
    ],
  ];
  for (const [what, description, says] of cases) {
    test(what, () => {
      const text = typeof description === "string" ? description : JSON.stringify(description);
      assert.throws(() => createCodec("declarative", { description: text }), says);
    });
  }

  test("what is described in a configuration file is checked there", () => {
    const wrong = { request, reply: { as: "json", fields: { message: "text" } } };
    assert.throws(
      () => describeWire(wrong as unknown as Description),
      /declarative: reply\.fields\.message: must be one of screen/,
    );
    assert.equal(createCodec("declarative", describeWire(good)).name, "declarative");
  });

  test("an unknown preset is told those that there are", () => {
    assert.throws(() => createCodec("declarative", { preset: "vodafone" }), /one of tmcel/);
  });
});
