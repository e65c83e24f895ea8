/**
 * Airtel Tanzania, as its USSD gateway asks an application.
 *
 *   in   GET: sessionid, msisdn "255…", input "147*03"
 *   out  200, text/plain: "CON <screen>" to go on, "END <screen>" to close
 *
 * `input` is the code as dialled without its star and hash, then the latest answer. Nothing says
 * which: a session id not seen before begins a dialogue (PROTOCOLS 2a, from live traffic).
 */
import { canonicalDialled } from "../core/address.ts";
import type { Codec } from "../types.ts";
import { answerWithPrefix, readPrefixed, refuseWithEnd } from "./con-end.ts";
import type { CodecEntry } from "./entry.ts";
import {
  anyMsisdnOf,
  askInQuery,
  bareCodeOf,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  readQuery,
  textOf,
} from "./fields.ts";

export const airtelTz: CodecEntry = {
  name: "airtel-tz",
  options: {},
  create: () => codec,
};

const HEADERS = { "content-type": "text/plain" };

const codec: Codec = {
  name: airtelTz.name,
  methods: ["GET"],
  carriesDialledDigits: true,

  decode(request) {
    const query = readQuery(request);
    const text = textOf(query.get("input"), "input", INPUT_CHARS_MAX);
    return {
      sessionId: idOf(query.get("sessionid"), "sessionid"),
      msisdn: anyMsisdnOf(query.get("msisdn"), "msisdn"),
      phase: "unknown",
      dialled: canonicalDialled(text),
      input: { kind: "latest", text },
      messageId: undefined,
      network: undefined,
      echo: {},
    };
  },

  encode: ({ reply }) => answerWithPrefix(reply, HEADERS),
  refuse: (error) => refuseWithEnd(error, HEADERS),

  request(turn) {
    const { sessionId, msisdn } = turn;
    const input = isFirst(turn) ? bareCodeOf(dialStringOf(turn)) : turn.input;
    return askInQuery({ input, sessionid: sessionId, msisdn });
  },
  reply: (response) => readPrefixed(response),
};
