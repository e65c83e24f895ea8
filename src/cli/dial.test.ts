import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable, Writable } from "node:stream";
import { test, type TestContext } from "node:test";
import { codecs, createCodec } from "../codecs/index.ts";
import type { Inbound, Reply } from "../types.ts";
import { dial, type DialOptions } from "./dial.ts";
import { terminalIo } from "./terminal.ts";

type Stub = {
  readonly url: string;
  /** Bodies posted to the channel. */
  readonly posted: string[];
  readonly heard: Inbound[];
  readonly authorizations: (string | undefined)[];
};
type Script = {
  readonly protocol?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly screens?: readonly Reply[];
  /** Answers instead of the channel, or of the path it returns something for. */
  readonly instead?: (path: string) => { status: number; body: string; type?: string } | undefined;
};

const MENU: readonly Reply[] = [
  { action: "continue", screen: "Welcome John Doe\n\n1. Check Balance\n2. Transfer Money" },
  { action: "continue", screen: "Enter amount (MZN):" },
  { action: "end", screen: "Transfer Successful!" },
];

/** A gateway that shows one screen after another, in any protocol by the codec's other half. */
async function startStub(t: TestContext, script: Script = {}): Promise<Stub> {
  const { protocol = "ola", screens = MENU } = script;
  const options = script.options ?? (protocol === "ola" ? { door: "true" } : {});
  const codec = createCodec(protocol, options);
  const stub = {
    posted: [] as string[],
    heard: [] as Inbound[],
    authorizations: [] as (string | undefined)[],
  };
  const channel = {
    name: "test",
    protocol,
    protocol_options: options,
    provider: "movitel",
    path: "/ussd/test/callback",
    turn_budget_ms: 2_000,
    screen_octets_max: 160,
  };
  const json = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const code = (dialled: string): { service_code: string; digits: string[] } | undefined => {
    if (!dialled.startsWith("*365")) return undefined;
    const digits = dialled.slice("*365".length, -1).split("*").slice(1);
    return { service_code: "*365#", digits };
  };
  const answer = (request: IncomingMessage, response: ServerResponse, body: string): void => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://stub");
    const instead = script.instead?.(pathname);
    if (instead !== undefined) {
      const { status, type = "application/json" } = instead;
      response.writeHead(status, { "content-type": type }).end(instead.body);
      return;
    }
    stub.authorizations.push(request.headers.authorization);
    if (pathname === "/api/v1/channels") return json(response, 200, { channels: [channel] });
    if (pathname === "/api/v1/codes") {
      const found = code(searchParams.get("dialled") ?? "");
      return found ? json(response, 200, found) : json(response, 404, { error: "not_found" });
    }
    if (pathname === "/backends") {
      const row = { service_code: "*365#", name: "Demo bank", status: "active" };
      return json(response, 200, [row, { ...row, service_code: "*9#", status: "inactive" }]);
    }
    if (!pathname.startsWith(channel.path)) return json(response, 404, { error: "not_found" });
    const path = pathname.slice(channel.path.length);
    const method = request.method ?? "";
    const headers = request.headers as Record<string, string | undefined>;
    const query = new URL(request.url ?? "/", "http://gateway").search.slice(1);
    const inbound = codec.decode({ method, path, query, headers, body });
    const reply = screens[stub.posted.length];
    stub.posted.push(body);
    stub.heard.push(inbound);
    const wire = codec.encode({ reply, failure: undefined, serviceCode: undefined }, inbound, 1);
    response.writeHead(wire.status, wire.headers).end(wire.body);
  };
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    request.on("end", () => answer(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return { ...stub, url: `http://127.0.0.1:${address.port}` };
}

type Run = { readonly status: number; readonly out: string; readonly err: string };

/** Runs the phone on real streams, as main.ts does. Times are left out: they vary. */
async function run(
  typed: readonly string[],
  options: Partial<DialOptions>,
  isTTY = false,
): Promise<Run> {
  const written = { out: "", err: "" };
  const into = (name: "out" | "err") => {
    const write: Writable["_write"] = (chunk: Buffer, _encoding, done) => {
      written[name] += chunk.toString("utf8");
      done();
    };
    return Object.assign(new Writable({ write }), { isTTY });
  };
  const stdin = Object.assign(Readable.from(typed.map((line) => `${line}\n`)), { isTTY });
  const io = terminalIo({ stdin, stdout: into("out"), stderr: into("err") });
  const status = await dial(
    {
      dialled: "*365#",
      msisdn: "258823456789",
      channel: "test",
      url: "http://127.0.0.1:1",
      adminKey: undefined,
      ...options,
    },
    io,
  );
  return { status, out: written.out.replace(/\b\d+ ms/g, "N ms"), err: written.err };
}

const TRANSCRIPT = `> *365#
| Welcome John Doe
| 
| 1. Check Balance
| 2. Transfer Money
= septets 52/182, N ms
> 2
| Enter amount (MZN):
= septets 19/182, N ms
> 150
| Transfer Successful!
= septets 20/182, N ms
— session ended —
`;

const dialable = codecs.filter(({ name }) => {
  const { overLink, pushes } = createCodec(name);
  return !overLink && !pushes;
});
for (const { name: protocol } of dialable) {
  test(`a whole session over a channel that speaks ${protocol}, in a pipe`, async (t) => {
    const stub = await startStub(t, { protocol });
    const result = await run(["2", "150", "never read"], { url: stub.url });
    assert.deepEqual(result, { status: 0, out: TRANSCRIPT, err: "" });
    assert.equal(new Set(stub.heard.map(({ sessionId }) => sessionId)).size, 1);
    // Some wires send what was dialled as the first input.
    const first = stub.heard[0];
    const dialled = ["*365#", "365"].includes(first?.input.text ?? "") ? first?.input.text : "";
    assert.deepEqual(
      stub.heard.map(({ msisdn, input }) => [msisdn, input.text]),
      stub.heard[0]?.input.kind === "history"
        ? [
            ["258823456789", ""],
            ["258823456789", "2"],
            ["258823456789", "2*150"],
          ]
        : [
            ["258823456789", dialled],
            ["258823456789", "2"],
            ["258823456789", "150"],
          ],
    );
  });
}

test("the OLA test door hears the code, and each turn under an id of its own", async (t) => {
  const stub = await startStub(t);
  await run(["2", "150"], { url: stub.url });
  const bodies = stub.posted.map((body) => JSON.parse(body) as Record<string, string>);
  const [first = {}, second = {}] = bodies;
  assert.match(first["session_id"] ?? "", /^sess_[0-9a-f]{32}$/);
  assert.deepEqual(first, {
    provider: "movitel",
    msisdn: "258823456789",
    session_id: first["session_id"],
    transaction_id: first["transaction_id"],
    input: "",
    service_code: "*365#",
  });
  assert.equal(second["input"], "2");
  assert.equal(new Set(bodies.map((body) => body["transaction_id"])).size, 3);
});

test("digits dialled after the code go where the protocol has a place for them", async (t) => {
  const dialledOver = async (protocol: string): Promise<string> => {
    const stub = await startStub(t, { protocol });
    const { out } = await run([], { url: stub.url, dialled: "365*2*500" });
    assert.match(out, /^> \*365\*2\*500#\n/);
    return stub.posted[0] ?? "";
  };
  const form = new URLSearchParams(await dialledOver("africastalking"));
  assert.deepEqual([form.get("serviceCode"), form.get("text")], ["*365#", "2*500"]);
  const field = async (protocol: string, name: string): Promise<unknown> =>
    (JSON.parse(await dialledOver(protocol)) as Record<string, unknown>)[name];
  assert.equal(await field("kairos", "ussdString"), "*365*2*500#");
  assert.equal(await field("ixo", "serviceCode"), "*365*2*500#");
  assert.equal(await field("ola", "service_code"), "*365*2*500#");
});

test("a history begins with the digits that were dialled", async (t) => {
  const stub = await startStub(t, { protocol: "africastalking" });
  await run(["150"], { url: stub.url, dialled: "*365*2#" });
  assert.deepEqual(
    stub.heard.map(({ input }) => input.text),
    ["2", "2*150"],
  );
});

test("a code that nobody registered is dialled all the same", async (t) => {
  const screens = [{ action: "end", screen: "This code is not in service." }] as const;
  const stub = await startStub(t, { protocol: "africastalking", screens });
  const { status, out } = await run([], { url: stub.url, dialled: "*777#" });
  assert.equal(status, 0);
  assert.match(out, /\| This code is not in service\.\n/);
  assert.equal(new URLSearchParams(stub.posted[0]).get("serviceCode"), "*777#");
});

test("when the input ends first the phone hangs up, with status 0", async (t) => {
  const stub = await startStub(t);
  const { status, out } = await run(["2"], { url: stub.url });
  assert.equal(status, 0);
  assert.ok(out.endsWith("| Enter amount (MZN):\n= septets 19/182, N ms\n— hung up —\n"), out);
  assert.equal(stub.posted.length, 2);
});

test("what answers a screen that asks for a PIN is not in the transcript", async (t) => {
  const screens: readonly Reply[] = [
    { action: "continue", screen: "Enter PIN:" },
    { action: "end", screen: "Thank you" },
  ];
  const stub = await startStub(t, { screens });
  const { out } = await run(["4711"], { url: stub.url });
  assert.match(out, /^> \*\*\*\*$/m);
  assert.doesNotMatch(out, /4711/);
  assert.match(stub.posted[1] ?? "", /"4711"/);
});

test("on a terminal a screen is a box, and what is typed is not echoed twice", async (t) => {
  const screens: readonly Reply[] = [
    { action: "continue", screen: "Olá, João: saldo ção\n1. Sim" },
    { action: "end", screen: `${"a".repeat(60)}b` },
  ];
  const stub = await startStub(t, { screens });
  const { out } = await run(["1"], { url: stub.url }, true);
  const rule = (columns: number): string => "─".repeat(columns + 2);
  assert.equal(
    out,
    `┌${rule(24)}┐\n│ Olá, João: saldo ção     │\n│ 1. Sim                   │\n└${rule(24)}┘\n` +
      `  characters 27/80 UCS-2 · N ms\n> ` +
      `┌${rule(60)}┐\n│ ${"a".repeat(60)} │\n│ b${" ".repeat(59)} │\n└${rule(60)}┘\n` +
      "  septets 61/182 · N ms\n— session ended —\n",
  );
});

test("a screen cannot drive the terminal", async (t) => {
  const screens = [{ action: "end", screen: "\u001b[2Jhi\u202e!" }] as const;
  const stub = await startStub(t, { screens });
  const { out } = await run([], { url: stub.url });
  assert.match(out, /\| \[2Jhi!\n/);
});

test("without a code the active ones are listed, and the first line is dialled", async (t) => {
  const stub = await startStub(t);
  const { status, out, err } = await run(["*365#", "2", "150"], {
    url: stub.url,
    dialled: undefined,
  });
  assert.deepEqual([status, out, err], [0, TRANSCRIPT, "  *365#  Demo bank\n"]);
  const nothing = await run([], { url: stub.url, dialled: undefined });
  assert.equal(nothing.status, 2);
});

test("an error of the gateway is told with its code, status 1", async (t) => {
  const message = "No backend registered for service code *365#";
  const body = JSON.stringify({ error: "backend_not_found", message, service_code: "*365#" });
  const instead = (path: string) => (path.startsWith("/ussd") ? { status: 404, body } : undefined);
  const stub = await startStub(t, { instead });
  const { status, err } = await run(["2"], { url: stub.url });
  assert.equal(status, 1);
  assert.equal(err, `the gateway answered 404 backend_not_found: ${message}\n`);
});

test("an answer that is not the channel's protocol is told so, status 1", async (t) => {
  const instead = (path: string) =>
    path.startsWith("/ussd") ? { status: 200, body: "<html>", type: "text/html" } : undefined;
  const stub = await startStub(t, { instead });
  const { status, err } = await run([], { url: stub.url });
  assert.equal(status, 1);
  assert.match(err, /^the answer is not ola: /);
});

test("the admin key goes to the management API alone, and is asked for when missing", async (t) => {
  const stub = await startStub(t);
  await run(["2", "150"], { url: stub.url, adminKey: "k" });
  assert.deepEqual(stub.authorizations, ["Bearer k", undefined, undefined, undefined]);
  const body = JSON.stringify({ error: "unauthorized", message: "a valid admin key is needed" });
  const closed = await startStub(t, { instead: () => ({ status: 401, body }) });
  const { status, err } = await run([], { url: closed.url });
  assert.equal(status, 1);
  assert.match(
    err,
    /401 unauthorized: a valid admin key is needed \(give its admin key by --key\)/,
  );
});

test("with nobody listening the phone says how to start a gateway, status 3", async () => {
  const { status, out, err } = await run([], { url: "http://127.0.0.1:1" });
  assert.deepEqual([status, out], [3, ""]);
  assert.equal(err, "no gateway at http://127.0.0.1:1; start one with npm start\n");
});

test("what cannot be dialled is refused before anything is sent, status 2", async (t) => {
  const stub = await startStub(t);
  for (const [options, expected] of [
    [{ dialled: "hello" }, /"hello" cannot be dialled/],
    [{ msisdn: "0821" }, /--msisdn must be E\.164/],
    [{ url: "ftp://x" }, /--url must be like/],
    [{ channel: "vodacom" }, /no channel "vodacom": there are test/],
    [{ dialled: "*365*12345678901#" }, /too long for the protocol/],
  ] as const) {
    const { status, err } = await run([], { url: stub.url, ...options });
    assert.equal(status, 2, err);
    assert.match(err, expected);
  }
  assert.deepEqual(stub.posted, []);
});
