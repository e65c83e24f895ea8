/** Debian's Chromium with a page of the console in it, and all that it complains about. */
import { existsSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const ARGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** Why these tests cannot run; under CI they fail instead. */
export function skipReason(): string | false {
  if (existsSync(CHROMIUM)) return false;
  const reason = `no Chromium at ${CHROMIUM}: apt-get install chromium, or set CHROMIUM`;
  if (process.env["CI"] !== undefined) throw new Error(reason);
  console.error(`SKIPPED, the console is not tested: ${reason}`);
  return reason;
}

export async function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGS });
}

export type Watched = {
  readonly page: Page;
  /** Errors, warnings, and what the page's policy refused. */
  readonly complaints: readonly string[];
  /** Requests to anybody but the gateway. */
  readonly foreign: readonly string[];
};

export async function openPage(
  browser: Browser,
  origin: string,
  options: Parameters<Browser["newPage"]>[0] = {},
): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.setDefaultTimeout(15_000);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(?:data|blob):/.test(url)) foreign.push(url);
  });
  await page.addInitScript(`addEventListener("securitypolicyviolation", (event) => {
    console.error("policy: " + event.violatedDirective + " " + event.blockedURI);
  })`);
  return { page, complaints, foreign };
}
