/**
 * The golden exchanges and hostile inputs of the shared reference shelf, which stands beside a
 * checkout while Dialyard is being built and is not part of it.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { asDialled, asServiceCode, parseMsisdn } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Backend, Codec, Inbound, Reply, Turn, WireReply, WireRequest } from "../types.ts";
import { codecNames, createCodec } from "./index.ts";

const SHARED = join(import.meta.dirname, "../../../shared");
const skip = existsSync(SHARED) ? false : "no shared reference shelf beside this checkout";

type Golden = {
  readonly name: string;
  readonly authority: string;
  readonly request: (WireRequest & { readonly query?: string }) | null;
  readonly expect: Expected | null;
  readonly reply: { readonly message: string; readonly end: boolean | null } | null;
  readonly response: (WireReply & { readonly ignore?: readonly string[] }) | null;
  readonly state?: { readonly previousText?: string };
};
type Expected = {
  readonly error?: string;
  readonly event?: "begin" | "input" | "cancel";
  readonly sessionId?: string;
  readonly msisdn?: string;
  readonly input?: string;
  readonly dialled?: string;
  readonly serviceCode?: string;
  readonly network?: string;
  readonly transactionId?: string;
};

/** Where Dialyard differs on purpose, by name of the vector and role. */
const DIFFERS: Readonly<Record<string, string>> = {
  "Example 5 backend error (response only), as application":
    "a backend's 500: Dialyard itself never answers a channel with one (RELIABILITY 2.5)",
};

const withGolden = codecNames.filter((name) => existsSync(join(SHARED, `vectors/${name}.jsonl`)));
for (const name of withGolden) {
  describe(`${name}, golden vectors`, { skip }, () => {
    for (const vector of skip === false ? readLines<Golden>(`vectors/${name}.jsonl`) : []) {
      const codec = createCodec(name);
      for (const [role, check] of [
        ["application", checkAsApplication],
        ["network", checkAsNetwork],
      ] as const) {
        const title = `${vector.name}, as ${role}`;
        const reason = DIFFERS[title] ?? nothingToCheck(vector, role);
        test(`${title} [${vector.authority}]`, { skip: reason }, () => check(codec, vector));
      }
    }
  });
}

function nothingToCheck(vector: Golden, role: "application" | "network"): string | false {
  if (role === "application") return false;
  if (vector.expect?.error !== undefined) return "a network sends nothing that must be refused";
  return false;
}

function checkAsApplication(
  codec: Codec,
  { request, expect, reply, response, state }: Golden,
): void {
  if (request !== null && expect?.error !== undefined) {
    assert.throws(() => codec.decode(wireOf(request)), WireError);
    return;
  }
  const inbound = request === null ? undefined : codec.decode(wireOf(request));
  if (inbound !== undefined && expect !== null) checkInbound(inbound, expect, state?.previousText);
  if (reply === null || response === null) return;
  const answered = codec.encode(
    { reply: replyOf(reply), failure: undefined, serviceCode: undefined },
    inbound ?? inboundLike(JSON.parse(response.body) as Record<string, string>),
    0,
  );
  assert.equal(answered.status, response.status);
  for (const [header, value] of Object.entries(response.headers)) {
    assert.equal(answered.headers[header.toLowerCase()], value);
  }
  assert.deepEqual(parsed(answered.body, response.ignore), parsed(response.body, response.ignore));
}

function checkAsNetwork(codec: Codec, { request, expect, reply, response, state }: Golden): void {
  const turn = turnOf(expect, response, state?.previousText);
  if (request !== null && expect !== null) {
    const asked = codec.request(turn, { method: request.method } as Backend);
    const fields = parsed(asked.body) as Record<string, unknown>;
    const attested = parsed(request.body) as Record<string, unknown>;
    // Fields beyond the attested ones are the sender's choice: OLA's provider, for one.
    for (const [field, value] of Object.entries(attested))
      assert.equal(fields[field], value, field);
    assert.equal(asked.headers["content-type"], request.headers["content-type"]);
  }
  if (reply === null || response === null) return;
  // Where no headers are attested, text is what the protocol documents.
  const headers = { "content-type": "text/plain", ...response.headers };
  assert.deepEqual(codec.reply({ ...response, headers }, turn), replyOf(reply));
}

/** Stands in for the session: openTurn has tests of its own for what a message means. */
function checkInbound(inbound: Inbound, expect: Expected, previousText: string | undefined): void {
  const { phase, input } = inbound;
  const begins =
    phase === "begin" || (phase === "unknown" && previousText === undefined && input.text === "");
  assert.equal(phase === "abort" ? "cancel" : begins ? "begin" : "input", expect.event);
  const prefix = input.kind === "history" && previousText ? `${previousText}*` : "";
  assert.ok(input.text.startsWith(prefix));
  assert.equal(input.text.slice(prefix.length), expect.input);
  assert.equal(inbound.sessionId, expect.sessionId);
  assert.equal(inbound.msisdn, expect.msisdn?.replace("+", ""));
  if (expect.dialled !== undefined) assert.equal(inbound.dialled, expect.dialled);
  if (expect.serviceCode !== undefined) assert.equal(inbound.dialled, expect.serviceCode);
  if (expect.network !== undefined) assert.equal(inbound.network, expect.network);
  if (expect.transactionId !== undefined) assert.equal(inbound.messageId, expect.transactionId);
}

function turnOf(expect: Expected | null, response: WireReply | null, previousText?: string): Turn {
  const answered = (response === null ? {} : parsed(response.body)) as Record<string, string>;
  const { sessionId = answered.sessionId ?? answered.session_id ?? "s", input = "" } = expect ?? {};
  const serviceCode = asServiceCode(expect?.serviceCode ?? expect?.dialled ?? "*100#");
  assert.ok(serviceCode);
  const isFirst = expect?.event === "begin";
  return {
    sessionId,
    transactionId: expect?.transactionId ?? answered.transaction_id ?? "t",
    number: isFirst ? 1 : 2,
    msisdn: parseMsisdn(expect?.msisdn ?? answered.msisdn ?? "258823456789"),
    serviceCode,
    provider: expect?.network ?? "test",
    input,
    inputs: isFirst ? [] : [...(previousText ? [previousText] : []), input],
    dialledDigits: [],
  };
}

function inboundLike(answered: Readonly<Record<string, string>>): Inbound {
  const { sessionId, msisdn = "" } = answered;
  return {
    sessionId,
    msisdn: parseMsisdn(msisdn),
    phase: "continue",
    dialled: asDialled("*100#"),
    input: { kind: "latest", text: "1" },
    messageId: undefined,
    network: undefined,
    echo: answered,
  };
}

/** `end: null` is a source that does not say; the shelf's README compares with false. */
function replyOf({ message, end }: { message: string; end: boolean | null }): Reply {
  return { action: end === true ? "end" : "continue", screen: message };
}

function wireOf({ method, headers, body, query = "" }: WireRequest): WireRequest {
  return { method, path: "", query, headers, body };
}

/** By value where it is JSON or a form, to the byte where it is text. */
function parsed(body: string, ignore: readonly string[] = []): unknown {
  if (/^(?:CON|END) /.test(body)) return body;
  const entries = body.startsWith("{")
    ? Object.entries(JSON.parse(body) as Record<string, unknown>)
    : [...new URLSearchParams(body)];
  return Object.fromEntries(entries.filter(([name]) => !ignore.includes(name)));
}

type Hostile = {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly body_repeat?: {
    readonly head: string;
    readonly unit: string;
    readonly times: number;
    readonly tail: string;
  };
  readonly expect_status: number;
  readonly needs_backend?: true;
  readonly why: string;
};
const DOORS: Readonly<Record<string, Codec>> = {
  test: createCodec("ola", { door: "true" }),
  at: createCodec("africastalking"),
  ixo: createCodec("ixo"),
  kairos: createCodec("kairos"),
};

describe("hostile inputs that need no session are refused by the codec", { skip }, () => {
  for (const hostile of skip === false ? readLines<Hostile>("bad-inputs.jsonl") : []) {
    const codec = DOORS[hostile.name.split(".")[0] ?? ""];
    const body = bodyOf(hostile);
    // 413 is for the door to say, and what needs a backend may be taken or refused.
    if (codec === undefined || body === undefined) continue;
    if (hostile.expect_status !== 400 || hostile.needs_backend === true) continue;
    test(`${hostile.name}: ${hostile.why}`, () => {
      const { headers } = hostile;
      const request = { method: "POST", path: "", query: "", headers, body };
      assert.throws(() => codec.decode(request), WireError);
    });
  }
});

function bodyOf({ body, body_repeat: repeat }: Hostile): string | undefined {
  if (repeat !== undefined) return repeat.head + repeat.unit.repeat(repeat.times) + repeat.tail;
  return body?.replaceAll("{{RUN}}", "run1");
}

function readLines<T>(path: string): readonly T[] {
  const file = join(SHARED, path);
  // A codec without golden vectors has its own alone.
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as T);
}

/** SMPP's captures are PDUs as fields, one file for each profile. */
type GoldenPdu = {
  readonly name: string;
  readonly authority: string;
  readonly request: PduFields | null;
  readonly expect: { readonly event: string; readonly sessionId: string | number } | null;
  readonly reply: { readonly message: string; readonly end: boolean } | null;
  readonly response: PduFields | null;
  readonly config?: { readonly ussdCodePduField: string };
};
type PduFields = {
  readonly short_message?: string;
  readonly text?: string;
  readonly source_addr?: string;
  readonly destination_addr?: string;
  readonly tlvs: Readonly<Record<string, string | number>>;
};
const EVENTS = { begin: "begin", continue: "input", abort: "cancel", unknown: "input" } as const;

for (const profile of ["mica", "sixdee"]) {
  describe(`smpp, profile ${profile}, golden vectors`, { skip }, () => {
    const lines = skip === false ? readLines<GoldenPdu>(`vectors/smpp-${profile}.jsonl`) : [];
    for (const { name, authority, request, expect, reply, response, config } of lines) {
      test(`${name} [${authority}]`, () => {
        const codeField = config?.ussdCodePduField ?? "short_message";
        const codec = createCodec("smpp", { profile, codeField });
        if (request !== null && expect !== null) {
          const inbound = codec.decode(wireOfPdu(request));
          assert.equal(EVENTS[inbound.phase], expect.event);
          assert.equal(inbound.sessionId, String(expect.sessionId));
        }
        if (reply === null || response === null) return;
        const { ussd_service_op, ...session } = response.tlvs;
        const asked = { ...response, tlvs: { ...session, ussd_service_op: 18 }, text: "1" };
        const source = { source_addr: "258841234567", destination_addr: "*123#" };
        const answered = codec.encode(
          { reply: replyOf(reply), failure: undefined, serviceCode: undefined },
          codec.decode(withoutEnd(wireOfPdu({ ...asked, ...source }))),
          0,
        );
        assert.equal(answered.body, response.text);
        assert.equal(answered.headers["ussd_service_op"], String(ussd_service_op));
        for (const [tlv, value] of Object.entries(session))
          assert.equal(answered.headers[tlv], String(value));
      });
    }
  });
}

function wireOfPdu(fields: PduFields): WireRequest {
  const { tlvs, short_message, text, source_addr, destination_addr } = fields;
  const parameters = Object.entries(tlvs).map(([name, value]) => [name, String(value)]);
  // The captures have words where numbers of subscribers are.
  const known = /^[1-9][0-9]{6,}$/.test(source_addr ?? "") ? source_addr : undefined;
  return {
    ...{ method: "deliver_sm", path: "", query: "" },
    headers: { ...Object.fromEntries(parameters), source_addr: known, destination_addr },
    body: short_message ?? text ?? "",
  };
}

/** The question to an answer that ends: the end bit is the answer's own. */
function withoutEnd(request: WireRequest): WireRequest {
  const info = request.headers["its_session_info"];
  if (info === undefined) return request;
  const started = (Number.parseInt(info, 16) & 0xfffe).toString(16).padStart(4, "0");
  return { ...request, headers: { ...request.headers, its_session_info: started } };
}
