/**
 * Nsano USSD.
 *
 *   in   POST, JSON: UserSessionID, msisdn "233…", network "VOD", msg
 *   out  200, JSON: USSDResp with action "input" to go on or "prompt" to close, title, menus
 *
 * `msg` is the code as dialled, then the latest answer; nothing else says that a dialogue begins
 * (PROTOCOLS 18, from cybersai/ussd and samora/ussd-go).
 */
import { asDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  anyMsisdnOf,
  askInJson,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  type JsonFields,
  labelOf,
  readJson,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";

export const nsano: CodecEntry = {
  name: "nsano",
  options: {},
  create: () => codec,
};

const codec: Codec = {
  name: nsano.name,
  carriesDialledDigits: true,

  decode(request) {
    const body = readJson(request, "bad_body");
    const msg = textOf(body.msg, "msg", INPUT_CHARS_MAX);
    const dialled = asDialled(msg);
    return {
      sessionId: idOf(body.UserSessionID, "UserSessionID"),
      msisdn: anyMsisdnOf(body.msisdn, "msisdn"),
      phase: dialled === undefined ? "continue" : "begin",
      dialled,
      input: { kind: "latest", text: dialled === undefined ? msg : "" },
      messageId: undefined,
      network: labelOf(body.network, "network"),
      echo: {},
    };
  },

  encode({ reply }) {
    const action = reply?.action === "continue" ? "input" : "prompt";
    return answerInJson(200, { USSDResp: { action, menus: "", title: reply?.screen ?? "" } });
  },

  request(turn, { method }) {
    const { sessionId, msisdn, provider, input } = turn;
    const msg = isFirst(turn) ? dialStringOf(turn) : input;
    return askInJson({ UserSessionID: sessionId, msisdn, network: provider, msg }, method);
  },

  reply(response) {
    requireSuccess(response);
    const { USSDResp: said } = readJson(response, "bad_reply");
    if (typeof said !== "object" || said === null) {
      throw new WireError("bad_reply", "USSDResp must be an object");
    }
    const { action, title, menus } = said as JsonFields;
    if (action !== "input" && action !== "prompt" && action !== "showMenu") {
      throw new WireError("bad_reply", "action must be input, prompt or showMenu");
    }
    // The last text of samora/ussd-go is in menus.
    const lines = [title, ...(Array.isArray(menus) ? (menus as readonly unknown[]) : [menus])];
    const texts = lines.filter((line) => typeof line === "string" && line !== "");
    return {
      action: action === "prompt" ? "end" : "continue",
      screen: screenOf(texts.join("\n"), "title"),
    };
  },
};
