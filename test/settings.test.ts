/** What people change while the gateway runs: its texts, and how long what is kept. */
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { ADMIN_KEY, type Ask, askAsAdmin, askAsRole } from "./support/console-api.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { until } from "./support/operator.ts";
import { networks, startApp } from "./support/phones.ts";

type Text = {
  readonly name: string;
  readonly language: string;
  readonly text: string;
  readonly built_in: string;
  readonly changed: boolean;
  readonly units: number;
};
type Entry = { readonly action: string; readonly target: string; readonly actor: string };
const UNKNOWN_CODE = "This code is not in service.";
const PRIVACY = "/api/v1/privacy";
const PATH = "/api/v1/texts/unknown_code/en";

describe("settings that people change", () => {
  let gateway: StartedGateway;
  let admin: Ask;
  const env = {
    DIALYARD_ADMIN_KEY: ADMIN_KEY,
    DIALYARD_SECRET_WORDS: "mot caché",
    DIALYARD_EGRESS_ALLOW: "127.0.0.0/8",
  };
  before(async () => {
    gateway = await startGateway({ command: "start", env });
    admin = askAsAdmin(gateway);
  });
  after(() => gateway.stop());
  let dials = 0;
  const dialUnknown = async () => {
    dials += 1;
    return networks["kairos"]!(gateway.url, "258840000994", `own-text-${dials}`).dial("*999#");
  };
  const newestEntries = async (limit: number) => {
    const { body } = await admin<{ entries: Entry[] }>("GET", `/api/v1/audit?limit=${limit}`);
    return body.entries;
  };

  test("an operator's text is what subscribers read, until it is the built-in one again", async () => {
    const operator = await askAsRole(gateway, "operator");
    const own = "Este serviço não existe. Ligue 1212.";
    const put = await operator<Text>("PUT", PATH, { text: own });
    assert.equal(put.status, 200);
    const shown = { text: own, built_in: UNKNOWN_CODE, changed: true, units: own.length };
    assert.partialDeepStrictEqual(put.body, shown);
    assert.partialDeepStrictEqual(await dialUnknown(), { screen: own, isEnd: true });

    const { body } = await operator<{ texts: Text[] }>("GET", "/api/v1/texts");
    const changed = body.texts.filter((one) => one.changed);
    assert.deepEqual([changed.length, changed[0]?.text, changed[0]?.language], [1, own, "en"]);

    const back = await operator<Text>("DELETE", PATH);
    assert.equal(back.status, 200);
    assert.partialDeepStrictEqual(back.body, { text: UNKNOWN_CODE, changed: false });
    assert.equal((await dialUnknown()).screen, UNKNOWN_CODE);
    assert.equal((await operator("DELETE", PATH)).status, 200, "once more changes nothing");

    const by = { actor: "a-operator", target: "unknown_code en" };
    assert.partialDeepStrictEqual(await newestEntries(2), [
      { ...by, action: "text.reset", before: { text: own }, after: { text: UNKNOWN_CODE } },
      { ...by, action: "text.change", before: { text: UNKNOWN_CODE }, after: { text: own } },
    ]);
  });

  test("a text that no screen can show is refused, and says why", async () => {
    for (const [path, body, status, why] of [
      [PATH, { text: "  " }, 400, /empty/],
      [PATH, { text: "Busy.\u0007" }, 400, /control/],
      [PATH, { text: "a".repeat(183) }, 400, /183 septets/],
      [PATH, { text: "ã".repeat(81) }, 400, /81 UCS-2/],
      [PATH, { text: "Fine", language: "fr" }, 400, /unknown field/],
      [PATH, {}, 400, /text/],
      ["/api/v1/texts/toString/en", { text: "Fine" }, 404, /no text toString/],
      ["/api/v1/texts/busy/de", { text: "Fine" }, 404, /language de/],
    ] as const) {
      const { status: given, body: told } = await admin<{ message: string }>("PUT", path, body);
      assert.equal(given, status, JSON.stringify(body));
      assert.match(told.message, why);
    }
    assert.equal((await dialUnknown()).screen, UNKNOWN_CODE);
  });

  test("privacy: in force are the rules that an admin set, within the configuration's bounds", async () => {
    const configured = { session_days: 30, audit_days: 365, secret_words: ["mot caché"] };
    const own = { session_days: 7, audit_days: 90, secret_words: ["kodi"] };
    const got = await admin("GET", PRIVACY);
    assert.deepEqual(got.body, { ...configured, changed: false, configured });
    const put = await admin("PUT", PRIVACY, { ...own, secret_words: [" kodi "] });
    assert.deepEqual([put.status, put.body], [200, { ...own, changed: true, configured }]);
    for (const [change, why] of [
      [{ session_days: 0 }, /session_days must be a whole number from 1 to 3650/],
      [{ audit_days: 3651 }, /audit_days must be a whole number from 1 to 3650/],
      [{ audit_days: "90" }, /audit_days/],
      [{ secret_words: ["x"] }, /secret_words must be words of 2 to 40 characters/],
      [{ secret_words: ["one,two"] }, /secret_words/],
      [{ other: 1 }, /unknown field/],
    ] as const) {
      const refused = await admin<{ message: string }>("PUT", PRIVACY, { ...own, ...change });
      assert.equal(refused.status, 400, JSON.stringify(change));
      assert.match(refused.body.message, why);
    }
    assert.partialDeepStrictEqual((await admin("GET", PRIVACY)).body, own);
    const back = await admin("DELETE", PRIVACY);
    assert.deepEqual(back.body, { ...configured, changed: false, configured });
    assert.partialDeepStrictEqual(await newestEntries(2), [
      { action: "privacy.reset", before: own, after: configured },
      { action: "privacy.change", before: configured, after: own },
    ]);
  });

  test("a word that asks for a secret masks what is typed from now on", async () => {
    const app = await startApp("ola", () => ({ screen: "Andika kodi yako", end: false }));
    await admin("POST", "/backends", {
      ...{ service_code: "*750#", callback_url: app.url, name: "Kodi" },
      ...{ type: "http", method: "POST", status: "active" },
    });
    const typed = async (msisdn: string) => {
      const phone = networks["kairos"]!(gateway.url, msisdn, `secret-${msisdn}`);
      await phone.dial("*750#");
      await phone.type("4711");
      const { body } = await admin<{ sessions: { id: string }[] }>(
        "GET",
        `/api/v1/sessions?msisdn=${msisdn}`,
      );
      const path = `/api/v1/sessions/${body.sessions[0]?.id}`;
      const session = await admin<{ records: { input: string }[] }>("GET", path);
      return session.body.records.at(-1)?.input;
    };
    assert.equal(await typed("258840000101"), "4711");
    const rules = { session_days: 30, audit_days: 365, secret_words: ["kodi"] };
    await admin("PUT", PRIVACY, rules);
    assert.equal(await typed("258840000102"), "****");
    await admin("DELETE", PRIVACY);
    assert.equal(await typed("258840000103"), "4711");
    await app.close();
  });

  test("a subscriber is erased: what is over goes, what the network may ask about is told", async () => {
    const msisdn = "258840000995";
    const path = "/api/v1/privacy/erasures";
    await networks["kairos"]!(gateway.url, msisdn, "erase-1").dial("*999#");
    const body = { msisdn: `+${msisdn}`, reason: " asked by letter of 3 May " };
    const told = await admin<{ kept_until: string }>("POST", path, body);
    assert.equal(told.status, 200);
    const masked = { msisdn: "258******995", sessions: 0, turns: 0, kept: 1 };
    assert.partialDeepStrictEqual(told.body, masked);
    assert.ok(Date.parse(told.body.kept_until) > Date.now());
    const [entry] = await newestEntries(1);
    const noted = { action: "subscriber.erase", reason: "asked by letter of 3 May" };
    assert.partialDeepStrictEqual(entry, { ...noted, target: masked.msisdn });
    assert.equal(JSON.stringify(entry).includes(msisdn), false);
    for (const wrong of [{ msisdn }, { ...body, reason: "no" }, { ...body, msisdn: "12" }])
      assert.equal((await admin("POST", path, wrong)).status, 400);
    const none = await admin("POST", path, { ...body, msisdn: "258840000996" });
    assert.partialDeepStrictEqual(none.body, { sessions: 0, kept: 0, kept_until: null });
  });

  test("who may not change a text does not", async () => {
    for (const [role, reads] of [
      ["viewer", 403],
      ["support", 200],
    ] as const) {
      const ask = await askAsRole(gateway, role);
      assert.equal((await ask("GET", "/api/v1/texts")).status, reads, role);
      assert.equal((await ask("PUT", PATH, { text: "Fine" })).status, 403, role);
      assert.equal((await ask("DELETE", PATH)).status, 403, role);
    }
    const operator = await askAsRole(gateway, "operator", "b-operator");
    const rules = { session_days: 1, audit_days: 1, secret_words: [] };
    assert.equal((await operator("GET", PRIVACY)).status, 200);
    assert.equal((await operator("PUT", PRIVACY, rules)).status, 403);
    assert.equal((await operator("DELETE", PRIVACY)).status, 403);
    const erasure = { msisdn: "258840000995", reason: "asked by letter" };
    assert.equal((await operator("POST", `${PRIVACY}/erasures`, erasure)).status, 403);
  });
});

const onOtherStores =
  process.env["DIALYARD_TEST_POSTGRES"] !== undefined && "it ages SQLite's file";

test(
  "after a restart all is as it was changed, and retention needs none",
  { skip: onOtherStores },
  async (t) => {
    const env = { DIALYARD_ADMIN_KEY: ADMIN_KEY };
    const first = await startGateway({ command: "start", env });
    const { dataDir } = first;
    const dial = (url: string, id: string, msisdn = "258840000994") =>
      networks["kairos"]!(url, msisdn, id).dial("*999#");
    await askAsAdmin(first)("PUT", PATH, { text: "Nothing here." });
    await dial(first.url, "old-1");
    await dial(first.url, "old-2", "258840000996");
    first.kill("SIGTERM");
    await first.exited;
    const file = new DatabaseSync(join(dataDir, "dialyard.db"));
    const past = Date.now() - 3 * 86_400_000;
    file.exec(`UPDATE sessions SET started_at = ${past}, last_at = ${past}, expires_at = ${past}`);
    file.exec(`UPDATE turns SET at = ${past}; UPDATE audit SET at = ${past}`);
    file.close();

    const second = await startGateway({ command: "start", env, dataDir });
    t.after(async () => {
      await second.stop();
      await rm(dataDir, { recursive: true, force: true });
    });
    const admin = askAsAdmin(second);
    assert.equal((await dial(second.url, "new-1")).screen, "Nothing here.");
    const count = async () =>
      (await admin<{ sessions: unknown[] }>("GET", "/api/v1/sessions")).body.sessions.length;
    assert.equal(await count(), 3);
    const erasure = { msisdn: "258840000996", reason: "asked by letter" };
    await until(
      "a sweep has ended it, and it can be erased",
      async () => {
        const path = `${PRIVACY}/erasures`;
        const { body } = await admin<{ sessions: number; turns: number }>("POST", path, erasure);
        return body.sessions === 1 && body.turns === 1;
      },
      15_000,
    );
    await admin("PUT", PRIVACY, { session_days: 1, audit_days: 365, secret_words: [] });
    const noted = async () => {
      const { body } = await admin<{ entries: Entry[] }>("GET", "/api/v1/audit?limit=500");
      return body.entries.map(({ action }) => action);
    };
    assert.ok((await noted()).includes("text.change"));
    await admin("PUT", PRIVACY, { session_days: 1, audit_days: 2, secret_words: [] });
    assert.deepEqual([...new Set(await noted())], ["privacy.change", "subscriber.erase"]);
    await until("the old one is gone", async () => (await count()) === 1, 15_000);
  },
);
