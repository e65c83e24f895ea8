/**
 * The golden exchanges and hostile inputs of the shared reference shelf, which stands beside a
 * checkout while Dialyard is being built and is not part of it.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  asDialled,
  asServiceCode,
  canonicalDialled,
  digitsAfter,
  parseMsisdn,
  withDigits,
} from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Backend, Codec, Inbound, Reply, Turn, WireReply, WireRequest } from "../types.ts";
import { codecNames, type CodecOptions, createCodec } from "./index.ts";
import { parseXml, type XmlElement } from "./xml.ts";

const SHARED = join(import.meta.dirname, "../../../shared");
const skip = existsSync(SHARED) ? false : "no shared reference shelf beside this checkout";

type Golden = {
  readonly name: string;
  readonly authority: string;
  readonly request: (WireRequest & { readonly query?: string }) | null;
  readonly expect: Expected | null;
  readonly reply: { readonly message: string; readonly end: boolean | null } | null;
  readonly response: (WireReply & { readonly ignore?: readonly string[] }) | null;
  readonly state?: State;
  readonly clock?: string;
};
type State = {
  readonly knownSession?: boolean;
  readonly previousText?: string;
  readonly dialled?: string;
};
type Expected = {
  readonly error?: string;
  readonly event?: "begin" | "input" | "cancel" | "ended";
  readonly sessionId?: string;
  readonly msisdn?: string;
  readonly input?: string;
  readonly dialled?: string;
  readonly serviceCode?: string;
  readonly network?: string;
  readonly transactionId?: string;
};

/** Files that are not named after the codec that reads them, and what a vector assumes. */
const FILES: Readonly<Record<string, string>> = {
  "airtel-flares": "flares",
  crossgate: "africastalking",
  techsavanna: "africastalking",
  ...{ uzo: "ussd-service-op", korba: "ussd-service-op", txtghana: "ussd-service-op" },
};
const OPTIONS: Readonly<Record<string, (name: string) => CodecOptions>> = {
  crossgate: () => ({ preset: "crossgate" }),
  techsavanna: () => ({ preset: "techsavanna" }),
  ...{ korba: () => ({ preset: "korba" }), txtghana: () => ({ preset: "txtghana" }) },
  "tigo-tz": (name) => (name.startsWith("scheme B") ? { scheme: "B" } : { partner: "191" }),
  imimobile: () => ({
    service_code: "*56263#",
    ...{ abortPrefix: "Farewell", abortReply: "You have ended the session" },
  }),
};
/** The code that is registered, where a vector names what was dialled with more behind it. */
const CODES: Readonly<Record<string, string>> = {
  safaricom: "*167#",
  "airtel-flares": "*167#",
};

/** Where Dialyard differs on purpose, by name of the vector and role. */
const DIFFERS: Readonly<Record<string, string>> = {
  "Example 5 backend error (response only), as application":
    "a backend's 500: Dialyard itself never answers a channel with one (RELIABILITY 2.5)",
  "same params twice, as application":
    "a text that brings nothing new is answered as before, not as an empty answer (DESIGN §5)",
  "same params twice, as network": "the text of an empty answer ends in a star here",
  "cleanup of unknown session, as application":
    "what is no session is acknowledged all the same; its msisdn is no number",
  "strip leading newline of reply, as network": "the wire does not carry it",
  "documented pair, as application": "newRequest goes back as it came: its meaning is not said",
  "continue reply with premium, as application": "Dialyard charges nothing: no premium is sent",
};
/** Of a network's own: nothing that Dialyard knows. */
const NOT_OURS = new Set([
  ...["IMSI", "MSC", "tid", "dcs", "code", "country", "transactionId", "requestTime"],
  ...["transactionTime", "creationTime", "timestamp"],
]);

const goldenFiles = existsSync(join(SHARED, "vectors"))
  ? readdirSync(join(SHARED, "vectors")).filter((file) => file.endsWith(".jsonl"))
  : [];
for (const file of goldenFiles.map((name) => name.replace(/\.jsonl$/, ""))) {
  const codecName = FILES[file] ?? file;
  if (!codecNames.includes(codecName)) continue;
  describe(`${file}, golden vectors`, () => {
    for (const vector of readLines<Golden>(`vectors/${file}.jsonl`)) {
      const codec = createCodec(codecName, OPTIONS[file]?.(vector.name));
      for (const [role, check] of [
        ["application", checkAsApplication],
        ["network", checkAsNetwork],
      ] as const) {
        const title = `${vector.name}, as ${role}`;
        const reason = DIFFERS[title] ?? nothingToCheck(vector, role);
        test(`${title} [${vector.authority}]`, { skip: reason }, () => check(codec, vector, file));
      }
    }
  });
}

function nothingToCheck({ expect }: Golden, role: "application" | "network"): string | false {
  if (role === "application") return false;
  if (expect?.error !== undefined) return "a network sends nothing that must be refused";
  const isOver = expect?.event === "cancel" || expect?.event === "ended";
  return isOver ? "notices to backends have tests of their own" : false;
}

function checkAsApplication(codec: Codec, vector: Golden): void {
  const { request, expect, reply, response, state = {}, clock } = vector;
  if (request !== null && expect?.error !== undefined) {
    assert.throws(
      () => codec.decode(wireOf(request)),
      (error) => {
        assert.ok(error instanceof WireError);
        if (response !== null && codec.refuse) checkWire(codec.refuse(error), response);
        return true;
      },
    );
    return;
  }
  const inbound = request === null ? undefined : codec.decode(wireOf(request));
  if (inbound !== undefined && expect !== null) checkInbound(inbound, expect, state);
  if (response === null) return;
  const answered = codec.encode(
    { reply: reply === null ? undefined : replyOf(reply), ...NO_FAILURE },
    inbound ?? inboundLike(fieldsOf({ ...response, ...NO_REQUEST }) as Record<string, string>),
    clock === undefined ? 0 : Date.parse(clock),
  );
  checkWire(answered, response);
}
const NO_REQUEST = { method: "POST", path: "", query: "" };
const NO_FAILURE = { failure: undefined, serviceCode: undefined };

function checkWire(
  answered: WireReply,
  response: WireReply & { readonly ignore?: readonly string[] },
): void {
  assert.equal(answered.status, response.status);
  for (const [header, value] of Object.entries(response.headers)) {
    assert.equal(answered.headers[header.toLowerCase()], value);
  }
  assert.deepEqual(parsed(answered.body, response.ignore), parsed(response.body, response.ignore));
}

function checkAsNetwork(codec: Codec, vector: Golden, file: string): void {
  const { request, expect, reply, response, state = {} } = vector;
  const turn = turnOf(expect, response, state, CODES[file]);
  if (request !== null && expect !== null) {
    const asked = codec.request(turn, { method: request.method } as Backend);
    const fields = fieldsOf(asked);
    // Fields beyond the attested ones are the sender's choice: OLA's provider, for one.
    for (const [field, value] of Object.entries(fieldsOf(request))) {
      if (!NOT_OURS.has(field) && !isSample(field, expect)) {
        assert.deepEqual(fields[field], value, field);
      }
    }
    if (request.method === "POST")
      assert.equal(asked.headers["content-type"], request.headers["content-type"]);
  }
  if (reply === null || response === null) return;
  // Where no headers are attested, text is what the protocol documents.
  const isXml = response.body.startsWith("<");
  const type = isXml
    ? "text/xml"
    : response.body.startsWith("{")
      ? "application/json"
      : "text/plain";
  const lowered = Object.entries(response.headers).map(([name, value]) => [
    name.toLowerCase(),
    value,
  ]);
  const headers = { "content-type": type, ...(Object.fromEntries(lowered) as object) };
  assert.deepEqual(codec.reply({ ...response, headers }, turn), replyOf(reply));
}

/** Documents put any text where the first dial carries none that anybody reads. */
function isSample(field: string, { event }: Expected): boolean {
  const texts = ["ussdString", "session_msg", "ussdRequestString", "msg"];
  return event === "begin" && texts.includes(field);
}

/** Stands in for the session: openTurn has tests of its own for what a message means. */
function checkInbound(inbound: Inbound, expect: Expected, state: State): void {
  const { phase, input, dialled } = inbound;
  const { previousText } = state;
  const isKnown = state.knownSession === true || previousText !== undefined;
  const begins = phase === "begin" || (phase === "unknown" && !isKnown);
  const isOver = expect.event === "cancel" || expect.event === "ended";
  assert.equal(phase === "abort", isOver);
  if (!isOver) assert.equal(begins ? "begin" : "input", expect.event);
  const prefix = input.kind === "history" && previousText ? `${previousText}*` : "";
  assert.ok(input.text.startsWith(prefix));
  // Some documents have a text at the first dial, which begins a dialogue all the same.
  if (!begins) assert.equal(input.text.slice(prefix.length), expect.input);
  if (inbound.sessionId !== undefined) assert.equal(inbound.sessionId, expect.sessionId);
  assert.equal(inbound.msisdn, expect.msisdn?.replace("+", ""));
  const code = expect.serviceCode === undefined ? undefined : canonicalDialled(expect.serviceCode);
  if (begins && expect.dialled !== undefined) {
    const isTail = input.kind === "history" && input.text !== "" && dialled !== undefined;
    assert.equal(isTail ? withDigits(dialled, input.text) : dialled, expect.dialled);
  } else if (code !== undefined) assert.equal(dialled, code);
  if (expect.network !== undefined) assert.equal(inbound.network, expect.network);
  if (expect.transactionId !== undefined) assert.equal(inbound.messageId, expect.transactionId);
}

function turnOf(
  expect: Expected | null,
  response: WireReply | null,
  { previousText, dialled }: State,
  registered: string | undefined,
): Turn {
  const answered = (response?.body.startsWith("{") ? JSON.parse(response.body) : {}) as Record<
    string,
    string
  >;
  const { sessionId, input = "" } = expect ?? {};
  const whole = expect?.dialled ?? dialled ?? expect?.serviceCode ?? "*100#";
  const all = canonicalDialled(whole) ?? asDialled("*100#");
  const code = registered !== undefined && whole.startsWith(registered.slice(0, -1));
  const serviceCode = asServiceCode(code ? registered : (all ?? ""));
  assert.ok(serviceCode && all);
  const isFirst = expect?.event === "begin";
  const dialledDigits = isFirst ? digitsAfter(serviceCode, all) : [];
  return {
    sessionId: sessionId ?? String(answered.sessionId ?? answered.session_id ?? "s"),
    transactionId: expect?.transactionId ?? answered.transaction_id ?? "t",
    number: isFirst ? 1 : 2,
    msisdn: parseMsisdn(expect?.msisdn ?? answered.msisdn ?? "258823456789"),
    serviceCode,
    provider: expect?.network ?? "test",
    input,
    inputs: isFirst ? dialledDigits : [...(previousText ? [previousText] : []), input],
    dialledDigits,
  };
}

function inboundLike(answered: Readonly<Record<string, string>>): Inbound {
  const { sessionId, session_id: other, msisdn = "258823456789" } = answered;
  return {
    sessionId: sessionId ?? other,
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

function wireOf({ method, path = "", headers, body, query = "" }: WireRequest): WireRequest {
  return { method, path, query, headers, body };
}

/** By value where it is JSON, to the byte where it is text. */
function parsed(body: string, ignore: readonly string[] = []): unknown {
  if (body.startsWith("<")) return canonical(parseXml(body, "bad_body"));
  if (!body.startsWith("{")) return body;
  const entries = Object.entries(JSON.parse(body) as Record<string, unknown>);
  return Object.fromEntries(entries.filter(([name]) => !ignore.includes(name)));
}

/** Names, attributes and text; white space between elements is nobody's. */
function canonical({ name, attributes, children, text }: XmlElement): unknown {
  const own = children.length === 0 ? text : text.trim();
  return { name, attributes: [...attributes].sort(), text: own, children: children.map(canonical) };
}

function leavesOf({ name, text, attributes, children }: XmlElement): readonly [string, string][] {
  const own: [string, string][] =
    children.length === 0 && attributes.size === 0 ? [[name, text]] : [];
  return [...own, ...attributes, ...children.flatMap(leavesOf)];
}

function fieldsOf({ method, query, body }: WireRequest): Record<string, unknown> {
  if (body.trim().startsWith("<"))
    return Object.fromEntries(leavesOf(parseXml(body.trim(), "bad_body")));
  if (method !== "GET" && body.startsWith("{")) return JSON.parse(body) as Record<string, unknown>;
  return Object.fromEntries(new URLSearchParams(method === "GET" ? query : body));
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
  return lines.map((line) => JSON.parse(withNumbers(line)) as T);
}

/** Some sources mask a subscriber's number, and vumi's tests have one that no country has. */
function withNumbers(line: string): string {
  return line.replace(/2547?X{7,}/g, "254711000111").replaceAll("00775551122", "256775551122");
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
const EVENTS: Readonly<Record<Inbound["phase"], string>> = {
  ...{ begin: "begin", continue: "input", abort: "cancel", unknown: "input" },
  ...{ notice: "delivered", query: "status" },
};

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
