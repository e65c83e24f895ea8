import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { WireError } from "../core/failure.ts";
import {
  charsAtMost,
  jsonToEcho,
  plusMsisdnOf,
  readForm,
  readJson,
  requireSameMsisdn,
  textOf,
} from "./fields.ts";

const FORM = "application/x-www-form-urlencoded";
const form = (body: string, type = FORM) => readForm({ headers: { "content-type": type }, body });

describe("a form body", () => {
  test("means what URLSearchParams says it means", () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom("a+b", "%", "*#", "= &"),
    );
    fc.assert(
      fc.property(fc.dictionary(text, text, { maxKeys: 20, noNullPrototype: true }), (fields) => {
        const params = new URLSearchParams(fields);
        assert.deepEqual([...form(params.toString())], [...params]);
      }),
    );
  });

  test("has at most 20 fields, and none twice", () => {
    const fields = Array.from({ length: 20 }, (_, index) => `f${index}=1`);
    assert.equal(form(fields.join("&")).size, 20);
    assert.throws(() => form([...fields, "f20=1"].join("&")), { code: "bad_body" });
    assert.throws(() => form("a=1&b=2&%61=3"), { code: "bad_body", message: "a is given twice" });
  });

  test("may lack values and have empty parts", () => {
    assert.deepEqual(
      [...form("&a&&b=&c==d&")],
      [
        ["a", ""],
        ["b", ""],
        ["c", "=d"],
      ],
    );
  });

  test("is valid UTF-8 in valid escapes", () => {
    for (const body of ["a=%FF", "a=%E0%A4%A", "a=%", "a=%zz", "%FF=1", "a=%ED%A0%80"]) {
      assert.throws(() => form(body), { code: "bad_body" }, body);
    }
  });

  test("keeps __proto__ as a name like any other", () => {
    assert.deepEqual(
      [...form("__proto__[x]=1&__proto__=2")],
      [
        ["__proto__[x]", "1"],
        ["__proto__", "2"],
      ],
    );
    assert.equal(({} as Record<string, unknown>).x, undefined);
  });
});

describe("a content type", () => {
  test("may say UTF-8, in any case and with other parameters", () => {
    for (const type of [
      FORM,
      `${FORM}; charset=utf-8`,
      `${FORM};charset="UTF-8"`,
      `${FORM}; boundary=x`,
    ]) {
      assert.equal(form("a=1", type).get("a"), "1");
      assert.equal(form("a=1", type.toUpperCase()).get("a"), "1");
    }
  });

  test("is required, and says neither another type nor another charset", () => {
    const types = ["", "text/plain", `${FORM}x`, `${FORM}; charset=latin1`, `text/plain; ${FORM}`];
    for (const type of types) assert.throws(() => form("a=1", type), { code: "bad_body" }, type);
    assert.throws(() => readForm({ headers: {}, body: "a=1" }), { code: "bad_body" });
    const zipped = { "content-type": FORM, "content-encoding": "gzip" };
    assert.throws(() => readForm({ headers: zipped, body: "a=1" }), { code: "bad_body" });
  });
});

test("a JSON body is one object", () => {
  const headers = { "content-type": "application/json" };
  assert.deepEqual({ ...readJson({ headers, body: '{"a":1}' }, "bad_body") }, { a: 1 });
  for (const body of ["", "null", "[]", "1", '"a"', "{", '{"a":1}x', "{'a':1}"]) {
    assert.throws(() => readJson({ headers, body }, "bad_body"), { code: "bad_body" }, body);
  }
});

test("a text is a string of whole characters without controls", () => {
  assert.equal(textOf("é*#\u20ac\u{1f4b0}", "text", 182), "é*#\u20ac\u{1f4b0}");
  assert.equal(textOf("9".repeat(182), "text", 182).length, 182);
  for (const value of [
    "a\u0000",
    "\u001b[2J",
    "a\n",
    "\u007f",
    "\ud800",
    "9".repeat(183),
    1,
    null,
    ["1"],
  ]) {
    assert.throws(() => textOf(value, "text", 182), { code: "bad_field", message: /^text / });
  }
  assert.throws(() => textOf(undefined, "text", 182), { code: "missing_field" });
});

test("a number with its plus has 8 to 15 digits, the first not 0", () => {
  assert.equal(plusMsisdnOf("+12345678", "phoneNumber"), "12345678");
  assert.equal(plusMsisdnOf("+123456789012345", "phoneNumber"), "123456789012345");
  const wrong = [
    "+1234567",
    "+1234567890123456",
    "+012345678",
    "12345678",
    "++12345678",
    "+1234567\u0663",
  ];
  for (const text of wrong) {
    assert.throws(() => plusMsisdnOf(text, "phoneNumber"), {
      code: "bad_msisdn",
      message: /^phoneNumber /,
    });
  }
});

test("an answer may say the number with a plus, and never another number", () => {
  requireSameMsisdn("+233241234567", "233241234567", "msisdn");
  requireSameMsisdn("233241234567", "233241234567", "msisdn");
  for (const other of ["+233241234568", "++233241234567", 233241234567, undefined])
    assert.throws(() => requireSameMsisdn(other, "233241234567", "msisdn"), WireError);
});

test("characters are counted whatever the alphabet, a line break as the wire writes it", () => {
  const takes = charsAtMost(60);
  assert.ok(takes("a".repeat(60)) && takes("ɛ".repeat(60)) && takes("€".repeat(60)));
  assert.ok(!takes("a".repeat(61)) && !takes("ɛ".repeat(61)));
  assert.ok(takes(`${"a".repeat(58)}\nb`));
  assert.ok(!charsAtMost(60, "\r\n")(`${"a".repeat(58)}\nb`));
});

test("a longer line break takes room on the handset too", () => {
  assert.ok(charsAtMost(Infinity, "\r\n")(`${"a".repeat(179)}\nb`));
  assert.ok(!charsAtMost(Infinity, "\r\n")(`${"a".repeat(180)}\nb`));
});

test("an object that is sent back keeps the digits of its numbers", () => {
  const body = '{"id":171632898024603649,"amount":0.0,"in":{"e":1e400},"n":7,"__proto__":1}';
  assert.equal(JSON.stringify({ ...jsonToEcho(body) }), body);
  const value = fc.oneof(fc.bigInt().map(String), fc.double({ noNaN: true }).map(String));
  fc.assert(
    fc.property(value, fc.nat({ max: 30 }), (text, spaces) => {
      fc.pre(/^-?\d/.test(text));
      const one = `{"n":${" ".repeat(spaces)}${text}}`;
      assert.equal(JSON.stringify({ ...jsonToEcho(one) }), `{"n":${text}}`);
    }),
  );
});
