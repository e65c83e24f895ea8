/**
 * SouthPawsl (Sierra Leone, Ghana), as far as one library knows it.
 *
 *   in   POST, JSON: sessionId, menuId, ussdString "*365#", ussdParameters, msisdn "232…",
 *        inputOption, network
 *   out  200, JSON: message, state "CONTINUE" or "END", menuId, ussdString, option, ussdParameter
 *
 * A dial has its code in both ussdString and inputOption, later inputOption is the latest answer.
 * What came is echoed, `ussdParameters` under a singular name (PROTOCOLS 9, from npm ussd-builder).
 */
import { canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  anyMsisdnOf,
  askInJson,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  labelOf,
  looseDialledOf,
  parseJson,
  readJson,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";

const PARAMETERS_CHARS_MAX = 1_000;

export const southpawsl: CodecEntry = {
  name: "southpawsl",
  options: {},
  create: () => codec,
};

const codec: Codec = {
  name: southpawsl.name,

  decode(request) {
    const body = readJson(request, "bad_body");
    const code = textOf(body.ussdString, "ussdString", INPUT_CHARS_MAX);
    const option = textOf(body.inputOption, "inputOption", INPUT_CHARS_MAX);
    const isDial = code === option;
    return {
      sessionId: idOf(body.sessionId, "sessionId"),
      msisdn: anyMsisdnOf(body.msisdn, "msisdn"),
      phase: isDial ? "begin" : "continue",
      dialled: isDial ? looseDialledOf(code, "ussdString") : canonicalDialled(code),
      input: { kind: "latest", text: isDial ? "" : option },
      messageId: undefined,
      network: labelOf(body.network ?? undefined, "network"),
      echo: {
        ...{ code, option, menu: JSON.stringify(body.menuId ?? "") },
        parameters: parametersOf(body.ussdParameters),
      },
    };
  },

  encode({ reply }, { echo }) {
    const { code = "", option = "", menu = '""', parameters = "[]" } = echo;
    return answerInJson(200, {
      message: reply?.screen ?? "",
      state: reply?.action === "continue" ? "CONTINUE" : "END",
      ...{
        menuId: parseJson(menu),
        ussdString: code,
        option,
        ussdParameter: parseJson(parameters),
      },
    });
  },

  request(turn, { method }) {
    const { sessionId, msisdn, serviceCode, provider, input } = turn;
    const fields = { sessionId, menuId: sessionId, ussdString: serviceCode, ussdParameters: [] };
    const inputOption = isFirst(turn) ? serviceCode : input;
    return askInJson({ ...fields, msisdn, inputOption, network: provider }, method);
  },

  reply(response) {
    requireSuccess(response);
    const { state, message } = readJson(response, "bad_reply");
    if (state !== "CONTINUE" && state !== "END") {
      throw new WireError("bad_reply", "state must be CONTINUE or END");
    }
    const screen = screenOf(message, "message");
    return { action: state === "CONTINUE" ? "continue" : "end", screen };
  },
};

/** Nobody says what is in them: they go back as they came. */
function parametersOf(value: unknown): string {
  const text = JSON.stringify(value ?? []);
  if (text.length <= PARAMETERS_CHARS_MAX) return text;
  const rule = `ussdParameters must have at most ${PARAMETERS_CHARS_MAX} characters`;
  throw new WireError("bad_field", rule);
}
