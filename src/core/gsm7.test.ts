import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { packedOctets, packSeptets, septetsMax, septetsOf, unpackSeptets } from "./gsm7.ts";

// Written out a second time from 3GPP TS 23.038 §6.2.1, so that a slip in the module's table shows.
const ONE_SEPTET =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const TWO_SEPTETS = "\f^{}\\[~]|€";

describe("the GSM 03.38 alphabet", () => {
  test("has 127 characters of one septet and ten of two, and no others", () => {
    assert.equal(ONE_SEPTET.length, 127);
    for (let code = 0; code <= 0xffff; code += 1) {
      const character = String.fromCharCode(code);
      const expected = ONE_SEPTET.includes(character)
        ? 1
        : TWO_SEPTETS.includes(character)
          ? 2
          : undefined;
      assert.equal(septetsOf(character), expected, `U+${code.toString(16)}`);
    }
  });

  test("adds up the septets of a text", () => {
    assert.equal(septetsOf(""), 0);
    assert.equal(septetsOf("Balance: €5 [MZN]"), 20);
  });

  test("is left by one character outside it: Ç belongs to it, ç does not", () => {
    assert.equal(septetsOf("Ç"), 1);
    assert.equal(septetsOf("Preço"), undefined);
    assert.equal(septetsOf("Ok 😀"), undefined);
  });

  test("fills the 160 octets of a USSD string with 182 septets, 140 with 160", () => {
    assert.equal(septetsMax(160), 182);
    assert.equal(septetsMax(140), 160);
    assert.equal(packedOctets(182), 160);
    assert.equal(packedOctets(183), 161);
  });
});

type Vector = {
  readonly name: string;
  readonly request: { readonly packed_hex: string } | null;
  readonly expect: {
    readonly text: string;
    readonly packed_hex?: string;
    readonly decodes_to?: string;
  };
};

describe("packing", () => {
  const vectorsFile = new URL("../../../shared/vectors/gsm7-ussd.jsonl", import.meta.url);
  const skip = existsSync(vectorsFile) ? false : "../shared is not beside this repository";
  test("agrees with the vectors of libosmocore", { skip }, () => {
    const lines = readFileSync(vectorsFile, "utf8").trimEnd().split("\n");
    assert.equal(lines.length, 9);
    for (const line of lines) checkVector(JSON.parse(line) as Vector);
  });

  // The same rules without ../shared; values of libosmocore's tests/ussd/ussd_test.c.
  for (const [rule, text, hex, decoded] of [
    ["eight septets go into seven octets", "01234567", "b0986c46abd96e", "01234567"],
    ["CR fills seven spare bits, which would read as @", "0123456", "b0986c46abd91a", "0123456"],
    [
      "a CR of its own on an octet boundary is doubled",
      "0123456\r",
      "b0986c46abd91a0d",
      "0123456\r\r",
    ],
    ["a CR of its own elsewhere stays", "012345\r", "b0986c46ab351a", "012345\r"],
  ] as const) {
    test(rule, () => {
      assert.equal(hexOf(packSeptets(text)), hex);
      assert.equal(unpackSeptets(Buffer.from(hex, "hex")), decoded);
    });
  }

  test("sends extension characters as escape and septet", () => {
    // 0x1b then 0x65, least significant bits first.
    assert.equal(hexOf(packSeptets("€")), "9b32");
    assert.equal(unpackSeptets(Buffer.from("9b32", "hex")), "€");
  });

  test("reads an unknown escape by the default table and a doubled one as a space", () => {
    assert.equal(unpackSeptets(septetPair(0x1b, 0x41)), "A");
    assert.equal(unpackSeptets(septetPair(0x1b, 0x1b)), " ");
    assert.equal(unpackSeptets(septetPair(0x41, 0x1b)), "A");
  });

  test("refuses characters outside the alphabet without quoting the text", () => {
    assert.throws(() => packSeptets("Preço 4711"), {
      name: "RangeError",
      message: "character 3 is outside GSM 03.38",
    });
  });

  test("gives any text back, but for the CR that the standard doubles", () => {
    const alphabet = fc.string({ unit: fc.constantFrom(...ONE_SEPTET, ...TWO_SEPTETS) });
    const check = (text: string): void => {
      const septets = septetsOf(text);
      assert.ok(septets !== undefined);
      const packed = packSeptets(text);
      const doubled = septets > 0 && septets % 8 === 0 && text.endsWith("\r");
      assert.equal(packed.length, packedOctets(septets) + (doubled ? 1 : 0));
      assert.equal(unpackSeptets(packed), doubled ? `${text}\r` : text);
    };
    fc.assert(fc.property(alphabet, check), {
      numRuns: 1_000,
      examples: [["0123456\r"], ["{}[]\r"]],
    });
  });

  test("unpacks any octets into characters of the alphabet", () => {
    const check = (octets: Uint8Array): void => {
      assert.notEqual(septetsOf(unpackSeptets(octets)), undefined);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 160 }), check), { numRuns: 500 });
  });
});

function checkVector({ name, request, expect }: Vector): void {
  if (request !== null) {
    assert.equal(unpackSeptets(Buffer.from(request.packed_hex, "hex")), expect.text, name);
    return;
  }
  assert.ok(expect.packed_hex !== undefined, name);
  assert.equal(hexOf(packSeptets(expect.text)), expect.packed_hex, name);
  assert.equal(unpackSeptets(Buffer.from(expect.packed_hex, "hex")), expect.decodes_to, name);
}

function hexOf(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}

function septetPair(first: number, second: number): Uint8Array {
  const bits = first | (second << 7);
  return Uint8Array.of(bits & 0xff, bits >> 8);
}
