/**
 * YateUSGW, the USSD gateway of YateBTS, in synchronous mode.
 *
 *   in   GET by a URL template of ours: ?id=${id}&operation=${operation}&msisdn=${msisdn}
 *        &code=${code}&text=${text}
 *   out  200, text/plain in UTF-8: the screen; header operation "pssr" to close, none to go on
 *
 * `code` is what was dialled, at every turn; `text` the latest answer, and at first the same as
 * `code` (yatebts.com, YateUSGW setup and REST API). "ussn" says that a notification was read; what
 * else asks nothing ends it.
 */
import type { Codec, Inbound } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  anyMsisdnOf,
  askInQuery,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  looseDialledOf,
  readQuery,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";

export const yate: CodecEntry = {
  name: "yate",
  options: {},
  create: () => codec,
};

const HEADERS = { "content-type": "text/plain; charset=utf-8" };
const CLOSES: ReadonlySet<string | undefined> = new Set(["pssr", "ussn", "stop"]);

const codec: Codec = {
  name: yate.name,
  methods: ["GET"],
  carriesDialledDigits: true,

  decode(request) {
    const query = readQuery(request);
    const phase = phaseOf(textOf(query.get("operation"), "operation", INPUT_CHARS_MAX));
    const isOver = phase === "abort";
    const isAsking = phase === "begin" || phase === "continue";
    const text = textOf(query.get("text") ?? (isAsking ? undefined : ""), "text", INPUT_CHARS_MAX);
    return {
      sessionId: idOf(query.get("id"), "id"),
      msisdn: anyMsisdnOf(query.get("msisdn"), "msisdn"),
      phase,
      dialled: isOver ? undefined : looseDialledOf(query.get("code"), "code"),
      input: { kind: "latest", text: phase === "continue" ? text : "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    };
  },

  encode({ reply }) {
    if (reply === undefined) return { status: 200, headers: HEADERS, body: "" };
    const isEnd = reply.action === "end";
    const headers = isEnd ? { ...HEADERS, operation: "pssr" } : HEADERS;
    return { status: 200, headers, body: reply.screen };
  },

  request(turn) {
    const isNew = isFirst(turn);
    const code = dialStringOf(turn);
    return askInQuery({
      ...{ id: turn.sessionId, operation: isNew ? "pssr" : "ussr", msisdn: turn.msisdn },
      ...{ code, text: isNew ? code : turn.input },
    });
  },

  reply(response) {
    requireSuccess(response);
    const isEnd = CLOSES.has(response.headers["operation"]);
    return { action: isEnd ? "end" : "continue", screen: screenOf(response.body, "body") };
  },
};

/** "pssd" is the one question of USSD version 1. */
function phaseOf(operation: string): Inbound["phase"] {
  if (operation === "pssr" || operation === "pssd") return "begin";
  if (operation === "ussr") return "continue";
  return operation === "ussn" ? "notice" : "abort";
}
