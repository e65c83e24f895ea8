/** The phone in the hand: keyboard and keypad, SIM cards of one's own, what its screen counts. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { openBrowser, openPage, skipReason } from "./support/browser.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { register, startApp, type App } from "./support/phones.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const MENU = 'Karibu: "São Tomé"\n1. Жизнь\n9. Exit';

describe("the phone", { skip: skipReason() }, () => {
  let gateway: StartedGateway;
  let app: App;
  let browser: Browser;
  let page: Page;
  const folder = mkdtempSync(join(tmpdir(), "dialyard-phone-"));

  before(async () => {
    gateway = await startGateway();
    app = await startApp("ola", ({ said }) =>
      Promise.resolve(
        said === "9" ? { screen: "Kwaheri", end: true } : { screen: MENU, end: false },
      ),
    );
    await register(gateway.url, { service_code: "*741#", callback_url: app.url, name: "Menu" });
    browser = await openBrowser();
    page = (await openPage(browser, gateway.url)).page;
    await page.goto(`${gateway.url}/phone`);
    await page.getByRole("button", { name: "*741# Menu" }).waitFor();
  });
  after(async () => {
    await browser?.close();
    await gateway.stop();
    await app.close();
    rmSync(folder, { recursive: true });
  });

  const glass = () => page.locator(".glass");
  const key = (name: string) => page.getByRole("button", { name, exact: true });

  test("a code is typed without a click, and its answer pressed on the keypad", async () => {
    await page.keyboard.type("*741#");
    await page.keyboard.press("Enter");
    await glass().getByText("9. Exit").waitFor();
    await key("1").click();
    await key("Erase").click();
    await key("9").click();
    await page.locator(".entry-send").click();
    await glass().getByText("Kwaheri").waitFor();
    assert.equal(app.heard.at(-1)?.said, "9");
  });

  test("a screen outside GSM-7 is counted as what it is, in characters of UCS-2", async () => {
    await key("Redial").click();
    await glass().getByText("9. Exit").waitFor();
    const count = (await glass().locator(".count").textContent()) ?? "";
    assert.match(count, new RegExp(`^${MENU.length}/80 UCS-2`));
  });

  test("a signal that drops is told to nobody; the network does not know yet", async () => {
    const heard = app.heard.length;
    await key("Drop").click();
    await glass().getByText("No signal.").waitFor();
    assert.equal(app.heard.length, heard);
    const { sessions } = (await (await fetch(`${gateway.url}/api/v1/sessions?limit=1`)).json()) as {
      readonly sessions: readonly { readonly outcome: string }[];
    };
    assert.equal(sessions[0]?.outcome, "live");
  });

  test("a SIM card of one's own has its number, network and language, and stays", async () => {
    await page.getByRole("button", { name: "New SIM" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Marie");
    await dialog.getByLabel("Number").fill("22890123456");
    await dialog.getByRole("textbox", { name: "Network" }).fill("togocel");
    await dialog.getByLabel("Language of the handset").selectOption("fr");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByPlaceholder("*365#").fill("*741#");
    await page.getByRole("button", { name: "Appeler" }).click();
    await page.locator(".hop").getByText('"msisdn": "22890123456"').first().waitFor();
    await page.locator(".hop").getByText('"provider": "togocel"').first().waitFor();
    await page.reload();
    await page
      .locator(".phone-side select")
      .first()
      .selectOption({ label: "Marie · +22890123456" });
  });

  test("what it records is a scenario that holds, and that fails where a screen differs", async () => {
    await page.goto(`${gateway.url}/phone?code=*741%23`);
    await glass().getByText("9. Exit").click();
    await page.locator(".count-end").waitFor();
    await page.getByRole("button", { name: "Save as scenario" }).click();
    const downloads = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download" }).click();
    const text = readFileSync(await (await downloads).path(), "utf8");
    const file = join(folder, "menu.yml");
    writeFileSync(file, text);
    const held = await run(file);
    assert.equal(held.status, 0, held.said);
    writeFileSync(file, text.replace("Kwaheri", "Goodbye"));
    const failed = await run(file);
    assert.equal(failed.status, 1, failed.said);
    assert.match(failed.said, /Goodbye[^]*Kwaheri/);
  });

  /** Not spawnSync: the application that it dials is in this process. */
  const run = (file: string) =>
    new Promise<{ readonly status: number; readonly said: string }>((done) => {
      const args = ["--no-warnings", MAIN, "test", file, "--url", gateway.url];
      const env = { ...process.env, NO_COLOR: "1" };
      execFile(process.execPath, args, { env }, (error, stdout, stderr) =>
        done({ status: Number(error?.code ?? 0), said: stdout + stderr }),
      );
    });

  test("behind a backend that is down the phone says what the door answered, bytes beside it", async () => {
    await register(gateway.url, {
      ...{ service_code: "*742#", callback_url: "http://127.0.0.1:9/", name: "Down", retries: 0 },
    });
    await page.goto(`${gateway.url}/phone?code=*742%23`);
    await glass().getByText("502 backend_unavailable").waitFor();
    await page.locator(".steps").getByText("backend unreachable").waitFor();
    await page.locator(".hop").getByText("Gateway → Down · attempt 1").waitFor();
    await page.getByRole("link", { name: "Open this session" }).click();
    await page.getByText("could not be reached: 1 attempt,").waitFor();
    await page.goto(`${gateway.url}/phone?code=*743%23`);
    await glass().getByText("404 backend_not_found").waitFor();
  });

  test("a check of a backend that is down says so", async () => {
    await page.goto(`${gateway.url}/console/backends`);
    const card = page.locator(".backend", { hasText: "*742#" });
    await card.getByRole("button", { name: "Check now" }).click();
    await page.getByText("The call failed: backend unreachable").waitFor();
  });
});
