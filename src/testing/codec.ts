/** Vectors: exchanges as captured on a wire, run as the application and as the network. */
import assert from "node:assert/strict";
import { asServiceCode } from "../core/address.ts";
import type { FailureCode, WireError } from "../core/failure.ts";
import type { Backend, Codec, Inbound, Reply, ServiceCode, Turn } from "../types.ts";
import { formatReply, parseReply, parseRequest } from "./http.ts";

/** One exchange as captured: paste the raw HTTP, say what it means and what was answered. */
export type CodecVector = RefusedVector | AnsweredVector;
type Case = {
  /** What the case teaches. */
  readonly title: string;
  /** The document or capture it comes from. */
  readonly source: string;
  /** What the codec has to be created with. */
  readonly options?: Readonly<Record<string, string>>;
  readonly request: string;
};
export type RefusedVector = Case & {
  readonly error: WireError["code"];
  /** What the codec answers by itself; left out where the door's JSON error is the answer. */
  readonly response?: string;
};
export type AnsweredVector = Case & {
  readonly inbound: Plain<Inbound>;
  /** Undefined: a notice, which is only acknowledged. */
  readonly reply: Reply | undefined;
  readonly failure?: FailureCode;
  readonly nowMs?: number;
  readonly response: string;
  /** Where a backend is told more than this request says. */
  readonly turn?: Partial<Plain<Turn>>;
};
/** As a person writes it in a vectors file: brands off. */
export type Plain<T> = T extends { readonly __brand: string }
  ? string
  : { readonly [K in keyof T]: Plain<T[K]> };

/** Throws an AssertionError when `codec`, created with `vector.options`, says otherwise. */
export function checkCodec(codec: Codec, vector: CodecVector): void {
  if ("error" in vector) return checkRefusal(codec, vector);
  const inbound = codec.decode(parseRequest(vector.request));
  assert.deepEqual(inbound, vector.inbound);
  checkAnswer(codec, vector, inbound);
  // A failure is worded by us for the network; no backend ever answers with one.
  if (vector.reply !== undefined && vector.failure === undefined) {
    checkAsNetwork(codec, vector, inbound, vector.reply);
  }
}

function checkRefusal(codec: Codec, { request, error, response }: RefusedVector): void {
  assert.throws(
    () => codec.decode(parseRequest(request)),
    (thrown: WireError) => {
      assert.equal(thrown.name, "WireError", String(thrown));
      assert.equal(thrown.code, error, thrown.message);
      if (response === undefined) return true;
      assert.ok(codec.refuse, "a response is expected, but the codec has no refuse");
      assert.equal(formatReply(codec.refuse(thrown)), unindented(response));
      return true;
    },
  );
}

function checkAnswer(codec: Codec, vector: AnsweredVector, inbound: Inbound): void {
  const { reply, failure, nowMs = 0, response } = vector;
  const serviceCode = asServiceCode(inbound.dialled ?? "");
  const answer = codec.encode({ reply, failure, serviceCode }, inbound, nowMs);
  assert.equal(formatReply(answer), unindented(response));
}

/** The same exchange the other way round: what we ask and what we make of the answer. */
function checkAsNetwork(
  codec: Codec,
  vector: AnsweredVector,
  inbound: Inbound,
  reply: Reply,
): void {
  const turn = turnOf(inbound, vector.turn);
  const backend = { serviceCode: turn.serviceCode, method: "POST" } as Backend;
  const asked = codec.decode(codec.request(turn, backend));
  // Backends are always told a network; ids said twice are the codec's own affair.
  const network = inbound.network === undefined ? undefined : asked.network;
  assert.deepEqual({ ...asked, network, echo: inbound.echo }, inbound);
  assert.deepEqual(codec.reply(parseReply(vector.response), turn), reply);
}

function turnOf(inbound: Inbound, told: Partial<Plain<Turn>> = {}): Turn {
  const { sessionId = "s", msisdn, phase, messageId, network = "test", input } = inbound;
  assert.ok(msisdn, "the network role needs an MSISDN");
  const isFirst = phase === "begin" || (phase === "unknown" && input.text === "");
  const { serviceCode = inbound.dialled ?? "*100#", msisdn: _, ...rest } = told;
  return {
    sessionId,
    transactionId: messageId ?? sessionId,
    number: isFirst ? 1 : 2,
    provider: network,
    input: isFirst ? "" : input.text,
    inputs: isFirst ? [] : [input.text],
    dialledDigits: [],
    ...rest,
    msisdn,
    serviceCode: requireServiceCode(serviceCode),
  };
}

function requireServiceCode(text: string): ServiceCode {
  const serviceCode = asServiceCode(text);
  assert.ok(serviceCode, "the vector's code can't be registered: give it turn.serviceCode");
  return serviceCode;
}

function unindented(raw: string): string {
  return raw.replace(/^\n/, "");
}
