/**
 * Vodacom Messaging (South Africa).
 *
 *   in   GET: ussdSessionId, msisdn "27…", provider, request
 *   out  200, XML: <request> with headertext, and options where an answer is expected
 *
 * `request` is the code as dialled, then the latest answer. Where the next answer goes is said with
 * each screen, as the callback of an option that is not shown: the channel's own public address.
 * Options that are shown are choices. Backends are asked at their own address, whatever callback
 * they name: nobody is sent to another host by an answer (PROTOCOLS 14.12, from vumi's transport).
 */
import { asDialled } from "../core/address.ts";
import type { Codec } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  anyMsisdnOf,
  askInQuery,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  labelOf,
  readQuery,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";
import { attributeOf, childOf, readXml, tagged, textIn, XML_UTF8_HEADERS } from "./xml.ts";

export const vodacomMessaging: CodecEntry = {
  name: "vodacom-messaging",
  options: {
    callback: { default: "", help: "a channel's public address, which each screen names" },
  },
  create: ({ callback = "" }) => {
    if (callback !== "" && !URL.canParse(callback)) {
      throw new Error('vodacom-messaging: option "callback" must be a URL');
    }
    return createVodacomMessaging(callback);
  },
};

function createVodacomMessaging(callback: string): Codec {
  const attributes =
    ' command="1" order="1"' + attributeOf("callback", callback) + ' display="False" ';
  const options = `\t<options>\n\t\t<option${attributes}></option>\n\t</options>\n`;

  return {
    name: vodacomMessaging.name,
    methods: ["GET"],
    carriesDialledDigits: true,

    decode(request) {
      const query = readQuery(request);
      const text = textOf(query.get("request"), "request", INPUT_CHARS_MAX);
      const dialled = asDialled(text);
      return {
        sessionId: idOf(query.get("ussdSessionId"), "ussdSessionId"),
        msisdn: anyMsisdnOf(query.get("msisdn"), "msisdn"),
        phase: dialled === undefined ? "continue" : "begin",
        dialled,
        input: { kind: "latest", text: dialled === undefined ? text : "" },
        messageId: undefined,
        network: labelOf(query.get("provider"), "provider"),
        echo: {},
      };
    },

    encode({ reply }) {
      const header = `\t${tagged("headertext", reply?.screen ?? "")}\n`;
      const body = `<request>\n${header}${reply?.action === "continue" ? options : ""}</request>`;
      return { status: 200, headers: XML_UTF8_HEADERS, body };
    },

    request(turn) {
      const { sessionId, msisdn, provider, input } = turn;
      const request = isFirst(turn) ? dialStringOf(turn) : input;
      return askInQuery({ ussdSessionId: sessionId, msisdn, provider, request });
    },

    reply(response) {
      requireSuccess(response);
      const root = readXml(response, "bad_reply");
      const offered = childOf(root, "options")?.children ?? [];
      const shown = offered.flatMap(({ attributes, text }) =>
        attributes.get("display")?.toLowerCase() === "true"
          ? [`${attributes.get("order") ?? ""}. ${text.trim()}`]
          : [],
      );
      const header = screenOf(textIn(root, "headertext", "bad_reply"), "headertext");
      const action = offered.length > 0 ? "continue" : "end";
      return { action, screen: [header, ...shown].join("\n") };
    },
  };
}
