/** Golden vectors whose messages are PDUs as fields: decimal parameters, the text apart. */
import assert from "node:assert/strict";
import type { Codec, Inbound, Reply, WireRequest } from "../types.ts";

type PduFields = {
  readonly short_message?: string;
  readonly text?: string;
  readonly source_addr?: string;
  readonly destination_addr?: string;
  readonly tlvs: Readonly<Record<string, string | number>>;
};
export type PduVector = {
  readonly request: PduFields | null;
  readonly expect: {
    readonly event: string;
    readonly sessionId: string | number;
    readonly input?: string;
  } | null;
  readonly response: PduFields | null;
};

/** By the events of the vectors; what a link can't say is not there. */
const EVENTS: Partial<Record<Inbound["phase"], string>> = {
  ...{ begin: "begin", continue: "input", abort: "cancel", unknown: "input" },
};

export function checkPdu(codec: Codec, vector: PduVector, reply: Reply | undefined): void {
  const { request, expect, response } = vector;
  if (request !== null && expect !== null) {
    const inbound = codec.decode(wireOf(request));
    assert.equal(EVENTS[inbound.phase], expect.event);
    assert.equal(inbound.sessionId, String(expect.sessionId));
  }
  if (reply === undefined || response === null) return;
  const { ussd_service_op, ...session } = response.tlvs;
  const asked = { ...response, tlvs: { ...session, ussd_service_op: 18 }, text: "1" };
  const source = { source_addr: "258841234567", destination_addr: "*123#" };
  const answered = codec.encode(
    { reply, failure: undefined, serviceCode: undefined },
    codec.decode(withoutEnd(wireOf({ ...asked, ...source }))),
    0,
  );
  assert.equal(answered.body, response.text);
  assert.equal(answered.headers["ussd_service_op"], String(ussd_service_op));
  for (const [tlv, value] of Object.entries(session)) {
    assert.equal(answered.headers[tlv], String(value));
  }
}

function wireOf({ tlvs, short_message, text, ...addresses }: PduFields): WireRequest {
  const parameters = Object.entries(tlvs).map(([name, value]) => [name, String(value)] as const);
  const { source_addr, destination_addr } = addresses;
  // The captures have words where numbers of subscribers are.
  const known = /^[1-9][0-9]{6,}$/.test(source_addr ?? "") ? source_addr : undefined;
  return {
    ...{ method: "deliver_sm", path: "", query: "" },
    headers: { ...Object.fromEntries<string>(parameters), source_addr: known, destination_addr },
    body: short_message ?? text ?? "",
  };
}

/** The question to an answer that ends: the end bit is the answer's own. */
function withoutEnd(request: WireRequest): WireRequest {
  const bits = request.headers["its_session_info"];
  if (bits === undefined) return request;
  const started = (Number.parseInt(bits, 16) & 0xfffe).toString(16).padStart(4, "0");
  return { ...request, headers: { ...request.headers, its_session_info: started } };
}
