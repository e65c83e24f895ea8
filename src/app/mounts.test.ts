/** One dialogue through every home of an app, in every protocol: the same screens everywhere. */
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import express from "express";
import { fastify } from "fastify";
import { codecNames, createCodec } from "../codecs/index.ts";
import { parseMsisdn } from "../core/address.ts";
import { phone } from "../testing/phone.ts";
import type { Backend, Codec, Reply, Turn, WireReply } from "../types.ts";
import { createBank } from "./bank.fixture.ts";
import { type AppTurn, createExchange, memoryAppStore, serveApp } from "./index.ts";
import { toFastify, toNodeHandler } from "./index.ts";
import { bankApp } from "./transfer.fixture.ts";

const JOHN = "258823456789";
const INPUTS = ["9", "2", "12", "843456789", "99999", "500", "12*4", "1234", "8", "1"];

function customers() {
  const bank = createBank();
  const context = ({ msisdn }: AppTurn) => {
    const user = bank.users.get(msisdn);
    if (user === undefined) throw new Error("not a customer");
    return { bank, user };
  };
  return { bank, context };
}

type Serve = (
  t: TestContext,
  options: { protocol: string; store: ReturnType<typeof memoryAppStore> } & Pick<
    ReturnType<typeof customers>,
    "context"
  >,
) => Promise<string>;

async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/ussd`;
}

const MOUNTS: Readonly<Record<string, Serve>> = {
  "app.listen": async (t, options) => {
    const served = await bankApp.listen(options);
    t.after(() => served.close());
    return served.url;
  },
  "node:http": (t, options) => {
    const listener = toNodeHandler(bankApp, options);
    return listen(t, (request, response) => void listener(request, response));
  },
  "express before any parser": (t, options) => {
    const server = express();
    server.use("/ussd", toNodeHandler(bankApp, options) as express.RequestHandler);
    return listen(t, server);
  },
  "express after its parsers": (t, options) => {
    const server = express();
    server.use(express.json(), express.urlencoded({ extended: false }));
    server.use("/ussd", toNodeHandler(bankApp, options) as express.RequestHandler);
    return listen(t, server);
  },
  fastify: async (t, options) => {
    const server = fastify();
    await server.register(toFastify(bankApp, options), { prefix: "/ussd" });
    t.after(() => server.close());
    return `${await server.listen({ host: "127.0.0.1", port: 0 })}/ussd`;
  },
  "a server of its own": async (t, options) => {
    const served = await serveApp(bankApp, options);
    t.after(() => served.close());
    return served.url;
  },
};

const backend = { method: "POST", serviceCode: "*365#" } as unknown as Backend;

function turnOf(inputs: readonly string[]): Turn {
  return {
    sessionId: "sess_1",
    transactionId: `txn_${inputs.length}`,
    number: inputs.length + 1,
    msisdn: parseMsisdn(JOHN),
    serviceCode: backend.serviceCode,
    provider: "test",
    input: inputs.at(-1) ?? "",
    inputs,
    dialledDigits: [],
  };
}

async function call(url: string, codec: Codec, turn: Turn): Promise<Reply> {
  const { method, path, query, headers, body } = codec.request(turn, backend);
  const response = await fetch(`${url}${path}${query === "" ? "" : `?${query}`}`, {
    method,
    headers: headers as Record<string, string>,
    ...(method === "GET" ? {} : { body }),
  });
  const said: WireReply = {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
  return codec.reply(said, turn);
}

async function screensOnPhone(): Promise<readonly string[]> {
  const p = await phone(bankApp, { msisdn: JOHN, context: customers().context }).dial("*365#");
  const screens = [p.screen];
  for (const input of INPUTS) screens.push((await p.send(input)).screen);
  return screens;
}

function isMountable(codec: Codec): boolean {
  const { overLink, namesNoSession, reusesSessionIds, pushes, keyedById } = codec;
  const isNamed = !namesNoSession && !reusesSessionIds && keyedById !== "answers";
  return isNamed && !overLink && !pushes;
}

for (const [mount, serve] of Object.entries(MOUNTS)) {
  for (const protocol of codecNames.filter((name) => isMountable(createCodec(name)))) {
    test(`${mount}, ${protocol}: the transfer reads as on the test phone, once`, async (t) => {
      const { bank, context } = customers();
      const url = await serve(t, { protocol, store: memoryAppStore(), context });
      const codec = createCodec(protocol);
      const screens: string[] = [];
      for (let typed = 0; typed <= INPUTS.length; typed += 1) {
        const turn = turnOf(INPUTS.slice(0, typed));
        const reply = await call(url, codec, turn);
        screens.push(reply.screen);
        assert.equal(reply.action, typed === INPUTS.length ? "end" : "continue");
      }
      assert.deepEqual(screens, await screensOnPhone());
      assert.deepEqual(bank.keys, ["sess_1/transfer"]);
    });
  }
}

test("what is no message of the protocol is refused, and what is too long not read", async (t) => {
  const { context } = customers();
  const served = await serveApp(bankApp, { protocol: "ola", context });
  t.after(() => served.close());
  const post = (body: string) =>
    fetch(served.url, { method: "POST", headers: { "content-type": "application/json" }, body });
  assert.equal((await post("{")).status, 400);
  assert.equal((await post('{"session_id":1}')).status, 400);
  assert.equal((await post(`"${"x".repeat(20_000)}"`)).status, 413);
});

test("a session id that another subscriber uses meets no state of theirs", async (t) => {
  const { context, bank } = customers();
  bank.users.set("258820000001", {
    msisdn: "258820000001",
    name: "Eve",
    balance: 1,
    pin: "0000",
  });
  const served = await serveApp(bankApp, { protocol: "ola", context });
  t.after(() => served.close());
  const codec = createCodec("ola");
  await call(served.url, codec, turnOf([]));
  const eve = { ...turnOf(["2"]), msisdn: parseMsisdn("258820000001") };
  assert.match((await call(served.url, codec, eve)).screen, /^Welcome Eve/);
});

test("a protocol without session ids is refused at once: two payments would have one key", () => {
  const { context } = customers();
  const options = { store: memoryAppStore(), context, protocol: "imimobile" };
  assert.throws(() => createExchange(bankApp, options), /imimobile names no session/);
  const again = { ...options, protocol: "restcomm" };
  assert.throws(() => createExchange(bankApp, again), /restcomm uses its session ids again/);
});

test("a protocol that is a gateway's link and no HTTP is refused at once", () => {
  const { context } = customers();
  const options = { store: memoryAppStore(), context, protocol: "smpp" };
  assert.throws(() => createExchange(bankApp, options), /smpp is spoken over a link/);
});
