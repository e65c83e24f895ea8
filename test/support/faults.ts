/** One fault of a backend, met by a subscriber in the middle of a session. RELIABILITY 5. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { connect, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import {
  olaReply,
  startScriptedBackend,
  type ScriptedBackend,
} from "../../src/testing/scripted-backend.ts";
import type { StartedGateway } from "./gateway.ts";
import { createNumbering, onlySessionOf, phoneOn, type SessionRecord } from "./operator.ts";
import { register, type Phone, type Seen } from "./phones.ts";

export const TURN_BUDGET_MS = 3_500;
/** What measuring adds on a busy machine. */
const TOLERANCE_MS = 250;
/** Channels with little patience, so that no row of the matrix takes long; one with all of it. */
export const configFile = `export const config = { channels: {
  test: { protocol: "ola", options: { door: "true" }, turnBudgetMs: ${TURN_BUDGET_MS} },
  africastalking: { protocol: "africastalking", turnBudgetMs: ${TURN_BUDGET_MS} },
  ixo: { protocol: "ixo", turnBudgetMs: ${TURN_BUDGET_MS}, requestsPerMinuteMax: 0 },
  kairos: { protocol: "kairos", turnBudgetMs: ${TURN_BUDGET_MS} },
  patient: { protocol: "kairos", turnBudgetMs: 20000, paths: ["/patient/ussd/kairos/callback"] },
} };`;

export type Fault = {
  readonly title: string;
  /** Protocol of the subscriber's channel. */
  readonly via: "africastalking" | "ixo" | "kairos";
  /** Fields of the registration besides `timeout: 1, retries: 1`. */
  readonly registration?: Readonly<Record<string, unknown>>;
  readonly inflict: (backend: ScriptedBackend) => unknown;
  /** Undefined where a screen of the gateway's own is shown. */
  readonly heal?: (backend: ScriptedBackend) => unknown;
  readonly screen: string;
  readonly outcome: string;
  /** Requests that the backend read. */
  readonly hits: number;
  /** What came of each attempt, "ok" included. */
  readonly attempts: readonly string[];
};
export type Place = {
  readonly backend: ScriptedBackend;
  readonly serviceCode: string;
  readonly backendId: number;
  readonly newPhone: (via: string) => { readonly phone: Phone; readonly msisdn: string };
  /** A session of somebody else begins as if nothing had been. */
  readonly expectHealthy: (via: string) => Promise<void>;
};

const newMsisdn = createNumbering("25886");
let places = 0;
const opened: ScriptedBackend[] = [];

/** What a failed test left open would keep the whole file from ending. */
export async function closePlaces(): Promise<void> {
  for (const backend of opened.splice(0)) await backend.close();
}

/** A backend of its own, registered; the caller closes it. */
export async function openPlace(
  gateway: StartedGateway,
  registration: Readonly<Record<string, unknown>> = {},
): Promise<Place> {
  const backend = await startScriptedBackend();
  opened.push(backend);
  const serviceCode = `*${8_000 + ++places}#`;
  const { id } = await register(gateway.url, {
    service_code: serviceCode,
    callback_url: backend.url,
    timeout: 1,
    retries: 1,
    ...registration,
  });
  const newPhone = (via: string) => {
    const msisdn = newMsisdn();
    return { phone: phoneOn(via, gateway.url, msisdn, `fault-${msisdn}`), msisdn };
  };
  return {
    backend,
    serviceCode,
    backendId: id,
    newPhone,
    async expectHealthy(via) {
      const seen = await newPhone(via).phone.dial(serviceCode);
      assert.deepEqual(seen, { status: 200, isEnd: false, screen: "Welcome" });
    },
  };
}

export async function timed<T>(
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly tookMs: number }> {
  const startedMs = performance.now();
  const value = await work();
  return { value, tookMs: performance.now() - startedMs };
}

export function assertWithinBudget(tookMs: number, budgetMs = TURN_BUDGET_MS): void {
  assert.ok(tookMs <= budgetMs + TOLERANCE_MS, `answered after ${Math.round(tookMs)} ms`);
}

/** What all rows of the fault matrix have in common. */
export async function meetFault(gateway: StartedGateway, fault: Fault): Promise<void> {
  const { via, screen, outcome } = fault;
  const place = await openPlace(gateway, fault.registration);
  const { backend } = place;
  try {
    const { phone, msisdn } = place.newPhone(via);
    assert.equal((await phone.dial(place.serviceCode)).screen, "Welcome");
    const readBefore = backend.requests.length;
    await fault.inflict(backend);
    const { value: seen, tookMs } = await timed(() => phone.type("1"));
    const expected: Seen = { status: 200, isEnd: outcome !== "ok", screen };
    assert.deepEqual(seen, expected);
    assertWithinBudget(tookMs);

    const hits = backend.requests.slice(readBefore);
    assert.equal(hits.length, fault.hits, "requests that the backend read");
    const { records } = await onlySessionOf(gateway.url, msisdn);
    assert.equal(records.length, 2, "one record for each turn");
    const [, record] = records;
    assert.ok(record);
    assertRecord(record, fault);
    const ids = new Set(hits.map((hit) => hit.headers["idempotency-key"]));
    for (const { transaction_id } of record.attempts) ids.add(transaction_id);
    assert.equal(ids.size, 1, "one transaction_id for all attempts");

    if (fault.heal !== undefined) await fault.heal(backend);
    else healed(backend);
    await place.expectHealthy(via);
  } finally {
    await backend.close();
  }
}

function assertRecord(record: SessionRecord, { outcome, screen, attempts }: Fault): void {
  assert.equal(record.outcome, outcome);
  assert.equal(record.screen, screen);
  const results = record.attempts.map(({ failure }) => failure ?? "ok");
  assert.deepEqual(results, attempts);
}

function healed(backend: ScriptedBackend): void {
  backend.answer({ raw: olaReply() });
  backend.greet("read");
}

/** New connections meet this greeting, and there are no others. */
export async function greetAll(
  backend: ScriptedBackend,
  greeting: Parameters<ScriptedBackend["greet"]>[0],
): Promise<void> {
  backend.greet(greeting);
  backend.closeIdle();
  await wait(50);
}

/** A listener whose queue of connections is full, so that a SYN gets no answer. */
export async function startSwallower(context: TestContext): Promise<number | undefined> {
  const source = `const s = require("node:net").createServer();
    s.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      require("node:fs").writeSync(1, String(s.address().port) + "\\n");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ["-e", source], { stdio: ["ignore", "pipe", "ignore"] });
  const fillers: Socket[] = [];
  context.after(() => {
    for (const filler of fillers) filler.destroy();
    child.kill("SIGKILL");
  });
  const port = await new Promise<number>((resolve) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(Number(chunk.toString())));
  });
  for (let nth = 0; nth < 8; nth++) {
    const filler = connect(port, "127.0.0.1").on("error", () => undefined);
    fillers.push(filler);
    // A busy machine may need a while for a connection that is taken.
    for (let waited = 0; filler.connecting && waited < 700; waited += 50) await wait(50);
    if (filler.connecting) return port;
  }
  context.skip("this system takes connections beyond a listener's backlog");
  return undefined;
}

export async function startUntrusted(context: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), "dialyard-tls-"));
  context.after(() => rmSync(dir, { recursive: true }));
  const [keyFile, certFile] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  const made = spawnSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-subj", "/CN=localhost", "-days", "1", "-keyout", keyFile, "-out", certFile],
  ]);
  if (made.status !== 0) {
    context.skip("openssl is not here to make a certificate");
    return undefined;
  }
  let hits = 0;
  const tls = { key: readFileSync(keyFile), cert: readFileSync(certFile) };
  const server = createTlsServer(tls, (_, response) => {
    hits += 1;
    response.end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  context.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, hits: () => hits };
}
