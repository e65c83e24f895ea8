/** The console and the phone as people use them: in a browser, on a gateway of its own. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { openBrowser, openPage, skipReason, type Watched } from "./support/browser.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { networks, register, startApp, type App } from "./support/phones.ts";

const EVIL = '<img src=x onerror="document.title=1">';
const FIRST_LOAD_OCTETS_MAX = 60 * 1024;
const SETTLED_MS = 500;
const WEEK_MS = 604_800_000;
const PIN = "7391";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

describe("console", { skip: skipReason() }, () => {
  let gateway: StartedGateway;
  let app: App;
  let browser: Browser;
  let watched: Watched;
  let page: Page;
  let delayMs = 0;

  before(async () => {
    gateway = await startGateway({ env: { DIALYARD_DEMO: "1" } });
    app = await startApp("ola", async ({ said }) => {
      await new Promise((done) => setTimeout(done, delayMs));
      if (said === "9") return { screen: "Bye", end: true };
      if (said === "5") return { screen: "Enter your PIN:", end: false };
      if (said === PIN) return { screen: "Thank you", end: true };
      return { screen: `Menu ${EVIL}\n5. Pay\n9. Exit`, end: false };
    });
    await register(gateway.url, {
      ...{ service_code: "*700#", callback_url: app.url, name: `Shop ${EVIL}` },
      ...{ timeout: 1, retries: 0 },
    });
    browser = await openBrowser();
    watched = await openPage(browser, gateway.url);
    page = watched.page;
  });
  after(async () => {
    await browser?.close();
    await gateway.stop();
    await app.close();
  });

  const open = async (path: string) => {
    await page.goto(gateway.url + path);
    await page.locator("main h1, main .card h2").first().waitFor({ state: "attached" });
  };
  const glass = () => page.locator(".glass-body");
  const type = async (text: string) => {
    await page.locator(".entry-text:enabled").fill(text);
    await page.locator(".entry-send").click();
    await page.locator('.glass[aria-busy="false"]').waitFor();
  };
  const dialled = async (code: string, ...answers: readonly string[]) => {
    await open("/phone");
    await type(code);
    for (const answer of answers) await type(answer);
  };

  test("a browser at / is sent to the phone, which says how to begin", async () => {
    await page.goto(gateway.url);
    assert.equal(new URL(page.url()).pathname, "/phone");
    await page.getByText("Dial a code to begin").waitFor();
    await page.getByRole("button", { name: "*365# Demo bank" }).waitFor();
  });

  for (const [code, answers, last] of [
    ["*365#", ["1"], "Available:"],
    ["*105#", ["1", "12345678", "0"], ""],
    ["*384*1234#", ["2", "1", "1"], ""],
    ["*1234#", ["*"], ""],
  ] as const) {
    test(`${code} is dialled on the phone to its end`, async () => {
      await dialled(code, ...answers);
      assert.match((await glass().textContent()) ?? "", new RegExp(last));
      await page.locator(".count-end").waitFor();
    });
  }

  test("before the channels are known nothing can be dialled, and what was typed stays", async () => {
    await page.route("**/api/v1/channels", async (route) => {
      await new Promise((done) => setTimeout(done, 500));
      await route.continue();
    });
    await open("/phone");
    await type("*365#");
    assert.match((await glass().textContent()) ?? "", /Check Balance/);
    await page.unroute("**/api/v1/channels");
  });

  test("a dialogue goes through every channel, with both hops' bytes beside it", async () => {
    for (const channel of ["test", "africastalking", "ixo", "kairos"]) {
      await open("/phone");
      await page.getByLabel("Dial through").selectOption(channel);
      await type("*365#");
      await page.getByRole("button", { name: "1. Check Balance" }).click();
      await page.locator(".count-end").waitFor();
      await page.getByText(`Network → gateway · ${channel}`).waitFor();
      await page.getByText("Gateway → Demo bank · attempt 1").waitFor();
    }
  });

  for (const [code, last, ...inputs] of [
    ["*365#", "Available: 5000.00 MZN", "1"],
    ["*105#", "Thank you!", "1", "12345678", "1"],
    // What was confirmed there stays confirmed from run to run: only its exit is always the same.
    ["*384*1234#", "Thank you for using VoicePact!", "0"],
    ["*1234#", "Thank you for using IXO USSD.", "*"],
  ] as const) {
    test(`the demo ${code} is dialled to its end, and stored as completed`, async () => {
      await dialled(code, ...inputs);
      await page.locator(".count-end").waitFor();
      await page.locator(".glass").getByText(last).first().waitFor();
      await page.getByRole("link", { name: "Open this session" }).click();
      await page.getByText("Completed: the application ended it").waitFor();
    });
  }

  test("a session appears while the list is open, and opens as the subscriber saw it", async () => {
    await open("/console/sessions?msisdn=258840000077");
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByText("No session is like that").waitFor();
    const handset = networks["kairos"]?.(gateway.url, "258840000077", "live-1");
    assert.ok(handset);
    await handset.dial("*365#");
    await handset.type("1");
    await page.locator("td").getByText("completed").waitFor();
    await page.locator(".row-link").first().click();
    await page.getByText("Completed: the application ended it after 2 turns").waitFor();
    const bubbles = await page.locator(".bubble").allTextContents();
    assert.equal(bubbles.length, 4);
    assert.match(bubbles.join("\n"), /\*365#.*Welcome.*Available:/s);
    await page.getByText("Attempt 1 · 200").first().waitFor();
  });

  test("a backend that is slow and then down is told apart, in words", async () => {
    delayMs = 1_500;
    await dialled("*700#");
    delayMs = 0;
    await page.getByRole("link", { name: "Open this session" }).click();
    await page.getByText("did not answer in time: 1 attempt,").waitFor();
    await page.getByText("backend timeout").first().waitFor();
    await register(gateway.url, {
      ...{ service_code: "*701#", callback_url: "http://127.0.0.1:9/", retries: 0 },
    });
    await dialled("*701#");
    await page.getByRole("link", { name: "Open this session" }).click();
    await page.getByText("could not be reached").waitFor();
  });

  test("a PIN is dots where it is typed, in the steps and in the session", async () => {
    await dialled("*700#", "5");
    assert.equal(await page.locator(".entry-text").getAttribute("type"), "password");
    await type(PIN);
    await page.locator(".steps").getByText("••••").waitFor();
    const stored = await page.evaluate(() => JSON.stringify({ ...localStorage }));
    assert.ok(!stored.includes(PIN));
    await page.getByRole("button", { name: "Save as scenario" }).click();
    const scenario = (await page.getByLabel("Scenario", { exact: true }).textContent()) ?? "";
    assert.match(scenario, /secret: pin/);
    assert.ok(!scenario.includes(PIN));
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Open this session" }).click();
    await page.locator(".bubble", { hasText: "••••" }).waitFor();
  });

  test("a lost reply is a connection problem, and the repeat brings the same screen", async () => {
    await dialled("*700#");
    await page.getByLabel("Lose the next reply").check();
    await type("5");
    await page.getByText("Connection problem or invalid MMI code.").waitFor();
    await page.getByRole("button", { name: "Repeat request" }).click();
    await glass().getByText("Enter your PIN:").waitFor();
    assert.equal(app.heard.filter(({ said }) => said === "5").length >= 1, true);
  });

  test("a request is edited and sent again", async () => {
    await dialled("*700#");
    await page.getByRole("button", { name: "Edit and send again" }).click();
    const area = page.getByLabel("The network's request");
    const edited = (await area.inputValue()).replaceAll(
      '\\"input\\":\\"\\"',
      '\\"input\\":\\"9\\"',
    );
    await area.fill(edited);
    await page.getByRole("button", { name: "Send", exact: true }).last().click();
    await page.locator(".steps").getByText("edited").waitFor();
  });

  test("an operator that gives up, and one that asks twice, do what networks do", async () => {
    delayMs = 700;
    await open("/phone");
    await page.getByLabel("Network waits").selectOption("300");
    await type("*700#");
    await page.getByText("The network gave up waiting.").waitFor();
    delayMs = 0;
    await open("/phone");
    await page.getByLabel("Send the next request twice").check();
    const before = app.heard.length;
    await type("*700#");
    await glass().getByText("5. Pay").waitFor();
    assert.equal(app.heard.length, before + 1, "the application is asked once");
  });

  test("a smaller screen is paged, and says which page it is", async () => {
    await open("/phone");
    await page.locator(".chaos-choice select").nth(2).selectOption("60");
    await type("*384*1234#");
    await page.getByText("Page 1/3").waitFor();
    await page.getByRole("button", { name: "98. More" }).click();
    await page.getByText("Page 2/3").waitFor();
  });

  test("two handsets dial side by side, each with a SIM card of its own", async () => {
    await open("/phone");
    await page.getByRole("button", { name: "Add a handset" }).click();
    await page.locator(".device").nth(1).getByRole("button", { name: "*365# Demo bank" }).click();
    await page.locator(".device").nth(1).getByText("2. Transfer Money").waitFor();
    await page.locator(".device").nth(0).getByText("Dial a code to begin").waitFor();
    const names = await page.locator(".device-sim").allTextContents();
    assert.deepEqual(names, ["Ana", "Juma"]);
  });

  test("hanging up is told to the gateway where the protocol can, and redial begins anew", async () => {
    await dialled("*365#");
    await page.getByRole("button", { name: "Hang up" }).click();
    await page.getByText("Call ended.").waitFor();
    await page.getByRole("button", { name: "Redial" }).click();
    await page.getByRole("button", { name: "1. Check Balance" }).waitFor();
  });

  test("a session is replayed in the phone, up to the first secret", async () => {
    await dialled("*700#", "5", PIN);
    await page.getByRole("link", { name: "Open this session" }).click();
    await page.getByRole("link", { name: "Replay in the phone" }).click();
    await glass().getByText("Enter your PIN:").waitFor();
  });

  test("the console speaks French, Portuguese and Swahili", async () => {
    await open("/console/backends");
    for (const [language, title] of [
      ["sw", "Vipindi"],
      ["pt", "Sessões"],
      ["fr", "Sessions"],
    ] as const) {
      await page.locator(".top-end select").nth(1).selectOption(language);
      await page.getByRole("link", { name: title, exact: true }).waitFor();
      assert.equal(await page.locator("html").getAttribute("lang"), language);
      assert.deepEqual(await findings(page), []);
    }
    await page.locator(".top-end select").nth(1).selectOption("en");
    await page.getByRole("link", { name: "Overview" }).waitFor();
  });

  test("a backend is registered, edited, paused and deleted", async () => {
    await open("/console/backends");
    await page.getByRole("button", { name: "New backend" }).click();
    await page.getByLabel("Name").fill("Surveys");
    await page.getByLabel("Code", { exact: true }).fill("*702#");
    await page.getByLabel("Callback URL").fill(app.url);
    await page.getByRole("button", { name: "Save" }).click();
    const card = page.locator(".backend", { hasText: "*702#" });
    await card.getByText("Surveys").waitFor();
    await card.getByRole("button", { name: "Check now" }).click();
    await page.getByText(/Good: .* of 182 characters/).waitFor();
    await page.keyboard.press("Escape");
    await card.getByRole("button", { name: "Edit" }).click();
    await page.getByLabel("Name").fill("Polls");
    await page.getByRole("button", { name: "Save" }).click();
    await card.getByText("Polls").waitFor();
    await card.getByRole("button", { name: "Pause" }).click();
    await card.getByText("paused").waitFor();
    await card.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await card.waitFor({ state: "detached" });
    const left = (await (await fetch(`${gateway.url}/backends`)).json()) as { name: string }[];
    assert.ok(!left.some(({ name }) => name === "Polls"));
  });

  test("a change of a backend is seen in its history, and undone", async () => {
    await register(gateway.url, { service_code: "*703#", callback_url: app.url, name: "Polls" });
    await open("/console/backends");
    const card = page.locator(".backend", { hasText: "*703#" });
    await card.getByRole("button", { name: "Pause" }).click();
    await card.getByText("paused").waitFor();
    await card.getByRole("button", { name: "History" }).click();
    await page.getByText('status: "active" → "inactive"').waitFor();
    await page.getByRole("button", { name: "Go back to this" }).click();
    await page.getByText('status: "inactive" → "active"').waitFor();
    await page.keyboard.press("Escape");
    await card.getByText("active", { exact: true }).waitFor();
  });

  test("a number is revealed with a reason, which the audit log shows", async () => {
    await dialled("*700#");
    await open("/console/sessions?service_code=*700%23");
    await page.locator(".row-link").first().click();
    await page.getByRole("button", { name: "Reveal the number" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill(`complaint ${EVIL}`);
    await dialog.getByRole("button", { name: "Reveal the number" }).click();
    await dialog.locator(".revealed").waitFor();
    assert.match((await dialog.locator(".revealed").textContent()) ?? "", /^\+258[\d ]+$/);
    assert.deepEqual(await findings(page), []);
    await open("/console/settings?part=audit");
    const row = page.locator("tr", { hasText: "session.reveal" });
    await row.getByText(`complaint ${EVIL}`).waitFor();
    await row.getByText("loopback").waitFor();
  });

  test("insights show where dialogues end, beside the time before", async () => {
    await dialled("*700#", "7", "9");
    await open("/console/insights?service_code=*700%23&compare=1");
    await page.locator(".branch-screen", { hasText: "Bye" }).first().waitFor();
    await page.getByText("before: 0", { exact: true }).waitFor();
    const asked = page.waitForRequest((request) => {
      const params = new URL(request.url()).searchParams;
      const agoMs = Date.now() - Date.parse(params.get("to") ?? "");
      return request.url().includes("/insights?") && Math.abs(agoMs - WEEK_MS) < 120_000;
    });
    await page.getByLabel("Compare with").selectOption("A week before");
    await asked;
    await page.waitForURL(/compare=7d/);
    const invalid = page.getByRole("region", { name: "Inputs that were not taken" });
    await invalid.getByText("7", { exact: true }).waitFor();
  });

  test("a number in the search box, reached by a key, finds its sessions", async () => {
    await open("/console/channels");
    await page.keyboard.press("/");
    await page.keyboard.type("+258 84 000 0077");
    await page.keyboard.press("Enter");
    await page.waitForURL(/sessions\?msisdn=258840000077$/);
    await page.locator(".row-link").first().waitFor();
  });

  const PAGES = [
    "/phone",
    "/console",
    "/console/sessions",
    "/console/backends",
    "/console/channels",
  ];
  const SETTINGS = ["system", "privacy", "texts", "keys", "users", "audit"];
  const MORE = [
    "/console/codes",
    "/console/insights",
    ...SETTINGS.map((part) => `/console/settings?part=${part}`),
  ];
  for (const path of [...PAGES, ...MORE]) {
    for (const scheme of ["light", "dark"] as const) {
      test(`${path}, ${scheme}, has nothing that keeps people out, and fits 360 pixels`, async () => {
        await page.emulateMedia({ colorScheme: scheme });
        await open(path);
        assert.deepEqual(await findings(page), []);
        await page.setViewportSize({ width: 360, height: 740 });
        const over = await page.evaluate(
          "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        await page.setViewportSize({ width: 1280, height: 900 });
        assert.equal(over, 0, "the page is wider than a phone");
      });
    }
  }

  test("a session and a dialogue on the phone have nothing that keeps people out", async () => {
    await dialled("*700#");
    assert.deepEqual(await findings(page), []);
    await page.getByRole("link", { name: "Open this session" }).click();
    await page.locator(".bubble").first().waitFor();
    assert.deepEqual(await findings(page), []);
  });

  test("a session is exported, and opened from its file; one that is none is told what it lacks", async () => {
    await dialled("*700#", "9");
    await page.getByRole("link", { name: "Open this session" }).click();
    await page.locator(".bubble").first().waitFor();
    const said = await page.locator(".bubble").allTextContents();
    const downloads = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export JSON" }).click();
    const text = readFileSync(await (await downloads).path(), "utf8");
    const { records: _, ...half } = JSON.parse(text) as { readonly records: unknown };

    await open("/console/sessions");
    const choose = async (content: string) => {
      const buffer = Buffer.from(content);
      await page
        .locator('input[type="file"]')
        .setInputFiles({ name: "session.json", mimeType: "application/json", buffer });
    };
    await choose(JSON.stringify(half));
    await page.getByText("no exported session: records is missing or wrong").waitFor();
    await choose(text);
    await page.locator(".bubble").first().waitFor();
    assert.equal(new URL(page.url()).pathname, "/console/sessions/imported");
    assert.deepEqual(await page.locator(".bubble").allTextContents(), said);
  });

  test("what backends and subscribers say stays text, and no page breaks its policy", async () => {
    await dialled("*700#");
    await glass().getByText(EVIL).waitFor();
    await open("/console/backends");
    await page.getByText(`Shop ${EVIL}`).waitFor();
    await open(`/console/sessions?msisdn=${encodeURIComponent(EVIL)}`);
    await startFrom(gateway.url, EVIL);
    for (const path of ["sessions", "insights", "codes", "channels", "settings?part=audit"]) {
      await open(`/console/${path}`);
      await page.waitForTimeout(SETTLED_MS);
      assert.notEqual(await page.title(), "1", path);
    }
    await open("/console/sessions?service_code=*700%23");
    await page.locator("td").getByText(EVIL).first().waitFor();
    await page.locator(".row-link").first().click();
    await page.locator(".verdict", { hasText: EVIL }).waitFor();
    assert.notEqual(await page.title(), "1");
    const refused = /Failed to load resource.*\b(?:400|404)\b/; // the MSISDN that is none
    assert.deepEqual(
      watched.complaints.filter((complaint) => !refused.test(complaint)),
      [],
    );
    assert.deepEqual(watched.foreign, []);
  });

  for (const path of ["/phone", "/console", "/console/sessions", "/console/settings"]) {
    test(`${path}: all that its first load fetches is small, and runs no code but ours`, async () => {
      const response = await fetch(gateway.url + path, { headers: { accept: "text/html" } });
      const policy = response.headers.get("content-security-policy") ?? "";
      assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
      assert.ok(!policy.includes("unsafe"));
      const octets = await firstLoadOf(browser, gateway.url + path);
      console.log(`first load of ${path}: ${octets} octets on the wire`);
      assert.ok(octets > 10_000 && octets < FIRST_LOAD_OCTETS_MAX, `${path}: ${octets} octets`);
    });
  }
});

/** A dial whose network calls itself so. */
async function startFrom(url: string, provider: string): Promise<void> {
  const turn = { msisdn: "258840000066", session_id: "evil", transaction_id: "evil-1" };
  const body = JSON.stringify({ provider, ...turn, service_code: "*700#", input: "" });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}/ussd/test/callback`, { method: "POST", headers, body });
  assert.equal(answer.status, 200);
}

/** Page, scripts, styles and icon with their headers, as they came over the wire. */
async function firstLoadOf(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const wire = await context.newCDPSession(page);
    await wire.send("Network.enable");
    const files = new Map<string, string>();
    let octets = 0;
    wire.on("Network.responseReceived", ({ requestId, response }) => {
      files.set(requestId, new URL(response.url).pathname);
      const isText = /\.(?:js|css|svg)$/.test(response.url);
      if (isText) assert.equal(response.headers["content-encoding"], "gzip", response.url);
    });
    wire.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      const file = files.get(requestId) ?? "";
      if (/^\/(?:console|phone)/.test(file)) octets += encodedDataLength;
    });
    await page.goto(url);
    await page.locator("main h1").waitFor({ state: "attached" });
    await page.waitForLoadState("load");
    await page.waitForTimeout(SETTLED_MS);
    return octets;
  } finally {
    await context.close();
  }
}

/** What axe calls serious or critical, with where it is. */
async function findings(page: Page): Promise<readonly string[]> {
  // Through the debugger's protocol: the page's own policy allows no such script.
  await page.evaluate(axe);
  const found = await page.evaluate<Findings>("axe.run(document)");
  return found.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}
type Findings = {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly target: readonly string[] }[];
  }[];
};
