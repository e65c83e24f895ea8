/** The applications of docs/migrating.md, before and after: the same inputs, the same screens. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type App, createExchange, memoryAppStore } from "../src/app/index.ts";
import { codeBlocks } from "./support/markdown.ts";

const page = readFileSync(new URL("../docs/migrating.md", import.meta.url), "utf8");
/** What both applications of a section call; a number written with or without "+" is the same. */
const SERVICES = `
const plain = (phone) => phone.replace("+", "");
export const fetchBalance = async (phone) => (plain(phone) === "254711000001" ? 250 : 0);
export const buyAirtime = async (phone, amount) => plain(phone).slice(-3) + amount;
export const sendMoney = async (phone, amount) => plain(phone).slice(-3) + amount;
export const checkPin = async (_phone, pin) => pin === "1234";
`;

type Answer = (form: Readonly<Record<string, string>>) => Promise<string>;

// Inside the checkout, where "dialyard/app" is this package and the builders are installed.
let folder = "";
before(() => {
  folder = mkdtempSync(fileURLToPath(new URL("migrating-", import.meta.url)));
  for (const { file, code } of codeBlocks(page)) {
    if (file === undefined) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), code);
    writeFileSync(join(folder, dirname(file), "services.js"), SERVICES);
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function load<T>(file: string): Promise<T> {
  return (await import(pathToFileURL(join(folder, file)).href)) as T;
}

async function appOf(file: string): Promise<Answer> {
  const { app } = await load<{ readonly app: App<unknown, object> }>(file);
  const exchange = createExchange(app, { protocol: "africastalking", store: memoryAppStore() });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return async (form) => {
    const body = new URLSearchParams(form).toString();
    return (await exchange({ method: "POST", path: "", query: "", headers, body })).body;
  };
}

let sessions = 0;

/** The screen after each input, in a session of its own. */
async function screensOf(answer: Answer, inputs: readonly string[]): Promise<readonly string[]> {
  sessions += 1;
  const about = { sessionId: `s${sessions}`, serviceCode: "*384#", phoneNumber: "+254711000001" };
  const screens = [await answer({ ...about, text: "" })];
  for (let count = 1; count <= inputs.length; count += 1) {
    screens.push(await answer({ ...about, text: inputs.slice(0, count).join("*") }));
  }
  return screens;
}

/** The new screens are the old ones; those that go on may show keys below. */
async function compare(old: Answer, fresh: Answer, dialogues: readonly (readonly string[])[]) {
  for (const inputs of dialogues) {
    const was = await screensOf(old, inputs);
    const is = await screensOf(fresh, inputs);
    for (const [turn, screen] of was.entries()) {
      const now = is[turn] ?? "";
      if (screen.startsWith("END")) assert.equal(now, screen);
      else assert.ok(now === screen || now.startsWith(`${screen}\n0. `), `${screen} became ${now}`);
    }
    assert.match(was.at(-1) ?? "", /^END /, `${inputs.join("*")} does not lead to an end`);
  }
}

test("from ussd-menu-builder", async () => {
  const { answer } = await load<{ readonly answer: Answer }>("ussd-menu-builder/before.js");
  await compare(answer, await appOf("ussd-menu-builder/after.ts"), [["1"], ["2", "50"]]);
});

test("from ussd-builder", async () => {
  const { answer } = await load<{ readonly answer: Answer }>("ussd-builder/before.js");
  const dialogues = [
    ["50", "1234", "1"],
    ["50", "1234", "0"],
    ["50", "9999"],
  ];
  await compare(answer, await appOf("ussd-builder/after.ts"), dialogues);
});

test("from laravel-ussd: what the page says a subscriber reads", async () => {
  const screens = await screensOf(await appOf("laravel-ussd/after.ts"), ["1", "x", "50", "1"]);
  assert.deepEqual(screens, [
    "CON Welcome\n1. Send money",
    "CON Amount:\n0. Back",
    "CON Digits only\nAmount:\n0. Back",
    "CON Send 50?\n1. Confirm\n0. Cancel",
    "END Sent. Ref: 00150",
  ]);
});

test("from an Express callback, over HTTP", async (t) => {
  const served = async (file: string): Promise<Answer> => {
    const { server } = await load<{ readonly server: RequestListener }>(file);
    const listening = createServer(server);
    await new Promise<void>((done) => listening.listen(0, "127.0.0.1", done));
    t.after(() => void listening.close());
    const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/ussd`;
    return async (form) => {
      const body = new URLSearchParams(form);
      return (await fetch(url, { method: "POST", body })).text();
    };
  };
  const dialogues = [["1"], ["2", "50"]];
  await compare(await served("express/before.js"), await served("express/after.js"), dialogues);
});
