/**
 * Arkesel (Ghana).
 *
 *   in   POST, JSON: sessionID, userID, newSession true, msisdn "233…", userData, network
 *   out  200, JSON: sessionID, userID, msisdn, message, continueSession true
 *
 * `userData` is the code as dialled, then the latest answer. There is no notice of an end
 * (PROTOCOLS 6, from Arkesel's API specification).
 */
import { WireError } from "../core/failure.ts";
import type { Codec } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  askInJson,
  bareMsisdnOf,
  dialledOf,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  labelOf,
  readJson,
  requireSame,
  requireSameMsisdn,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";

const USER_ID = "DIALYARD";

export const arkesel: CodecEntry = {
  name: "arkesel",
  options: { userID: { default: USER_ID, help: "id of the application, as backends are told it" } },
  create: ({ userID = USER_ID }) => createArkesel(userID),
};

function createArkesel(userID: string): Codec {
  return {
    name: arkesel.name,
    carriesDialledDigits: true,

    decode(request) {
      const body = readJson(request, "bad_body");
      const { newSession } = body;
      if (newSession === undefined) throw new WireError("missing_field", "newSession is required");
      if (typeof newSession !== "boolean") {
        throw new WireError("bad_field", "newSession must be true or false");
      }
      const text = textOf(body.userData, "userData", INPUT_CHARS_MAX);
      return {
        sessionId: idOf(body.sessionID, "sessionID"),
        msisdn: bareMsisdnOf(body.msisdn, "msisdn"),
        phase: newSession ? "begin" : "continue",
        dialled: newSession ? dialledOf(text, "userData") : undefined,
        input: { kind: "latest", text: newSession ? "" : text },
        messageId: undefined,
        network: labelOf(body.network, "network"),
        echo: { userID: idOf(body.userID, "userID") },
      };
    },

    encode: ({ reply }, { sessionId, msisdn, echo }) =>
      answerInJson(200, {
        sessionID: sessionId,
        userID: echo.userID,
        msisdn,
        message: reply?.screen ?? "",
        continueSession: reply?.action === "continue",
      }),

    request(turn, { method }) {
      const newSession = isFirst(turn);
      const { sessionId: sessionID, msisdn, provider: network } = turn;
      const userData = newSession ? dialStringOf(turn) : turn.input;
      return askInJson({ sessionID, userID, newSession, msisdn, userData, network }, method);
    },

    reply(response, turn) {
      requireSuccess(response);
      const { sessionID, msisdn, message, continueSession } = readJson(response, "bad_reply");
      // An application may leave the ids out; another session's are another session's answer.
      if (sessionID !== undefined) requireSame(sessionID, turn.sessionId, "sessionID");
      if (msisdn !== undefined) requireSameMsisdn(msisdn, turn.msisdn, "msisdn");
      if (typeof continueSession !== "boolean") {
        throw new WireError("bad_reply", "continueSession must be true or false");
      }
      return { action: continueSession ? "continue" : "end", screen: screenOf(message, "message") };
    },
  };
}
