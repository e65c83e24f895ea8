/**
 * Nalo Solutions (Ghana).
 *
 *   in   POST, JSON: USERID, MSISDN "233…", USERDATA, MSGTYPE true at the dial, NETWORK, SESSIONID
 *   out  200, JSON: USERID, MSISDN, MSG, MSGTYPE true to go on
 *
 * `USERDATA` is the code as dialled, then the latest answer. MSGTYPE means two things: in a request
 * that it is the first, in an answer that more is expected. USERID is the application's, not the
 * session's; the older form of the wire has no SESSIONID, and there the MSISDN is all there is. A
 * screen has 120 characters (PROTOCOLS 7).
 */
import { asDialled, canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Dialled } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  askInJson,
  bareMsisdnOf,
  charsAtMost,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  labelOf,
  readJson,
  requireSameMsisdn,
  requireSuccess,
  screenOf,
  SERVICE_CODE_OPTION,
  serviceCodeOptionOf,
  textOf,
} from "./fields.ts";

const USER_ID = "DIALYARD";
const SCREEN_CHARS_MAX = 120;

export const nalo: CodecEntry = {
  name: "nalo",
  options: {
    USERID: { default: USER_ID, help: "id of the application, as backends are told it" },
    service_code: SERVICE_CODE_OPTION,
  },
  create: ({ USERID = USER_ID, service_code = "" }) =>
    createNalo(USERID, serviceCodeOptionOf(service_code, nalo.name)),
};

function createNalo(userId: string, serviceCode: Dialled | undefined): Codec {
  return {
    name: nalo.name,
    carriesDialledDigits: true,
    takesScreen: charsAtMost(SCREEN_CHARS_MAX),
    // Not in its older form.
    namesNoSession: true,

    decode(request) {
      const body = readJson(request, "bad_body");
      const { MSGTYPE } = body;
      if (MSGTYPE !== undefined && typeof MSGTYPE !== "boolean") {
        throw new WireError("bad_field", "MSGTYPE must be true or false");
      }
      const text = textOf(body.USERDATA, "USERDATA", INPUT_CHARS_MAX);
      const isDial = MSGTYPE ?? asDialled(text) !== undefined;
      return {
        sessionId: body.SESSIONID === undefined ? undefined : idOf(body.SESSIONID, "SESSIONID"),
        msisdn: bareMsisdnOf(body.MSISDN, "MSISDN"),
        phase: isDial ? "begin" : "continue",
        dialled: isDial ? (canonicalDialled(text) ?? serviceCode) : undefined,
        input: { kind: "latest", text: isDial ? "" : text },
        messageId: undefined,
        network: labelOf(body.NETWORK, "NETWORK"),
        echo: { USERID: idOf(body.USERID, "USERID") },
      };
    },

    encode: ({ reply }, { msisdn, echo }) =>
      answerInJson(200, {
        USERID: echo.USERID,
        MSISDN: msisdn,
        MSG: reply?.screen ?? "",
        MSGTYPE: reply?.action === "continue",
      }),

    request(turn, { method }) {
      const MSGTYPE = isFirst(turn);
      const USERDATA = MSGTYPE ? dialStringOf(turn) : turn.input;
      const { msisdn: MSISDN, provider: NETWORK, sessionId: SESSIONID } = turn;
      return askInJson({ USERID: userId, MSISDN, USERDATA, MSGTYPE, NETWORK, SESSIONID }, method);
    },

    reply(response, turn) {
      requireSuccess(response);
      const { MSISDN, MSG, MSGTYPE } = readJson(response, "bad_reply");
      if (MSISDN !== undefined) requireSameMsisdn(MSISDN, turn.msisdn, "MSISDN");
      if (typeof MSGTYPE !== "boolean") {
        throw new WireError("bad_reply", "MSGTYPE must be true or false");
      }
      return { action: MSGTYPE ? "continue" : "end", screen: screenOf(MSG, "MSG") };
    },
  };
}
