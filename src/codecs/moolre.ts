/**
 * Moolre (Ghana).
 *
 *   in   POST, JSON: sessionid, new true at the dial, msisdn "233…", network 3, message,
 *        extension 109, data "11005"
 *   out  200, JSON: message, reply true to go on
 *
 * Of *203*109*11005# the 203 is Moolre's own code and on no wire, 109 the application's extension,
 * and 11005 what was dialled after it. Networks are 3 MTN, 5 AT, 6 Telecel (PROTOCOLS 18, from
 * docs.moolre.com/ussd).
 */
import { asDialled, withDigits } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Dialled, ServiceCode } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  anyMsisdnOf,
  askInJson,
  bareCodeOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  type JsonFields,
  readJson,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";

const SHARED_CODE = "203";

export const moolre: CodecEntry = {
  name: "moolre",
  options: {
    shared: { default: SHARED_CODE, help: "Moolre's own code, which is dialled before extensions" },
  },
  create({ shared = SHARED_CODE }) {
    if (!/^\d{1,6}$/.test(shared)) throw new Error('moolre: option "shared" must be like 203');
    return createMoolre(shared);
  },
};

const NETWORKS: ReadonlyMap<number, string> = new Map([
  [3, "MTN"],
  [5, "AT"],
  [6, "Telecel"],
]);

function createMoolre(shared: string): Codec {
  const prefix = `*${shared}*`;
  const extensionOf = (code: ServiceCode): string =>
    code.startsWith(prefix) ? code.slice(prefix.length, -1) : bareCodeOf(code);

  return {
    name: moolre.name,
    carriesDialledDigits: true,

    decode(request) {
      const body = readJson(request, "bad_body");
      if (typeof body.new !== "boolean")
        throw new WireError("bad_field", "new must be true or false");
      const text = textOf(body.message ?? "", "message", INPUT_CHARS_MAX);
      return {
        sessionId: idOf(body.sessionid, "sessionid"),
        msisdn: anyMsisdnOf(body.msisdn, "msisdn"),
        phase: body.new ? "begin" : "continue",
        dialled: dialledOf(body, prefix),
        // What a new one says is no answer: nothing was asked yet.
        input: { kind: "latest", text: body.new ? "" : text },
        messageId: undefined,
        network: NETWORKS.get(Number(body.network)),
        echo: {},
      };
    },

    encode: ({ reply }) =>
      answerInJson(200, { message: reply?.screen ?? "", reply: reply?.action === "continue" }),

    request(turn, { method }) {
      const { sessionId, msisdn, serviceCode, provider, input, dialledDigits } = turn;
      const isNew = isFirst(turn);
      const [network] = [...NETWORKS].find(([, name]) => name === provider) ?? [];
      const extension = extensionOf(serviceCode);
      return askInJson(
        {
          ...{ sessionid: sessionId, new: isNew, msisdn, ...(network && { network }) },
          ...{ message: isNew ? "" : input, extension: numberOr(extension) },
          data: isNew ? dialledDigits.join("*") : "",
        },
        method,
      );
    },

    reply(response) {
      requireSuccess(response);
      const { message, reply } = readJson(response, "bad_reply");
      if (typeof reply !== "boolean")
        throw new WireError("bad_reply", "reply must be true or false");
      return { action: reply ? "continue" : "end", screen: screenOf(message, "message") };
    },
  };
}

/** An extension of several parts is no number. */
function numberOr(extension: string): number | string {
  return /^[1-9]\d{0,8}$/.test(extension) ? Number(extension) : extension;
}

function dialledOf({ extension, data }: JsonFields, prefix: string): Dialled {
  const part = typeof extension === "number" ? String(extension) : extension;
  const code = asDialled(`${prefix}${textOf(part, "extension", INPUT_CHARS_MAX)}#`);
  if (code === undefined) throw new WireError("bad_dialled", "extension must be a number");
  const tail = textOf(data ?? "", "data", INPUT_CHARS_MAX);
  const whole = tail === "" ? code : withDigits(code, tail);
  if (whole === undefined) throw new WireError("bad_dialled", "data must be digits");
  return whole;
}
