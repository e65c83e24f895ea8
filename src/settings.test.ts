/** Settings in memory, beside a store that other nodes and other releases write to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTick } from "node:timers/promises";
import { createSettings } from "./settings.ts";

const config = { language: "en", retentionDays: 30, auditDays: 365, secretWords: [] } as const;
const BUILT_IN = "This code is not in service.";

function open(rows: Record<string, unknown> = {}) {
  const table = new Map(Object.entries(rows));
  const settings = createSettings({
    config,
    wallMs: () => 0,
    store: {
      async list() {
        const list = [...table].map(([name, value]) => ({ name, value }));
        await nextTick();
        return list;
      },
      async put(name, value) {
        table.set(name, value);
      },
      async remove(name) {
        table.delete(name);
      },
    },
  });
  return { settings, table, said: () => settings.words().failure("backend_not_found") };
}

test("what another node wrote is in force after a refresh", async () => {
  const { settings, table, said } = open();
  await settings.refresh();
  assert.equal(said(), BUILT_IN);
  table.set("text.unknown_code.en", "No.");
  table.set("text.unknown_code.fr", "Non.");
  await settings.refresh();
  assert.equal(said(), "No.");
});

test("a list that was read before a change does not undo it", async () => {
  const { settings, said } = open();
  const refreshed = settings.refresh();
  const changed = settings.changeText("unknown_code", "en", "No.");
  await Promise.all([refreshed, changed, settings.refresh()]);
  assert.equal(said(), "No.");
});

test("what this release does not allow is as if it were not there", async () => {
  const privacy = { sessionDays: 0, auditDays: 365, secretWords: ["kodi"] };
  const { settings, said } = open({
    ...{ "text.unknown_code.en": "a".repeat(183), "text.gone.en": "x", other: 1, privacy },
  });
  await settings.refresh();
  assert.equal(said(), BUILT_IN);
  assert.partialDeepStrictEqual(settings.privacy(), { sessionDays: 30, isChanged: false });
  assert.deepEqual(settings.secretPatterns(), []);
  for (const odd of [null, "privacy", [], { secretWords: "kodi" }]) {
    const { settings: one } = open({ privacy: odd });
    await one.refresh();
    assert.equal(one.privacy().isChanged, false, JSON.stringify(odd));
  }
});

test("own rules are in force, and the words among them are no patterns", async () => {
  const { settings } = open();
  const rules = { sessionDays: 7, auditDays: 90, secretWords: ["ko(di"] };
  const { before, after } = await settings.changePrivacy(rules);
  assert.deepEqual([before.sessionDays, after], [30, { ...rules, isChanged: true }]);
  assert.ok(settings.secretPatterns().some((pattern) => pattern.test("Andika KO(DI yako")));
  await settings.changePrivacy(undefined);
  assert.equal(settings.privacy().sessionDays, 30);
});
