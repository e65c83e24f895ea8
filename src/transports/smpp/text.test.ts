import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ALPHABETS } from "../../core/alphabets.ts";
import { decodeText, encodeText } from "./text.ts";

const CASES = [
  { text: "@£$ {é}", alphabet: "gsm7", dataCoding: 0, hex: "000102201b28051b29" },
  { text: "hello", alphabet: "gsm7-packed", dataCoding: 0, hex: "e8329bfd06" },
  { text: "Olá ê", alphabet: "latin1", dataCoding: 0, hex: "4f6ce120ea" },
  { text: "Olá ê", alphabet: "gsm7", dataCoding: 8, hex: "004f006c00e1002000ea" },
  { text: "Сомони", alphabet: "latin1", dataCoding: 8, hex: "0421043e043c043e043d0438" },
] as const;

for (const { text, alphabet, dataCoding, hex } of CASES) {
  test(`${text} in ${alphabet} has data coding ${dataCoding}`, () => {
    const coded = encodeText(text, alphabet);
    assert.equal(coded.dataCoding, dataCoding);
    assert.equal(coded.text.toString("hex"), hex);
    assert.equal(decodeText(coded, alphabet), text);
  });
}

test("every text comes back in every alphabet", () => {
  const texts = fc
    .string({ unit: "grapheme", maxLength: 80 })
    .filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(texts, fc.constantFrom(...ALPHABETS), (text, alphabet) => {
      assert.equal(decodeText(encodeText(text, alphabet), alphabet), text);
    }),
  );
});
