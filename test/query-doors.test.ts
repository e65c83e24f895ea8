/** Networks that ask by GET, over real sockets: the door, the session and the log. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { register, startApp, type App } from "./support/phones.ts";

const PIN = "73519";

describe("networks that ask by GET", () => {
  let gateway: StartedGateway | undefined;
  let app: App | undefined;

  before(async () => {
    gateway = await startGateway({
      configFile: `export const config = { channels: {
        saf: { protocol: "safaricom" },
        air: { protocol: "airtel-tz" },
        imi: { protocol: "imimobile", options: { service_code: "*721#" } },
      } };`,
    });
    app = await startApp("ola", ({ said }) => ({
      screen: said === "" ? "Menu" : `got ${said.length} characters`,
      end: said === "9",
    }));
    for (const code of ["*720#", "*721#"])
      await register(gateway.url, { service_code: code, callback_url: app.url });
  });
  after(async () => {
    await gateway?.stop();
    await app?.close();
  });

  const ask = (channel: string, query: Record<string, string>, method = "GET") =>
    fetch(`${gateway?.url}/ussd/${channel}/callback?${new URLSearchParams(query).toString()}`, {
      method,
    });
  const textOf = async (channel: string, query: Record<string, string>) =>
    (await ask(channel, query)).text();

  test("a dialogue, its PIN kept out of the log with the query", async () => {
    const ids = { ORIG: "254711000111", DEST: "720", SESSION_ID: "saf-1" };
    assert.equal(await textOf("saf", { ...ids, USSD_PARAMS: "" }), "CON Menu");
    assert.equal(await textOf("saf", { ...ids, USSD_PARAMS: PIN }), "CON got 5 characters");
    assert.equal(await textOf("saf", { ...ids, USSD_PARAMS: `${PIN}*9` }), "END got 1 characters");
    assert.doesNotMatch(gateway?.stdout() ?? "", /73519|USSD_PARAMS/);
  });

  test("any other method is told which one to use", async () => {
    const response = await ask("saf", {}, "POST");
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), "GET");
  });

  test("a number without a session id has one dialogue, and the next begins anew", async () => {
    const ids = { msisdn: "919821234567", code: "721", tid: "1", dcs: "15" };
    for (let dialogue = 0; dialogue < 2; dialogue += 1) {
      const menu = await ask("imi", { ...ids, msg: "*721#" });
      assert.deepEqual([menu.headers.get("x-ussd-session"), await menu.text()], ["1", "Menu"]);
      const last = await ask("imi", { ...ids, msg: "9" });
      assert.equal(last.headers.get("x-ussd-session"), "0");
    }
  });

  test("a first dial sent twice is no answer to its own menu", async () => {
    const dial = { input: "720", sessionid: "air-1", msisdn: "255780995191" };
    assert.equal(await textOf("air", dial), "CON Menu");
    assert.equal(await textOf("air", dial), "CON Menu");
    assert.equal(app?.heard.filter(({ msisdn }) => msisdn === dial.msisdn).length, 1);
  });
});
