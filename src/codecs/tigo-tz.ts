/**
 * Tigo Tanzania, as its USSD gateway asks an application. Two schemes are in use.
 *
 *   in   GET, A: MSISDN "255…", Session_id, NEW_REQUEST "1" or "0", Ussd_string, later Service_cod
 *        GET, B: msisdn, sessionid, newrequest "1" or "0", SHORT_CODE, input, IMSI
 *   out  200, text/plain: "CON <screen>" to go on, "END <screen>" to close
 *
 * The input is the latest answer. At first it is what was dialled: in A this alone names the code,
 * in B SHORT_CODE does at every turn (PROTOCOLS 2a, from live traffic).
 */
import { canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Turn } from "../types.ts";
import { answerWithPrefix, readPrefixed, refuseWithEnd } from "./con-end.ts";
import type { CodecEntry } from "./entry.ts";
import {
  anyMsisdnOf,
  askInQuery,
  bareCodeOf,
  dialStringOf,
  type FormFields,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  readQuery,
  textOf,
} from "./fields.ts";

const HEADERS = { "content-type": "text/plain" };
const SCHEMES = {
  A: { sessionId: "Session_id", msisdn: "MSISDN", isNew: "NEW_REQUEST", input: "Ussd_string" },
  B: { sessionId: "sessionid", msisdn: "msisdn", isNew: "newrequest", input: "input" },
} as const;
type Scheme = keyof typeof SCHEMES;

export const tigoTz: CodecEntry = {
  name: "tigo-tz",
  options: {
    scheme: { default: "A", help: "A or B, for backends; what a network sends shows its own" },
    partner: { default: "", help: "Service_cod that backends of scheme A are told" },
  },
  create({ scheme = "A", partner = "" }) {
    if (scheme !== "A" && scheme !== "B") {
      throw new Error('tigo-tz: option "scheme" must be "A" or "B"');
    }
    return createTigo(scheme, partner);
  },
};

function createTigo(scheme: Scheme, partner: string): Codec {
  return {
    name: tigoTz.name,
    methods: ["GET"],
    carriesDialledDigits: true,

    decode(request) {
      const query = readQuery(request);
      const names = SCHEMES[query.has("Session_id") ? "A" : "B"];
      const text = textOf(query.get(names.input), names.input, INPUT_CHARS_MAX);
      const isBegin = readFlag(query, names.isNew);
      // In B the input is the longer: SHORT_CODE says what is registered, not what was dialled.
      const code = canonicalDialled(query.get("SHORT_CODE") ?? "");
      return {
        sessionId: idOf(query.get(names.sessionId), names.sessionId),
        msisdn: anyMsisdnOf(query.get(names.msisdn), names.msisdn),
        phase: isBegin ? "begin" : "continue",
        dialled: (isBegin ? canonicalDialled(text) : undefined) ?? code,
        input: { kind: "latest", text: isBegin ? "" : text },
        messageId: undefined,
        network: undefined,
        echo: {},
      };
    },

    encode: ({ reply }) => answerWithPrefix(reply, HEADERS),
    refuse: (error) => refuseWithEnd(error, HEADERS),

    request: (turn) => askInQuery(scheme === "A" ? fieldsOfA(turn, partner) : fieldsOfB(turn)),
    reply: (response) => readPrefixed(response),
  };
}

function readFlag(query: FormFields, name: string): boolean {
  const flag = textOf(query.get(name), name, INPUT_CHARS_MAX);
  if (flag === "1" || flag === "0") return flag === "1";
  throw new WireError("bad_field", `${name} must be 1 or 0`);
}

function fieldsOfA(turn: Turn, partner: string) {
  const isNew = isFirst(turn);
  return {
    ...{ MSISDN: turn.msisdn, Session_id: turn.sessionId, NEW_REQUEST: isNew ? "1" : "0" },
    Ussd_string: isNew ? dialStringOf(turn).slice(0, -1) : turn.input,
    ...(isNew || partner === "" ? {} : { Service_cod: partner }),
  };
}

function fieldsOfB(turn: Turn) {
  const isNew = isFirst(turn);
  return {
    input: isNew ? bareCodeOf(dialStringOf(turn)) : turn.input,
    ...{ sessionid: turn.sessionId, msisdn: turn.msisdn, newrequest: isNew ? "1" : "0" },
    SHORT_CODE: turn.serviceCode.slice(0, -1),
  };
}
