/**
 * Any protocol in, any protocol out, over real sockets: every protocol of the list as a channel in
 * front of every protocol of the list as a backend carries the dialogue of test/pairs.test.ts.
 * Networks and applications are the codecs turned round, which their golden vectors are held to;
 * test/pairs.test.ts has four of each written by hand.
 */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { createSend } from "../src/cli/gateway-client.ts";
import { exchange, turnOf, type Call } from "../src/cli/network.ts";
import { codecNames, codecs, createCodec } from "../src/codecs/index.ts";
import { asServiceCode, parseMsisdn } from "../src/core/address.ts";
import type { Codec, Reply } from "../src/types.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { register } from "./support/phones.ts";

const FIRST = "Olá, você\n1. Saldo";
const LONG = `Extract\n${Array.from({ length: 24 }, (_, line) => `${line + 10}. 1,00`).join("\n")}`
  .padEnd(200, "x")
  .slice(0, 200);
const LAST = "Até já";
const REPLIES: readonly Reply[] = [
  { action: "continue", screen: FIRST },
  { action: "continue", screen: LONG },
  { action: "end", screen: LAST },
];
const TYPED = "a*ê";
const PAGES_MAX = 6;
const BUDGET_MS = 10_000;

const inbound = codecNames.filter((name) => createCodec(name).overLink !== true);
const outbound = inbound;
/** Moolre knows codes behind its own alone. */
const codes = outbound.map((_, nth) => `*203*${nth + 100}#`);

type Heard = {
  readonly msisdn: string | undefined;
  readonly sessionId: string | undefined;
  readonly text: string;
  readonly isHistory: boolean;
};
type App = { readonly url: string; readonly heard: Heard[]; readonly close: () => void };

/**
 * An application that gives the three replies to each subscriber in turn: at once, or by a call to
 * the gateway where its protocol has it so.
 */
async function startApp(codec: Codec, gatewayUrl: string): Promise<App> {
  const heard: Heard[] = [];
  const turns = new Map<string, number>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const said = codec.decode({
      ...{ method: request.method ?? "", path, query },
      headers: request.headers as Readonly<Record<string, string>>,
      body: Buffer.concat(chunks).toString("utf8"),
    });
    const { input, msisdn = "", sessionId } = said;
    const acknowledgement = codec.pushes?.acknowledge(said);
    if (acknowledgement !== undefined) response.end(acknowledgement.body);
    // Its screen was shown.
    if (acknowledgement !== undefined && said.phase === "notice") return;
    const nth = turns.get(sessionId ?? msisdn) ?? 0;
    turns.set(sessionId ?? msisdn, nth + 1);
    heard.push({ msisdn, sessionId, text: input.text, isHistory: input.kind === "history" });
    const reply = REPLIES[nth] ?? { action: "end", screen: "asked too often" };
    const wire = codec.encode({ reply, failure: undefined, serviceCode: said.dialled }, said, 0);
    if (acknowledgement === undefined) {
      response.writeHead(wire.status, { ...wire.headers }).end(wire.body);
      return;
    }
    const url = `${gatewayUrl}/backends/${codec.name}/push`;
    const headers = { "content-type": wire.headers["content-type"] ?? "" };
    const pushed = await fetch(url, { method: "POST", headers, body: wire.body });
    assert.match(await pushed.text(), /<errorCode>0</);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}/callback`, heard, close };
}

/** Networks that take screens as calls: whoever waits for a dialogue's next one gets its body. */
async function startPushed() {
  const waiting = new Map<string, (body: string) => void>();
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const id = [...waiting.keys()].find((session) => body.includes(session));
      if (id !== undefined) waiting.get(id)?.(body);
      response.end("<ussdresponse><errorCode>0</errorCode></ussdresponse>");
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    next: (session: string) =>
      new Promise<string>((done) => {
        waiting.set(session, (body) => {
          waiting.delete(session);
          done(body);
        });
      }),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A wire that carries no service code has a channel for each code. */
function channelsOf(names: readonly string[], pushUrl: string): string {
  const shared = `requestsPerMinuteMax: 0, turnBudgetMs: ${BUDGET_MS}, screenOctetsMax: 160`;
  const rows = names.flatMap((protocol, nth) => {
    const channels = namesNoCode(protocol) ? codes : [""];
    return channels.map((code, column) => {
      const options = code === "" ? "" : `options: { service_code: "${code}" }, `;
      const push = createCodec(protocol).pushes ? `pushUrl: "${pushUrl}", ` : "";
      const paths = `paths: ["${pathOf(protocol, nth, column)}"]`;
      const about = `protocol: "${protocol}", ${paths}, ${options}${push}${shared}`;
      return `"in-${nth}-${column}": { ${about} },`;
    });
  });
  return `export const config = { channels: {\n${rows.join("\n")}\n} };`;
}
const pathOf = (protocol: string, nth: number, column: number): string =>
  `/in/${nth}/${namesNoCode(protocol) ? column : 0}`;
const namesNoCode = (protocol: string): boolean =>
  Object.hasOwn(codecs.find(({ name }) => name === protocol)?.options ?? {}, "service_code");

describe("the matrix", () => {
  const { send, close: closeSend } = createSend({ connections: 4 });
  const apps = new Map<string, { readonly app: App; readonly code: string }>();
  let gateway: StartedGateway | undefined;
  let pushed: Awaited<ReturnType<typeof startPushed>> | undefined;
  let carried = 0;

  before(async () => {
    pushed = await startPushed();
    gateway = await startGateway({ configFile: channelsOf(inbound, pushed.url) });
    for (const [nth, protocol] of outbound.entries()) {
      const app = await startApp(createCodec(protocol), gateway.url);
      const code = codes[nth] ?? "";
      await register(gateway.url, { service_code: code, callback_url: app.url, protocol });
      apps.set(protocol, { app, code });
    }
  });
  after(async () => {
    await closeSend();
    pushed?.close();
    await gateway?.stop();
    for (const { app } of apps.values()) app.close();
  });

  for (const [nth, network] of inbound.entries()) {
    test(`${network} in front of all ${outbound.length}`, async () => {
      const results = await Promise.allSettled(
        outbound.map((protocol, column) => {
          const target = apps.get(protocol);
          assert.ok(target);
          assert.ok(gateway);
          const call = callOf(
            network,
            `${gateway.url}${pathOf(network, nth, column)}`,
            target.code,
            100_000 + nth * 100 + column,
          );
          return carry(call, target.app);
        }),
      );
      const wrong = results.flatMap((result, column) =>
        result.status === "fulfilled" ? [] : [`${outbound[column]}: ${String(result.reason)}`],
      );
      carried += results.length - wrong.length;
      assert.deepEqual(wrong, []);
    });
  }

  test("carries every pair", (t) => {
    t.diagnostic(`${inbound.length} in × ${outbound.length} out: ${carried} dialogues carried`);
    assert.equal(carried, inbound.length * outbound.length);
    assert.ok(inbound.length >= 20, "at least 20 × 20");
  });

  /** One subscriber, dialogue and pair. */
  async function carry(call: Call, app: App): Promise<void> {
    const { msisdn } = call;
    const code = call.backend.serviceCode;
    const sessionId = `sess_${msisdn}`.padEnd(37, "0");
    const typed: string[] = [];
    let memo: string | undefined;
    const say = async (input?: string): Promise<Reply> => {
      if (input !== undefined) typed.push(input);
      const turn = turnOf(call, sessionId, typed.length + 1, [...typed], memo);
      if (call.codec.pushes === undefined) {
        const reply = await exchange(call, turn, send);
        ({ memo } = reply);
        return reply;
      }
      const screen = pushed?.next(sessionId);
      const { status } = await send(
        call.backend.url,
        call.codec.request(turn, call.backend),
        5_000,
      );
      assert.equal(status, 200, "acknowledged");
      return call.codec.reply({ status: 200, headers: {}, body: (await screen) ?? "" }, turn);
    };

    assert.deepEqual(seenOf(await say()), REPLIES[0]);

    let page = await say(TYPED);
    let shown = "";
    for (let count = 1; page.screen.endsWith("\n98. More"); count += 1) {
      assert.ok(count < PAGES_MAX && page.action === "continue" && page.screen.length <= 182);
      shown += page.screen.replace(/\n98\. More$/, "").replace(/\n0\. Back$/, "");
      page = await say("98");
    }
    shown += page.screen.replace(/\n0\. Back$/, "");
    assert.ok(page.screen.endsWith("0. Back"), "a screen of 200 characters comes in pages");
    assert.equal(shown.replaceAll(/\s/g, ""), LONG.replaceAll(/\s/g, ""));

    assert.deepEqual(seenOf(await say("")), REPLIES[2]);

    const heard = app.heard.filter((turn) => turn.msisdn === msisdn);
    const [dial, ...rest] = heard;
    // What is heard on the dial is the protocol's affair: nothing, the code, or digits of it.
    assert.ok(dial !== undefined && ["", code, code.slice(1, -1)].includes(dial.text), dial?.text);
    assert.deepEqual(
      rest.map(({ text }) => text),
      rest.map(({ isHistory }, index) => [TYPED, isHistory ? `${TYPED}*` : ""][index]),
    );
    assert.equal(rest.length, 2);
    assert.equal(new Set(heard.map((turn) => turn.sessionId)).size, 1);
  }
});

const seenOf = ({ action, screen }: Reply): Reply => ({ action, screen });

function callOf(network: string, url: string, code: string, number: number): Call {
  const codec = createCodec(network);
  const serviceCode = asServiceCode(code);
  assert.ok(serviceCode);
  return {
    channel: {
      ...{ name: `in-${network}`, protocol: network, protocolOptions: {}, provider: "movitel" },
      ...{ path: "", turnBudgetMs: BUDGET_MS, screenOctetsMax: 160 },
    },
    codec,
    backend: {
      ...{ id: 0, serviceCode, name: network, url, codec, method: "POST", isActive: true },
      ...{ timeoutMs: BUDGET_MS, retries: 0, idempotent: true, headers: {}, secret: undefined },
      ...{ inFlightMax: 1, eventsUrl: undefined },
    },
    msisdn: parseMsisdn(`258840${number}`),
    dialledDigits: [],
  };
}
