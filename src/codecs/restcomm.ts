/**
 * RestComm's USSD gateway, before that Mobicents and Telscale: MAP dialogues as XML.
 *
 *   in   POST, <dialog> with localId and one message: processUnstructuredSSRequest_Request dials,
 *        unstructuredSSRequest_Response answers, unstructuredSSNotify_Response has seen a notice;
 *        none, mapMessagesSize="0" and why: the dialogue is over
 *   out  200, <dialog>: unstructuredSSRequest_Request goes on; the last is
 *        processUnstructuredSSRequest_Response, which repeats the invokeId of the dial
 *
 * Who calls and the invokeId are said once, at the dial; a cookie brings them back with each
 * answer. A dialogue of ours is a POST to the gateway, which answers with what was typed: there
 * `userObject` is what comes back, and a notice is the last screen, since nothing was asked that a
 * response could answer (PROTOCOLS 15, from the project's administration guide).
 */
import { cookieOf } from "../core/cookie.ts";
import { WireError } from "../core/failure.ts";
import { measureScreen } from "../core/screen.ts";
import type { Codec, Inbound, Msisdn, Reply, WireReply, WireRequest } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
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
import { attributeOf, childOf, parseXml, readXml, XML_HEADERS, type XmlElement } from "./xml.ts";

export const restcomm: CodecEntry = {
  name: "restcomm",
  options: {},
  create: () => CODEC,
};

const DIAL = "processUnstructuredSSRequest_Request";
const LAST = "processUnstructuredSSRequest_Response";
const ASK = "unstructuredSSRequest_Request";
const ANSWER = "unstructuredSSRequest_Response";
const REFERENCE = "originationReference";
const NOTIFY = "unstructuredSSNotify_Request";
const PHASES: ReadonlyMap<string, Inbound["phase"]> = new Map([
  [DIAL, "begin"],
  [ANSWER, "continue"],
  ["unstructuredSSNotify_Response", "notice"],
]);
const ENDINGS = [
  ...["mapUserAbortChoice", "mapAbortProviderReason", "mapRefuseReason"],
  ...["dialogTimedOut", "invokeTimedOut"],
] as const;
/** 3GPP TS 23.038 §5: GSM-7 in no language of its own, and UCS-2. */
const DCS = { gsm7: "15", ucs2: "72" } as const;
/** What a MAP stack numbers the first invoke of a dialogue with. */
const FIRST_INVOKE = "0";
const ONE_MESSAGE = ' mapMessagesSize="1"';
/** The other value drops what is said. */
const END = ' prearrangedEnd="false"';
const COOKIE = "JSESSIONID";

const CODEC: Codec = {
  name: restcomm.name,
  reusesSessionIds: true,
  carriesDialledDigits: true,

  decode(request) {
    const dialog = dialogOf(readXml(request, "bad_body"), "bad_body");
    const localId = idOf(dialog.attributes.get("localId"), "localId");
    const [message, phase] = messageIn(dialog);
    // Of a dial it is another dialogue's.
    const mark = phase === "begin" ? undefined : markIn(dialog, request.headers["cookie"]);
    const typed =
      phase === "begin" || phase === "continue"
        ? textOf(message.attributes.get("string"), "string", INPUT_CHARS_MAX)
        : "";
    const number = numberIn(dialog, message);
    return {
      sessionId: mark?.sessionId ?? localId,
      msisdn:
        number !== undefined || phase === "begin" ? anyMsisdnOf(number, "msisdn") : mark?.msisdn,
      phase,
      dialled: phase === "begin" ? looseDialledOf(typed, "string") : undefined,
      input: { kind: "latest", text: phase === "continue" ? typed : "" },
      messageId: undefined,
      network: undefined,
      echo:
        mark?.origin === "push"
          ? { userObject: dialog.attributes.get("userObject") ?? "" }
          : { invokeId: invokeIdOf(phase === "begin" ? message : undefined, mark) },
    };
  },

  encode({ reply }, { sessionId = "", msisdn, phase, echo }) {
    if (reply === undefined) return dialog(` mapMessagesSize="0"${END}`, "");
    const { action, screen } = reply;
    const { invokeId = FIRST_INVOKE, userObject } = echo;
    if (userObject !== undefined) {
      const attributes = ONE_MESSAGE + attributeOf("userObject", userObject);
      return dialog(attributes, message(action === "end" ? NOTIFY : ASK, shown(screen)));
    }
    if (action === "end") {
      return dialog(ONE_MESSAGE + END, message(LAST, invoked(invokeId) + shown(screen)));
    }
    const wire = dialog(ONE_MESSAGE, message(ASK, shown(screen)));
    if (phase !== "begin" || msisdn === undefined) return wire;
    const cookie = `${COOKIE}=${writeMark(msisdn, invokeId, sessionId)}; Path=/; HttpOnly`;
    return { ...wire, headers: { ...wire.headers, "set-cookie": cookie } };
  },

  refuse: () => ({ status: 400, headers: XML_HEADERS, body: "" }),

  initiate({ msisdn, reply: { action, screen }, nonce }) {
    const isNotice = action === "end";
    const userObject = isNotice ? "" : attributeOf("userObject", writeMark(msisdn, PUSHED, nonce));
    const said = message(isNotice ? NOTIFY : ASK, shown(screen), numbered("msisdn", msisdn));
    return { wire: dialog(ONE_MESSAGE + userObject, said), sessionId: nonce };
  },

  request(turn, { method }) {
    const { sessionId, msisdn, input, number, memo } = turn;
    const isDial = isFirst(turn);
    const { cookie, userObject } = readMemo(memo);
    const kept = userObject === "" ? "" : attributeOf("userObject", userObject);
    const invoke = invoked(String(isDial ? 0 : (number - 1) % INVOKES));
    const said = isDial
      ? message(DIAL, invoke + shown(dialStringOf(turn)), numbered("msisdn", msisdn))
      : numbered(REFERENCE, msisdn) + message(ANSWER, invoke + shown(input));
    const about = addressed(isDial ? "Begin" : "Continue", sessionId) + ONE_MESSAGE + kept;
    return called(method === "GET" ? "POST" : method, cookie, dialog(about, said));
  },

  reply(response, { memo }) {
    requireSuccess(response);
    const root = dialogOf(parseXml(response.body, "bad_reply"), "bad_reply");
    const said = root.children.find(({ name }) => name === ASK || name === LAST);
    if (said === undefined) throw new WireError("bad_reply", `${ASK} or ${LAST} is missing`);
    const reply: Reply = {
      action: said.name === ASK ? "continue" : "end",
      screen: screenOf(said.attributes.get("string"), "string"),
    };
    const before = readMemo(memo);
    const next = writeMemo({
      cookie: cookieOf(response.headers["set-cookie"]) ?? before.cookie,
      userObject: root.attributes.get("userObject") ?? before.userObject,
    });
    return next === undefined || reply.action === "end" ? reply : { ...reply, memo: next };
  },

  notice({ sessionId, msisdn, memo }, { eventsUrl, url }) {
    const { cookie, userObject } = readMemo(memo);
    const kept = userObject === "" ? "" : attributeOf("userObject", userObject);
    const why = ' mapMessagesSize="0" mapUserAbortChoice="isUserSpecificReason"';
    const over = dialog(
      addressed("Abort", sessionId) + why + kept,
      `${numbered(REFERENCE, msisdn)}<errComponents/>`,
    );
    return { ...called("POST", cookie, over), url: eventsUrl ?? url };
  },
};

function dialogOf(root: XmlElement, code: "bad_body" | "bad_reply"): XmlElement {
  if (root.name !== "dialog") throw new WireError(code, "the root must be dialog");
  return root;
}

function messageIn(root: XmlElement): readonly [XmlElement, Inbound["phase"]] {
  const isOver = ENDINGS.some((name) => (root.attributes.get(name) ?? "false") !== "false");
  if (isOver) return [root, "abort"];
  for (const child of root.children) {
    const phase = PHASES.get(child.name);
    if (phase !== undefined) return [child, phase];
  }
  if (root.attributes.get("mapMessagesSize") === "0") return [root, "abort"];
  throw new WireError("missing_field", `${DIAL} or ${ANSWER} is required`);
}

function numberIn(root: XmlElement, holder: XmlElement): string | undefined {
  const named = childOf(holder, "msisdn") ?? childOf(root, REFERENCE);
  return named?.attributes.get("number")?.trim();
}

/** What comes back to us with each message of a dialogue, because we asked for it. */
type Mark = {
  readonly msisdn: Msisdn;
  /** The invokeId of the dial, or that the dialogue is ours. */
  readonly origin: string;
  readonly sessionId: string;
};
const PUSHED = "push";
const MARK = /^(?<msisdn>[1-9]\d{6,14})-(?<origin>\d{1,3}|push)-(?<sessionId>[\w.-]{1,64})$/;

function writeMark(msisdn: Msisdn, origin: string, sessionId: string): string {
  return `${msisdn}-${origin}-${sessionId}`;
}

function markIn(root: XmlElement, cookies = ""): Mark | undefined {
  const pair = cookies
    .split(";")
    .map((text) => text.trim())
    .find((text) => text.startsWith(`${COOKIE}=`));
  const kept = pair?.slice(COOKIE.length + 1).replaceAll('"', "");
  const text = kept ?? root.attributes.get("userObject") ?? "";
  return MARK.exec(text)?.groups as Mark | undefined;
}

function invokeIdOf(dial: XmlElement | undefined, known: Mark | undefined): string {
  const given = dial?.attributes.get("invokeId")?.trim() ?? known?.origin ?? FIRST_INVOKE;
  if (!/^\d{1,3}$/.test(given)) throw new WireError("bad_field", "invokeId must be a number");
  return given;
}
/** They are one octet (ITU-T Q.773). */
const INVOKES = 128;

function dialog(attributes: string, inner: string): WireReply {
  const content = inner === "" ? "/>" : `>${inner}</dialog>`;
  const body = `<?xml version="1.0" encoding="UTF-8" ?><dialog${attributes}${content}`;
  return { status: 200, headers: XML_HEADERS, body };
}

function message(name: string, attributes: string, inner = ""): string {
  return inner === "" ? `<${name}${attributes}/>` : `<${name}${attributes}>${inner}</${name}>`;
}

function shown(text: string): string {
  const { alphabet } = measureScreen(text);
  return ` dataCodingScheme="${DCS[alphabet]}"${attributeOf("string", text)}`;
}

function invoked(id: string): string {
  return ` invokeId="${id}"`;
}

/** An application may want it with each request, and loses nothing by it. */
function numbered(name: "msisdn" | typeof REFERENCE, msisdn: Msisdn): string {
  return `<${name} nai="international_number" npi="ISDN" number="${msisdn}"/>`;
}

/** As the gateway's own dialogues: the ids of its MAP stack are numbers. */
function addressed(type: "Begin" | "Continue" | "Abort", sessionId: string): string {
  const isNumber = /^\d{1,18}$/.test(sessionId);
  const digits = Number.parseInt(sessionId.replace(/^sess_/, "").slice(0, 12), 16) || 1;
  const id = isNumber ? sessionId : String(digits);
  return (
    ` type="${type}" appCntx="networkUnstructuredSsContext_version2" networkId="0"` +
    ` localId="${id}" remoteId="${id}" returnMessageOnError="false"`
  );
}

function called(method: string, cookie: string, { headers, body }: WireReply): WireRequest {
  const kept = cookie === "" ? headers : { ...headers, cookie };
  return { method, path: "", query: "", headers: kept, body };
}

type Memo = { readonly cookie: string; readonly userObject: string };
const MEMO_CHARS_MAX = 2_000;
/** RFC 6265 §4.1.1, with the spaces between pairs. */
const COOKIES = /^[\x20-\x7e]*$/;

function readMemo(memo = ""): Memo {
  const [cookie = "", ...rest] = memo.split("\n");
  return { cookie, userObject: rest.join("\n") };
}

function writeMemo({ cookie, userObject }: Memo): string | undefined {
  if (cookie === "" && userObject === "") return undefined;
  const memo = `${cookie}\n${userObject}`;
  if (memo.length > MEMO_CHARS_MAX || !COOKIES.test(cookie)) {
    throw new WireError("bad_reply", `cookie and userObject: at most ${MEMO_CHARS_MAX} characters`);
  }
  return memo;
}
