/**
 * Golden vectors: one exchange a line as JSON, captured by others or copied from a provider's own
 * document, and what it means in words that belong to no protocol. They are run both ways: as the
 * application that a network calls, and as the network that calls an application.
 */
import assert from "node:assert/strict";
import { asDialled, asServiceCode, canonicalDialled, parseMsisdn } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Backend, Codec, Inbound, Reply, Turn, WireReply, WireRequest } from "../types.ts";
import { type Attested, checkBody, fieldsOf } from "./golden-compare.ts";
import { checkPdu, type PduVector } from "./golden-pdu.ts";
import { parseRequest } from "./http.ts";

export type GoldenVector = {
  readonly name: string;
  readonly source: string;
  /** How much it proves: "official", "official-secondhand", "test" or "code". */
  readonly authority: string;
  readonly request: GoldenRequest | null;
  readonly expect: GoldenExpect | null;
  readonly reply: GoldenReply | null;
  readonly response: (Pick<WireReply, "status" | "headers"> & Attested) | null;
  /** The call that brings the screen, where it is a call of its own. */
  readonly outbound?: GoldenCall;
  readonly state?: { readonly previousText?: string; readonly knownSession?: boolean };
  readonly config?: Readonly<Record<string, unknown>>;
  /** The time at which the reply is written. */
  readonly clock?: string;
};
type GoldenRequest = Partial<WireRequest> & { readonly fragment?: boolean };
type GoldenReply = {
  readonly message: string;
  readonly end: boolean | null;
  readonly push?: unknown;
};
type GoldenCall = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly match?: string;
  readonly fields?: Readonly<Record<string, string>>;
};
type GoldenExpect = {
  readonly error?: string;
  readonly query?: string;
  readonly event?: string | null;
  readonly sessionId?: string | null;
  readonly msisdn?: string | null;
  readonly input?: string;
  readonly dialled?: string;
  readonly serviceCode?: string;
  readonly presetInputs?: readonly string[];
  readonly network?: string;
  readonly transactionId?: string;
};

/** How one file of vectors is run: written in a codec's own vectors file as `golden`. */
export type GoldenSheet = {
  /** The file's name without `.jsonl`. */
  readonly file: string;
  /** What the codec is created with; a function of the vector's `config` where that says so. */
  readonly options?:
    Readonly<Record<string, string>> | ((vector: GoldenVector) => Readonly<Record<string, string>>);
  /** Part of the captured paths that stands for the channel's own. */
  readonly mountedAt?: string;
  /** What fragments, and fields of a call that are given alone, are in: "<dialog>{}</dialog>". */
  readonly wrap?: string;
  /** Raw requests that come before a line which is an answer alone, by the line's name. */
  readonly asked?: Readonly<Record<string, string>>;
  /** What is registered, where lines name what was dialled with more behind it. */
  readonly code?: string | ((vector: GoldenVector) => string | undefined);
  /** Fields of a request whose value is the sender's choice. */
  readonly free?: readonly string[];
  /** What the source masks or made up where a number or a code has to be, and one to put there. */
  readonly standIns?: Readonly<Record<string, string>>;
  /** Where Dialyard differs on purpose: name of the vector, or "name, as network", and why. */
  readonly differs?: Readonly<Record<string, string>>;
};
export type GoldenRole = "application" | "network";
export const GOLDEN_ROLES: readonly GoldenRole[] = ["application", "network"];

export function readGolden(lines: string): readonly GoldenVector[] {
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as GoldenVector);
}

export function goldenOptions(
  { options = {} }: GoldenSheet,
  vector: GoldenVector,
): Readonly<Record<string, string>> {
  return typeof options === "function" ? options(vector) : options;
}

const NO_SCREEN = new Set(["cancel", "timeout", "error", "ended", "charge_failed", "delivered"]);

/** Why nothing of this line can be checked in this role; undefined where it can. */
export function goldenSkip(
  codec: Codec,
  sheet: GoldenSheet,
  { name, expect, request, response, reply, outbound }: GoldenVector,
  role: GoldenRole,
): string | undefined {
  const differs = sheet.differs?.[`${name}, as ${role}`] ?? sheet.differs?.[name];
  if (differs !== undefined) return differs;
  if (role === "application") return undefined;
  if (expect?.error !== undefined) return "a network sends nothing that must be refused";
  if (expect?.query !== undefined) return "a network's question about a session is no turn";
  if (expect?.event === null) return "a message to ignore is not sent";
  if (expect?.event !== undefined && NO_SCREEN.has(expect.event)) return "a notice is no turn";
  if (codec.overLink === true) return "no backend is called over a link";
  if (outbound !== undefined && codec.pushes === undefined) {
    return "a screen that nobody asked for is no answer";
  }
  const isAnswered = response !== null && (reply !== null || codec.pushes !== undefined);
  const halves = (request !== null && expect !== null) || isAnswered;
  return halves ? undefined : "a reply that is pushed has no backend's side";
}

/** Throws an AssertionError, or what the codec threw, where they differ. */
export function checkGolden(
  codec: Codec,
  sheet: GoldenSheet,
  masked: GoldenVector,
  role: GoldenRole,
): void {
  const vector = withStandIns(masked, sheet);
  if (codec.overLink === true) {
    const { reply } = vector;
    checkPdu(codec, vector as unknown as PduVector, reply === null ? undefined : replyOf(reply));
  } else if (role === "application") checkAsApplication(codec, sheet, vector);
  else checkAsNetwork(codec, sheet, vector);
}

function withStandIns(vector: GoldenVector, { standIns = {} }: GoldenSheet): GoldenVector {
  const line = Object.entries(standIns).reduce(
    (text, [masked, standIn]) => text.replaceAll(masked, standIn),
    JSON.stringify(vector),
  );
  return JSON.parse(line) as GoldenVector;
}

function checkAsApplication(codec: Codec, sheet: GoldenSheet, vector: GoldenVector): void {
  const { request, expect, reply, response, outbound, state, clock } = vector;
  if (request !== null && expect?.error !== undefined) {
    checkRefusal(codec, wireOf(request, sheet), response);
    return;
  }
  const inbound = inboundOf(codec, sheet, vector);
  if (request !== null && expect !== null) checkInbound(inbound, vector);
  if (outbound === undefined && response === null) return;
  if (reply?.push !== undefined) {
    checkPush(codec, vector);
    return;
  }
  const { pushes } = codec;
  if (pushes !== undefined && response !== null) {
    checkAnswer(pushes.acknowledge(inbound), response);
    if (reply === null || outbound === undefined) return;
  }
  const answer = codec.encode(
    {
      reply: reply === null ? undefined : replyOf(reply),
      failure: undefined,
      serviceCode: undefined,
      ...{ isLive: state?.knownSession === true },
    },
    inbound,
    clock === undefined ? 0 : Date.parse(clock),
  );
  if (outbound !== undefined) checkCall(answer, outbound);
  else if (response !== null) checkAnswer(answer, response);
}

function checkRefusal(
  codec: Codec,
  request: WireRequest,
  response: GoldenVector["response"],
): void {
  assert.throws(
    () => codec.decode(request),
    (error) => {
      assert.ok(error instanceof WireError, String(error));
      if (response !== null && codec.refuse !== undefined) {
        assert.equal(codec.refuse(error).status, response.status);
      }
      return true;
    },
  );
}

function checkPush(codec: Codec, { reply, outbound }: GoldenVector): void {
  const serviceCode = asServiceCode("*100#");
  assert.ok(codec.initiate && reply && outbound && serviceCode, "this codec opens no dialogue");
  const { msisdn = "258823456789" } = reply as { readonly msisdn?: string };
  const shown = replyOf({ ...reply, end: reply.end ?? reply.push === "notify" });
  const opening = { msisdn: parseMsisdn(msisdn), serviceCode, reply: shown };
  checkCall(codec.initiate({ ...opening, nonce: "0123456789abcdef".repeat(2) }).wire, outbound);
}

function checkAnswer(answer: WireReply, response: NonNullable<GoldenVector["response"]>): void {
  assert.equal(answer.status, response.status);
  for (const [header, value] of Object.entries(response.headers)) {
    assert.equal(answer.headers[header.toLowerCase()], value, header);
  }
  checkBody(answer.body, response);
}

function checkCall(answer: WireReply, { headers = {}, body, match, fields = {} }: GoldenCall) {
  for (const [header, value] of Object.entries(headers)) {
    assert.equal(answer.headers[header.toLowerCase()], value, header);
  }
  if (body !== undefined) {
    checkBody(answer.body, { body, ...(match === undefined ? {} : { match }) });
  }
  for (const [name, value] of Object.entries(fields)) {
    const found = new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]*)<`).exec(answer.body)?.[1];
    assert.equal(found ?? "", value, name);
  }
}

function inboundOf(codec: Codec, sheet: GoldenSheet, vector: GoldenVector): Inbound {
  const { name, request, response } = vector;
  const asked = sheet.asked?.[name];
  if (asked !== undefined) return codec.decode(parseRequest(asked));
  if (request !== null) return codec.decode(wireOf(request, sheet));
  return inboundLike(response?.body ?? "");
}

/** What is asked has to be guessed from what was answered: its ids are in it. */
function inboundLike(body: string): Inbound {
  const fields = /^\s*\{/.test(body) ? fieldsOf(body) : new Map<string, string>();
  const msisdn = [...fields].find(([name]) => /msisdn|mobile|phone/i.test(name))?.[1];
  return {
    sessionId: [...fields].find(([name]) => /session_?id$/i.test(name))?.[1],
    msisdn: parseMsisdn((msisdn ?? "258823456789").replace("+", "")),
    phase: "continue",
    dialled: asDialled("*100#"),
    input: { kind: "latest", text: "1" },
    messageId: [...fields].find(([name]) => /transaction_?id$/i.test(name))?.[1],
    network: undefined,
    echo: Object.fromEntries(fields),
  };
}

/** The session's part is openTurn's, which has tests of its own: these are the facts alone. */
function checkInbound(inbound: Inbound, { expect, state }: GoldenVector): void {
  if (expect === null) return;
  const { phase, input, dialled, messageId, echo } = inbound;
  if (expect.query !== undefined) {
    assert.equal<string>(phase, "query");
    return;
  }
  const event = expect.event ?? "ignored";
  checkPhase(phase, event);
  const isSame = (value: string | null | undefined, found: string | undefined, name: string) => {
    if (value !== null && value !== undefined) assert.equal(found, value, name);
  };
  isSame(expect.sessionId, inbound.sessionId ?? inbound.msisdn, "session id");
  // Where the first leg alone names the subscriber, the session knows the number.
  const known = inbound.msisdn ?? (state?.knownSession ? expect.msisdn : undefined);
  isSame(expect.msisdn?.replace("+", ""), known?.replace("+", ""), "msisdn");
  isSame(expect.network, inbound.network, "network");
  const named = Object.values(echo).find((value) => value === expect.transactionId);
  isSame(expect.transactionId, named ?? messageId, "message id");
  if (event === "begin") checkDial(inbound, expect);
  if (event !== "input") return;
  if (dialled !== undefined && expect.dialled !== undefined) {
    assert.ok(expect.dialled.startsWith(dialled.slice(0, -1)), "dialled");
  }
  const { previousText = "" } = state ?? {};
  const prefix = input.kind === "history" && previousText !== "" ? `${previousText}*` : "";
  if (expect.input === "" && input.text === previousText) return;
  assert.ok(input.text.startsWith(prefix), "the history goes on");
  isSame(expect.input, input.text.slice(prefix.length), "input");
}

function checkPhase(phase: Inbound["phase"], event: string): void {
  const means: Readonly<Record<string, readonly string[]>> = {
    begin: ["begin"],
    continue: ["input"],
    // Whether there is a session decides, and the wire does not say.
    unknown: ["begin", "input"],
    abort: ["cancel", "timeout", "error", "ended", "charge_failed"],
    notice: ["delivered", "ignored", "charge_failed"],
    query: [],
  };
  assert.ok(means[phase]?.includes(event), `"${phase}" is read where it is "${event}"`);
}

/** A begin has no input here: text that came with it is digits dialled, or nobody's. */
function checkDial({ dialled, input }: Inbound, expect: GoldenExpect): void {
  const tail = input.kind === "history" && input.text !== "" ? `*${input.text}` : "";
  const whole = dialled === undefined ? undefined : `${dialled.slice(0, -1)}${tail}#`;
  if (expect.dialled !== undefined) {
    assert.ok([dialled, whole].includes(canonicalDialled(expect.dialled)), "dialled");
  }
  const code = expect.serviceCode && canonicalDialled(expect.serviceCode);
  if (code) assert.ok(whole?.startsWith(code.slice(0, -1)), "service code");
  const preset = expect.presetInputs?.join("*");
  if (preset) assert.ok(whole?.endsWith(`*${preset}#`), "digits after the code");
}

function checkAsNetwork(codec: Codec, sheet: GoldenSheet, vector: GoldenVector): void {
  const { request, expect, reply, response } = vector;
  const inbound = inboundOf(codec, sheet, vector);
  const turn = turnOf(inbound, vector, codeOf(sheet, vector));
  if (request !== null && expect !== null) {
    const wire = wireOf(request, sheet);
    const asked = codec.request(turn, { method: wire.method } as Backend);
    assert.equal(asked.method, wire.method);
    checkFields(asked, wire, sheet.free ?? []);
    const { echo: _, network: __, ...heard } = codec.decode(asked);
    const { echo: ___, network: ____, ...attested } = inbound;
    assert.deepEqual(heard, attested);
  }
  if (codec.pushes !== undefined) checkPushed(codec, sheet, vector, turn);
  if (codec.pushes !== undefined || reply === null || response === null) return;
  // Where no headers are attested, the type is what the body is.
  const headers = { "content-type": typeOf(response.body), ...lowered(response.headers) };
  const { action, screen } = codec.reply({ ...response, headers }, turn);
  assert.deepEqual({ action, screen }, replyOf(reply));
}

/** The application acknowledges, and its screen comes as a call of its own. */
function checkPushed(
  codec: Codec,
  { wrap = "{}" }: GoldenSheet,
  { reply, response, outbound }: GoldenVector,
  turn: Turn,
): void {
  if (response !== null) assert.equal(codec.pushes?.heard(response), "taken");
  if (reply === null || outbound === undefined) return;
  const { headers = {}, fields = {} } = outbound;
  const written = Object.entries(fields).map(([name, value]) => `<${name}>${value}</${name}>`);
  const body = outbound.body ?? wrap.replace("{}", () => written.join(""));
  const { action, screen } = codec.reply({ status: 200, headers: lowered(headers), body }, turn);
  assert.deepEqual({ action, screen }, replyOf(reply));
}

/** Fields beyond those of either side are the sender's choice: a provider, an IMSI. */
function checkFields(asked: WireRequest, wire: WireRequest, free: readonly string[]): void {
  if (wire.body.trimStart().startsWith("<")) return;
  const ours = fieldsOf(asked.body || asked.query);
  for (const [name, value] of fieldsOf(wire.body || wire.query)) {
    const own = ours.get(name);
    if (own !== undefined && !free.includes(name)) assert.equal(own, value, name);
  }
}

function codeOf({ code }: GoldenSheet, vector: GoldenVector): string | undefined {
  return typeof code === "function" ? code(vector) : code;
}

function turnOf(
  inbound: Inbound,
  { expect, state }: GoldenVector,
  registered: string | undefined,
): Turn {
  const { input, messageId, network, dialled } = inbound;
  const isFirst = expect?.event === "begin";
  const code = canonicalDialled(registered ?? expect?.serviceCode ?? "") ?? dialled;
  const whole = dialled ?? code ?? "*100#";
  const serviceCode = asServiceCode(code ?? "*100#") ?? asServiceCode("*100#");
  assert.ok(serviceCode);
  const digits = whole.slice(serviceCode.length, -1).split("*").filter(Boolean);
  const typed = input.kind === "history" ? input.text : (expect?.input ?? input.text);
  const previous = state?.previousText ? [state.previousText] : [];
  const latest = expect?.input ?? typed;
  return {
    sessionId: inbound.sessionId ?? "s",
    transactionId: messageId ?? "t",
    number: isFirst ? 1 : 2,
    msisdn: inbound.msisdn ?? parseMsisdn("258823456789"),
    serviceCode,
    provider: network ?? "test",
    input: isFirst ? "" : latest,
    inputs: isFirst ? [] : [...previous, latest],
    dialledDigits: isFirst ? digits : [],
  };
}

/** `end: null` is a source that does not say; it is compared as false. */
function replyOf({ message, end }: GoldenReply): Reply {
  return { action: end === true ? "end" : "continue", screen: message };
}

function wireOf(request: GoldenRequest, { mountedAt, wrap }: GoldenSheet): WireRequest {
  const { method = "POST", path = "", query = "", headers = {}, body = "" } = request;
  const whole = request.fragment === true ? (wrap ?? "{}").replace("{}", () => body) : body;
  const typed = whole === "" ? {} : { "content-type": typeOf(whole) };
  return {
    method,
    path: mountedAt === undefined ? "" : path.replace(mountedAt, ""),
    query,
    headers: { ...typed, ...lowered(headers) },
    body: whole,
  };
}

function lowered(headers: WireRequest["headers"]): WireRequest["headers"] {
  return Object.fromEntries(Object.entries(headers).map(([k, value]) => [k.toLowerCase(), value]));
}

function typeOf(body: string): string {
  const start = body.trimStart()[0];
  return start === "{" ? "application/json" : start === "<" ? "text/xml" : "text/plain";
}
