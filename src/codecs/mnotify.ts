/**
 * mNotify (BMS Africa) shared USSD codes.
 *
 *   in   POST, JSON: msisdn "233…", sequenceID, data, timestamp
 *   out  200, JSON: msisdn, sequenceID, message, timestamp, continueFlag 0 to go on or 1 to close
 *
 * `data` is the code as dialled, then the latest answer. Lines of `message` end in CR LF, two
 * characters of a screen (PROTOCOLS 18, from developer.bms.africa/openapi14.yaml at second hand).
 */
import { asDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  anyMsisdnOf,
  askInJson,
  charsAtMost,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  readJson,
  requireSame,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";

export const mnotify: CodecEntry = {
  name: "mnotify",
  options: {},
  create: () => codec,
};

const CRLF = "\r\n";

const codec: Codec = {
  name: mnotify.name,
  carriesDialledDigits: true,
  takesScreen: charsAtMost(Infinity, CRLF),

  decode(request) {
    const body = readJson(request, "bad_body");
    const typed = textOf(body.data, "data", INPUT_CHARS_MAX);
    const dialled = asDialled(typed);
    return {
      sessionId: idOf(body.sequenceID, "sequenceID"),
      msisdn: anyMsisdnOf(body.msisdn, "msisdn"),
      phase: dialled === undefined ? "continue" : "begin",
      dialled,
      input: { kind: "latest", text: dialled === undefined ? typed : "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    };
  },

  encode: ({ reply }, { msisdn, sessionId }, nowMs) =>
    answerInJson(200, {
      ...{ msisdn, sequenceID: sessionId },
      message: (reply?.screen ?? "").replaceAll("\n", CRLF),
      timestamp: timestampOf(nowMs),
      continueFlag: reply?.action === "continue" ? 0 : 1,
    }),

  request(turn, { method }, nowMs = 0) {
    const { msisdn, sessionId, input } = turn;
    const said = isFirst(turn) ? dialStringOf(turn) : input;
    const timestamp = timestampOf(nowMs);
    return askInJson({ msisdn, sequenceID: sessionId, data: said, timestamp }, method);
  },

  reply(response, turn) {
    requireSuccess(response);
    const body = readJson(response, "bad_reply");
    requireSame(body.sequenceID, turn.sessionId, "sequenceID");
    const { continueFlag: flag, message } = body;
    if (flag !== 0 && flag !== 1) throw new WireError("bad_reply", "continueFlag must be 0 or 1");
    const screen = screenOf(message, "message").replaceAll(CRLF, "\n");
    return { action: flag === 0 ? "continue" : "end", screen };
  },
};

/** "2025-09-01T11:22:33Z". */
function timestampOf(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
}
