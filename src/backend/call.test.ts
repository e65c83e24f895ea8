import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTlsServer, type ServerOptions as TlsOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { gzipSync } from "node:zlib";
import { WireError } from "../core/failure.ts";
import type { ScriptedBackend } from "../testing/scripted-backend.ts";
import { httpReply, olaReply, startScriptedBackend } from "../testing/scripted-backend.ts";
import type { Backend, Codec, Msisdn, Reply, ServiceCode, Turn } from "../types.ts";
import { createAnswers } from "./answers.ts";
import type { BackendCaller, BackendResult, CallerOptions } from "./call.ts";
import { createBackendCaller } from "./call.ts";
import { createEgressPolicy } from "./egress.ts";
import { verify } from "./signature.ts";

type OlaBody = Record<"session_id" | "transaction_id", unknown> & {
  output: unknown;
  end_session: unknown;
};

/** As much of the OLA contract as these tests need. */
const codec: Codec = {
  name: "inline",
  decode: () => assert.fail("no channel in these tests"),
  encode: () => assert.fail("no channel in these tests"),
  request: (turn, backend) => ({
    method: backend.method,
    path: "",
    query: "",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ session_id: turn.sessionId, transaction_id: turn.transactionId, input: turn.input }),
  }),
  reply({ body }, turn): Reply {
    let parsed: OlaBody | null;
    try {
      parsed = JSON.parse(body) as OlaBody | null;
    } catch {
      throw new WireError("bad_reply", "no JSON");
    }
    if (parsed === null) throw new WireError("bad_reply", "no object");
    const { session_id, transaction_id, output, end_session } = parsed;
    if (session_id !== turn.sessionId || transaction_id !== turn.transactionId) {
      throw new WireError("bad_reply", "ids of another turn");
    }
    if (!Array.isArray(output) || typeof end_session !== "boolean") {
      throw new WireError("bad_reply", "not the contract");
    }
    return { action: end_session ? "end" : "continue", screen: output.join("\n") };
  },
}; // prettier-ignore

let backendServer: ScriptedBackend;
let caller: BackendCaller;
const nowMs = () => performance.now();
const wallMs = () => Date.now();

function newCaller(options: Partial<CallerOptions> = {}): BackendCaller {
  return createBackendCaller({
    policy: createEgressPolicy({ isGuarded: false }),
    answers: createAnswers({ backends: () => new Map(), tell: () => undefined, nowMs }),
    nowMs,
    wallMs,
    ...options,
  });
}

beforeEach(async () => {
  backendServer = await startScriptedBackend();
  caller = newCaller();
});
afterEach(async () => {
  await Promise.all([caller.close(), backendServer.close()]);
});

let turnCount = 0;
function newTurn(): Turn {
  turnCount += 1;
  return {
    sessionId: `sess_${turnCount}`,
    transactionId: `txn_${turnCount}`,
    number: 1,
    msisdn: "258823456789" as Msisdn,
    serviceCode: "*365#" as ServiceCode,
    provider: "test",
    input: "",
    inputs: [],
    dialledDigits: [],
  };
}
function newBackend(changes: Partial<Backend> = {}): Backend {
  return {
    id: 1,
    serviceCode: "*365#" as ServiceCode,
    name: "bank",
    url: backendServer.url,
    codec,
    method: "POST",
    isActive: true,
    timeoutMs: 1_000,
    retries: 0,
    idempotent: true,
    headers: {},
    secret: undefined,
    inFlightMax: 100,
    eventsUrl: undefined,
    ...changes,
  };
}
function call(
  changes: Partial<Backend> = {},
  budgetMs = 20_000,
  from = caller,
): Promise<BackendResult> {
  const startedAtMs = nowMs();
  return from.call(newBackend(changes), newTurn(), {
    startedAtMs,
    deadlineMs: startedAtMs + budgetMs,
  });
}
const failures = (result: BackendResult) => result.attempts.map(({ failure }) => failure ?? "ok");
function codeOf(result: BackendResult): string {
  return result.type === "failed" ? result.code : `reply: ${result.reply.screen}`;
}
function transactionIds(): Set<unknown> {
  return new Set(
    backendServer.requests.map(({ body }) => (JSON.parse(body) as OlaBody).transaction_id),
  );
}
/** The next call of the same backend is answered as if nothing had been. */
async function assertCleanAfterwards(changes: Partial<Backend> = {}): Promise<void> {
  backendServer.greet("read");
  backendServer.answer({ raw: olaReply("Clean") });
  assert.equal(codeOf(await call(changes)), "reply: Clean");
}

describe("a call that goes well", () => {
  test("brings the screen, one attempt and the octets both ways", async () => {
    const result = await call();
    assert.equal(codeOf(result), "reply: Welcome");
    assert.equal(result.attempts.length, 1);
    const [attempt] = result.attempts;
    assert.equal(attempt?.status, 200);
    assert.equal(attempt?.failure, undefined);
    assert.equal(result.requestOctets, Buffer.byteLength(backendServer.requests[0]?.body ?? ""));
    assert.ok(result.replyOctets > 50);
  });

  test("tells transaction, remaining time and hop, asks for no encoding and sends no cookie", async () => {
    backendServer.answer({ raw: olaReply("Welcome", false, "200 OK", "Set-Cookie: a=b\r\n") });
    const startedAtMs = nowMs();
    const turn = newTurn();
    for (let count = 0; count < 2; count++) {
      await caller.call(newBackend(), turn, {
        startedAtMs,
        deadlineMs: startedAtMs + 10_000,
        hops: 2,
      });
    }
    const headers = backendServer.requests[1]?.headers ?? {};
    assert.equal(headers["idempotency-key"], turn.transactionId);
    assert.equal(headers["x-ussd-hop"], "3");
    assert.equal(headers["user-agent"], "dialyard");
    assert.equal(headers["content-type"], "application/json");
    assert.equal(headers["cookie"], undefined);
    assert.equal(headers["accept-encoding"], undefined);
    const leftMs = Number(headers["x-ussd-deadline-ms"]);
    assert.ok(leftMs > 9_000 && leftMs <= 9_700, `${leftMs} ms left`);
  });

  test("uses the same connections for turns that follow each other", async () => {
    for (let count = 0; count < 50; count++) assert.equal(codeOf(await call()), "reply: Welcome");
    // undici rests a connection for one turn of the event loop, so two take turns.
    assert.ok(backendServer.connections() <= 2);
  });

  test("sends the registration's headers and query, but lets it set none of ours", async () => {
    await call({
      url: `${backendServer.url}?key=1`,
      headers: {
        authorization: "Bearer x",
        "idempotency-key": "fixed",
        host: "other",
        "x-ussd-hop": "0",
      },
    });
    const [request] = backendServer.requests;
    assert.equal(request?.target, "/ussd?key=1");
    assert.equal(request?.headers["authorization"], "Bearer x");
    assert.match(request?.headers["idempotency-key"] ?? "", /^txn_/);
    assert.equal(request?.headers["host"], `127.0.0.1:${backendServer.port}`);
    assert.equal(request?.headers["x-ussd-hop"], "1");
  });

  test("is signed where the registration has a secret", async () => {
    await call({ secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" });
    const { headers = {}, body = "" } = backendServer.requests[0] ?? {};
    const verified = verify("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", headers, body, Date.now());
    assert.deepEqual(verified, { type: "verified", id: headers["idempotency-key"] });
  });
});

describe("a request that provably did not leave is sent again, even to a backend that must not be asked twice", () => {
  test("nothing listens, then something does (F01)", async () => {
    await backendServer.refuse();
    const result = call({ idempotent: false, retries: 1 });
    await sleep(300);
    await backendServer.listenAgain();
    assert.deepEqual(failures(await result), ["backend_unreachable", "ok"]);
  });

  test("a name that does not exist (F02), with one alarm a minute", async () => {
    const alarms: unknown[] = [];
    const lookup = () =>
      Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }));
    const policy = createEgressPolicy({ isGuarded: true, lookup });
    const from = newCaller({
      policy,
      hooks: { alarm: (_, code, errorCode) => alarms.push([code, errorCode]) },
    });
    const result = await call(
      { url: "http://bank.invalid/", retries: 1, idempotent: false },
      20_000,
      from,
    );
    assert.equal(codeOf(result), "backend_unreachable");
    assert.equal(result.attempts.length, 2);
    assert.deepEqual(alarms, [["backend_unreachable", "ENOTFOUND"]]);
    await from.close();
  });

  test("a lookup that hangs ends with the attempt (F03)", async () => {
    const policy = createEgressPolicy({
      isGuarded: true,
      lookup: () => new Promise(() => undefined),
    });
    const from = newCaller({ policy });
    const result = await call({ url: "http://bank.example/", timeoutMs: 600 }, 20_000, from);
    assert.equal(codeOf(result), "backend_unreachable");
    assert.ok((result.attempts[0]?.tookMs ?? 9_999) < 700);
    await from.close();
  });

  test("a connection that comes too late carries no request (F05)", async () => {
    let answer: (() => void) | undefined;
    const lookup = () =>
      new Promise<{ address: string; family: number }[]>((resolve) => {
        answer = () => resolve([{ address: "127.0.0.1", family: 4 }]);
      });
    const from = newCaller({ policy: createEgressPolicy({ isGuarded: false, lookup }) });
    const url = `http://bank.example:${backendServer.port}/`;
    assert.equal(codeOf(await call({ url, timeoutMs: 600 }, 20_000, from)), "backend_unreachable");
    answer?.();
    await sleep(100);
    assert.equal(backendServer.connections(), 1);
    assert.equal(backendServer.requests.length, 0);
    await from.close();
  });

  test("a TLS handshake that fails (F17), with one alarm a minute", async () => {
    const alarms: unknown[] = [];
    const from = newCaller({ hooks: { alarm: (_, code) => alarms.push(code) } });
    const clearText = createServer((_request, response) => response.end());
    await new Promise<void>((resolve) => clearText.listen(0, "127.0.0.1", resolve));
    const url = `https://127.0.0.1:${(clearText.address() as AddressInfo).port}/`;
    const result = await call({ url, retries: 1, idempotent: false }, 20_000, from);
    assert.deepEqual(failures(result), ["backend_unreachable", "backend_unreachable"]);
    assert.deepEqual(alarms, ["backend_unreachable"]);
    await from.close();
    await new Promise((resolve) => clearText.close(resolve));
  });

  test("a certificate that nobody vouches for (F17)", (context) => {
    const certificate = selfSigned();
    if (certificate === undefined) return context.skip("openssl is not installed");
    return refusesTls(certificate, "DEPTH_ZERO_SELF_SIGNED_CERT");
  });

  test("TLS 1.1, however good the certificate (F17)", (context) => {
    const certificate = selfSigned();
    if (certificate === undefined) return context.skip("openssl is not installed");
    const old = {
      minVersion: "TLSv1.1",
      maxVersion: "TLSv1.1",
      ciphers: "ALL:@SECLEVEL=0",
    } as const;
    // Refused before there is a certificate to look at.
    return refusesTls(
      { ...certificate, ...old },
      "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
      async (port) => {
        const reaching = { port, host: "127.0.0.1", rejectUnauthorized: false, ...old } as const;
        const socket = connectTls(reaching);
        await once(socket, "secureConnect");
        assert.equal(socket.getProtocol(), "TLSv1.1", "the server is there for who takes it");
        socket.destroy();
      },
    );
  });
});

async function refusesTls(
  options: TlsOptions,
  expected: string,
  check: (port: number) => Promise<void> = async () => undefined,
): Promise<void> {
  let handled = 0;
  const server = createTlsServer(options, (_request, response) => {
    handled += 1;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await check(port);
  const alarms: unknown[] = [];
  const from = newCaller({ hooks: { alarm: (_, _code, errorCode) => alarms.push(errorCode) } });
  const url = `https://127.0.0.1:${port}/`;
  assert.equal(codeOf(await call({ url }, 20_000, from)), "backend_unreachable");
  assert.equal(handled, 0);
  assert.deepEqual(alarms, [expected]);
  await from.close();
  await new Promise((resolve) => server.close(resolve));
}

function selfSigned(): { key: string; cert: string } | undefined {
  const options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
  const files = ["-keyout", "-", "-out", "-", "-subj", "/CN=127.0.0.1"];
  const made = spawnSync("openssl", [...options.split(" "), ...files], { encoding: "utf8" });
  if (made.status !== 0) return undefined;
  const [, key = ""] = /(-----BEGIN PRIVATE[^]*?END PRIVATE KEY-----)/.exec(made.stdout) ?? [];
  const [, cert = ""] = /(-----BEGIN CERTIFICATE[^]*?END CERTIFICATE-----)/.exec(made.stdout) ?? [];
  return { key, cert };
}

describe("a request that may have been executed", () => {
  type Fault = { readonly arrange: () => void; readonly code: string };
  const faults: Record<string, Fault> = {
    "FIN on accept (F07)": { arrange: () => backendServer.greet("fin"), code: "backend_disconnected" },
    "read, then RST (F08)": { arrange: () => backendServer.answer({ then: "rst" }), code: "backend_disconnected" },
    "read, then FIN": { arrange: () => backendServer.answer({ then: "fin" }), code: "backend_disconnected" },
    "reply lost (F09)": { arrange: () => backendServer.answer({ then: "hold" }), code: "backend_timeout" },
    "accepted, never read": { arrange: () => backendServer.greet("ignore"), code: "backend_timeout" },
    "cut in the headers (F14)": {
      arrange: () => backendServer.answer({ raw: "HTTP/1.1 200 OK\r\nContent-Ty", then: "fin" }),
      code: "backend_disconnected",
    },
    "cut in a counted body (F14)": {
      arrange: () => backendServer.answer({ raw: `${olaReply().replace("{{LEN}}", "500")}`, then: "fin" }),
      code: "backend_disconnected",
    },
    "cut in a counted body of a closing connection": {
      arrange: () =>
        backendServer.answer({ raw: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 500\r\n\r\n{", then: "fin" }),
      code: "backend_disconnected",
    },
    "cut in a chunked body": {
      arrange: () =>
        backendServer.answer({
          raw: "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":",
          then: "fin",
        }),
      code: "backend_disconnected",
    },
    "RST in the body": {
      arrange: () => backendServer.answer({ raw: "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", then: "rst" }),
      code: "backend_disconnected",
    },
    "a complete 500 (F25)": {
      arrange: () => backendServer.answer({ raw: httpReply("", "500 Internal Server Error") }),
      code: "backend_failed",
    },
  }; // prettier-ignore

  for (const [name, { arrange, code }] of Object.entries(faults)) {
    test(`${name}: no second attempt where the backend must not be asked twice`, async () => {
      arrange();
      const result = await call({ idempotent: false, retries: 2, timeoutMs: 600 });
      assert.equal(codeOf(result), code);
      assert.equal(result.attempts.length, 1);
      assert.ok(backendServer.requests.length <= 1);
      assert.equal(backendServer.connections(), 1);
      await assertCleanAfterwards();
    });
  }

  test("is repeated with the same transaction id where the backend may be asked twice", async () => {
    backendServer.answer((_request, count) =>
      count === 1 ? { then: "rst" } : { raw: olaReply() },
    );
    const result = await call({ retries: 2 });
    assert.deepEqual(failures(result), ["backend_disconnected", "ok"]);
    assert.equal(transactionIds().size, 1);
  });

  test("RST on accept is told by whether the request was written (F06)", async () => {
    backendServer.greet("rst");
    const result = await call({ idempotent: false });
    assert.ok(
      ["backend_unreachable", "backend_disconnected"].includes(codeOf(result)),
      codeOf(result),
    );
    assert.equal(backendServer.requests.length, 0);
    await assertCleanAfterwards();
  });
});

describe("time", () => {
  test("500, 503 and then a screen: waits of 1 s and 2 s, one transaction id (F25)", async () => {
    backendServer.answer((_request, count) => {
      if (count === 3) return { raw: olaReply() };
      return {
        raw: httpReply("", count === 1 ? "500 Internal Server Error" : "503 Service Unavailable"),
      };
    });
    const result = await call({ retries: 2 });
    assert.deepEqual(failures(result), ["backend_failed", "backend_failed", "ok"]);
    assert.deepEqual(result.attempts.map(({ status }) => status), [500, 503, 200]); // prettier-ignore
    const [first = 0, second = 0, third = 0] = backendServer.requests.map(({ atMs }) => atMs);
    assert.ok(Math.abs(second - first - 1_000) < 120, `first wait ${second - first}`);
    assert.ok(Math.abs(third - second - 2_000) < 120, `second wait ${third - second}`);
    assert.equal(transactionIds().size, 1);
  });

  test("latency below the timeout is one attempt and a normal screen (F10)", async () => {
    backendServer.answer({ raw: olaReply(), delayMs: 700 });
    const result = await call({ timeoutMs: 1_000, retries: 2 });
    assert.deepEqual(failures(result), ["ok"]);
    assert.ok((result.attempts[0]?.tookMs ?? 0) >= 690);
  });

  test("a late reply does not get to the next turn (F11, F12)", async () => {
    backendServer.answer({ raw: olaReply("Late"), delayMs: 800 });
    assert.equal(codeOf(await call({ timeoutMs: 500 })), "backend_timeout");
    backendServer.answer({ raw: olaReply("Next") });
    assert.equal(codeOf(await call()), "reply: Next");
    await sleep(400);
    assert.equal(codeOf(await call()), "reply: Next");
  });

  test("a drip is ended by the total time, not by idleness, within 50 ms (F13)", async () => {
    backendServer.answer({ raw: olaReply(), dripMs: 40 });
    const result = await call({ timeoutMs: 800 });
    assert.equal(codeOf(result), "backend_timeout");
    const tookMs = result.attempts[0]?.tookMs ?? 0;
    assert.ok(tookMs >= 800 && tookMs <= 850, `${tookMs} ms`);
  });

  test("a slow but steady reply inside its time is shown (F15)", async () => {
    backendServer.answer({ raw: olaReply("Hi"), dripMs: 2 });
    assert.equal(codeOf(await call({ timeoutMs: 3_000 })), "reply: Hi");
  });

  test("no attempt runs past the budget less the reserve", async () => {
    backendServer.answer({ then: "hold" });
    const startMs = nowMs();
    const result = await call({ timeoutMs: 1_000, retries: 5 }, 2_900);
    const tookMs = nowMs() - startMs;
    // 0-1000, then 2000-2600 of 2900 with 300 kept back.
    assert.deepEqual(failures(result), ["backend_timeout", "backend_timeout"]);
    assert.ok(tookMs >= 2_590 && tookMs <= 2_660, `${tookMs} ms`);
  });

  test("with no time left nothing is sent, and that is said", async () => {
    const result = await call({}, 700);
    assert.equal(codeOf(result), "backend_busy");
    assert.deepEqual(result.attempts, []);
    assert.equal(backendServer.requests.length, 0);
  });

  test("Retry-After lengthens the wait when it fits (RELIABILITY 1)", async () => {
    const busy = httpReply("", "503 Service Unavailable", "Retry-After: 2\r\n");
    backendServer.answer((_request, count) => (count === 1 ? { raw: busy } : { raw: olaReply() }));
    assert.deepEqual(failures(await call({ retries: 1 })), ["backend_failed", "ok"]);
    const [first = 0, second = 0] = backendServer.requests.map(({ atMs }) => atMs);
    assert.ok(Math.abs(second - first - 2_000) < 120, `waited ${second - first}`);
  });
});

describe("a 5xx with a screen (OLA API reference, Example 5)", () => {
  const sorry = (status = "500 Internal Server Error") =>
    olaReply("Service temporarily unavailable", true, status);

  test("is shown after the last attempt, which stays a failed one", async () => {
    backendServer.answer({ raw: sorry() });
    const result = await call({ retries: 1 });
    assert.equal(codeOf(result), "reply: Service temporarily unavailable");
    assert.deepEqual(failures(result), ["backend_failed", "backend_failed"]);
  });

  test("is not shown when a later attempt may have been executed", async () => {
    backendServer.answer((_request, count) => (count === 1 ? { raw: sorry() } : { then: "hold" }));
    const result = await call({ retries: 1, timeoutMs: 500 });
    assert.equal(codeOf(result), "backend_timeout");
  });

  test("is shown when the last attempt was not sent at all", async () => {
    backendServer.answer({ raw: sorry(), then: "fin" });
    const result = call({ retries: 1 });
    await sleep(300);
    await backendServer.refuse();
    assert.equal(codeOf(await result), "reply: Service temporarily unavailable");
    assert.deepEqual(failures(await result), ["backend_failed", "backend_unreachable"]);
  });

  test("an error page is no screen", async () => {
    backendServer.answer({ raw: httpReply("<html>oops</html>", "502 Bad Gateway") });
    assert.equal(codeOf(await call()), "backend_failed");
  });
});

test("'nothing was charged' is not said after an attempt that may have been executed", async () => {
  backendServer.answer({ then: "rst" });
  const result = call({ retries: 1 });
  await sleep(300);
  await backendServer.refuse();
  assert.deepEqual(failures(await result), ["backend_disconnected", "backend_unreachable"]);
  assert.equal(codeOf(await result), "backend_disconnected");
});

describe("a complete reply that breaks the contract is not asked for again (F23, F24, F26)", () => {
  const gzipped = gzipSync(Buffer.alloc(8_000_000, "a"));
  const gzipHead = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${gzipped.length}\r\n\r\n`;
  const replies: Record<string, string | Buffer> = {
    "another session's id": olaReply().replace("{{SESSION_ID}}", "sess_other"),
    "another transaction's id": olaReply().replace("{{TRANSACTION_ID}}", "txn_other"),
    "302 to the metadata service": httpReply("", "302 Found", "Location: http://169.254.169.254/\r\n"),
    "400": httpReply("", "400 Bad Request"),
    "401 with a good body": olaReply("Welcome", false, "401 Unauthorized"),
    "204": "HTTP/1.1 204 No Content\r\n\r\n",
    "100 and silence": "HTTP/1.1 100 Continue\r\n\r\n",
    "103": `HTTP/1.1 103 Early Hints\r\n\r\n${olaReply()}`,
    "101": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "HTML with 200": httpReply("<html>OK</html>"),
    "null": httpReply("null"),
    "Latin-1": Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n\"caf\xe9\"", "latin1"),
    "a gzip bomb": Buffer.concat([Buffer.from(gzipHead), gzipped]),
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "both lengths": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
SSH: "SSH-2.0-OpenSSH_9.9\r\n",
    "17 KiB of headers": httpReply("{}", "200 OK", `X: ${"a".repeat(17_000)}\r\n`),
  }; // prettier-ignore

  for (const [name, raw] of Object.entries(replies)) {
    test(name, async () => {
      backendServer.answer({ raw });
      const result = await call({ retries: 2 });
      assert.deepEqual(
        [codeOf(result), ...failures(result)],
        ["backend_malformed", "backend_malformed"],
      );
      assert.equal(backendServer.requests.length, 1);
      await assertCleanAfterwards();
    });
  }
});

describe("size (F27)", () => {
  test("64 KiB pass, one octet more does not", async () => {
    const filled = (octets: number) => {
      const template = olaReply("FILL");
      const empty = template.slice(template.indexOf("\r\n\r\n") + 4).replace("FILL", "");
      const ids = { session: `sess_${turnCount + 1}`, transaction: `txn_${turnCount + 1}` };
      const length = Buffer.byteLength(
        empty.replace("{{SESSION_ID}}", ids.session).replace("{{TRANSACTION_ID}}", ids.transaction),
      );
      return template.replace("FILL", "x".repeat(octets - length));
    };
    backendServer.answer({ raw: filled(65_536) });
    const result = await call();
    assert.equal(result.type, "reply");
    assert.equal(result.replyOctets, 65_536);
    backendServer.answer({ raw: filled(65_537) });
    assert.equal(codeOf(await call()), "backend_malformed");
  });

  test("endless chunks are cut off: little is read, the connection goes, memory stays", async () => {
    const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    backendServer.answer({ raw: head, repeat: `1000\r\n${"a".repeat(4_096)}\r\n` });
    const before = process.memoryUsage();
    for (let count = 0; count < 20; count++) {
      assert.equal(codeOf(await call({ retries: 2, timeoutMs: 5_000 })), "backend_malformed");
    }
    await sleep(50);
    assert.equal(backendServer.requests.length, 20);
    assert.equal(backendServer.openConnections(), 0);
    const after = process.memoryUsage();
    const grewOctets = after.heapUsed + after.external - before.heapUsed - before.external;
    assert.ok(grewOctets < 40_000_000, `${grewOctets} octets`);
    await assertCleanAfterwards();
  });

  test("10 MB announced is refused at the headers", async () => {
    const body = "a".repeat(10_000_000);
    backendServer.answer({ raw: `HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n${body}` });
    const result = await call();
    assert.equal(codeOf(result), "backend_malformed");
    assert.equal(result.replyOctets, 0);
    await assertCleanAfterwards();
  });

  test("an endless 500 is a failed one", async () => {
    const head = "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n";
    backendServer.answer({ raw: head, repeat: `1000\r\n${"a".repeat(4_096)}\r\n` });
    assert.equal(codeOf(await call({ idempotent: false })), "backend_failed");
  });

  test("a body dripped in many small writes is put together", async () => {
    const text = "Z".repeat(900);
    backendServer.answer({ raw: olaReply(text), dripMs: 0 });
    assert.equal(codeOf(await call({ timeoutMs: 8_000 })), `reply: ${text}`);
  });
});

describe("connections", () => {
  test("surplus octets after a reply drop the connection, the next call is clean", async () => {
    backendServer.answer({
      raw: `${olaReply("First")}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}`,
    });
    // The reply's own length must not count the surplus.
    const first = await call();
    assert.notEqual(first.type === "reply" ? first.reply.screen : "", "{}");
    await assertCleanAfterwards();
    assert.equal(backendServer.connections(), 2);
  });

  test("a reply with surplus octets is used itself", async () => {
    const body =
      '{"session_id":"{{SESSION_ID}}","transaction_id":"{{TRANSACTION_ID}}","output":["One"],"end_session":false}';
    const ids = [`sess_${turnCount + 1}`, `txn_${turnCount + 1}`] as const;
    const filled = body.replace("{{SESSION_ID}}", ids[0]).replace("{{TRANSACTION_ID}}", ids[1]);
    const raw = `HTTP/1.1 200 OK\r\nContent-Length: ${filled.length}\r\n\r\n${filled}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}`;
    backendServer.answer({ raw });
    assert.equal(codeOf(await call()), "reply: One");
    await assertCleanAfterwards();
    assert.equal(backendServer.connections(), 2);
  });

  test("a keep-alive connection the backend closed meanwhile costs no attempt (F16)", async () => {
    for (let count = 0; count < 20; count++) {
      const result = await call({ idempotent: false });
      assert.deepEqual(failures(result), ["ok"]);
      backendServer.closeIdle();
      if (count % 2 === 0) await sleep(5); // else the FIN and the next request cross
    }
  });

  test("an idle connection is closed after 4 s, before the backend's usual 5 s", async () => {
    await call();
    assert.equal(backendServer.openConnections(), 1);
    await sleep(3_000);
    assert.equal(backendServer.openConnections(), 1);
    await sleep(1_900);
    assert.equal(backendServer.openConnections(), 0);
  });

  test("forget closes the connections of that backend and drops its state", async () => {
    await call({ id: 1 });
    await call({ id: 2 });
    assert.equal(backendServer.openConnections(), 2);
    caller.forget(1);
    await sleep(50);
    assert.equal(backendServer.openConnections(), 1);
    assert.equal(caller.stateOf(1), undefined);
    assert.ok(caller.stateOf(2));
  });

  test("close waits for the attempts in flight", async () => {
    backendServer.answer({ raw: olaReply(), delayMs: 300 });
    const result = call();
    await sleep(50);
    await caller.close();
    assert.equal(codeOf(await result), "reply: Welcome");
  });
});

describe("overload", () => {
  test("ten failed attempts open the breaker, a probe after 5 s closes it", async () => {
    let shiftMs = 0;
    const changes: boolean[] = [];
    const from = newCaller({
      nowMs: () => performance.now() + shiftMs,
      hooks: { breaker: (_, isOpen) => changes.push(isOpen) },
    });
    const dial = () => {
      const startedAtMs = performance.now() + shiftMs;
      return from.call(newBackend(), newTurn(), { startedAtMs, deadlineMs: startedAtMs + 20_000 });
    };
    backendServer.answer({ then: "rst" });
    for (let count = 0; count < 10; count++)
      assert.equal(codeOf(await dial()), "backend_disconnected");
    assert.equal(from.stateOf(1)?.isOpen, true);

    const startMs = performance.now();
    assert.equal(codeOf(await dial()), "backend_busy");
    assert.ok(performance.now() - startMs < 50);
    assert.equal(backendServer.requests.length, 10);

    shiftMs = 5_100;
    assert.equal(codeOf(await dial()), "backend_disconnected");
    assert.equal(codeOf(await dial()), "backend_busy");
    backendServer.answer({ raw: olaReply() });
    shiftMs = 10_300;
    assert.equal(codeOf(await dial()), "reply: Welcome");
    assert.equal(codeOf(await dial()), "reply: Welcome");
    assert.deepEqual(changes, [true, false]);
    await from.close();
  });

  test("an open breaker is that backend's alone (F22)", async () => {
    backendServer.answer({ then: "rst" });
    for (let count = 0; count < 10; count++) await call({ id: 1 });
    backendServer.answer({ raw: olaReply() });
    assert.equal(codeOf(await call({ id: 1 })), "backend_busy");
    assert.equal(codeOf(await call({ id: 2 })), "reply: Welcome");
  });

  test("attempts beyond the limit in flight are refused at once", async () => {
    backendServer.answer({ raw: olaReply(), delayMs: 300 });
    const results = await Promise.all(Array.from({ length: 5 }, () => call({ inFlightMax: 2 })));
    assert.deepEqual(results.map(codeOf).sort(), [
      ...["backend_busy", "backend_busy", "backend_busy"],
      ...["reply: Welcome", "reply: Welcome"],
    ]);
    assert.equal(backendServer.requests.length, 2);
    assert.equal(caller.stateOf(1)?.inFlight, 0);
  });

  test("of twenty turns that fail at once three are retried: the retry budget's floor", async () => {
    const from = newCaller({ breakerLimits: { failuresInRowMax: 1_000, windowSize: 1_000 } });
    backendServer.answer({ raw: httpReply("", "503 Service Unavailable") });
    const results = await Promise.all(
      Array.from({ length: 20 }, () => call({ retries: 1 }, 20_000, from)),
    );
    assert.equal(
      results.reduce((sum, { attempts }) => sum + attempts.length, 0),
      23,
    );
    assert.equal(from.stateOf(1)?.retriesInFlight, 0);
    await from.close();
  });
});

describe("egress", () => {
  test("a refused URL is not called, and an operator hears of it", async () => {
    const alarms: string[] = [];
    const from = newCaller({
      policy: createEgressPolicy({ isGuarded: true }),
      hooks: { alarm: (_, code) => alarms.push(code) },
    });
    for (let count = 0; count < 3; count++) {
      assert.equal(codeOf(await call({ retries: 2 }, 20_000, from)), "backend_refused_address");
    }
    assert.deepEqual(alarms, ["backend_refused_address"]);
    assert.equal(backendServer.connections(), 0);
    await from.close();
  });

  test("a name that leads to a private address is refused at connect, not retried (F04)", async () => {
    const lookup = async () => [{ address: "127.0.0.1", family: 4 }];
    const from = newCaller({ policy: createEgressPolicy({ isGuarded: true, lookup }) });
    const url = `http://bank.example:${backendServer.port}/`;
    const result = await call({ url, retries: 2 }, 20_000, from);
    assert.equal(codeOf(result), "backend_refused_address");
    assert.equal(result.attempts.length, 1);
    assert.equal(backendServer.connections(), 0);
    await from.close();
  });
});

describe("notices", () => {
  const notice = () => ({
    url: `${backendServer.url}/events`,
    method: "POST",
    path: "",
    query: "",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "status=Incomplete",
  });

  test("are sent once, signed, and count as delivered with any 2xx", async () => {
    backendServer.answer({ raw: "HTTP/1.1 204 No Content\r\n\r\n" });
    assert.equal(await caller.notify(newBackend({ secret: "s" }), notice()), true);
    const [request] = backendServer.requests;
    assert.equal(request?.target, "/ussd/events");
    assert.equal(
      verify("s", request?.headers ?? {}, request?.body ?? "", Date.now()).type,
      "verified",
    );
  });

  test("that are not taken are not sent again", async () => {
    backendServer.answer({ raw: httpReply("", "500 Oops") });
    assert.equal(await caller.notify(newBackend({ retries: 3 }), notice()), false);
    assert.equal(backendServer.requests.length, 1);
  });

  test("go to no address that calls may not go to", async () => {
    const from = newCaller({ policy: createEgressPolicy({ isGuarded: true }) });
    assert.equal(await from.notify(newBackend(), notice()), false);
    assert.equal(backendServer.connections(), 0);
    await from.close();
  });
});

test("a header that HTTP cannot carry is our fault: no retry, nothing sent", async () => {
  const result = await call({ headers: { "x-bad": "a\nb" }, retries: 2 });
  assert.equal(codeOf(result), "internal_error");
  assert.equal(result.attempts.length, 1);
  assert.equal(backendServer.connections(), 0);
});

test("a codec that throws anything but a WireError is told apart from a bad reply", async () => {
  const broken: Codec = {
    ...codec,
    reply() {
      throw new TypeError("bug");
    },
  };
  const result = await call({ codec: broken, retries: 2 });
  assert.deepEqual(failures(result), ["internal_error"]);
  assert.equal(caller.stateOf(1)?.inFlight, 0);
});

test("works against node:http with replies of unknown length and a closing connection", async () => {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const { session_id, transaction_id } = JSON.parse(body) as OlaBody;
      response.setHeader("connection", request.url === "/close" ? "close" : "keep-alive");
      response.write('{"output":["Hi"],');
      response.end(JSON.stringify({ session_id, transaction_id, end_session: false }).slice(1));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  for (const path of ["/", "/close", "/"]) {
    assert.equal(codeOf(await call({ url: `http://127.0.0.1:${port}${path}` })), "reply: Hi");
  }
  await caller.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
