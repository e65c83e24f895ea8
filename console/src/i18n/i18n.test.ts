/** Every language says everything, with the same places to fill in. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { en } from "./en.ts";
import { fr } from "./fr.ts";
import { pt } from "./pt.ts";
import { loadLanguage, t } from "./index.ts";
import { sw } from "./sw.ts";

const placesOf = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();

test("what is counted is in its number, as each language has it", async () => {
  const said = (n: number) => t("saidTimeout", { n, time: "1 s" });
  assert.equal(said(1), "The application did not answer in time: 1 attempt, 1 s waited");
  assert.match(said(2), /: 2 attempts, /);
  assert.match(said(0), /: 0 attempts, /);
  (globalThis as { document?: unknown }).document = { documentElement: {} };
  for (const [language, none] of [
    ["fr", /: 0 tentative, /],
    ["pt", /: 0 tentativa, /],
    ["sw", /: majaribio 0, /],
  ] as const) {
    await loadLanguage(language);
    assert.match(said(0), none);
  }
  await loadLanguage("en");
});

for (const [language, words] of Object.entries({ fr, pt, sw })) {
  test(`${language} has the words and the places of English`, () => {
    assert.deepEqual(Object.keys(words).toSorted(), Object.keys(en).toSorted());
    for (const [word, text] of Object.entries(words)) {
      assert.notEqual(text.trim(), "", word);
      assert.deepEqual(placesOf(text), placesOf(en[word as keyof typeof en]), word);
    }
  });
}
