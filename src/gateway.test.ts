/** One turn with everything else stood in for: what crashes and copies do to it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCodec } from "./codecs/index.ts";
import { asServiceCode } from "./core/address.ts";
import { type Gateway, handleTurn } from "./gateway.ts";
import { memoryStore } from "./stores/memory.ts";
import type { Backend, Channel } from "./types.ts";

test("a retransmit that a second kill cut off is still a retransmit", async () => {
  const { sessions } = memoryStore();
  const calls: string[] = [];
  let clockMs = 1_000_000;
  let ids = 0;
  const serviceCode = asServiceCode("*365#");
  assert.ok(serviceCode);
  const codec = { name: "app" } as Backend["codec"];
  const backend = { id: 1, serviceCode, codec, isActive: true, idempotent: true } as Backend;
  const gateway: Gateway = {
    routes: new Map([[serviceCode, backend]]),
    backendById: () => backend,
    store: sessions,
    callBackend(_backend, { number, input }) {
      calls.push(`${number}:${input}`);
      const reply = { action: "continue", screen: "Menu" } as const;
      const told = { attempts: [], requestOctets: 0, replyOctets: 0 };
      return Promise.resolve({ type: "reply", reply, ...told });
    },
    notifyBackend: () => undefined,
    observe: () => undefined,
    report: (error) => assert.ifError(error),
    nowMs: () => clockMs,
    wallMs: () => clockMs,
    waitMs(ms) {
      clockMs += ms;
      return Promise.resolve();
    },
    newSessionId: () => `sess_${(ids += 1)}`,
    digest: (text) => `#${text}`,
    keyOf: (name) => name,
    language: "en",
    secretPatterns: [],
    sessionTtlMs: 300_000,
    turnsMax: 50,
  };
  const channel: Channel = {
    name: "ghana",
    codec: createCodec("kairos"),
    provider: "ghana",
    turnBudgetMs: 10_000,
    screenOctetsMax: 160,
    transliterate: false,
  };
  const say = (ussdString: string) =>
    handleTurn(gateway, channel, {
      method: "POST",
      path: "",
      query: "",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        msisdn: "233241234567",
        sessionId: "n1",
        messageType: "0",
        ussdString,
      }),
    });

  await say("*365#");
  const { key, sessionId } = await say("1");
  assert.ok(sessionId);
  await sessions.undelivered(key, sessionId);
  // The network says "1" again; the gateway takes the turn and is killed before it settles.
  const ask = { key, freshId: "sess_x", msisdn: undefined, digest: "#1", nowMs: clockMs };
  await sessions.open({ ...ask, leaseMs: 12_000 });
  clockMs += 13_000;
  await say("1");
  assert.deepEqual(calls, ["1:", "2:1"]);
});
