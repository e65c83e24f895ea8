/** Signing in, and what a viewer and an admin find in the console of a gateway in production. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { openBrowser, openPage, skipReason } from "./support/browser.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { networks } from "./support/phones.ts";

const PASSWORD = "correct horse battery";
const MSISDN = "258840000993";

describe("console in production", { skip: skipReason() }, () => {
  let gateway: StartedGateway | undefined;
  let browser: Browser | undefined;
  let url = "";

  before(async () => {
    gateway = await startGateway({
      command: "start",
      env: {
        DIALYARD_ADMIN_KEY: "test-admin-key-0123456789",
        DIALYARD_ADMIN_USER: "ana",
        DIALYARD_ADMIN_PASSWORD: PASSWORD,
        DIALYARD_EGRESS_ALLOW: "10.9.0.0/16@8443",
      },
    });
    url = gateway.url.replace("127.0.0.1", "localhost");
    browser = await openBrowser();
    await networks["kairos"]?.(gateway.url, MSISDN, "roles-1").dial("*999#");
  });
  after(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  async function signedIn(name: string): Promise<Page> {
    assert.ok(browser);
    const { page } = await openPage(browser, url);
    await page.goto(`${url}/console`);
    await page.getByLabel("User name").fill(name);
    assert.equal(await page.locator(".ways, .search").count(), 0, "nowhere to go yet");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    return page;
  }
  const make = (page: Page, path: string, body: object) =>
    page.evaluate(
      `(async () => {
        const { csrf_token } = await (await fetch("/api/v1/me")).json();
        const headers = { "content-type": "application/json", "x-csrf-token": csrf_token };
        const body = ${JSON.stringify(JSON.stringify(body))};
        return (await fetch(${JSON.stringify(path)}, { method: "POST", headers, body })).status;
      })()`,
    );
  const BACKEND = {
    ...{ callback_url: "https://10.9.1.2:8443/ussd", service_code: "*711#", name: "Bank" },
    ...{ type: "http", method: "POST", status: "active" },
  };

  test("an admin signs in, adds a viewer, and makes a key that is shown once", async () => {
    const page = await signedIn("ana");
    await page.goto(`${url}/console/settings?part=users`);
    await page.getByLabel("User name").fill("vera");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "New user" }).click();
    await page.getByLabel("Role: vera").waitFor();
    await page.goto(`${url}/console/settings?part=keys`);
    await page.getByLabel("Name").fill("billing");
    await page.getByLabel("sessions:read").check();
    await page.getByRole("button", { name: "New key" }).click();
    const key = page.locator(".command pre", { hasText: /^dy_/ });
    const first = await key.textContent();
    await page.getByRole("button", { name: "Rotate" }).click();
    await page.locator(".setting-rows li").nth(1).waitFor();
    const text = await page.locator("main").textContent();
    assert.equal(text?.includes(first ?? "?"), false, "the first key is shown no more");
    assert.equal(await make(page, "/backends", BACKEND), 201);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.context().close();
  });

  test("support reads texts and privacy rules, and is offered no change of them", async () => {
    const admin = await signedIn("ana");
    const sam = { name: "sam", password: PASSWORD, role: "support" };
    assert.equal(await make(admin, "/api/v1/users", sam), 201);
    const page = await signedIn("sam");
    await page.goto(`${url}/console/settings?part=texts`);
    await page.getByText("Session ended. Please dial again.").waitFor();
    assert.equal(await page.getByRole("button", { name: "Edit" }).count(), 0);
    await page.goto(`${url}/console/settings?part=privacy`);
    await page.getByText("Sessions are kept, days").waitFor();
    for (const name of ["Save", "Erase a subscriber"])
      assert.equal(await page.getByRole("button", { name }).count(), 0, name);
    assert.equal(await make(page, "/api/v1/privacy/erasures", { msisdn: MSISDN }), 403);
    await Promise.all([admin.context().close(), page.context().close()]);
  });

  test("a user changes the password: stays signed in here, and nowhere else", async () => {
    const [here, there] = [await signedIn("vera"), await signedIn("vera")];
    await here.getByRole("link", { name: "vera" }).click();
    const fill = async (now: string, next: string) => {
      await here.getByLabel("Password now").fill(now);
      await here.getByLabel("New password", { exact: false }).first().fill(next);
      await here.getByLabel("New password once more").fill(next);
      await here.getByRole("button", { name: "Change password" }).click();
    };
    await fill("not the password", "quite another horse");
    await here.getByText("the password is wrong").waitFor();
    await fill(PASSWORD, "quite another horse");
    await here.getByText("Changed. You are signed out everywhere else.").waitFor();
    await here.goto(`${url}/console/sessions`);
    await here.locator(".row-link").first().waitFor();
    await there.goto(`${url}/console/sessions`);
    await there.getByRole("heading", { name: "Sign in" }).waitFor();
    // Back again, with the token of the new sign-in.
    await here.goto(`${url}/console/settings?part=ownPassword`);
    await fill("quite another horse", PASSWORD);
    await here.getByText("Changed. You are signed out everywhere else.").waitFor();
    await Promise.all([here.context().close(), there.context().close()]);
  });

  test("a link dials nothing in production until it was asked about", async () => {
    const page = await signedIn("ana");
    const dials: string[] = [];
    page.on("request", (request) => {
      if (request.url().includes("/phone/turns")) dials.push(request.url());
    });
    await page.goto(`${url}/phone?code=*999%23`);
    const dialog = page.getByRole("dialog", { name: "Dial for real?" });
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.locator(".rest-codes").waitFor();
    assert.deepEqual(dials, []);
    await page.reload();
    await dialog.getByRole("button", { name: "Dial", exact: true }).click();
    await page.locator('.glass[aria-busy="false"] .notice, .count-end').first().waitFor();
    assert.equal(dials.length, 1);
    await page.context().close();
  });

  test("a viewer reads, and is offered no change; what is asked for anyway is refused", async () => {
    const page = await signedIn("vera");
    await page.goto(`${url}/console/backends`);
    await page.getByText("*711#").waitFor();
    assert.equal(await page.getByRole("link", { name: "Try it" }).count(), 0);
    for (const name of ["New backend", "Edit", "Pause", "Delete", "Check now"])
      assert.equal(await page.getByRole("button", { name }).count(), 0, name);
    await page.goto(`${url}/console/sessions`);
    await page.locator(".row-link").first().click();
    await page.getByRole("button", { name: "Save as scenario" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "Replay in the phone" }).count(), 0);
    assert.equal(await page.getByRole("button", { name: "Reveal" }).count(), 0);
    const csv = await page.goto(`${url}/api/v1/sessions/csv`);
    assert.equal(csv?.status(), 403);
    await page.goBack();
    const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    const asked = { reason: "only curious" };
    assert.equal(await make(page, `/api/v1/sessions/${id}/reveal`, asked), 403);
    assert.equal(await make(page, "/backends", { ...BACKEND, service_code: "*712#" }), 403);
    assert.equal((await page.locator("main").textContent())?.includes(MSISDN), false);
    await page.goto(`${url}/console/settings`);
    await page.getByText("Your role may not see this.").waitFor();
    await page.goto(`${url}/phone?code=*999%23`);
    await page.getByText("Your role may not dial.").waitFor();
    await page.context().close();
  });
});
