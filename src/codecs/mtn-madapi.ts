/**
 * MTN MADAPI USSD, version 1: the callback of a subscription.
 *
 *   in   POST, JSON: sessionId, messageType "0" begin, "1" continue, "2" end, "3" notification,
 *        "4" cancel, "5" timeout, msisdn "225…", serviceCode "321123", ussdString
 *   out  200, JSON: statusCode "0000", statusMessage, transactionId, data with inboundResponse,
 *        userInputRequired and messageType 1 to go on or 2 to close
 *
 * `ussdString` of a begin is often what was dialled, and not always: the swagger has a text. The
 * subscription is made at MTN's side (PROTOCOLS 13.1).
 */
import { asDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Dialled, Inbound, Turn } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  anyMsisdnOf,
  askInJson,
  bareCodeOf,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  type JsonFields,
  looseDialledOf,
  readJson,
  requireSame,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";

export const mtnMadapi: CodecEntry = {
  name: "mtn-madapi",
  options: {},
  create: () => codec,
};

const PHASES: Readonly<Record<string, Inbound["phase"]>> = {
  ...{ 0: "begin", 1: "continue", 2: "abort", 3: "notice", 4: "abort", 5: "abort" },
};
const ASKS = 1;
const LAST = 2;
const CANCELLED = "4";

const codec: Codec = {
  name: mtnMadapi.name,
  carriesDialledDigits: true,

  decode(request) {
    const body = readJson(request, "bad_body");
    const { messageType } = body;
    // A string in the swagger; of answers both are seen.
    const type =
      typeof messageType === "number"
        ? String(messageType)
        : textOf(messageType, "messageType", INPUT_CHARS_MAX);
    const phase = Object.hasOwn(PHASES, type) ? PHASES[type] : undefined;
    if (phase === undefined) throw new WireError("bad_field", "messageType must be 0 to 5");
    const isAsking = phase === "begin" || phase === "continue";
    // Of a cancel it is the reason.
    const text = isAsking ? textOf(body.ussdString, "ussdString", INPUT_CHARS_MAX) : "";
    const code = looseDialledOf(body.serviceCode, "serviceCode");
    return {
      sessionId: idOf(body.sessionId, "sessionId"),
      msisdn: anyMsisdnOf(body.msisdn, "msisdn"),
      phase,
      dialled: phase === "begin" ? wholeOf(text, code) : code,
      input: { kind: "latest", text: phase === "continue" ? text : "" },
      messageId: undefined,
      network: undefined,
      echo: { serviceCode: textOf(body.serviceCode, "serviceCode", INPUT_CHARS_MAX) },
    };
  },

  encode({ reply }, { sessionId, msisdn, echo }) {
    const isEnd = reply?.action !== "continue";
    return answerInJson(200, {
      ...{ statusCode: "0000", statusMessage: "Success", transactionId: sessionId },
      data: {
        ...{ inboundResponse: reply?.screen ?? "", userInputRequired: !isEnd },
        ...{ messageType: isEnd ? LAST : ASKS, serviceCode: echo.serviceCode, msisdn },
      },
    });
  },

  request(turn, { method }) {
    const isNew = isFirst(turn);
    const said = isNew ? dialStringOf(turn) : turn.input;
    return askInJson(fieldsOf(turn, isNew ? "0" : "1", said), method);
  },

  reply(response, turn) {
    requireSuccess(response);
    const { data } = readJson(response, "bad_reply");
    if (typeof data !== "object" || data === null) {
      throw new WireError("bad_reply", "data must be an object");
    }
    const { inboundResponse, messageType, msisdn } = data as JsonFields;
    if (msisdn !== undefined) requireSame(msisdn, turn.msisdn, "msisdn");
    // Deployments in Nigeria send it as a string.
    const isEnd = messageType === LAST || messageType === String(LAST);
    if (!isEnd && messageType !== ASKS && messageType !== String(ASKS)) {
      throw new WireError("bad_reply", "messageType must be 1 or 2");
    }
    const screen = screenOf(inboundResponse, "inboundResponse");
    return { action: isEnd ? "end" : "continue", screen };
  },

  notice: (turn, { eventsUrl, url, method }) => ({
    ...askInJson(fieldsOf(turn, CANCELLED, ""), method),
    url: eventsUrl ?? url,
  }),
};

function fieldsOf(turn: Turn, messageType: string, ussdString: string) {
  const { sessionId, msisdn, serviceCode } = turn;
  return { sessionId, messageType, msisdn, serviceCode: bareCodeOf(serviceCode), ussdString };
}

/** What was dialled, where it is the code with digits behind it. */
function wholeOf(text: string, code: Dialled): Dialled {
  const dialled = asDialled(text);
  return dialled?.startsWith(code.slice(0, -1)) === true ? dialled : code;
}
