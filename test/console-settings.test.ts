/** Settings that people change in the console, and what subscribers notice of it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { openBrowser, openPage, skipReason, type Watched } from "./support/browser.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { networks } from "./support/phones.ts";

const BUILT_IN = "This code is not in service.";
const MSISDN = "258840000997";

describe("console settings", { skip: skipReason() }, () => {
  let gateway: StartedGateway;
  let browser: Browser;
  let watched: Watched;
  let page: Page;
  before(async () => {
    gateway = await startGateway();
    browser = await openBrowser();
    watched = await openPage(browser, gateway.url);
    page = watched.page;
  });
  after(async () => {
    await browser?.close();
    await gateway?.stop();
  });
  const open = (part: string) => page.goto(`${gateway.url}/console/settings?part=${part}`);
  const readOnPhone = async () => {
    await page.goto(`${gateway.url}/phone`);
    // Of those on by default one that shows a failure as a screen.
    await page.getByLabel("Dial through").selectOption("kairos");
    await page.locator(".entry-text:enabled").fill("*999#");
    await page.locator(".entry-send").click();
    await page.locator(".count-end").waitFor();
    return (await page.locator(".glass-body").textContent()) ?? "";
  };

  test("a text is edited in place, and read on the phone; back to the built-in one", async () => {
    await open("texts");
    const card = page.getByRole("region", { name: "Nobody has registered the code" });
    await card.getByRole("button", { name: "Edit: unknown_code en" }).click();
    const field = card.getByLabel("Nobody has registered the code");
    const save = card.getByRole("button", { name: "Save" });
    assert.equal(await field.inputValue(), BUILT_IN);

    await field.fill("a".repeat(183));
    await card.getByText("183/182 GSM-7").waitFor();
    assert.equal(await save.isDisabled(), true);
    await field.fill("ã".repeat(81));
    await card.getByText("81/80 UCS-2").waitFor();
    await field.fill("Not here.\u0007");
    await save.click();
    await card.getByText("one line without control characters").waitFor();

    await field.fill("Not here.\nCall 1212.");
    await card.locator(".text-edited").getByText("20/182 GSM-7").waitFor();
    await save.click();
    await card.getByText("changed").waitFor();
    assert.match(await readOnPhone(), /^Not here\. Call 1212\./);

    await open("texts");
    await card.getByRole("button", { name: "Edit: unknown_code en" }).click();
    await card.getByText(`Built in: ${BUILT_IN}`).waitFor();
    await card.getByRole("button", { name: "Back to the built-in text" }).click();
    await card.getByText("changed").waitFor({ state: "detached" });
    assert.ok((await readOnPhone()).startsWith(BUILT_IN));
  });

  test("privacy: fewer days are asked about, words saved, and all is as configured again", async () => {
    await open("privacy");
    await page.getByLabel("Sessions are kept, days").fill("7");
    await page.getByLabel("More words that ask for a secret").fill("kodi, siri ");
    await page.getByRole("button", { name: "Save" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete what is older?" });
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
    const told = async () => (await fetch(`${gateway.url}/api/v1/privacy`)).json();
    assert.partialDeepStrictEqual(await told(), { session_days: 30, changed: false });

    await page.getByRole("button", { name: "Save" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByText("Saved. It holds on all nodes.").waitFor();
    const own = { session_days: 7, audit_days: 365, secret_words: ["kodi", "siri"] };
    assert.partialDeepStrictEqual(await told(), { ...own, changed: true });
    await page.getByLabel("More words that ask for a secret").fill("x");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("secret_words must be words of 2 to 40 characters").waitFor();

    await page.getByRole("button", { name: "As configured" }).click();
    await page.getByText("changed", { exact: true }).waitFor({ state: "detached" });
    assert.partialDeepStrictEqual(await told(), { session_days: 30, changed: false });
  });

  test("a subscriber is erased with a reason, and what stays is told", async () => {
    await networks["kairos"]!(gateway.url, MSISDN, "erase-1").dial("*999#");
    await open("privacy");
    const card = page.getByRole("region", { name: "Erase a subscriber" });
    await card.getByLabel("Number").fill("+258 84 000 0997");
    await card.getByRole("button", { name: "Erase a subscriber…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Nothing brings it back.").waitFor();
    await dialog.getByLabel("Reason").fill("asked by letter");
    await dialog.getByRole("button", { name: "Erase a subscriber" }).click();
    await dialog.getByText("Deleted: 0 sessions with 0 turns.").waitFor();
    await dialog.getByText("Still there: 1, live or just over.").waitFor();
    await open("audit");
    const row = page.locator("tr", { hasText: "subscriber.erase" });
    await row.getByText("asked by letter").waitFor();
    assert.equal((await row.textContent())?.includes(MSISDN), false);
    const refused = /Failed to load resource.*\b400\b/; // the two that were to be refused
    assert.deepEqual(
      watched.complaints.filter((complaint) => !refused.test(complaint)),
      [],
    );
  });
});
