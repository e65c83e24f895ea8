import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runCheckCodec } from "./check-codec.ts";

async function run(positionals: readonly string[], url?: string) {
  let said = "";
  const note = (text: string) => void (said += text);
  const status = await runCheckCodec(positionals, { url, json: false }, { out: note, err: note });
  return { status, said };
}

async function startApp(body: string): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "text/plain" }).end(body);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/ussd`, close: () => server.close() };
}

test("a protocol's own vectors pass, each by its title", async () => {
  const { status, said } = await run(["hubtel"]);
  assert.equal(status, 0);
  assert.match(said, /✔ a dial carries the code as it was typed/);
  assert.match(said, /hubtel: 9 passed, 0 failed/);
});

test("an application that answers as the protocol wants passes", async () => {
  const app = await startApp("CON Welcome\n1. Pay");
  const { status, said } = await run(["africastalking"], app.url);
  app.close();
  assert.equal(status, 0, said);
});

test("one that does not is told which request it answered wrongly", async () => {
  const app = await startApp("");
  const { status, said } = await run(["africastalking"], app.url);
  app.close();
  assert.equal(status, 1);
  assert.match(said, /✖ /);
});

test("one that answers by a call of its own has to acknowledge", async () => {
  const heard = await startApp("<r><errorCode>0</errorCode></r>");
  assert.equal((await run(["viettel"], heard.url)).status, 0);
  heard.close();
  const refused = await startApp("<r><errorCode>1</errorCode></r>");
  const { status, said } = await run(["viettel"], refused.url);
  refused.close();
  assert.equal(status, 1);
  assert.match(said, /not acknowledged/);
});

test("a protocol that is not there is told those that are", async () => {
  const { status, said } = await run(["smoke"]);
  assert.equal(status, 2);
  assert.match(said, /there are ola, .*hubtel/);
});

test("captures of a preset are run with its options, and with a number for a masked one", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "dialyard-check-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "crossgate.jsonl");
  const fields = "msisdn=2547XXXXXXX&service_code=123&session_id=70381&ussd_string=1*2";
  const line = {
    ...{ name: "documented request", source: "a test", authority: "official" },
    request: { method: "GET", path: "/", query: `network_code=2541&${fields}` },
    expect: { event: "input", sessionId: "70381", msisdn: "2547XXXXXXX", input: "2" },
    ...{ reply: null, response: null, state: { previousText: "1" } },
  };
  writeFileSync(file, `${JSON.stringify(line)}\n`);
  const { status, said } = await run(["africastalking", file]);
  assert.equal(status, 0, said);
  assert.match(said, /africastalking: 2 passed, 0 failed/);
});

test("a file that is not there is said to be so", async () => {
  assert.equal((await run(["hubtel", "/nowhere.jsonl"])).status, 2);
});
