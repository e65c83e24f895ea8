/**
 * Beem Africa (Tanzania).
 *
 *   in   POST, JSON: command "initiate" | "continue" | "terminate", msisdn "255…", session_id,
 *        operator, payload {request_id, response}
 *   out  200, JSON: msisdn, operator, session_id, command "continue" | "terminate",
 *        payload {request_id, request}
 *
 * `response` is the latest answer, and "0" when a dialogue begins, which is an answer too: only
 * `command` tells. `request_id` is the application's: the network says it back with the next
 * request, 0 at first. No code is on the wire, so a channel has to be told what it serves
 * (PROTOCOLS 10).
 */
import { canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Dialled, Inbound, Turn } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  askInJson,
  bareMsisdnOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  type JsonFields,
  labelOf,
  parseJson,
  readJson,
  requireSame,
  requireSameMsisdn,
  requireSuccess,
  screenOf,
  SERVICE_CODE_OPTION,
  serviceCodeOptionOf,
  textOf,
} from "./fields.ts";

export const beem: CodecEntry = {
  name: "beem",
  options: { service_code: SERVICE_CODE_OPTION },
  create: ({ service_code = "" }) => createBeem(serviceCodeOptionOf(service_code, beem.name)),
};

const PHASES: Readonly<Record<string, Inbound["phase"]>> = {
  initiate: "begin",
  continue: "continue",
  terminate: "abort",
};

const ID_CHARS_MAX = 100;

function createBeem(serviceCode: Dialled | undefined): Codec {
  return {
    name: beem.name,

    decode(request) {
      const body = readJson(request, "bad_body");
      const phase = PHASES[textOf(body.command, "command", 20)];
      if (phase === undefined) throw new WireError("bad_field", "command is not known");
      const payload = partsOf(body.payload, "bad_body");
      const isAnswer = phase === "continue";
      const code = textOf(body.serviceCode ?? "", "serviceCode", 40);
      return {
        sessionId: idOf(body.session_id, "session_id"),
        msisdn: bareMsisdnOf(body.msisdn, "msisdn"),
        phase,
        dialled: canonicalDialled(code) ?? serviceCode,
        input: { kind: "latest", text: isAnswer ? answerOf(payload.response) : "" },
        messageId: undefined,
        network: labelOf(body.operator, "operator"),
        echo: { request_id: JSON.stringify(requestIdOf(payload.request_id)) },
      };
    },

    encode: ({ reply }, { sessionId, msisdn, network = "", echo }) =>
      answerInJson(200, {
        msisdn,
        operator: network,
        session_id: sessionId,
        command: reply?.action === "continue" ? "continue" : "terminate",
        payload: { request_id: parseJson(echo.request_id ?? "0"), request: reply?.screen ?? "" },
      }),

    request(turn, { method }) {
      const first = isFirst(turn);
      const answer = first ? "0" : turn.input;
      return askInJson(fieldsOf(turn, first ? "initiate" : "continue", answer), method);
    },

    reply(response, turn) {
      requireSuccess(response);
      const { session_id, msisdn, command, payload } = readJson(response, "bad_reply");
      if (session_id !== undefined) requireSame(session_id, turn.sessionId, "session_id");
      if (msisdn !== undefined) requireSameMsisdn(msisdn, turn.msisdn, "msisdn");
      if (command !== "continue" && command !== "terminate") {
        throw new WireError("bad_reply", "command must be continue or terminate");
      }
      const { request, request_id: id } = partsOf(payload, "bad_reply");
      const screen = screenOf(request, "payload.request");
      if (command === "terminate") return { action: "end", screen };
      const isText = typeof id === "string" && id.length <= ID_CHARS_MAX;
      // 0 is what the network says where it has nothing to say back.
      const isKept = isText || (typeof id === "number" && id !== 0);
      return { action: "continue", screen, ...(isKept && { memo: JSON.stringify(id) }) };
    },

    notice: (turn, { eventsUrl, url, method }) => ({
      ...askInJson(fieldsOf(turn, "terminate", "0"), method),
      url: eventsUrl ?? url,
    }),
  };
}

function partsOf(payload: unknown, code: "bad_body" | "bad_reply"): JsonFields {
  if (typeof payload === "object" && payload !== null && !Array.isArray(payload)) {
    return payload as JsonFields;
  }
  if (code === "bad_reply") throw new WireError(code, "payload must be an object");
  const isMissing = payload === undefined;
  throw new WireError(isMissing ? "missing_field" : "bad_field", "payload must be an object");
}

/** A number where only digits were typed. */
function answerOf(response: unknown): string {
  if (typeof response === "number") return String(response);
  return textOf(response, "payload.response", INPUT_CHARS_MAX);
}

/** Some write it as a number, some as a text: it goes back as it came. */
function requestIdOf(id: unknown = 0): string | number {
  return typeof id === "number" ? id : textOf(id, "payload.request_id", ID_CHARS_MAX);
}

function fieldsOf(turn: Turn, command: string, response: string) {
  const { msisdn, sessionId: session_id, provider: operator, serviceCode, memo = "0" } = turn;
  const payload = { request_id: parseJson(memo), response };
  return { command, msisdn, session_id, operator, serviceCode, payload };
}
