/**
 * IMImobile USSD (India).
 *
 *   in   GET: msisdn "91…", msg, code, tid, dcs
 *   out  200, text/plain: the screen; header X-USSD-SESSION "1" to go on, "0" to close
 *
 * There is no session id, and nothing says that a dialogue begins: the number is all there is. That
 * the subscriber left is a text of the operator's. Each of its URLs is a channel with the code it
 * stands for (PROTOCOLS 14.5, from praekelt/vumi's transport).
 */
import { WireError } from "../core/failure.ts";
import type { Codec, Dialled } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  anyMsisdnOf,
  askInQuery,
  bareCodeOf,
  dialStringOf,
  INPUT_CHARS_MAX,
  isFirst,
  readQuery,
  requireSuccess,
  screenOf,
  SERVICE_CODE_OPTION,
  serviceCodeOptionOf,
  textOf,
} from "./fields.ts";

const ABORT_PREFIX = "Map Dialog User Abort User Reason";
const ABORT_REPLY = "You have ended the session";
const HEADERS = { "content-type": "text/plain; charset=utf-8" };
const GSM_7 = "15";

export const imimobile: CodecEntry = {
  name: "imimobile",
  options: {
    service_code: SERVICE_CODE_OPTION,
    abortPrefix: { default: ABORT_PREFIX, help: "how msg begins when the subscriber left" },
    abortReply: { default: ABORT_REPLY, help: "what the network is told then" },
  },
  create({ service_code: code = "", abortPrefix = ABORT_PREFIX, abortReply = ABORT_REPLY }) {
    if (abortPrefix === "") {
      throw new Error('imimobile: option "abortPrefix" must have a character at least');
    }
    return createImimobile(serviceCodeOptionOf(code, imimobile.name), abortPrefix, abortReply);
  },
};

function createImimobile(
  dialled: Dialled | undefined,
  abortPrefix: string,
  abortReply: string,
): Codec {
  return {
    name: imimobile.name,
    methods: ["GET"],
    namesNoSession: true,

    decode(request) {
      const query = readQuery(request);
      const text = textOf(query.get("msg"), "msg", INPUT_CHARS_MAX);
      const isOver = text.startsWith(abortPrefix);
      return {
        sessionId: undefined,
        msisdn: anyMsisdnOf(query.get("msisdn"), "msisdn"),
        phase: isOver ? "abort" : "unknown",
        dialled,
        input: { kind: "latest", text: isOver ? "" : text },
        messageId: undefined,
        network: undefined,
        echo: {},
      };
    },

    encode: ({ reply }) => ({
      status: 200,
      headers: { ...HEADERS, "x-ussd-session": reply?.action === "continue" ? "1" : "0" },
      body: reply?.screen ?? abortReply,
    }),

    request(turn) {
      const { msisdn, serviceCode, transactionId, input } = turn;
      const msg = isFirst(turn) ? dialStringOf(turn) : input;
      const code = bareCodeOf(serviceCode);
      return askInQuery({ msisdn, msg, code, tid: transactionId, dcs: GSM_7 });
    },

    reply(response) {
      requireSuccess(response);
      const flag = response.headers["x-ussd-session"];
      if (flag !== "1" && flag !== "0") {
        throw new WireError("bad_reply", "header X-USSD-SESSION must be 1 or 0");
      }
      const action = flag === "1" ? "continue" : "end";
      return { action, screen: screenOf(response.body, "body") };
    },

    notice: ({ msisdn, serviceCode, transactionId }, { eventsUrl, url }) => ({
      ...askInQuery({
        ...{ msisdn, msg: abortPrefix, code: bareCodeOf(serviceCode) },
        ...{ tid: transactionId, dcs: GSM_7 },
      }),
      url: eventsUrl ?? url,
    }),
  };
}
