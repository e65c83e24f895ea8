/** `npm run bench` has a row for every codec: the run of them stops where one can't be driven. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CoreFigure } from "../bench/core.ts";
import { nextMessage, startModule } from "../bench/processes.ts";
import { codecNames } from "../src/codecs/index.ts";

test("codec and core alone, a moment each", async (t) => {
  const child = startModule("core.ts", ["5"]);
  t.after(() => child.stop());
  const figures = await nextMessage<readonly CoreFigure[]>(child, 60_000);
  assert.deepEqual(
    figures.map(({ codec }) => codec),
    codecNames,
  );
  for (const { codec, ...turns } of figures) {
    assert.ok(
      Object.values(turns).every((figure) => figure > 0),
      codec,
    );
  }
});
