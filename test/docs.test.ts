import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { codecs } from "../src/codecs/index.ts";
import { withSettings } from "../scripts/docs.ts";

const page = readFileSync(new URL("../docs/configuration.md", import.meta.url), "utf8");

test("docs/configuration.md lists the settings as the schema has them (npm run docs)", () => {
  assert.equal(withSettings(page), page);
});

test("docs/configuration.md names every option of every codec, with its default", () => {
  for (const { name, options } of codecs) {
    for (const [option, { default: fallback }] of Object.entries(options)) {
      const cells = [
        "`" + name + "`",
        "`" + option + "`",
        fallback === "" ? "" : `\`"${fallback}"\``,
      ];
      const row = new RegExp(`\\| ${cells.map((cell) => `${cell} *`).join("\\| ")}\\|`);
      assert.match(page, row);
    }
  }
});
