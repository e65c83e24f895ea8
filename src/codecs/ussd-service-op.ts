/**
 * Uzo (Mobiverse), Korba and TxtGhana: one wire with a number for what is asked.
 *
 *   in   POST, JSON: sessionID, msisdn, network, ussdString, ussdServiceOp "1", "18" or from "29";
 *        Uzo: msisdn "+233…", code and country too
 *   out  200, JSON: message, ussdServiceOp 2 to go on or 17 to close
 *
 * `ussdString` is the code as dialled, then the latest answer. Not every gateway sends the number:
 * without it what looks like a code begins a dialogue (PROTOCOLS 18).
 */
import { asDialled, canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Inbound, Turn } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  anyMsisdnOf,
  askInJson,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  labelOf,
  readJson,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";

const PRESETS = ["uzo", "korba", "txtghana"];
const BEGIN = 1;
const CONTINUE = 18;
const OVER_MIN = 29;
const ASK = 2;
const LAST = 17;

export const ussdServiceOp: CodecEntry = {
  name: "ussd-service-op",
  options: { preset: { default: "uzo", help: `whose: ${PRESETS.join(", ")}` } },
  create({ preset = "uzo" }) {
    if (PRESETS.includes(preset)) return createServiceOp(preset === "uzo");
    throw new Error(`ussd-service-op: option "preset" must be one of ${PRESETS.join(", ")}`);
  },
};

function createServiceOp(isUzo: boolean): Codec {
  return {
    name: ussdServiceOp.name,
    carriesDialledDigits: true,

    decode(request) {
      const body = readJson(request, "bad_body");
      const text = textOf(body.ussdString, "ussdString", INPUT_CHARS_MAX);
      const phase = phaseOf(body.ussdServiceOp, text);
      const code = labelOf(body.code, "code");
      return {
        sessionId: idOf(body.sessionID, "sessionID"),
        msisdn: anyMsisdnOf(body.msisdn, "msisdn"),
        phase,
        dialled:
          (phase === "begin" ? asDialled(text) : undefined) ??
          (code === undefined ? undefined : canonicalDialled(code)),
        input: { kind: "latest", text: phase === "continue" ? text : "" },
        messageId: undefined,
        network: labelOf(body.network, "network"),
        echo: {},
      };
    },

    encode: ({ reply }) =>
      answerInJson(200, {
        message: reply?.screen ?? "",
        ussdServiceOp: reply?.action === "continue" ? ASK : LAST,
      }),

    request(turn, { method }) {
      const isNew = isFirst(turn);
      const ussdString = isNew ? dialStringOf(turn) : turn.input;
      return askInJson(fieldsOf(turn, isUzo, isNew ? BEGIN : CONTINUE, ussdString), method);
    },

    reply(response) {
      requireSuccess(response);
      const { message, ussdServiceOp: op } = readJson(response, "bad_reply");
      // Uzo's own sample goes on with 1.
      if (![BEGIN, ASK, LAST].includes(Number(op)) || op === true) {
        throw new WireError("bad_reply", "ussdServiceOp must be 2 or 17");
      }
      return {
        action: Number(op) === LAST ? "end" : "continue",
        screen: screenOf(message, "message"),
      };
    },

    notice: (turn, { eventsUrl, url, method }) => ({
      ...askInJson(fieldsOf(turn, isUzo, OVER_MIN, ""), method),
      url: eventsUrl ?? url,
    }),
  };
}

function fieldsOf(turn: Turn, isUzo: boolean, op: number, ussdString: string) {
  const { sessionId: sessionID, msisdn, provider: network, serviceCode } = turn;
  const who = { sessionID, msisdn: isUzo ? `+${msisdn}` : msisdn, network };
  return { ...who, ussdString, ussdServiceOp: String(op), ...(isUzo && { code: serviceCode }) };
}

function phaseOf(op: unknown, text: string): Inbound["phase"] {
  const number = typeof op === "string" || typeof op === "number" ? Number(op) : undefined;
  if (number === BEGIN) return "begin";
  if (number === CONTINUE) return "continue";
  if (number !== undefined && number >= OVER_MIN) return "abort";
  if (op === undefined || op === null) return asDialled(text) === undefined ? "continue" : "begin";
  throw new WireError("bad_field", "ussdServiceOp must be 1, 18 or at least 29");
}
