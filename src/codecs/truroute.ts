/**
 * TruTeq TruRoute, USSD XML interface.
 *
 *   in   POST, XML: <ussd><msisdn>258…</msisdn><sessionid/><type>1</type><msg>*123#</msg></ussd>,
 *        or GET with the same four names
 *   out  200, XML: <ussd><type>2</type><msg>screen</msg></ussd>; 2 goes on, 3 releases
 *
 * Types that arrive: 1 dial (`msg` is the code), 2 answer, 3 cancelled, 4 timed out, 10 a charge
 * that failed; the last three are acknowledged with an empty release that nobody reads
 * (PROTOCOLS 3.4, from the interface document v1.3). Redirects (5) and premium charges are not
 * sent.
 */
import { WireError } from "../core/failure.ts";
import type { Codec, Inbound, Turn, WireReply, WireRequest } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  askInQuery,
  bareMsisdnOf,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  looseDialledOf,
  readQuery,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";
import { childOf, readXml, tagged, textIn, XML_HEADERS, XML_UTF8_HEADERS } from "./xml.ts";

export const truroute: CodecEntry = {
  name: "truroute",
  options: {},
  create: () => codec,
};

const DIAL = "1";
const ANSWER = "2";
const RELEASE = "3";
const PHASES: ReadonlyMap<string, Inbound["phase"]> = new Map([
  [DIAL, "begin"],
  [ANSWER, "continue"],
  [RELEASE, "abort"],
  ["4", "abort"],
  ["10", "abort"],
]);
const REASON_CHARS_MAX = 1_000;

const codec: Codec = {
  name: truroute.name,
  methods: ["POST", "GET"],
  carriesDialledDigits: true,

  decode(request) {
    const read = readerOf(request);
    const phase = PHASES.get(textOf(read("type"), "type", 10).trim());
    if (phase === undefined) throw new WireError("bad_field", "type must be 1, 2, 3, 4 or 10");
    const said = read("msg");
    // Of a notice it is a reason in words, and often left out.
    const msg = phase === "abort" ? "" : textOf(said, "msg", INPUT_CHARS_MAX);
    if (phase === "abort" && said !== undefined) textOf(said, "msg", REASON_CHARS_MAX);
    return {
      sessionId: idOf(read("sessionid")?.trim(), "sessionid"),
      msisdn: bareMsisdnOf(read("msisdn")?.trim(), "msisdn"),
      phase,
      dialled: phase === "begin" ? looseDialledOf(msg.trim(), "msg") : undefined,
      input: { kind: "latest", text: phase === "continue" ? msg : "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    };
  },

  encode({ reply }) {
    const isOpen = reply?.action === "continue";
    return answer(200, isOpen ? ANSWER : RELEASE, reply?.screen ?? "");
  },

  refuse: () => answer(400, RELEASE, ""),

  request: (turn, { method }) => {
    const isDial = isFirst(turn);
    return ask(turn, isDial ? DIAL : ANSWER, isDial ? dialStringOf(turn) : turn.input, method);
  },

  reply(response) {
    requireSuccess(response);
    const root = readXml(response, "bad_reply");
    const type = textIn(root, "type", "bad_reply")?.trim();
    if (type !== ANSWER && type !== RELEASE)
      throw new WireError("bad_reply", "type must be 2 or 3");
    const msg = childOf(root, "msg");
    // Some put the text one element deeper (PROTOCOLS 3.4).
    const screen = (msg && textIn(msg, "data", "bad_reply")) ?? textIn(root, "msg", "bad_reply");
    return { action: type === ANSWER ? "continue" : "end", screen: screenOf(screen, "msg") };
  },

  // To the address of all messages, unless the backend has one for notices.
  notice: (turn, { url, eventsUrl, method }) => ({
    ...ask(turn, RELEASE, "", method),
    url: eventsUrl ?? url,
  }),
};

function readerOf(request: WireRequest): (name: string) => string | undefined {
  if (request.method === "GET") {
    const fields = readQuery(request);
    return (name) => fields.get(name);
  }
  const root = readXml(request, "bad_body");
  if (root.name !== "ussd") throw new WireError("bad_body", "the root must be ussd");
  return (name) => textIn(root, name, "bad_body");
}

function ask({ msisdn, sessionId }: Turn, type: string, msg: string, method: string): WireRequest {
  const fields = { msisdn, sessionid: sessionId, type, msg };
  if (method === "GET") return askInQuery(fields);
  const body = Object.entries(fields).map(([name, text]) => tagged(name, text));
  return {
    ...{ method, path: "", query: "", headers: XML_HEADERS },
    body: `<ussd>${body.join("")}</ussd>`,
  };
}

function answer(status: number, type: string, msg: string): WireReply {
  const body = `<ussd>${tagged("type", type)}${tagged("msg", msg)}</ussd>`;
  return { status, headers: XML_UTF8_HEADERS, body };
}
