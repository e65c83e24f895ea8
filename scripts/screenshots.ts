/**
 * `npm run screenshots`: every page of the console, light, dark and 360 pixels wide, into
 * docs/images/, from a gateway of its own with dialogues of its own.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { openBrowser } from "../test/support/browser.ts";
import { startGateway } from "../test/support/gateway.ts";
import { networks, register, startApp } from "../test/support/phones.ts";

const FOLDER = fileURLToPath(new URL("../docs/images/", import.meta.url));
const LOOKS = [
  { name: "light", colorScheme: "light", viewport: { width: 1280, height: 820 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1280, height: 820 } },
  { name: "360", colorScheme: "light", viewport: { width: 360, height: 780 } },
] as const;
const SETTLED_MS = 900;
const SLOW_MS = 1_500;

await main();

async function main(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const gateway = await startGateway({ env: { DIALYARD_DEMO: "1" } });
  const slow = await startApp("ola", async ({ said }) => {
    if (said === "1") await new Promise((done) => setTimeout(done, SLOW_MS));
    return { screen: "Airtime\n1. Buy for me\n2. Buy for a friend\n0. Exit", end: false };
  });
  const browser = await openBrowser();
  try {
    await register(gateway.url, {
      ...{ service_code: "*130#", callback_url: slow.url, name: "Airtime", timeout: 1, retries: 1 },
    });
    const sessionId = await dialAround(gateway.url);
    await manage(gateway.url, sessionId);
    for (const look of LOOKS) await shoot(browser, gateway.url, sessionId, look);
    await shootSignIn(browser);
  } finally {
    await browser.close();
    await slow.close();
    await gateway.stop();
  }
}

/** Dialogues of several networks; gives back the session that failed. */
async function dialAround(url: string): Promise<string> {
  const dial = async (network: string, msisdn: string, code: string, ...inputs: string[]) => {
    const phone = networks[network]?.(url, msisdn, `${network}-${msisdn}`);
    await phone?.dial(code);
    for (const input of inputs) await phone?.type(input);
  };
  await dial("africastalking", "254722000123", "*384*1234#", "2", "1", "1");
  await dial("kairos", "258841112233", "*365#", "1");
  await dial("kairos", "258849998877", "*105#", "1", "12345678", "1");
  await dial("ixo", "255754000321", "*1234#", "*");
  await dial("ola", "258823456789", "*365#", "2", "843456789", "250", "1234", "1");
  await dial("kairos", "258847654321", "*365#", "2", "843456789");
  await dial("ola", "258840000444", "*130#", "1");
  const response = await fetch(`${url}/api/v1/sessions?service_code=*130%23`);
  const { sessions } = (await response.json()) as { sessions: readonly { id: string }[] };
  return sessions[0]?.id ?? "";
}

/** A key, users, and an entry of the audit log. */
async function manage(url: string, sessionId: string): Promise<void> {
  const post = (path: string, body: object) =>
    fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  await post("/api/v1/keys", { name: "Reports", scopes: ["sessions:read", "overview:read"] });
  for (const [name, role] of [
    ["ana", "admin"],
    ["joao", "operator"],
    ["wanjiku", "support"],
  ])
    await post("/api/v1/users", { name, role, password: randomBytes(12).toString("hex") });
  const reason = "Complaint 4711: charged twice";
  await post(`/api/v1/sessions/${sessionId}/reveal`, { reason });
}

type Look = (typeof LOOKS)[number];

/** In production one signs in. */
async function shootSignIn(browser: Browser): Promise<void> {
  const adminKey = randomBytes(16).toString("hex");
  const gateway = await startGateway({ command: "start", env: { DIALYARD_ADMIN_KEY: adminKey } });
  try {
    for (const { name, ...options } of LOOKS) {
      const page = await browser.newPage(options);
      await page.goto(`${gateway.url}/console`);
      await page.waitForTimeout(SETTLED_MS);
      await page.screenshot({ path: `${FOLDER}sign-in-${name}.png` });
      console.log(`docs/images/sign-in-${name}.png`);
      await page.close();
    }
  } finally {
    await gateway.stop();
  }
}

async function shoot(browser: Browser, url: string, sessionId: string, look: Look): Promise<void> {
  const { name, ...options } = look;
  const page = await browser.newPage({ ...options, reducedMotion: "reduce" });
  const save = async (what: string) => {
    await page.waitForTimeout(SETTLED_MS);
    await page.screenshot({ path: `${FOLDER}${what}-${name}.png` });
    console.log(`docs/images/${what}-${name}.png`);
  };
  for (const [what, path] of [
    ["overview", "/console"],
    ["sessions", "/console/sessions"],
    ["session", `/console/sessions/${sessionId}`],
    ["backends", "/console/backends"],
    ["channels", "/console/channels"],
    ["codes", "/console/codes"],
    ["insights", "/console/insights?compare=1"],
    ["settings", "/console/settings?part=keys"],
    ["privacy", "/console/settings?part=privacy"],
    ["texts", "/console/settings?part=texts"],
    ["users", "/console/settings?part=users"],
    ["audit", "/console/settings?part=audit"],
    ["system", "/console/settings?part=system"],
  ] as const) {
    await page.goto(url + path);
    await save(what);
  }
  await page.goto(`${url}/phone`);
  await save("phone-rest");
  await dialOnPhone(page);
  await save("phone");
  await page.getByRole("button", { name: "Feature phone" }).click();
  await page.evaluate("scrollTo(0, 0)");
  await save("phone-feature");
  await page.close();
}

async function dialOnPhone(page: Page): Promise<void> {
  await page.getByRole("button", { name: "*365#" }).first().click();
  await page.getByRole("button", { name: "2. Transfer Money" }).click();
  await page.getByText("Enter recipient number").first().waitFor();
}
