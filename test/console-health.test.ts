/** What pages say of channels that refuse and backends that are down; lists that are kept. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { openBrowser, openPage, skipReason } from "./support/browser.ts";
import { freePort, startGateway, type StartedGateway } from "./support/gateway.ts";
import { networks, register, startApp, type App } from "./support/phones.ts";

const MSISDN = "258840000994";
const DIALS_TO_OPEN = 30;
type Reject = { readonly status: number; readonly reason: string; readonly count: number };
type Health = {
  readonly id: number;
  readonly breaker_open: boolean;
  readonly turns: number;
  readonly p95_ms: number | null;
};

describe("health on the pages", { skip: skipReason() }, () => {
  let gateway: StartedGateway;
  let app: App;
  let browser: Browser;
  const ids = { good: 0, down: 0 };

  before(async () => {
    gateway = await startGateway();
    app = await startApp("ola", () => Promise.resolve({ screen: "Menu", end: true }));
    const closed = `http://127.0.0.1:${await freePort()}/`;
    const good = { service_code: "*721#", callback_url: app.url, name: "Good" };
    const down = { service_code: "*722#", callback_url: closed, name: "Down", retries: 0 };
    ids.good = (await register(gateway.url, good)).id;
    ids.down = (await register(gateway.url, down)).id;
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await gateway.stop();
    await app.close();
  });

  const read = async <T>(path: string) => (await (await fetch(gateway.url + path)).json()) as T;
  const dial = async (code: string, nth: number) =>
    networks["kairos"]?.(gateway.url, MSISDN, `health-${code}-${nth}`).dial(code);

  test("a channel says what it refused, how often, and quotes no number", async () => {
    for (const body of ["{}", "{}", `{"${MSISDN}":1,"${MSISDN}":2}`, "1234"]) {
      const headers = { "content-type": "application/json" };
      await fetch(`${gateway.url}/ussd/kairos/callback`, { method: "POST", headers, body });
    }
    const { channels } = await read<{ channels: { name: string; rejects: Reject[] }[] }>(
      "/api/v1/channels",
    );
    const rejects = channels.find(({ name }) => name === "kairos")?.rejects ?? [];
    const total = rejects.reduce((sum, { count }) => sum + count, 0);
    assert.equal(total, 4, JSON.stringify(rejects));
    assert.ok(
      rejects.some(({ count }) => count > 1),
      "equal ones are one row",
    );
    assert.doesNotMatch(JSON.stringify(rejects.map(({ reason }) => reason)), /\d{4}/);
    const { page, complaints } = await openPage(browser, gateway.url);
    await page.goto(`${gateway.url}/console/channels`);
    await page.getByText(`Refused of late: ${rejects.length}`).click();
    await page.getByText(rejects[0]?.reason ?? "?").waitFor();
    assert.deepEqual(complaints, []);
    await page.close();
  });

  test("a backend's card has its time, and says when it is not called for now", async () => {
    for (let nth = 0; nth < 3; nth++) await dial("*721#", nth);
    for (let nth = 0; nth < DIALS_TO_OPEN; nth++) await dial("*722#", nth);
    const { backends } = await read<{ backends: Health[] }>("/api/v1/backends/health");
    const [good, down] = [ids.good, ids.down].map((id) => backends.find((one) => one.id === id));
    assert.equal(good?.turns, 3);
    assert.ok((good?.p95_ms ?? 0) > 0);
    assert.equal(good?.breaker_open, false);
    assert.equal(down?.breaker_open, true);
    const { page, complaints } = await openPage(browser, gateway.url);
    await page.goto(`${gateway.url}/console/backends`);
    await page.locator(".card", { hasText: "Down" }).getByText("breaker open").waitFor();
    const card = page.locator(".card", { hasText: "Good" });
    await card.getByText(/95 of 100 answers within .* \(last 3\)/).waitFor();
    assert.equal(await card.getByText("breaker open").count(), 0);
    assert.deepEqual(complaints, []);
    await page.close();
  });

  test("a filter is kept under a name, without a number; its list is a CSV", async () => {
    await dial("*721#", 100);
    const { page, complaints } = await openPage(browser, gateway.url);
    const path = "/console/sessions?channel=kairos&service_code=*721%23";
    await page.goto(`${gateway.url}${path}&msisdn=${MSISDN}`);
    await page.getByLabel("Name of this filter").fill("Good on Kairos");
    await page.getByRole("button", { name: "Save filter" }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export CSV" }).click();
    const rows = readFileSync(await (await download).path(), "utf8")
      .trim()
      .split("\r\n");
    assert.ok(rows.length > 1);
    assert.ok(rows.slice(1).every((row) => row.includes("*721#") && !row.includes(MSISDN)));
    await page.goto(`${gateway.url}/console/sessions`);
    const link = page.getByRole("link", { name: "Good on Kairos" });
    await link.click();
    await page.waitForURL(/channel=kairos/);
    assert.equal(page.url().includes(MSISDN), false);
    await page.getByRole("button", { name: "Forget filter Good on Kairos" }).click();
    await link.waitFor({ state: "detached" });
    assert.deepEqual(complaints, []);
    await page.close();
  });
});
