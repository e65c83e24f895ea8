/**
 * Oltranz USSD gateway (Rwanda).
 *
 *   in   POST, JSON: sessionId, serviceCode "123", phoneNumber "250…", text, response, action,
 *        transactionId, requestTime, newRequest, charge, amount
 *   out  200, JSON: the same object with response, the screen, and action "CON" or "END"
 *
 * `text` is the latest answer, empty at first. What `newRequest` means is not said and the sample
 * has it both ways, so it goes back as it came (PROTOCOLS 18).
 */
import { WireError } from "../core/failure.ts";
import type { Codec } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  anyMsisdnOf,
  askInJson,
  bareCodeOf,
  idOf,
  INPUT_CHARS_MAX,
  jsonToEcho,
  looseDialledOf,
  readJson,
  requireSame,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";

export const oltranz: CodecEntry = {
  name: "oltranz",
  options: {},
  create: () => codec,
};

/** As its documentation shows it. */
const HEADERS = { "content-type": "application/json;charset=UTF-8" };

const codec: Codec = {
  name: oltranz.name,

  decode(request) {
    const body = readJson(request, "bad_body");
    const text = textOf(body.text, "text", INPUT_CHARS_MAX);
    return {
      sessionId: idOf(body.sessionId, "sessionId"),
      msisdn: anyMsisdnOf(body.phoneNumber, "phoneNumber"),
      phase: text === "" ? "unknown" : "continue",
      dialled: looseDialledOf(body.serviceCode, "serviceCode"),
      input: { kind: "latest", text },
      messageId: undefined,
      network: undefined,
      echo: { body: request.body },
    };
  },

  encode: ({ reply }, { echo }) => ({
    ...answerInJson(200, {
      ...jsonToEcho(echo.body ?? "{}"),
      response: reply?.screen ?? "",
      action: reply?.action === "continue" ? "CON" : "END",
    }),
    headers: HEADERS,
  }),

  request({ sessionId, serviceCode, msisdn, input, transactionId }, { method }, nowMs = 0) {
    const requestTime = new Date(nowMs).toISOString().slice(0, 19).replace("T", " ");
    return askInJson(
      {
        ...{ sessionId, serviceCode: bareCodeOf(serviceCode), phoneNumber: msisdn, text: input },
        ...{ response: "", action: "CON", transactionId, requestTime },
        ...{ newRequest: 0, charge: "N", amount: 0 },
      },
      method,
    );
  },

  reply(response, turn) {
    requireSuccess(response);
    const body = readJson(response, "bad_reply");
    requireSame(body.sessionId, turn.sessionId, "sessionId");
    const { action } = body;
    if (action !== "CON" && action !== "END") {
      throw new WireError("bad_reply", "action must be CON or END");
    }
    return {
      action: action === "CON" ? "continue" : "end",
      screen: screenOf(body.response, "response"),
    };
  },
};
