/**
 * HollaTags USSD (Nigeria).
 *
 *   in   GET, or POST with a form: session_operation "begin", "continue" or "end", session_type,
 *        session_id, session_msisdn "234…", session_from "*7006#", session_msg, session_mno
 *   out  200, JSON: session_operation, session_type, session_id, session_msg
 *
 * `continue` with type 1 asks, `end` with type 4 is the last screen; lines end in CR LF, and a
 * message has at most 160 characters with these. What the message of a "begin" means is not said:
 * it is not read (docs.hollatags.com/ussd/inbound).
 */
import { WireError } from "../core/failure.ts";
import type { Codec, Inbound, Turn } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  anyMsisdnOf,
  askInQuery,
  charsAtMost,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  labelOf,
  looseDialledOf,
  readJson,
  readQueryOrForm,
  requireSame,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";

export const hollatags: CodecEntry = {
  name: "hollatags",
  options: {},
  create: () => codec,
};

const PHASES: Readonly<Record<string, Inbound["phase"]>> = {
  ...{ begin: "begin", continue: "continue", end: "abort" },
};
const ASKS = 1;
const LAST = 4;
const CRLF = "\r\n";
const MESSAGE_CHARS_MAX = 160;

const codec: Codec = {
  name: hollatags.name,
  methods: ["GET", "POST"],
  takesScreen: charsAtMost(MESSAGE_CHARS_MAX, CRLF),

  decode(request) {
    const fields = readQueryOrForm(request);
    const operation = textOf(fields.get("session_operation"), "session_operation", INPUT_CHARS_MAX);
    const phase = Object.hasOwn(PHASES, operation) ? PHASES[operation] : undefined;
    if (phase === undefined) {
      throw new WireError("bad_field", "session_operation must be begin, continue or end");
    }
    const isAnswer = phase === "continue";
    const text = fields.get("session_msg") ?? (isAnswer ? undefined : "");
    const said = textOf(text, "session_msg", INPUT_CHARS_MAX);
    const from = fields.get("session_from") ?? "";
    return {
      sessionId: idOf(fields.get("session_id"), "session_id"),
      msisdn: anyMsisdnOf(fields.get("session_msisdn"), "session_msisdn"),
      phase,
      dialled: from === "" && phase !== "begin" ? undefined : looseDialledOf(from, "session_from"),
      input: { kind: "latest", text: isAnswer ? said : "" },
      messageId: undefined,
      network: labelOf(fields.get("session_mno"), "session_mno"),
      echo: {},
    };
  },

  encode({ reply }, { sessionId }) {
    const isEnd = reply?.action !== "continue";
    return answerInJson(200, {
      ...{ session_operation: isEnd ? "end" : "continue", session_type: isEnd ? LAST : ASKS },
      ...{ session_id: sessionId },
      session_msg: (reply?.screen ?? "").replaceAll("\n", CRLF),
    });
  },

  request: (turn) => askInQuery(fieldsOf(turn, isFirst(turn) ? "begin" : "continue")),

  reply(response, turn) {
    requireSuccess(response);
    const body = readJson(response, "bad_reply");
    // The documented pair has it as a string and as a number.
    const { session_id: id, session_operation: operation } = body;
    requireSame(typeof id === "number" ? String(id) : id, turn.sessionId, "session_id");
    if (operation !== "continue" && operation !== "end") {
      throw new WireError("bad_reply", "session_operation must be continue or end");
    }
    const screen = screenOf(body.session_msg, "session_msg").replaceAll(CRLF, "\n");
    return { action: operation === "end" ? "end" : "continue", screen };
  },

  notice: (turn, { eventsUrl, url }) => ({
    ...askInQuery(fieldsOf({ ...turn, input: "" }, "end")),
    url: eventsUrl ?? url,
  }),
};

function fieldsOf({ sessionId, msisdn, serviceCode, provider, input }: Turn, operation: string) {
  return {
    ...{ session_msisdn: msisdn, session_operation: operation, session_msg: input },
    ...{ session_id: sessionId, session_from: serviceCode },
    ...{ session_type: String(operation === "end" ? LAST : ASKS), session_mno: provider },
  };
}
