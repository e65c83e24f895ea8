import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { septetsOf } from "./gsm7.ts";
import type { Fitted, ScreenLimits } from "./screen.ts";
import { cleanScreen, fitScreen, measureScreen, PAGES_MAX, transliterate } from "./screen.ts";

const USSD: ScreenLimits = { octetsMax: 160, transliterate: false };
const PLAIN: ScreenLimits = { octetsMax: 160, transliterate: true };

describe("measuring", () => {
  test("counts septets as long as every character is in GSM-7", () => {
    assert.deepEqual(measureScreen("a".repeat(182)), { alphabet: "gsm7", units: 182, octets: 160 });
    assert.deepEqual(measureScreen("1. Sim\n2. Não"), { alphabet: "ucs2", units: 13, octets: 26 });
    assert.deepEqual(measureScreen(""), { alphabet: "gsm7", units: 0, octets: 0 });
  });

  test("counts extension characters double and emoji as two code units", () => {
    assert.deepEqual(measureScreen("^{}[]~|\\€"), { alphabet: "gsm7", units: 18, octets: 16 });
    assert.deepEqual(measureScreen("😀"), { alphabet: "ucs2", units: 2, octets: 4 });
  });
});

describe("cleaning", () => {
  for (const [what, text, expected] of [
    [
      "keeps a clean menu, blank lines included",
      "Menu\n\n1. Sim\n2. Não 😀",
      "Menu\n\n1. Sim\n2. Não 😀",
    ],
    ["makes CRLF and CR line feeds", "a\r\nb\rc", "a\nb\nc"],
    [
      "removes the other control characters",
      "a\u0007b\u001b[2J\tc\u007fd\u0085e\u009bf\0",
      "ab[2Jcdef",
    ],
    ["removes a delete character where it is the only one", "a\u007f", "a"],
    ["replaces lone surrogates", "a\ud83d b\ude00c", "a? b?c"],
    ["strips line breaks at the end only", "\n\na\n\r\n\n", "\n\na"],
    ["leaves a space at the end", "Enter PIN: ", "Enter PIN: "],
    ["leaves nothing of line breaks alone", "\r\n\n", ""],
  ] as const) {
    test(what, () => assert.equal(cleanScreen(text), expected));
  }

  test("gives nothing else to do when done twice", () => {
    fc.assert(
      fc.property(anyText(400), (text) => {
        const cleaned = cleanScreen(text);
        assert.equal(cleanScreen(cleaned), cleaned);
        assert.ok(cleaned.isWellFormed());

        assert.doesNotMatch(cleaned, /[\x00-\x09\x0b-\x1f\x7f-\x9f]|\n$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe("transliteration", () => {
  for (const [text, expected] of [
    ["Confirmar Transferência", "Confirmar Transferencia"],
    ["Não há opções; ção, Ã, õ, í, ú, Ê", "Nao ha opcoes; cao, A, o, i, u, E"],
    ["à é è ù ì ò Ç ñ ü £ € {}", "à é è ù ì ò Ç ñ ü £ € {}"],
    ["\u201cIl n\u2019y a\u201d \u2013 \u2014 \u2026\u00a0«cœur»", '"Il n\'y a" - - ... "coeur"'],
    ["1\u202f000,50", "1 000,50"],
    ["ɗaya ƙofa Ɔdɔ ŋutɔ ẹ̀kọ́ ɲama", "daya kofa Odo nuto eko nama"],
    ["e\u0300 n\u0303 a\u0303", "è ñ a"],
    ["½ ² ﬁ ＰＩＮ ™ µ", "1/2 2 fi PIN TM u"],
    ["a\u200bb\ufeffc\u00add", "abcd"],
    ["አማርኛ 😀 👨‍👩‍👧", "???? ? ???"],
    ["한글", "??"],
    ["\ud83d", "?"],
  ] as const) {
    test(`writes "${text}" as "${expected}"`, () => {
      assert.equal(transliterate(text), expected);
    });
  }

  test("always ends in GSM-7, and leaves what is there already alone", () => {
    fc.assert(
      fc.property(anyText(200), (text) => {
        const plain = transliterate(cleanScreen(text));
        assert.notEqual(septetsOf(plain), undefined);
        assert.equal(transliterate(plain), plain);
      }),
      { numRuns: 500 },
    );
  });
});

describe("what fits on one screen", () => {
  for (const [what, text, limits, type] of [
    ["182 GSM-7 characters", "a".repeat(182), USSD, "fits"],
    ["not 183", "a".repeat(183), USSD, "paged"],
    ["91 extension characters", "€".repeat(91), USSD, "fits"],
    ["not 92", "€".repeat(92), USSD, "paged"],
    ["80 UCS-2 characters", "ã".repeat(80), USSD, "fits"],
    ["not 81", "ã".repeat(81), USSD, "paged"],
    ["not 182 when one of them is outside GSM-7", "a".repeat(181) + "ã", USSD, "paged"],
    ["40 emoji", "😀".repeat(40), USSD, "fits"],
    ["not 41", "😀".repeat(41), USSD, "paged"],
    ["182 characters that look-alikes bring into GSM-7", "ã".repeat(182), PLAIN, "fits"],
    ["160 GSM-7 characters in 140 octets", "a".repeat(160), { ...USSD, octetsMax: 140 }, "fits"],
    ["not 161", "a".repeat(161), { ...USSD, octetsMax: 140 }, "paged"],
    ["nothing at all", "", USSD, "fits"],
  ] as const) {
    test(what, () => assert.equal(fitScreen(text, limits).type, type));
  }

  test("is cleaned before it is counted", () => {
    const text = `${"a".repeat(182)}\u0007\r\n`;
    assert.deepEqual(fitScreen(text, USSD), { type: "fits", screen: "a".repeat(182) });
  });

  test("loses blanks around it rather than being paged", () => {
    const text = `\n ${"a".repeat(182)}   `;
    assert.deepEqual(fitScreen(text, USSD), { type: "fits", screen: "a".repeat(182) });
    assert.deepEqual(fitScreen(" ".repeat(400), USSD), { type: "fits", screen: "" });
  });
});

describe("paging", () => {
  test("breaks between lines and says how to leaf", () => {
    const lines = Array.from({ length: 12 }, (_, at) => `${at + 1}. Option number ${at + 1}`);
    assert.deepEqual(fitScreen(lines.join("\n"), USSD), {
      type: "paged",
      pages: [
        [...lines.slice(0, 9), "98. More"].join("\n"),
        [...lines.slice(9), "0. Back"].join("\n"),
      ],
      moreKey: "98",
      backKey: "0",
    });
  });

  test("breaks a paragraph at spaces and a word without any where the page ends", () => {
    const paragraph = paged(fitScreen("word ".repeat(60), USSD));
    assert.equal(paragraph.pages[0], `${"word ".repeat(33)}word\n98. More`);
    const word = paged(fitScreen("x".repeat(400), USSD));
    assert.deepEqual(
      word.pages.map((page) => page.length),
      [182, 182, 400 - 173 - 165 + 8],
    );
  });

  test("does not waste a page on its heading alone", () => {
    const [first] = paged(fitScreen(`Terms\n${"word ".repeat(60)}`, USSD)).pages;
    assert.ok((first ?? "").length > 170);
  });

  test("puts more and back on middle pages, in the labels given", () => {
    const labels = { more: "Mais", back: "Voltar" };
    const { pages } = paged(fitScreen("x".repeat(500), USSD, labels));
    assert.equal(pages.length, 3);
    assert.match(pages[0] ?? "", /x\n98\. Mais$/);
    assert.match(pages[1] ?? "", /x\n98\. Mais\n0\. Voltar$/);
    assert.match(pages[2] ?? "", /x\n0\. Voltar$/);
  });

  test("gives a page without accents its 182 characters beside one with", () => {
    const text = `${"ã".repeat(70)}\n${"y".repeat(150)}\n${"z".repeat(20)}`;
    const { pages } = paged(fitScreen(text, USSD));
    assert.deepEqual(pages, [
      `${"ã".repeat(70)}\n98. More`,
      `${"y".repeat(150)}\n${"z".repeat(20)}\n0. Back`,
    ]);
  });

  test("turns a page to UCS-2 when only a label needs it", () => {
    const labels = { more: "Início", back: "Back" };
    const { pages } = paged(fitScreen("x".repeat(183), USSD, labels));
    assert.equal(pages[0], `${"x".repeat(69)}\n98. Início`);
    assert.equal(pages[1], `${"x".repeat(114)}\n0. Back`);
    const plain = paged(fitScreen("x".repeat(183), PLAIN, labels));
    assert.match(plain.pages[0] ?? "", /98\. Inicio$/);
  });

  test("keeps emoji, skin tones, joined emoji and combining accents whole", () => {
    for (const cluster of ["😀", "👍🏽", "👨‍👩‍👧", "ɔ\u0301"]) {
      for (const filler of ["", "a", "aa", "aaa"]) {
        const { pages } = paged(fitScreen(filler + cluster.repeat(100), USSD));
        for (const body of bodiesOf(pages)) {
          assert.equal(body.replaceAll(cluster, "").replaceAll("a", ""), "", body);
        }
      }
    }
  });

  test("still moves on when one joined character is longer than the page", () => {
    const limits = { octetsMax: 60, transliterate: false };
    const { pages } = paged(fitScreen("a\u200d".repeat(200), limits));
    assert.equal(bodiesOf(pages).join(""), "a\u200d".repeat(200));
  });

  test("is given up beyond PAGES_MAX pages or without room beside the footer", () => {
    const firstAndLast = 173 + 174;
    const most = "x".repeat(firstAndLast + 165 * (PAGES_MAX - 2));
    assert.equal(paged(fitScreen(most, USSD)).pages.length, PAGES_MAX);
    assert.deepEqual(fitScreen(`${most}x`, USSD), { type: "too_long" });
    assert.deepEqual(fitScreen("ã".repeat(65_536), PLAIN), { type: "too_long" });
    assert.deepEqual(fitScreen("ã".repeat(40), { octetsMax: 18, transliterate: false }), {
      type: "too_long",
    });
  });
});

describe("the keys for leafing", () => {
  const rest = "\n" + "x".repeat(200);
  for (const [options, moreKey, backKey] of [
    ["1. Yes\n2. No", "98", "0"],
    ["1. Yes\n0. Exit", "98", "99"],
    ["1) Yes\n0) Exit\n99) Home", "98", "95"],
    ["0: Exit", "98", "99"],
    ["0 Exit", "98", "99"],
    ["0- Exit", "98", "99"],
    ["  0. Exit", "98", "99"],
    ["[0] Exit (98) Next", "97", "99"],
    ["1.Yes 2.No 0.Exit", "98", "99"],
    ["98. Next\n97. Last", "96", "0"],
    ["00. Home\n980. Far", "98", "0"],
    ["You have 0 loans and 98 MZN", "98", "0"],
  ] as const) {
    test(`are ${moreKey} and ${backKey} beside ${JSON.stringify(options)}`, () => {
      const fitted = paged(fitScreen(options + rest, USSD));
      assert.deepEqual([fitted.moreKey, fitted.backKey], [moreKey, backKey]);
      assert.match(fitted.pages[0] ?? "", new RegExp(`\n${moreKey}\\. More$`));
      assert.match(fitted.pages.at(-1) ?? "", new RegExp(`\n${backKey}\\. Back$`));
    });
  }

  test("spare a list of a hundred options", () => {
    const list = Array.from({ length: 100 }, (_, at) => `${at}. Shop`).join("\n");
    const { moreKey, backKey } = paged(fitScreen(list, USSD));
    assert.deepEqual([moreKey, backKey], ["998", "999"]);
  });
});

describe("any text", () => {
  const octets = fc.integer({ min: 40, max: 160 });

  test("fits page by page, or is too long", () => {
    const check = (text: string, octetsMax: number, isPlain: boolean): void => {
      for (const page of pagesOf(fitScreen(text, { octetsMax, transliterate: isPlain }))) {
        assert.ok(measureScreen(page).octets <= octetsMax);
        assert.ok(page.isWellFormed());
      }
    };
    fc.assert(fc.property(anyText(900), octets, fc.boolean(), check), { numRuns: 1_500 });
  });

  test("keeps every visible character in order, and nothing is too long that need not be", () => {
    const check = (text: string, octetsMax: number): void => {
      const fitted = fitScreen(text, { octetsMax, transliterate: false });
      const cleaned = cleanScreen(text);
      if (fitted.type === "too_long") {
        // At least one code unit goes on each of the 99 pages.
        assert.ok(cleaned.length > PAGES_MAX);
        return;
      }
      const bodies = fitted.type === "paged" ? bodiesOf(fitted.pages) : [fitted.screen];
      assert.equal(visible(bodies.join("")), visible(cleaned));
      for (const body of bodies.slice(1)) assert.notEqual(body, "");
    };
    fc.assert(fc.property(anyText(900), octets, check), { numRuns: 1_500 });
  });

  test("is paged only when it does not fit whole", () => {
    const check = (text: string, octetsMax: number): void => {
      const isWhole = measureScreen(cleanScreen(text)).octets <= octetsMax;
      const fitted = fitScreen(text, { octetsMax, transliterate: false });
      if (isWhole) assert.deepEqual(fitted, { type: "fits", screen: cleanScreen(text) });
      else if (fitted.type === "paged") assert.ok(fitted.pages.length >= 2);
    };
    fc.assert(fc.property(anyText(200), octets, check), { numRuns: 1_000 });
  });
});

/** Menus, words, emoji, accents, control characters and broken surrogates, in any mixture. */
function anyText(charsMax: number): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom("\n", " ", "\r\n", "0. Exit\n", "98. Next", "word ", "ã", "€", "{", "😀", "👍🏽"),
    fc.string({ unit: "grapheme", maxLength: 12 }),
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)),
      maxLength: 6,
    }),
    fc.string({ unit: fc.constantFrom(..."abc xyz\n"), maxLength: 90 }),
  );
  return fc
    .array(piece, { maxLength: Math.ceil(charsMax / 10) })
    .map((pieces) => pieces.join("").slice(0, charsMax));
}

function paged(fitted: Fitted): Extract<Fitted, { type: "paged" }> {
  assert.equal(fitted.type, "paged");
  return fitted;
}

function pagesOf(fitted: Fitted): readonly string[] {
  if (fitted.type === "too_long") return [];
  return fitted.type === "fits" ? [fitted.screen] : fitted.pages;
}

/** Pages without their footers; that the footers are where they belong is checked on the way. */
function bodiesOf(pages: readonly string[]): readonly string[] {
  return pages.map((page, at) => {
    const lines = page.split("\n");
    if (at > 0) assert.match(lines.pop() ?? "", /^\d+\. Back$/);
    if (at < pages.length - 1) assert.match(lines.pop() ?? "", /^\d+\. More$/);
    return lines.join("\n");
  });
}

function visible(text: string): string {
  return text.replace(/[ \n]/g, "");
}
