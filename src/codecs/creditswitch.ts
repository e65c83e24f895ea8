/**
 * Creditswitch USSD (Nigeria).
 *
 *   in   GET: sessionid, msisdn "234…", network, action "begin", "request" or "end", input,
 *        allinput
 *   out  200, JSON: message of at most 140 characters, action "request" to go on or "end" to close
 *
 * `input` is what was dialled, then the latest answer; `allinput` is all of it (PROTOCOLS 18).
 */
import { canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Dialled, Inbound } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  anyMsisdnOf,
  askInQuery,
  charsAtMost,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  labelOf,
  readJson,
  readQuery,
  requireSuccess,
  screenOf,
  SERVICE_CODE_OPTION,
  serviceCodeOptionOf,
  textOf,
} from "./fields.ts";

const PHASES: Readonly<Record<string, Inbound["phase"]>> = {
  ...{ begin: "begin", request: "continue", end: "abort" },
};
const MESSAGE_CHARS_MAX = 140;

export const creditswitch: CodecEntry = {
  name: "creditswitch",
  options: { service_code: SERVICE_CODE_OPTION },
  create: ({ service_code: code = "" }) =>
    createCreditswitch(serviceCodeOptionOf(code, creditswitch.name)),
};

function createCreditswitch(code: Dialled | undefined): Codec {
  return {
    name: creditswitch.name,
    methods: ["GET"],
    takesScreen: charsAtMost(MESSAGE_CHARS_MAX),
    wantsHistory: true,
    carriesDialledDigits: true,

    decode(request) {
      const query = readQuery(request);
      const action = textOf(query.get("action"), "action", INPUT_CHARS_MAX);
      const phase = Object.hasOwn(PHASES, action) ? PHASES[action] : undefined;
      if (phase === undefined) {
        throw new WireError("bad_field", "action must be begin, request or end");
      }
      const isOver = phase === "abort";
      const text = textOf(
        query.get("input") ?? (isOver ? "" : undefined),
        "input",
        INPUT_CHARS_MAX,
      );
      return {
        sessionId: idOf(query.get("sessionid"), "sessionid"),
        msisdn: anyMsisdnOf(query.get("msisdn"), "msisdn"),
        phase,
        dialled: (phase === "begin" ? canonicalDialled(text) : undefined) ?? code,
        input: { kind: "latest", text: phase === "continue" ? text : "" },
        messageId: undefined,
        network: labelOf(query.get("network"), "network"),
        echo: {},
      };
    },

    encode: ({ reply }) =>
      answerInJson(200, {
        message: reply?.screen ?? "",
        action: reply?.action === "continue" ? "request" : "end",
      }),

    request(turn) {
      const { sessionId, msisdn, provider, inputs } = turn;
      const isNew = isFirst(turn);
      return askInQuery({
        ...{ msisdn, input: isNew ? dialStringOf(turn) : turn.input, sessionid: sessionId },
        ...{ network: provider, action: isNew ? "begin" : "request", allinput: inputs.join("*") },
      });
    },

    reply(response) {
      requireSuccess(response);
      const { message, action } = readJson(response, "bad_reply");
      if (action !== "request" && action !== "end") {
        throw new WireError("bad_reply", "action must be request or end");
      }
      return {
        action: action === "end" ? "end" : "continue",
        screen: screenOf(message, "message"),
      };
    },

    notice({ sessionId, msisdn, provider }, { eventsUrl, url }) {
      const over = { input: "", sessionid: sessionId, network: provider, action: "end" };
      return { ...askInQuery({ msisdn, ...over, allinput: "" }), url: eventsUrl ?? url };
    },
  };
}
