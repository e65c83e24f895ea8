/**
 * Viettel's USSD gateway, by SOAP: Movitel (Mozambique), Halotel (Tanzania), Lumitel (Burundi).
 *
 *   in   POST, SOAP: user, pass, msisdn, msg, sessionid, transactionid "W…", requestType, ussdgw_id
 *   ack  200, SOAP: errorCode 0, at once
 *   out  a POST of ours to the network's own address, with the same fields: requestType 202 goes
 *        on, 203 is the last; heard as errorCode 0
 *
 * An application behind us has the same: we ask, it acknowledges, and its screen is a call to our
 * address for it, answered by errorCode 0, 1 (user or pass are not the registration's), 2 (nobody
 * waits for it any more) or -1. It hears 103 when the screen went out, 104 when its time was over.
 *
 * Types that arrive: 100 dial, 101 answer, 102 cancelled, 103 shown, 104 failed. The transaction
 * names the dialogue, and after the dial the number is "null" as everything absent is. A text of
 * more than 182 octets between its tags is dropped by the network. The credentials of a request go
 * back with its screen and nowhere else (PROTOCOLS 3.3: Halotel from its integration document at
 * second hand, Lumitel and Movitel from applications; Movitel's line break is not known).
 */
import { WireError } from "../core/failure.ts";
import type {
  AnswersLater,
  AnswerVerdict,
  Codec,
  Inbound,
  Opening,
  Reply,
  Turn,
  WireReply,
  WireRequest,
} from "../types.ts";
import type { CodecEntry, CodecOptions } from "./entry.ts";
import {
  anyMsisdnOf,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  looseDialledOf,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";
import { escapeXml, parseXml, readXml, textIn, type XmlElement } from "./xml.ts";

type Dialect = {
  /** Around the fields. */
  readonly open: string;
  readonly close: string;
  readonly ack: (errorCode: string) => string;
  readonly type: string;
  readonly newline: string;
};

const SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
const DECLARED = '<?xml version="1.0" encoding="utf-8"?>';
/** Without these two Halotel answers errorCode 1. */
const SCHEMAS =
  ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' +
  ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"';
const TEXT_XML = "text/xml; charset=utf-8";

const ackOfHalotel = (errorCode: string): string =>
  `${DECLARED}<soap:Envelope xmlns:soap="${SOAP}"><soap:Body><ussdresponse>` +
  `<errorCode>${errorCode}</errorCode></ussdresponse></soap:Body></soap:Envelope>`;

const PRESETS: Readonly<Record<string, Dialect>> = {
  halotel: {
    open:
      `${DECLARED}<soap:Envelope xmlns:soap="${SOAP}"${SCHEMAS}><soap:Body>` +
      '<InsertMO xmlns="http://tempuri.org/">',
    close: "</InsertMO></soap:Body></soap:Envelope>",
    ack: ackOfHalotel,
    type: TEXT_XML,
    newline: "<br>",
  },
  movitel: {
    open:
      `${DECLARED}<soapenv:Envelope xmlns:soapenv="${SOAP}"${SCHEMAS}` +
      ' xmlns:urn="http://viettel.com/xsd"><soapenv:Header/><soapenv:Body><urn:start>',
    close: "</urn:start></soapenv:Body></soapenv:Envelope>",
    ack: ackOfHalotel,
    type: TEXT_XML,
    newline: "<br>",
  },
  lumitel: {
    open:
      `<soapenv:Envelope xmlns:soapenv="${SOAP}"${SCHEMAS} xmlns:ws="http://ws.ussd/">` +
      "<soapenv:Header/><soapenv:Body><ws:InsertMO><InsertMO>",
    close: "</InsertMO></ws:InsertMO></soapenv:Body></soapenv:Envelope>",
    ack: (errorCode) =>
      `<soapenv:Envelope xmlns:soapenv="${SOAP}" xmlns:ns2="http://ws.ussd/"><soapenv:Header/>` +
      `<soapenv:Body><ns2:InsertMOResponse><return><errorCode>${errorCode}</errorCode></return>` +
      "</ns2:InsertMOResponse></soapenv:Body></soapenv:Envelope>",
    type: "application/xml",
    newline: "\n",
  },
};
const NAMES = Object.keys(PRESETS).join(", ");
const CREDENTIALS = "of calls with screens; empty: as the request had it, a backend's any";
const NEWLINES: Readonly<Record<string, string>> = { br: "<br>", lf: "\n" };

export const viettel: CodecEntry = {
  name: "viettel",
  options: {
    preset: { default: "halotel", help: `the network's dialect: one of ${NAMES}` },
    newline: { default: "", help: '"br" or "lf"; empty: as the preset has it' },
    user: { default: "", help: CREDENTIALS },
    pass: { default: "", help: CREDENTIALS },
  },
  create(options) {
    const { preset = "halotel", newline = "", user = "", pass = "" } = options;
    const dialect = Object.hasOwn(PRESETS, preset) ? PRESETS[preset] : undefined;
    if (dialect === undefined) {
      throw new Error(`viettel: option "preset" must be one of ${NAMES}`);
    }
    if (newline !== "" && !Object.hasOwn(NEWLINES, newline)) {
      throw new Error('viettel: option "newline" must be "br" or "lf"');
    }
    if ((user === "") !== (pass === "")) {
      throw new Error('viettel: options "user" and "pass" go together: set both, or neither');
    }
    return createViettel({ ...dialect, newline: NEWLINES[newline] ?? dialect.newline }, options);
  },
};

const DIAL = "100";
const ANSWER = "101";
const CANCELLED = "102";
const PHASES: ReadonlyMap<string, Inbound["phase"]> = new Map([
  [DIAL, "begin"],
  [ANSWER, "continue"],
  [CANCELLED, "abort"],
  ["103", "notice"],
  ["104", "abort"],
]);
const OPENS = { continue: "200", end: "201" } as const;
const GOES_ON = "202";
const LAST = "203";
/** 200 and 201 in answer to a dial are in Halotel's prose, 205 is a cancel with its reason. */
const ACTIONS: ReadonlyMap<string | undefined, Reply["action"]> = new Map([
  [GOES_ON, "continue"],
  [LAST, "end"],
  [OPENS.continue, "continue"],
  [OPENS.end, "end"],
  ["205", "end"],
]);
const FATES = { shown: "103", late: "104" } as const;
/** Nothing is there: empty elements are refused. */
const ABSENT = "null";
const TEXT_OCTETS_MAX = 182;
const HEARD: Readonly<Record<string, "taken" | "again">> = { "0": "taken", "-1": "again" };
const SYSTEM_ERROR = "-1";
const CODE_OF: Readonly<Record<AnswerVerdict, string>> = {
  ...{ taken: "0", refused: "1", late: "2", malformed: SYSTEM_ERROR },
};

function createViettel(dialect: Dialect, { user = "", pass = "" }: CodecOptions): Codec {
  const textFor = (screen: string): string =>
    escapeXml(screen).replaceAll("\n", () => dialect.newline);
  const soap = (status: number, body: string): WireReply => ({
    ...{ status, headers: { "content-type": dialect.type }, body },
  });
  const insert = (fields: Fields, msg: string): string => {
    const rows = { ...fields, user: user || fields.user, pass: pass || fields.pass };
    let said = dialect.open;
    for (const name of ORDER) {
      const text = name === "msg" ? msg : escapeXml(rows[name] || ABSENT);
      said += `<${name}>${text}</${name}>`;
    }
    return said + dialect.close;
  };
  const opened = ({ msisdn, reply, nonce }: Opening) => {
    const sessionId = `W${nonce}`;
    const fields = { msisdn, transactionid: sessionId, requestType: OPENS[reply.action] };
    return { wire: soap(200, insert({ ...NOTHING, ...fields }, textFor(reply.screen))), sessionId };
  };
  // An application's query has no place for an envelope, whatever method it is registered with.
  const ask = (requestType: string, turn: Turn, msg: string, msisdn = ""): WireRequest => {
    const fields = { ...NOTHING, msisdn, transactionid: transactionOf(turn), requestType };
    const headers = { "content-type": dialect.type };
    const body = insert(fields, msg === "" ? ABSENT : escapeXml(msg));
    return { method: "POST", path: "", query: "", headers, body };
  };
  const heard: AnswersLater["heard"] = ({ body }) => HEARD[codeIn(body) ?? ""] ?? "refused";

  return {
    name: viettel.name,
    keyedById: "answers",
    carriesDialledDigits: true,
    takesScreen: (screen) => octetsOf(textFor(screen)) <= TEXT_OCTETS_MAX,

    decode(request) {
      const read = fieldsIn(readXml(request, "bad_body"), "bad_body");
      const type = read("requestType") ?? read("requesttype") ?? "";
      const phase = PHASES.get(type);
      if (phase === undefined) throw new WireError("bad_field", "requestType must be 100 to 104");
      const number = read("msisdn");
      const isTurn = phase === "begin" || phase === "continue";
      // Of a notice it is whatever the network pleases.
      const msg = isTurn ? textOf(read("msg") ?? "", "msg", INPUT_CHARS_MAX) : "";
      return {
        sessionId: idOf(read("transactionid"), "transactionid"),
        msisdn:
          number !== undefined || phase === "begin" ? anyMsisdnOf(number, "msisdn") : undefined,
        phase,
        dialled: phase === "begin" ? looseDialledOf(msg, "msg") : undefined,
        input: { kind: "latest", text: phase === "continue" ? msg : "" },
        messageId: undefined,
        network: undefined,
        echo: {
          ...{ user: read("user") ?? "", pass: read("pass") ?? "" },
          ...{ sessionid: read("sessionid") ?? read("session_id") ?? "" },
          ussdgw_id: read("ussdgw_id") ?? "",
        },
      };
    },

    encode({ reply }, { sessionId = "", echo }) {
      if (reply === undefined) return { status: 204, headers: {}, body: "" };
      const requestType = reply.action === "continue" ? GOES_ON : LAST;
      const fields = { ...NOTHING, ...echo, transactionid: sessionId, requestType };
      return soap(200, insert(fields, textFor(reply.screen)));
    },

    pushes: {
      acknowledge: () => soap(200, dialect.ack("0")),
      heard,
    },
    refuse: () => soap(200, dialect.ack(SYSTEM_ERROR)),

    // A screen that nobody asked for carries credentials of our own.
    ...(user !== "" && { initiate: opened }),

    request: (turn) =>
      isFirst(turn)
        ? ask(DIAL, turn, dialStringOf(turn), turn.msisdn)
        : ask(ANSWER, turn, turn.input, turn.msisdn),

    reply(response): Reply {
      requireSuccess(response);
      const read = fieldsOfScreen(response.body);
      const action = ACTIONS.get(read("requestType"));
      if (action === undefined) throw new WireError("bad_reply", "requestType is no screen's");
      return { action, screen: screenOf(read("msg"), "msg") };
    },

    answersLater: {
      secret: user === "" ? undefined : secretOf(user.trim(), pass.trim()),
      dialogueOf: transactionOf,
      heard,
      read({ body }) {
        const read = fieldsOfScreen(body);
        return {
          dialogue: idOf(read("transactionid"), "transactionid"),
          secret: secretOf(read("user"), read("pass")),
        };
      },
      acknowledge: (verdict) => soap(200, dialect.ack(CODE_OF[verdict])),
      tell: (turn, { eventsUrl, url }, fate) => ({
        ...ask(FATES[fate], turn, ""),
        url: eventsUrl ?? url,
      }),
    },
    notice: (turn, { eventsUrl, url }) => ({
      ...ask(CANCELLED, turn, ""),
      url: eventsUrl ?? url,
    }),
  };
}

/** Applications may tell Viettel's ids by it. */
const transactionOf = ({ sessionId }: Turn): string =>
  sessionId.startsWith("W") ? sessionId : `W${sessionId}`;
/** No field of a wire has a line feed at its end: it is trimmed. */
const secretOf = (user = "", pass = ""): string => `${user}\n${pass}`;

/** A line break that is markup is no XML, on purpose. */
function fieldsOfScreen(body: string): ReturnType<typeof fieldsIn> {
  return fieldsIn(parseXml(body.replaceAll("<br>", "\n"), "bad_reply"), "bad_reply");
}

const ORDER = [
  ...(["user", "pass", "msisdn", "msg", "sessionid", "transactionid"] as const),
  ...(["requestType", "ussdgw_id"] as const),
] as const;
type Fields = Readonly<Record<Exclude<(typeof ORDER)[number], "msg">, string>>;
const NOTHING: Fields = {
  ...{ user: "", pass: "", msisdn: "", sessionid: "", transactionid: "", requestType: "" },
  ussdgw_id: "1",
};

/** Of the operation's fields, one level deeper too; empty and "null" are absent. */
function fieldsIn(
  root: XmlElement,
  code: "bad_body" | "bad_reply",
): (name: string) => string | undefined {
  const body = root.children.find(({ name }) => name === "Body");
  const operation = body?.children[0];
  if (root.name !== "Envelope" || operation === undefined) {
    throw new WireError(code, "the root must be a SOAP envelope with an operation in its body");
  }
  const [only] = operation.children;
  const holder = only !== undefined && only.children.length > 0 ? only : operation;
  return (name) => {
    const text = textIn(holder, name, code);
    // What was typed may begin or end with a space.
    const value = name === "msg" ? text : text?.trim();
    return value === undefined || value === "" || value === ABSENT ? undefined : value;
  };
}

const CODES: ReadonlySet<string> = new Set(["errorCode", "errorType", "return"]);

/** Networks name it and nest it differently; what is no XML says nothing. */
function codeIn(body: string): string | undefined {
  const found = (element: XmlElement): string | undefined => {
    const text = element.text.trim();
    if (CODES.has(element.name) && text !== "") return text;
    return element.children.map(found).find((code) => code !== undefined);
  };
  try {
    return found(parseXml(body, "bad_reply"));
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** In UTF-8, as the network counts what is between the tags. */
function octetsOf(text: string): number {
  let octets = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    octets += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return octets;
}
