/** Acknowledge, then push: a door and a network that takes screens as calls of their own. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, beforeEach, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createDeadlines } from "../backend/deadlines.ts";
import { createCodec } from "../codecs/index.ts";
import { asServiceCode } from "../core/address.ts";
import { wordsOf } from "../core/words.ts";
import type { Gateway } from "../gateway.ts";
import { memoryStore } from "../stores/memory.ts";
import type { Backend, Channel, Codec } from "../types.ts";
import { createDoor, type DoorOutcome } from "./door.ts";
import { createPusher } from "./push.ts";

/** Kairos' fields, in the manner of Viettel: PROTOCOLS 3.3. */
const kairos = createCodec("kairos");
const codec: Codec = {
  ...kairos,
  pushes: {
    acknowledge: () => ({ status: 200, headers: {}, body: "<errorCode>0</errorCode>" }),
    heard: ({ body }) => (body === "0" ? "taken" : body === "-1" ? "again" : "refused"),
  },
};
const channel: Channel = {
  ...{ name: "viettel", codec, provider: "movitel", turnBudgetMs: 3_000 },
  ...{ screenOctetsMax: 160, transliterate: false },
};

const pushed: string[] = [];
let network: (count: number) => { status: number; body: string; delayMs?: number };
const nets = createServer((request, response) => {
  void read(request).then(async (body) => {
    const { status, body: said, delayMs = 0 } = network(pushed.push(body));
    await wait(delayMs);
    response.writeHead(status).end(said);
  });
});
let calls: string[] = [];
let backendMs = 0;
const outcomes: DoorOutcome[] = [];
const pushing = new Set<Promise<void>>();

const serviceCode = asServiceCode("*365#")!;
const backend = {
  ...{ id: 1, serviceCode, codec: kairos, isActive: true, idempotent: true },
} as unknown as Backend;
const gateway: Gateway = {
  routes: new Map([[serviceCode, backend]]),
  backendById: () => backend,
  store: memoryStore().sessions,
  async callBackend(_backend, { input }) {
    calls.push(input);
    await wait(backendMs);
    const reply = { action: input === "9" ? "end" : "continue", screen: `said ${input}` } as const;
    return { type: "reply", reply, attempts: [], requestOctets: 0, replyOctets: 0 };
  },
  notifyBackend: () => undefined,
  observe: () => undefined,
  report: (error) => assert.ifError(error),
  nowMs: () => performance.now(),
  cameAtMs: () => performance.now(),
  wallMs: () => Date.now(),
  waitMs: (ms) => wait(ms),
  deadlines: createDeadlines({ nowMs: () => performance.now() }),
  newSessionId: () => `sess_${Math.random()}`,
  digest: (text) => `#${text}`,
  keyOf: (name) => name,
  words: () => wordsOf("en"),
  secretPatterns: () => [],
  sessionTtlMs: 300_000,
  turnsMax: 50,
};

await listen(nets);
const pusher = createPusher({
  url: `http://127.0.0.1:${portOf(nets)}/take`,
  heard: codec.pushes!.heard,
  nowMs: gateway.nowMs,
});
const door = createDoor({
  ...{ channel, gateway, pusher, pushing },
  ...{ allow: undefined, secretHeader: undefined, signingSecret: undefined, rateLimit: undefined },
  clientAddress: () => "127.0.0.1",
  onRequest: (outcome) => outcomes.push(outcome),
  isDraining: () => false,
});
const server = createServer((request: IncomingMessage, response: ServerResponse) =>
  door(request, response, "", ""),
);
await listen(server);

after(async () => {
  await pusher.close();
  server.close();
  nets.close();
});
beforeEach(() => {
  pushed.length = 0;
  outcomes.length = 0;
  calls = [];
  backendMs = 0;
  network = () => ({ status: 200, body: "0" });
});

let sessions = 0;
const says = async (ussdString: string): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${portOf(server)}/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...{ msisdn: "258861234567", sessionId: `n${sessions}`, messageType: "0", ussdString },
    }),
  });
  return await response.text();
};
const settled = async (): Promise<void> => void (await Promise.all(pushing));
const screensOf = (): readonly unknown[] =>
  pushed.map((body) => (JSON.parse(body) as { ussdString: string }).ussdString);

test("the acknowledgement does not wait for the application, the screen is a call", async () => {
  sessions += 1;
  backendMs = 300;
  const startedAtMs = performance.now();
  assert.equal(await says("*365#"), "<errorCode>0</errorCode>");
  assert.ok(performance.now() - startedAtMs < 250);
  assert.deepEqual(pushed, []);
  await settled();
  assert.deepEqual(screensOf(), ["said "]);
});

test("a network that is down for a moment gets the same screen until it takes it", async () => {
  sessions += 1;
  network = (count) =>
    [
      { status: 503, body: "" },
      { status: 200, body: "-1" },
      { status: 200, body: "0" },
    ][count - 1]!;
  await says("*365#");
  await settled();
  assert.deepEqual(screensOf(), ["said ", "said ", "said "]);
  assert.deepEqual(calls, [""]);
});

test("a dialogue that the network has given up is not pushed to again", async () => {
  sessions += 1;
  network = () => ({ status: 200, body: "2" });
  await says("*365#");
  await settled();
  assert.equal(pushed.length, 1);
  assert.deepEqual(outcomes.at(-1)?.reason, "push: the network did not take it");
});

test("the same request again is acknowledged and not shown twice", async () => {
  sessions += 1;
  backendMs = 100;
  await Promise.all([says("*365#"), says("*365#")]);
  await settled();
  await says("*365#");
  await settled();
  assert.deepEqual(screensOf(), ["said "]);
  assert.deepEqual(calls, [""]);
});

test("a screen that was never taken is pushed when the network asks again", async () => {
  sessions += 1;
  await says("*365#");
  await settled();
  network = () => ({ status: 500, body: "" });
  await says("1");
  await settled();
  network = () => ({ status: 200, body: "0" });
  pushed.length = 0;
  await says("1");
  await settled();
  assert.deepEqual(screensOf(), ["said 1"]);
  assert.deepEqual(calls, ["", "1"], "the application was asked once");
});

test("what comes after the turn's time is dropped", async () => {
  sessions += 1;
  backendMs = 3_100;
  await says("*365#");
  await settled();
  assert.deepEqual(pushed, []);
  assert.deepEqual(outcomes.at(-1)?.reason, "push: no time left");
});

test("a notice that it is over is acknowledged and nothing is pushed", async () => {
  sessions += 1;
  await says("*365#");
  await settled();
  pushed.length = 0;
  const response = await fetch(`http://127.0.0.1:${portOf(server)}/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...{ msisdn: "258861234567", sessionId: `n${sessions}`, messageType: "4", ussdString: "" },
    }),
  });
  assert.equal(await response.text(), "<errorCode>0</errorCode>");
  await settled();
  assert.deepEqual(pushed, []);
});

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function listen(target: ReturnType<typeof createServer>): Promise<void> {
  return new Promise((done) => target.listen(0, "127.0.0.1", done));
}

function portOf(target: ReturnType<typeof createServer>): number {
  return (target.address() as AddressInfo).port;
}
