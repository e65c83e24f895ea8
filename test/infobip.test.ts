/** A network that asks below the channel's path, ends dialogues there, and asks whether they live. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { register, startApp, type App } from "./support/phones.ts";

const OK = { responseExitCode: 200, responseMessage: "" };

describe("Infobip", () => {
  let gateway: StartedGateway;
  let app: App;
  before(async () => {
    gateway = await startGateway({
      configFile: `export const config = {
        channels: { infobip: { protocol: "infobip", paths: ["/infobip"] } } };`,
    });
    app = await startApp("ola", ({ said }) => ({ screen: `heard ${said}`, end: said === "9" }));
    await register(gateway.url, { service_code: "*123#", callback_url: app.url });
  });
  after(async () => {
    await gateway.stop();
    await app.close();
  });

  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${gateway.url}/infobip${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    assert.equal(response.status, 200, "what is wrong is said in the body");
    return response.json();
  };
  const from = { msisdn: "385955363443", shortCode: "*123#", ussdGwId: "11" };
  const menu = (ussdMenu: string, shouldClose = false) => ({ ussdMenu, shouldClose, ...OK });

  test("a dialogue by its four addresses", async () => {
    const isLive = async () => {
      const { sessionActive } = (await ask("GET", "/session/a%2F1/status")) as Record<
        string,
        unknown
      >;
      return sessionActive;
    };
    assert.equal(await isLive(), false);
    assert.deepEqual(await ask("POST", "/session/a%2F1/start", from), menu("heard "));
    assert.equal(await isLive(), true);
    const typed = { ...from, text: "1*2" };
    assert.deepEqual(await ask("POST", "/session/a%2F1/response", typed), menu("heard 1*2"));
    assert.deepEqual(await ask("PUT", "/session/a%2F1/end", { reason: "ok", exitCode: 0 }), OK);
    assert.equal(await isLive(), false);
    assert.deepEqual(await ask("POST", "/session/a%2F1/response", typed), {
      responseExitCode: 400,
      responseMessage: "Invalid USSD session 'a/1'",
    });
  });

  test("another subscriber's start under the same id is a dialogue of its own", async () => {
    await ask("POST", "/session/2/start", from);
    const other = { ...from, msisdn: "385955363444" };
    assert.deepEqual(await ask("POST", "/session/2/start", other), menu("heard "));
    const { msisdn } = app.heard.at(-1) ?? {};
    assert.equal(msisdn, "385955363444");
  });

  test("another subscriber's answer under the same id is nobody's", async () => {
    await ask("POST", "/session/3/start", from);
    const heard = app.heard.length;
    const other = { ...from, msisdn: "385955363444", text: "1" };
    assert.deepEqual(await ask("POST", "/session/3/response", other), {
      responseExitCode: 400,
      responseMessage: "Invalid USSD session '3'",
    });
    assert.equal(app.heard.length, heard);
  });

  test("the flat form, on the channel's own path", async () => {
    const flat = { sessId: "4", msIsdn: "233208444900", shortCode: "123", ussdGwId: "Vodafone" };
    const flatMenu = (text: string, isLast = false) => ({
      ...menu(text, isLast),
      responseMessage: "OK",
    });
    assert.deepEqual(await ask("POST", "", { ...flat, text: "*123#" }), flatMenu("heard "));
    assert.deepEqual(await ask("POST", "", { ...flat, text: "9" }), flatMenu("heard 9", true));
  });
});
