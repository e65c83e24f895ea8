/**
 * Comviva Flares by XML, as MTN's and Airtel's gateways in East Africa are said to ask.
 *
 *   in   POST, XML: <request type="pull"> with sessionId, transactionId, msisdn, newRequest 1 or 0,
 *        flowState FD at the dial and FE later, subscriberInput
 *   out  200, XML: <response> with msisdn, sessionId, transactionId, applicationResponse and
 *        freeflow/freeflowState FC to go on or FB to close
 *
 * `subscriberInput` is what was dialled, then the latest answer. TNM's form of it has the root
 * "ussd" and no newRequest: there a session id not seen before begins a dialogue. Its answer names
 * no end, so no backend is asked in it (PROTOCOLS 14.1, from the schema and the simulator of
 * mtvbrianking/laravel-ussd, and from tnmdevs/ussd).
 */
import { canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Inbound, WireReply } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  anyMsisdnOf,
  askInQuery,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  looseDialledOf,
  requireSameMsisdn,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";
import { childOf, readXml, tagged, textIn, XML_UTF8_HEADERS } from "./xml.ts";

export const flaresXml: CodecEntry = {
  name: "flares-xml",
  options: {},
  create: () => codec,
};

const PHASES: ReadonlyMap<string | undefined, Inbound["phase"]> = new Map([
  ["1", "begin"],
  ["0", "continue"],
  [undefined, "unknown"],
]);

const codec: Codec = {
  name: flaresXml.name,
  carriesDialledDigits: true,

  decode(request) {
    const root = readXml(request, "bad_body");
    if (root.name !== "request" && root.name !== "ussd") {
      throw new WireError("bad_body", "the root must be request or ussd");
    }
    const read = (name: string) => textIn(root, name, "bad_body");
    const phase = PHASES.get(read("newRequest")?.trim());
    if (phase === undefined) throw new WireError("bad_field", "newRequest must be 1 or 0");
    const text = textOf(read("subscriberInput") ?? "", "subscriberInput", INPUT_CHARS_MAX);
    const transactionId = read("transactionId")?.trim() ?? "";
    return {
      sessionId: idOf(read("sessionId")?.trim(), "sessionId"),
      msisdn: anyMsisdnOf(read("msisdn")?.trim(), "msisdn"),
      phase,
      dialled:
        phase === "begin"
          ? looseDialledOf(text.trim(), "subscriberInput")
          : phase === "unknown"
            ? canonicalDialled(text.trim())
            : undefined,
      input: { kind: "latest", text: phase === "begin" ? "" : text },
      // It is echoed, and not known to be the same in a repeat.
      messageId: undefined,
      network: undefined,
      echo: transactionId === "" ? {} : { transactionId: idOf(transactionId, "transactionId") },
    };
  },

  encode({ reply }, { msisdn, sessionId, echo }) {
    return answer(200, {
      ...{ msisdn, sessionId, transactionId: echo["transactionId"] },
      ...{ state: reply?.action === "continue" ? "FC" : "FB", text: reply?.screen ?? "" },
    });
  },

  refuse: () => answer(400, { state: "FB", text: "Invalid request" }),

  request(turn, { method }) {
    const { sessionId, transactionId, msisdn, input } = turn;
    const isNew = isFirst(turn);
    const fields = {
      ...{ sessionId, transactionId, msisdn, newRequest: isNew ? "1" : "0" },
      ...{ flowState: isNew ? "FD" : "FE", subscriberInput: isNew ? dialStringOf(turn) : input },
    };
    if (method === "GET") return askInQuery({ type: "pull", ...fields });
    const body = Object.entries(fields).map(([name, text]) => tagged(name, text));
    return {
      ...{ method, path: "", query: "", headers: XML_UTF8_HEADERS },
      body: `<request type="pull">${body.join("")}</request>`,
    };
  },

  reply(response, turn) {
    requireSuccess(response);
    const root = readXml(response, "bad_reply");
    const msisdn = textIn(root, "msisdn", "bad_reply")?.trim();
    if (msisdn !== undefined) requireSameMsisdn(msisdn, turn.msisdn, "msisdn");
    const freeflow = childOf(root, "freeflow");
    const state = (freeflow && textIn(freeflow, "freeflowState", "bad_reply"))?.trim();
    if (state !== "FC" && state !== "FB") {
      throw new WireError("bad_reply", "freeflowState must be FC or FB");
    }
    const screen = screenOf(
      textIn(root, "applicationResponse", "bad_reply"),
      "applicationResponse",
    );
    return { action: state === "FC" ? "continue" : "end", screen };
  },
};

type Said = {
  readonly msisdn?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly transactionId?: string | undefined;
  readonly state: string;
  readonly text: string;
};

function answer(status: number, said: Said): WireReply {
  const { msisdn, sessionId, transactionId, state, text } = said;
  const named = Object.entries({ msisdn, sessionId, transactionId }).map(([name, value]) =>
    value === undefined ? "" : tagged(name, value),
  );
  const freeflow = `<freeflow>${tagged("freeflowState", state)}</freeflow>`;
  const body = `${named.join("")}${freeflow}${tagged("applicationResponse", text)}`;
  return { status, headers: XML_UTF8_HEADERS, body: `<response>${body}</response>` };
}
