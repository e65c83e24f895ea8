/**
 * Kairos Afrika webhook.
 *
 *   in   POST, JSON, four strings: msisdn "233…", sessionId, messageType "0", ussdString
 *   out  200, JSON, five strings: sessionId, ussdString, msisdn, timestamp, messageType
 *
 * `ussdString` is the code as dialled, then the latest answer. No value that ends a session is
 * documented: "2" is read from MTN MADAPI, whose field names these are (PROTOCOLS 1), and is an
 * option, as an account may know another.
 */
import { asDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  askInJson,
  bareMsisdnOf,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  readJson,
  requireSame,
  textOf,
} from "./fields.ts";

const CONTINUE = "0";
const END = "2";
const MESSAGE_TYPE_CHARS_MAX = 20;
/** MTN MADAPI: ended by the network, cancelled, timed out. */
const ABORTS: ReadonlySet<string> = new Set(["2", "4", "5"]);

export const kairos: CodecEntry = {
  name: "kairos",
  options: {
    continueType: { default: CONTINUE, help: "messageType of a screen that expects an answer" },
    endType: { default: END, help: "messageType that ends the session; ask Kairos support" },
  },
  create({ continueType = CONTINUE, endType = END }) {
    return createKairos(requireType(continueType, "continueType"), requireType(endType, "endType"));
  },
};

function requireType(value: string, option: string): string {
  if (/^[\w-]{1,20}$/.test(value)) return value;
  throw new Error(`kairos: option "${option}" must have 1 to 20 letters or digits`);
}

function createKairos(continueType: string, endType: string): Codec {
  return {
    name: kairos.name,
    // Kairos webhook response docs: "within 10 seconds".
    patienceMs: 10_000,
    carriesDialledDigits: true,

    decode(request) {
      const body = readJson(request, "bad_body");
      const messageType = textOf(body.messageType, "messageType", MESSAGE_TYPE_CHARS_MAX);
      const ussdString = textOf(body.ussdString, "ussdString", INPUT_CHARS_MAX);
      const isAbort = ABORTS.has(messageType);
      const dialled = isAbort ? undefined : asDialled(ussdString);
      const isAnswer = !isAbort && dialled === undefined;
      return {
        sessionId: idOf(body.sessionId, "sessionId"),
        msisdn: bareMsisdnOf(body.msisdn, "msisdn"),
        phase: isAbort ? "abort" : isAnswer ? "continue" : "begin",
        dialled,
        input: { kind: "latest", text: isAnswer ? ussdString : "" },
        messageId: undefined,
        network: undefined,
        echo: {},
      };
    },

    encode({ reply }, { sessionId, msisdn }, nowMs) {
      return answerInJson(200, {
        sessionId,
        ussdString: reply?.screen ?? "",
        msisdn,
        timestamp: String(nowMs),
        messageType: reply?.action === "continue" ? continueType : endType,
      });
    },

    request(turn, { method }) {
      const { msisdn, sessionId } = turn;
      const ussdString = isFirst(turn) ? dialStringOf(turn) : turn.input;
      return askInJson({ msisdn, sessionId, messageType: CONTINUE, ussdString }, method);
    },

    reply(response, turn) {
      const { status } = response;
      if (status < 200 || status > 299) throw new WireError("bad_reply", `status is ${status}`);
      const { sessionId, msisdn, messageType, ussdString } = readJson(response, "bad_reply");
      requireSame(sessionId, turn.sessionId, "sessionId");
      requireSame(msisdn, turn.msisdn, "msisdn");
      if (typeof messageType !== "string") {
        throw new WireError("bad_reply", "messageType must be a string");
      }
      if (typeof ussdString !== "string" || ussdString.trim() === "") {
        throw new WireError("bad_reply", "ussdString must be a text");
      }
      // An account that honours one value alone ends by the network's own timer.
      const isEnd = messageType === endType && endType !== continueType;
      return { action: isEnd ? "end" : "continue", screen: ussdString };
    },
  };
}
