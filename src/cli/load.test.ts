import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { test, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createCodec } from "../codecs/index.ts";
import { failureScreen, failureTextOf } from "../core/failure.ts";
import { endWith, wordsOf } from "../core/words.ts";
import type { Inbound, Reply } from "../types.ts";
import { createLatencies } from "./latencies.ts";
import { load, type LoadOptions } from "./load.ts";

type Script = {
  readonly protocol?: string;
  readonly options?: Readonly<Record<string, string>>;
  /** undefined breaks the connection; a number is a status without a screen. */
  readonly answer?: (inbound: Inbound, nth: number) => Promise<Reply | number | undefined> | Reply;
};
type Stub = { readonly url: string; readonly heard: readonly Inbound[] };

const MENU: Reply = { action: "continue", screen: "1. Balance" };
const END: Reply = { action: "end", screen: "Thank you" };

/** A gateway with one channel; `nth` counts the turns of a session from 1. */
async function startStub(t: TestContext, script: Script): Promise<Stub> {
  const { protocol = "ola" } = script;
  const options = script.options ?? (protocol === "ola" ? { door: "true" } : {});
  const codec = createCodec(protocol, options);
  const channel = {
    ...{ name: "test", protocol, protocol_options: options, provider: "movitel" },
    ...{ path: "/door", turn_budget_ms: 2_000, screen_octets_max: 160 },
  };
  const heard: Inbound[] = [];
  const turns = new Map<string, number>();
  const json = (response: ServerResponse, status: number, body: unknown) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const serve = async (request: IncomingMessage, response: ServerResponse, body: string) => {
    const { pathname } = new URL(request.url ?? "", "http://stub");
    if (pathname === "/api/v1/channels")
      return json(response, 200, {
        channels: [{ ...channel, name: "link", path: undefined }, channel],
      });
    if (pathname === "/api/v1/codes")
      return json(response, 200, { service_code: "*365#", digits: [] });
    const headers = request.headers as Record<string, string | undefined>;
    const inbound = codec.decode({ method: "POST", path: "", query: "", headers, body });
    heard.push(inbound);
    const key = inbound.sessionId ?? "";
    const nth = (turns.get(key) ?? 0) + 1;
    turns.set(key, nth);
    const reply = (await script.answer?.(inbound, nth)) ?? (script.answer ? undefined : MENU);
    if (reply === undefined) return request.socket.destroy();
    if (typeof reply === "number") return json(response, reply, { error: "x", message: "y" });
    const wire = codec.encode({ reply, failure: undefined, serviceCode: undefined }, inbound, 1);
    return response.writeHead(wire.status, wire.headers).end(wire.body);
  };
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    request.on("end", () => void serve(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return { url: `http://127.0.0.1:${address.port}`, heard };
}

type Report = {
  readonly sessions: Readonly<Record<string, number>>;
  readonly turns: number;
  readonly latency_ms: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  readonly errors: Readonly<Record<string, number>>;
};

async function run(options: Partial<LoadOptions>, stop = new AbortController().signal) {
  const written = { out: "", err: "", progress: [] as string[] };
  const status = await load(
    {
      ...{ dialled: "*365#", inputs: undefined, rate: "200", for: "1s", sessions: 20, thinkMs: 0 },
      ...{ channel: "test", msisdn: "258840000000", openMax: 1_000, connections: 50 },
      ...{ url: "http://127.0.0.1:1", ownsHost: false, adminKey: undefined, headers: [] },
      ...{ signingSecret: undefined, json: true, ...options },
    },
    {
      out: (text) => (written.out += text),
      err: (text) => (written.err += text),
      progress: (text) => void written.progress.push(text),
      stop,
    },
  );
  const report = written.out.startsWith("{") ? (JSON.parse(written.out) as Report) : undefined;
  return { status, report, ...written };
}

test("whole sessions go through any protocol, each of another subscriber", async (t) => {
  for (const protocol of ["ola", "africastalking", "ixo", "kairos"]) {
    const stub = await startStub(t, { protocol, answer: (_, nth) => (nth === 3 ? END : MENU) });
    const { status, report } = await run({ url: stub.url, inputs: "1*500" });
    assert.equal(status, 0, protocol);
    const sessions = { started: 20, finished: 20, failed: 0, ended_early: 0, not_started: 0 };
    assert.deepEqual(report?.sessions, sessions, protocol);
    assert.deepEqual([report?.turns, report?.errors], [60, {}], protocol);
    assert.equal(new Set(stub.heard.map(({ msisdn }) => msisdn)).size, 20, protocol);
    const ids = stub.heard.map(({ sessionId }) => sessionId);
    assert.equal(new Set(ids).size, 20, protocol);
    const typed = stub.heard.filter(({ sessionId }) => sessionId === ids[0]);
    assert.match(typed.at(-1)?.input.text ?? "", /500$/, protocol);
  }
});

test("an application that ends before all was typed is no failure, and is said", async (t) => {
  const stub = await startStub(t, { answer: () => END });
  const { status, report } = await run({ url: stub.url, inputs: "1*2" });
  assert.deepEqual([status, report?.sessions["ended_early"], report?.turns], [0, 20, 20]);
});

test("every kind of failure is counted under its name", async (t) => {
  const kinds: readonly (Reply | number | undefined)[] = [
    ...[503, undefined, endWith("backend_busy", wordsOf("pt"))],
    ...[endWith("session_lost", wordsOf("en")), MENU],
  ];
  let index = 0;
  const answer = async () => kinds[index++ % kinds.length];
  const stub = await startStub(t, { answer });
  const { status, report } = await run({ url: stub.url, inputs: "" });
  assert.equal(status, 1);
  assert.equal(report?.sessions["failed"], 16);
  const { status_503, UND_ERR_SOCKET, screen_busy, screen_expired } = report?.errors ?? {};
  assert.deepEqual([status_503, UND_ERR_SOCKET, screen_busy, screen_expired], [4, 4, 4, 4]);
});

test("a stall counts in full for every turn that was due meanwhile", async (t) => {
  const STALL_MS = 600;
  let isFirst = true;
  const answer = async () => {
    if (isFirst) {
      isFirst = false;
      await wait(STALL_MS);
    }
    return END;
  };
  const stub = await startStub(t, { answer });
  // One connection: 20 sessions, due within 100 ms, all stand behind the first.
  const { report } = await run({ url: stub.url, connections: 1 });
  const { p50 = 0, max = 0 } = report?.latency_ms ?? {};
  assert.ok(max >= STALL_MS, `max ${max}`);
  assert.ok(p50 >= STALL_MS - 200, `a closed loop would have had one slow turn of 20: p50 ${p50}`);
});

test("sessions beyond the bound are not begun, and counted", async (t) => {
  const answer = async () => {
    await wait(300);
    return END;
  };
  const stub = await startStub(t, { answer });
  const { status, report } = await run({ url: stub.url, openMax: 5 });
  assert.equal(status, 1);
  const { started = 0, not_started: notStarted = 0 } = report?.sessions ?? {};
  assert.equal(started + notStarted, 20);
  assert.ok(notStarted > 0);
  assert.deepEqual(report?.errors, { not_started: notStarted });
});

test("the table says what was done, and a terminal sees it under way", async (t) => {
  const stub = await startStub(t, { answer: () => END });
  const { out, progress } = await run({ url: stub.url, rate: "50/s", sessions: 30, json: false });
  assert.match(out, /^\*365# on test \(ola\) at http/);
  assert.match(out, /30 begun at 50 a second, 30 finished/);
  assert.match(out, /p50 +p95 +p99 +max +ms\nFrom when a turn was due( +[\d.]+){4}/);
  assert.match(out, /No errors\.$/);
  assert.match(progress[0] ?? "", /^[█░]{24} +\d+ % {2}\d+ open {2}\d+ turns {2}0 errors$/);
  assert.equal(progress.at(-1), "", "the line is cleared");
});

test("stopped, it finishes what is open and reports", async (t) => {
  const stop = new AbortController();
  const answer = () => {
    stop.abort();
    return END;
  };
  const stub = await startStub(t, { answer });
  const { status, report } = await run({ url: stub.url, sessions: 200 }, stop.signal);
  assert.equal(status, 0);
  assert.ok((report?.turns ?? 0) >= 1 && (report?.turns ?? 0) < 200);
});

test("another machine is loaded by its owner alone", async () => {
  for (const url of ["http://192.0.2.1:8080", "http://gateway.invalid", "http://[2001:db8::1]"]) {
    const { status, err } = await run({ url });
    assert.equal(status, 2, url);
    assert.match(err, /is another machine.*--i-own-this-host/, url);
  }
  const owned = await run({ url: "http://gateway.invalid", ownsHost: true });
  assert.equal(owned.status, 3);
  for (const url of ["http://localhost:1", "http://[::1]:1", "http://127.9.9.9:1"]) {
    assert.equal((await run({ url })).status, 3, `${url}: nobody is there`);
  }
});

test("a mistake in the arguments is said before anything is sent", async () => {
  const wrong: readonly (readonly [Partial<LoadOptions>, RegExp])[] = [
    [{ rate: "fast" }, /--rate must be like 50/],
    [{ rate: "0" }, /--rate must be from 1 to 5000, not 0/],
    [{ for: "1h" }, /--for must be like 30s or 5m/],
    [{ for: "61m" }, /--for must be from 1 to 3600, not 3660/],
    [{ rate: "5000", for: "10m", sessions: undefined }, /from 1 to 1000000, not 3000000/],
    [{ sessions: 0 }, /from 1 to 1000000, not 0/],
    [{ connections: 0 }, /--connections must be from 1/],
    [{ dialled: undefined }, /say what to dial/],
    [{ msisdn: "999999999999999" }, /numbers from 999999999999999 on do not exist/],
  ];
  for (const [options, problem] of wrong) {
    const { status, err } = await run(options);
    assert.equal(status, 2, String(problem));
    assert.match(err, problem);
  }
});

test("a channel that is a link has no door to load", async (t) => {
  const stub = await startStub(t, {});
  const { status, err } = await run({ url: stub.url, channel: "link" });
  assert.equal(status, 2);
  assert.match(err, /channel "link" has no address of its own/);
});

test("percentiles are within one per cent, whatever the spread", () => {
  const latencies = createLatencies();
  assert.equal(latencies.summary(), undefined);
  for (let ms = 1; ms <= 10_000; ms += 1) latencies.add(ms);
  const { p50 = 0, p95 = 0, p99 = 0, max, count } = latencies.summary() ?? {};
  assert.deepEqual([count, max], [10_000, 10_000]);
  for (const [seen, exact] of [
    [p50, 5_000],
    [p95, 9_500],
    [p99, 9_900],
  ] as const) {
    assert.ok(seen >= exact && seen <= exact * 1.0101, `${seen} for ${exact}`);
  }
});

test("text of the gateway is told from an application's, in every language", () => {
  for (const language of ["en", "fr", "pt", "sw"] as const) {
    assert.equal(failureTextOf(failureScreen("backend_timeout", language)), "maybe_done");
  }
  assert.equal(failureTextOf("Thank you"), undefined);
});
