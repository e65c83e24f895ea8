import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import { type AnsweredVector, checkCodec, type CodecVector } from "../testing/codec.ts";
import type { Backend, Codec, Reply, Turn, WireRequest } from "../types.ts";
import { codecNames, codecs, createCodec } from "./index.ts";
import { attributeOf, escapeXml, parseXml, XML_HEADERS, type XmlElement } from "./xml.ts";

const vectorsByName = new Map<string, readonly CodecVector[]>();
for (const name of codecNames) {
  const { vectors } = (await import(`./${name}.vectors.ts`)) as { vectors: readonly CodecVector[] };
  vectorsByName.set(name, vectors);
}

for (const [name, vectors] of vectorsByName) {
  describe(`${name}, as captured`, () => {
    for (const vector of vectors) {
      test(`${vector.title} [${vector.source}]`, () => {
        checkCodec(createCodec(name, vector.options), vector);
      });
    }
  });

  test(`${name} has the cases that every codec has`, () => {
    const answered = vectors.filter((vector): vector is AnsweredVector => "inbound" in vector);
    const has = (what: string, found: boolean) => assert.ok(found, `no vector with ${what}`);
    has(
      "a first turn",
      answered.some(({ inbound: { input } }) => input.text === ""),
    );
    has(
      "a later turn",
      answered.some(({ inbound: { input } }) => input.text !== ""),
    );
    has(
      "an end",
      answered.some(({ reply }) => reply?.action === "end"),
    );
    has(
      "a special character typed",
      answered.some(({ inbound: { input } }) => /[*#]/.test(input.text)),
    );
    has(
      "a non-ASCII screen",
      answered.some(({ reply }) => /[^\n -~]/.test(reply?.screen ?? "")),
    );
    has(
      "a missing field",
      vectors.some((vector) => "error" in vector && vector.error === "missing_field"),
    );
  });
}

describe("the list of codecs", () => {
  test("an unknown name is told the names that there are", () => {
    assert.throws(() => createCodec("smoke-signals"), /"smoke-signals": there are ola, .*kairos/);
  });

  test("an unknown option is told the options that there are", () => {
    assert.throws(
      () => createCodec("kairos", { endtype: "2" }),
      /"endtype".*continueType, endType/,
    );
    assert.throws(() => createCodec("ixo", { toString: "" }), /"toString".*it has none/);
  });

  test("an option with a value that can't be right is refused when the codec is made", () => {
    assert.throws(() => createCodec("ola", { door: "yes" }), /"door"/);
    assert.throws(() => createCodec("ola", { service_code: "365" }), /"service_code"/);
    assert.throws(() => createCodec("kairos", { endType: "" }), /"endType"/);
    // Half of a pair would go out with the request's other half.
    assert.throws(() => createCodec("viettel", { user: "gateway" }), /"pass" go together/);
    assert.throws(() => createCodec("viettel", { pass: "s3cr3t" }), /"pass" go together/);
  });

  test("a default that is written out changes nothing", () => {
    for (const { name, options } of codecs) {
      const written = Object.entries(options).map(([option, value]) => [option, value.default]);
      const codec = createCodec(name, Object.fromEntries(written) as Record<string, string>);
      const vector = vectorsByName.get(name)?.find((candidate) => candidate.options === undefined);
      assert.ok(vector);
      checkCodec(codec, vector);
    }
  });
});

const all: readonly Codec[] = [
  ...codecNames.map((name) => createCodec(name)),
  createCodec("ola", { door: "true" }),
  createCodec("africastalking", { preset: "crossgate" }),
  createCodec("africastalking", { preset: "advanta" }),
  createCodec("africastalking", { preset: "bonga", latest: "true" }),
  createCodec("flares", { dialect: "bluteki" }),
  createCodec("tigo-tz", { scheme: "B" }),
  createCodec("ussd-service-op", { preset: "korba" }),
];
const msisdn = parseMsisdn("258823456789");
const serviceCode = asServiceCode("*365#");
assert.ok(serviceCode);
const turn: Turn = {
  sessionId: "sess_1",
  transactionId: "txn_1_2",
  number: 2,
  msisdn,
  serviceCode,
  provider: "movitel",
  input: "1",
  inputs: ["1"],
  dialledDigits: [],
};
const backend = {
  serviceCode,
  method: "POST",
  url: "https://app.example/ussd",
  eventsUrl: undefined,
} as Backend;
const JSON_HEADERS = { "content-type": "application/json" };
const FORM_HEADERS = { "content-type": "application/x-www-form-urlencoded" };
const TEXT_HEADERS = { "content-type": "text/plain" };

const names = fc.constantFrom(
  ...["sessionId", "session_id", "transaction_id", "msisdn", "phoneNumber", "serviceCode", "text"],
  ...[
    "input",
    "output",
    "end_session",
    "ussdString",
    "messageType",
    "status",
    "__proto__",
    "toString",
  ],
);
const values = fc.oneof(
  fc.constantFrom(
    "",
    "1",
    "*365#",
    "258823456789",
    "+258823456789",
    "sess_1",
    "txn_1_2",
    "4",
    true,
  ),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.jsonValue(),
);
const xmlNames = fc.constantFrom(
  ...[
    "ussd",
    "msisdn",
    "sessionid",
    "type",
    "msg",
    "Envelope",
    "Body",
    "InsertMO",
    "dialog",
    "page",
  ],
  ...["transactionid", "requestType", "session_id", "data", "request", "response", "errorCode"],
);
const xmlBodies = fc
  .array(
    fc.tuple(xmlNames, fc.boolean(), fc.oneof(fc.constantFrom("1", "2", "*365#"), fc.string())),
  )
  .map((parts) =>
    parts.reduceRight(
      (inner, [name, isLeaf, text]) =>
        isLeaf
          ? `<${name}>${escapeXml(text)}</${name}>${inner}`
          : `<${name}${attributeOf("string", text)}>${inner}</${name}>`,
      "",
    ),
  );
const bodies = fc.oneof(
  fc.string({ unit: "binary" }),
  xmlBodies,
  fc.json(),
  fc.array(fc.tuple(names, values)).map((entries) => {
    const pairs = entries.map(
      ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
    );
    return `{${pairs.join(",")}}`;
  }),
  fc.array(fc.tuple(names, fc.string({ unit: "binary" }))).map((pairs) => formOf(pairs)),
  fc
    .array(fc.constantFrom("CON", "END", " ", "\n", '"', "{", "\uFEFF", "text"))
    .map((parts) => parts.join("")),
);
const headers = fc.constantFrom(JSON_HEADERS, FORM_HEADERS, TEXT_HEADERS, XML_HEADERS, {});

function formOf(pairs: readonly (readonly [string, string])[]): string {
  return pairs
    .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
    .join("&");
}

/** What people can type: anything printable, stars, hashes, plus, percent, spaces and ê included. */
const typed = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(..."*#+%& =0129aZê€中"), maxLength: 60 }),
    fc.string({ unit: "grapheme", maxLength: 60 }),
  )
  .filter((text) => text.length <= 182 && !hasControls(text));

function hasControls(text: string): boolean {
  return [...text].some((char) => char < " " || char === "\x7f");
}

function throwsNothingElse(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

describe("whatever arrives", () => {
  test("decode throws WireError and nothing else", () => {
    fc.assert(
      fc.property(bodies, headers, (body, given) => {
        const request: WireRequest = { method: "POST", path: "", query: "", headers: given, body };
        const asked: WireRequest = { ...request, method: "GET", query: body, body: "" };
        for (const codec of all) {
          throwsNothingElse(() => codec.decode(request));
          throwsNothingElse(() => codec.decode(asked));
        }
      }),
      { numRuns: 2_000 },
    );
    assert.equal(({} as Record<string, unknown>).text, undefined);
  });

  test("reply throws WireError and nothing else", () => {
    const statuses = fc.constantFrom(101, 200, 201, 204, 302, 400, 500, 503);
    fc.assert(
      fc.property(bodies, headers, statuses, (body, given, status) => {
        for (const codec of all)
          throwsNothingElse(() => codec.reply({ status, headers: given, body }, turn));
      }),
      { numRuns: 2_000 },
    );
  });

  test("request writes any input, half a surrogate pair included", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        for (const input of [text, `${text}\ud83d`]) {
          for (const codec of all) codec.request({ ...turn, input, inputs: [input] }, backend);
        }
      }),
    );
  });

  test("a refusal never quotes what was sent: it may be a PIN", () => {
    const pin = "7351";
    const wrong = [`${pin}\u0007`, `${pin}x`.repeat(60), `+${pin}`, `*${pin}`, Number(pin), [pin]];
    // Other wires' names too: a codec may read more than it writes.
    const said = ["msisdn", "phoneNumber", "sessionId", "serviceCode", "input", "text", "status"];
    for (const codec of all) {
      const good = codec.request(turn, backend);
      let refused = 0;
      for (const field of [...Object.keys(fieldsOf(good)), ...said, pin]) {
        for (const value of wrong) {
          try {
            codec.decode(withField(good, field, value));
          } catch (error) {
            refused += 1;
            assert.ok(error instanceof WireError);
            assert.ok(!error.message.includes(pin), `${codec.name} ${field}: ${error.message}`);
            assert.ok(!(codec.refuse?.(error).body ?? "").includes(pin));
          }
        }
      }
      assert.ok(refused >= (codec.overLink ? 1 : 8), `${codec.name} refused only ${refused}`);
    }
  });
});

/** What a request says, wherever it says it. */
function fieldsOf({ body, query }: WireRequest): Readonly<Record<string, unknown>> {
  if (body.includes("</")) return Object.fromEntries(leavesOf(parseXml(body, "bad_body")));
  if (body.startsWith("{")) return JSON.parse(body) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(new URLSearchParams(body === "" ? query : body));
}

/** Elements and attributes that hold a text. */
function leavesOf({ name, text, attributes, children }: XmlElement): readonly [string, string][] {
  const own: [string, string][] =
    children.length === 0 && attributes.size === 0 ? [[name, text]] : [];
  return [...own, ...attributes, ...children.flatMap(leavesOf)];
}

function withField(request: WireRequest, field: string, value: unknown): WireRequest {
  if (request.body.includes("</")) {
    const text = escapeXml(String(value));
    const element = new RegExp(`<${field}>[^<]*<`, "g");
    const attribute = new RegExp(` ${field}="[^"]*"`, "g");
    const body = request.body
      .replace(element, () => `<${field}>${text}<`)
      .replace(attribute, () => ` ${field}="${text}"`);
    return { ...request, body };
  }
  const fields = { ...fieldsOf(request), [field]: value };
  if (request.body.startsWith("{")) return { ...request, body: JSON.stringify(fields) };
  const form = new URLSearchParams(
    Object.entries(fields).map(([name, text]): [string, string] => [name, String(text)]),
  ).toString();
  return request.body === "" ? { ...request, query: form } : { ...request, body: form };
}

/** RestComm's ids are numbers: "sess_1" is 1 there. Viettel's begin with a W. */
function idOf({ name }: Codec): string {
  if (name === "viettel") return `W${turn.sessionId}`;
  return name === "restcomm" ? turn.sessionId.slice("sess_".length) : turn.sessionId;
}

/** What a wire can't carry, by codec: what its screens become. */
const CARRIED: Readonly<Record<string, (screen: string) => string>> = {
  cellulant: (screen) => screen.replaceAll("|", "/"),
  flares: (screen) => screen.replace(/^\n+/, ""),
  wigal: (screen) => screen.replaceAll("^", "\n"),
};

describe("what we ask is understood by our own ear", () => {
  const digits = fc.stringMatching(/^[1-9][0-9]{7,14}$/);

  for (const codec of all) {
    test(`${codec.name} keeps inputs and numbers, byte for byte`, () => {
      fc.assert(
        fc.property(typed, typed, digits, (before, input, number) => {
          // IXO API reference: 182 characters for the whole history; Kairos: a dialled code is a dial.
          fc.pre(before.length + input.length < 182 && !/^\*[0-9*]+#$/.test(input));
          const inputs = [before, input];
          const asked = codec.request(
            { ...turn, msisdn: parseMsisdn(number), input, inputs },
            backend,
          );
          const { msisdn: heard, input: told, sessionId } = codec.decode(asked);
          assert.equal(heard, number);
          // SMPP has two octets for it, and some networks none.
          if (!codec.overLink && sessionId !== undefined) assert.equal(sessionId, idOf(codec));
          assert.equal(told.text, told.kind === "history" ? inputs.join("*") : input);
        }),
      );
    });

    test(`${codec.name} keeps screens, line breaks and look-alike prefixes`, () => {
      const screens = fc
        .oneof(
          fc.string({ unit: "grapheme" }),
          fc
            .array(fc.constantFrom("END", "CON", " ", "\n", '"', "x"), { minLength: 1 })
            .map((parts) => parts.join("")),
        )
        .filter(
          (screen) => screen.trim() !== "" && !screen.includes("\r") && screen.isWellFormed(),
        );
      fc.assert(
        fc.property(
          screens,
          fc.constantFrom<Reply["action"]>("continue", "end"),
          (screen, action) => {
            const reply: Reply = { action, screen: CARRIED[codec.name]?.(screen) ?? screen };
            fc.pre(reply.screen.trim() !== "");
            const inbound = codec.decode(codec.request(turn, backend));
            const shown: Reply = { action, screen };
            const wire = codec.encode(
              { reply: shown, failure: undefined, serviceCode },
              inbound,
              0,
            );
            assert.deepEqual(codec.reply(wire, turn), reply);
          },
        ),
      );
    });

    if (codec.overLink) continue;
    test(`${codec.name} puts the same fields into the query of a GET`, () => {
      const post = codec.request(turn, backend);
      const get = codec.request(turn, { ...backend, method: "GET" });
      // SOAP and dialogs have no form that fits a query.
      if (get.method === "POST" && get.body.includes("</")) return assert.deepEqual(get, post);
      assert.deepEqual([get.method, get.body, get.headers], ["GET", "", {}]);
      const texts = Object.entries(fieldsOf(post)).map(([name, value]) => [
        name,
        typeof value === "string" ? value : JSON.stringify(value),
      ]);
      assert.deepEqual(fieldsOf(get), Object.fromEntries(texts));
    });
  }
});

describe("what a network takes, counted as it counts", () => {
  const limits: readonly (readonly [string, Readonly<Record<string, string>>, number, number])[] = [
    ["nalo", {}, 120, 1],
    ["wigal", { version: "1" }, 160, 1],
    ["wigal", { version: "2" }, 160, 1],
    ["creditswitch", {}, 140, 1],
    ["hollatags", {}, 160, 2],
  ];
  for (const [name, options, charsMax, breakChars] of limits) {
    test(`${name} ${JSON.stringify(options)}: ${charsMax} characters, a line break ${breakChars}`, () => {
      const { takesScreen: takes } = createCodec(name, options);
      assert.ok(takes);
      const line = "a".repeat(charsMax - breakChars);
      assert.deepEqual([takes(`${line}\n`), takes(`${line}a\n`)], [true, false]);
      // What the alphabet is matters to the handset alone: 80 such characters are a screen.
      assert.ok(takes("ɛ".repeat(80)));
    });
  }
});

describe("what a backend is told when a dialogue is over", () => {
  for (const codec of all.filter(({ notice }) => notice !== undefined)) {
    test(`${codec.name} means it as an end, and goes to the URL for it where there is one`, () => {
      const eventsUrl = "https://app.example/events";
      const notice = codec.notice?.(turn, { ...backend, eventsUrl });
      assert.ok(notice);
      assert.equal(notice.url, eventsUrl);
      const heard = codec.decode(notice);
      const named = codec.keyedById ? undefined : msisdn;
      assert.deepEqual([heard.phase, heard.msisdn, heard.input.text], ["abort", named, ""]);
      if (!codec.namesNoSession) assert.equal(heard.sessionId, idOf(codec));
    });
  }
});
