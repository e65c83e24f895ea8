/** A developer's first five minutes: an application as it is, on the phone, with each hop beside it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { openBrowser, openPage, skipReason, type Watched } from "./support/browser.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { PORT, startSource, whyTaken } from "./support/port-8081.ts";
import { cut, readSpec, specsMissing } from "./support/specs.ts";

const skip = skipReason() || specsMissing || (await whyTaken());

describe("dialyard dev --to, before an Express application of the documents", { skip }, () => {
  let gateway: StartedGateway;
  let browser: Browser;
  let watched: Watched;
  let page: Page;
  let stopApp = async () => {};

  before(async () => {
    const to = `http://localhost:${PORT}/ussd/callback`;
    gateway = await startGateway({ args: ["--to", to] });
    browser = await openBrowser();
    watched = await openPage(browser, gateway.url);
    page = watched.page;
  });
  after(async () => {
    await browser?.close();
    await stopApp();
    await gateway.stop();
  });

  const glass = () => page.locator(".glass-body");
  const screenAfter = async (text: string): Promise<string> => {
    await page.locator(".entry-text:enabled").fill(text);
    await page.locator(".entry-send").click();
    await page.locator('.glass[aria-busy="false"]').waitFor();
    return (await glass().textContent()) ?? "";
  };

  test("what is printed says that nobody listens yet, and where the phone is", () => {
    assert.match(gateway.stdout(), /nobody listens there yet: start it, then dial/);
    assert.match(gateway.stdout(), /with every request beside it: http:\S+\/phone/);
  });

  test("the address it prints opens the phone, and the application answers there", async () => {
    const document = readSpec("ola-integration-examples.txt");
    const source = cut(document, "Node.js Implementation", "Python Implementation");
    stopApp = await startSource("node", source);
    const printed = /with every request beside it: (\S+)/.exec(gateway.stdout())?.[1];
    await page.goto(printed ?? "");
    // It dials by itself; the first of its SIM cards is nobody the application knows.
    await glass().getByText("User not found").waitFor();
    await page.getByRole("button", { name: "New SIM" }).click();
    await page.getByRole("dialog").getByLabel("Number").fill("258823456789");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    assert.match(await screenAfter("*365#"), /Welcome John Doe/);
  });

  test("the inspector is open: both hops, with the bytes the application was sent", async () => {
    const hop = page.getByText(/^Gateway → My app/).first();
    await hop.waitFor();
    const hops = await page.locator(".inspector").first().textContent();
    assert.match(hops ?? "", /"msisdn":\s*"258823456789"/);
    assert.match(hops ?? "", /"end_session":\s*false/);
  });

  test("the dialogue ends as the application says, and nothing was blocked by the page", async () => {
    assert.match(await screenAfter("1"), /Available: 1234\.56 MZN/);
    await page.locator(".count-end").waitFor();
    assert.deepEqual([watched.complaints, watched.foreign], [[], []]);
  });
});
