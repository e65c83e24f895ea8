/**
 * IXO USSD gateway, session endpoint.
 *
 *   in   POST, JSON: sessionId, serviceCode "*1234#", phoneNumber "+260…", text
 *   out  200, text/plain: "CON <screen>" to go on, "END <screen>" to close
 *
 * `text` is everything typed so far joined by "*", and empty on the initial dial alone (IXO API
 * reference, Session endpoint). The wire has no notice that a session is over.
 */
import { WireError } from "../core/failure.ts";
import type { Codec, Dialled } from "../types.ts";
import { answerWithPrefix, readPrefixed, refuseWithEnd } from "./con-end.ts";
import type { CodecEntry } from "./entry.ts";
import {
  askInJson,
  dialledOf,
  idOf,
  INPUT_CHARS_MAX,
  plusMsisdnOf,
  readJson,
  textOf,
} from "./fields.ts";

export const ixo: CodecEntry = {
  name: "ixo",
  options: {},
  create: () => codec,
};

const SERVICE_CODE_CHARS_MAX = 20;
const HEADERS = { "content-type": "text/plain; charset=utf-8" };

const codec: Codec = {
  name: ixo.name,
  // IXO API reference, Errors.
  requestsPerMinuteMax: 100,
  wantsHistory: true,

  decode(request) {
    const body = readJson(request, "bad_body");
    // IXO API reference, Validation rules: the limit is on the whole history.
    const text = textOf(body.text, "text", INPUT_CHARS_MAX);
    return {
      sessionId: idOf(body.sessionId, "sessionId"),
      msisdn: plusMsisdnOf(body.phoneNumber, "phoneNumber"),
      phase: text === "" ? "begin" : "continue",
      dialled: serviceCodeOf(body.serviceCode),
      input: { kind: "history", text },
      messageId: undefined,
      network: undefined,
      echo: {},
    };
  },

  encode: ({ reply }) => answerWithPrefix(reply, HEADERS),
  refuse: (error) => refuseWithEnd(error, HEADERS),

  request({ sessionId, serviceCode, msisdn, inputs }, { method }) {
    const text = inputs.join("*");
    return askInJson({ sessionId, serviceCode, phoneNumber: `+${msisdn}`, text }, method);
  },
  reply: (response) => readPrefixed(response),
};

/** emerging-eco/ixo-ussd-supamoto, src/schemas/ussd.schemas.ts: 3 to 20 characters. */
function serviceCodeOf(value: unknown): Dialled {
  const dialled = dialledOf(value, "serviceCode");
  if (dialled.length <= SERVICE_CODE_CHARS_MAX) return dialled;
  const detail = `serviceCode must have at most ${SERVICE_CODE_CHARS_MAX} characters`;
  throw new WireError("bad_dialled", detail);
}
