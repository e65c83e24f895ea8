/** Every language says everything, with the same places to fill in. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { en } from "./en.ts";
import { fr } from "./fr.ts";
import { pt } from "./pt.ts";
import { sw } from "./sw.ts";

const placesOf = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();

for (const [language, words] of Object.entries({ fr, pt, sw })) {
  test(`${language} has the words and the places of English`, () => {
    assert.deepEqual(Object.keys(words).toSorted(), Object.keys(en).toSorted());
    for (const [word, text] of Object.entries(words)) {
      assert.notEqual(text.trim(), "", word);
      assert.deepEqual(placesOf(text), placesOf(en[word as keyof typeof en]), word);
    }
  });
}
