/** The overview, the channels page and what asks first, as who has just begun sees them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { OverviewShown } from "../console/src/lib/shapes.ts";
import { openBrowser, openPage, skipReason } from "./support/browser.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { networks, register, startApp, type App } from "./support/phones.ts";

const SETTLED_MS = 300;
type TestRequest = {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};
type Channels = {
  readonly channels: readonly { readonly name: string; readonly test_request: TestRequest }[];
};

describe("the overview and the channels", { skip: skipReason() }, () => {
  let gateway: StartedGateway;
  let app: App;
  let browser: Browser;
  let page: Page;

  before(async () => {
    gateway = await startGateway();
    app = await startApp("ola", ({ said }) =>
      Promise.resolve(
        said === "9" ? { screen: "Bye", end: true } : { screen: "Menu\n9. Exit", end: false },
      ),
    );
    browser = await openBrowser();
    page = (await openPage(browser, gateway.url)).page;
  });
  after(async () => {
    await browser?.close();
    await gateway.stop();
    await app.close();
  });

  const read = async <T>(path: string) => (await (await fetch(gateway.url + path)).json()) as T;
  const open = async (path: string) => {
    await page.goto(gateway.url + path);
    await page.locator("main h1").waitFor();
  };
  const steps = () => page.locator(".first-steps li");
  const ticked = () => page.locator(".first-steps li.done");
  const tile = (name: string) => page.locator(".tile", { hasText: name });

  test("three steps tick themselves: an application, a dial, a network's call", async () => {
    await open("/console");
    await steps().nth(2).waitFor();
    assert.equal(await ticked().count(), 0);
    await register(gateway.url, { service_code: "*731#", callback_url: app.url, name: "Menu" });
    await open("/phone?code=*731%23");
    await page.locator(".glass").getByText("9. Exit").waitFor();
    await open("/console");
    await ticked().nth(1).waitFor();
    assert.equal(await ticked().count(), 2);
  });

  test("what the phone dials ends no waiting; the test request of each channel does", async () => {
    await open("/console/channels");
    const cards = page.locator(".channel");
    await cards.first().waitFor();
    await page.getByText(/^last session/).waitFor();
    assert.equal(await page.getByText("waiting for the first request…").count(), 3);
    await cards.first().getByText("Test it without the operator").click();
    const shown = await cards.first().locator("details pre").textContent();
    assert.match(shown ?? "", /^curl -i .*-X POST .*\/ussd\/test\/callback'.*\*731#/s);

    const { channels } = await read<Channels>("/api/v1/channels");
    assert.equal(channels.length, 4);
    for (const { name, test_request } of channels) {
      const { method, target, headers, body } = test_request;
      const answer = await fetch(gateway.url + target, { method, headers, body });
      assert.equal(answer.status, 200, name);
      assert.match(await answer.text(), /9\. Exit/, name);
    }
    await page
      .getByText(/^last request/)
      .nth(3)
      .waitFor();
    assert.equal(await page.getByText("Test it without the operator").count(), 0);
  });

  test("the hour is there when the page is opened: tiles, their lines, and the chart", async () => {
    const handset = networks["kairos"]?.(gateway.url, "258840000731", "overview-1");
    await handset?.dial("*731#");
    await handset?.type("9");
    const { live, minutes } = await read<OverviewShown>("/api/v1/overview");
    const sum = (name: "turns" | "begun" | "completed" | "over") =>
      minutes.reduce((total, minute) => total + minute[name], 0);
    assert.equal(minutes.length, 60);
    assert.deepEqual([sum("turns"), sum("begun"), sum("completed"), sum("over")], [7, 6, 1, 1]);
    assert.ok(minutes.some(({ p95_ms }) => p95_ms > 0));
    await open("/console");
    await tile("Sessions").getByText("6", { exact: true }).waitFor();
    assert.equal(await tile("Live now").locator("b").textContent(), String(live));
    assert.match((await tile("95 of 100 turns within").textContent()) ?? "", /\d m?s$/);
    for (const line of await page.locator(".tile polyline").all()) {
      const heights = (await line.getAttribute("points"))?.match(/(?<=,)[\d.]+/g) ?? [];
      const isFailed = (await line.locator("xpath=ancestor::a").textContent())?.includes("Failed");
      assert.equal(new Set(heights).size > 1, isFailed !== true, "a line that shows something");
    }
    const legend = page.locator(".u-legend");
    assert.match((await legend.textContent()) ?? "", /Turns a second[\d.]+95 of 100 within\d/);
    await page.getByText("Live", { exact: true }).waitFor();
    await handset?.dial("*731#");
    await handset?.dial("*731#");
    await page.waitForTimeout(SETTLED_MS);
    await page.getByRole("button", { name: "As they come" }).click();
    await handset?.dial("*731#");
    await legend.getByText("0.50").waitFor();
  });

  test("a request that a channel refuses needs attention, and leads to the reason", async () => {
    const headers = { "content-type": "application/json" };
    await fetch(`${gateway.url}/ussd/kairos/callback`, { method: "POST", headers, body: "{}" });
    await open("/console");
    await page.getByText(/^kairos refused 1 request, last: /).click();
    await page.getByText("Refused of late: 1").waitFor();
  });

  test("a key is revoked once that was asked about", async () => {
    await open("/console/settings?part=keys");
    await page.getByLabel("Name").fill("Nightly report");
    await page.getByLabel("sessions:read").check();
    await page.getByRole("button", { name: "New key" }).click();
    const row = page.locator(".key-row", { hasText: "Nightly report" });
    await row.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    assert.equal((await read<{ keys: unknown[] }>("/api/v1/keys")).keys.length, 1);
    await row.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await row.waitFor({ state: "detached" });
  });

  test("the keys are listed where one asks for them, and lead where the list says", async () => {
    await open("/console");
    await page.keyboard.press("?");
    const dialog = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    assert.match((await dialog.textContent()) ?? "", /giInsights/);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.keyboard.press("g");
    await page.keyboard.press("i");
    await page.waitForURL(/\/console\/insights$/);
  });

  test("however many codes were dialled, their list stays in its card", async () => {
    for (const code of ["*732#", "*733#", "*734#"])
      await networks["kairos"]?.(gateway.url, "258840000732", code).dial(code);
    await open("/console/insights");
    const card = page.getByRole("region", { name: "By code" });
    const row = card.locator("li", { hasText: "*731#" });
    assert.match((await row.textContent()) ?? "", /7 sessions, [\d.]+ % completed/);
    const [box, last] = [await card.boundingBox(), await card.locator("li").last().boundingBox()];
    assert.ok(box !== null && last !== null && last.y + last.height <= box.y + box.height);
  });

  test("insights of a range of one's own, beside another one", async () => {
    await open("/console/insights");
    const asksFor = (from: string, to: string) =>
      page.waitForRequest((request) => {
        const params = new URL(request.url()).searchParams;
        const iso = (moment: string) => new Date(moment).toISOString();
        return params.get("from") === iso(from) && params.get("to") === iso(to);
      });
    await page.getByLabel("Since").selectOption("Between two moments");
    const own = asksFor("2026-03-02T08:00", "2026-03-02T18:30");
    await page.getByLabel("From", { exact: true }).fill("2026-03-02T08:00");
    await page.getByLabel("To", { exact: true }).fill("2026-03-02T18:30");
    await own;
    await page.getByLabel("Compare with").selectOption("Between two moments");
    const other = asksFor("2026-02-23T08:00", "2026-02-23T18:30");
    await page.getByLabel("From", { exact: true }).nth(1).fill("2026-02-23T08:00");
    await page.getByLabel("To", { exact: true }).nth(1).fill("2026-02-23T18:30");
    await other;
    await page.getByText("No session is like that").waitFor();
    await page.getByLabel("To", { exact: true }).first().fill("2026-03-02T07:00");
    await page.getByText("The first moment has to be before the second.").waitFor();
  });

  test("on a narrow screen the page one is on is among the ways that are seen", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await open("/console/settings");
    const here = await page.locator(".ways [aria-current]").boundingBox();
    assert.ok(here !== null && here.x >= 0 && here.x + here.width <= 360, JSON.stringify(here));
  });
});
