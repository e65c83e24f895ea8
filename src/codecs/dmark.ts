/**
 * DMark USSD (Uganda).
 *
 *   in   GET: transactionId, msisdn "+256…", ussdServiceCode "*121#", ussdRequestString,
 *        transactionTime, creationTime, response "false"
 *   out  200, JSON: responseString, action "request" to go on or "end" to close
 *
 * Every request of a dialogue looks alike: an unknown transactionId begins one, and its request
 * string is no answer (PROTOCOLS 14.4, from praekelt/vumi's transport).
 */
import { WireError } from "../core/failure.ts";
import type { Codec } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  anyMsisdnOf,
  askInQuery,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  looseDialledOf,
  readJson,
  readQuery,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";

export const dmark: CodecEntry = {
  name: "dmark",
  options: {},
  create: () => codec,
};

const codec: Codec = {
  name: dmark.name,
  methods: ["GET"],
  // vumi's transport calls an application down that takes longer, and degraded beyond a second.
  patienceMs: 10_000,

  decode(request) {
    const query = readQuery(request);
    const text = query.get("ussdRequestString");
    return {
      sessionId: idOf(query.get("transactionId"), "transactionId"),
      msisdn: anyMsisdnOf(query.get("msisdn"), "msisdn"),
      phase: "unknown",
      dialled: looseDialledOf(query.get("ussdServiceCode"), "ussdServiceCode"),
      input: { kind: "latest", text: textOf(text, "ussdRequestString", INPUT_CHARS_MAX) },
      messageId: undefined,
      network: undefined,
      echo: {},
    };
  },

  encode: ({ reply }) =>
    answerInJson(200, {
      responseString: reply?.screen ?? "",
      action: reply?.action === "continue" ? "request" : "end",
    }),

  request(turn, _backend, nowMs = 0) {
    const seconds = String(Math.floor(nowMs / 1_000));
    return askInQuery({
      ...{ transactionId: turn.sessionId, msisdn: `+${turn.msisdn}` },
      ...{ ussdServiceCode: turn.serviceCode, transactionTime: seconds },
      ussdRequestString: isFirst(turn) ? turn.serviceCode : turn.input,
      ...{ creationTime: seconds, response: "false" },
    });
  },

  reply(response) {
    requireSuccess(response);
    const { responseString, action } = readJson(response, "bad_reply");
    if (action !== "request" && action !== "end") {
      throw new WireError("bad_reply", "action must be request or end");
    }
    return {
      action: action === "end" ? "end" : "continue",
      screen: screenOf(responseString, "responseString"),
    };
  },
};
