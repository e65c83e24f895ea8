/**
 * MTECH (Nigeria).
 *
 *   in   POST, XML: <page version="2.0"> with session_id, mobile_number "234…", page_id 0, data and
 *        gate; later session_id, page_id and data alone; over: session_id and status
 *   out  200, XML: <page version="2.0"> with session_id and div; navigation where it goes on
 *
 * `data` is the latest answer, and at first the name of a menu, which is no answer. Lines end in
 * <br />. An answer comes with the page that the link of the screen before had named (PROTOCOLS
 * 14.7, from praekelt/vumi's transport).
 */
import { canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Dialled, Turn, WireReply } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  anyMsisdnOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  parseJson,
  requireSame,
  requireSuccess,
  screenOf,
  SERVICE_CODE_OPTION,
  serviceCodeOptionOf,
  textOf,
} from "./fields.ts";
import {
  childOf,
  escapeXml,
  parseXml,
  readXml,
  tagged,
  textIn,
  XML_UTF8_HEADERS,
  type XmlElement,
} from "./xml.ts";

export const mtech: CodecEntry = {
  name: "mtech",
  options: { service_code: SERVICE_CODE_OPTION },
  create: ({ service_code: code = "" }) => createMtech(serviceCodeOptionOf(code, mtech.name)),
};

const FIRST_PAGE = "0";
/** Of ours: one link, whatever is typed. */
const NEXT_PAGE = "indexX";
const ANYTHING = "*";
const CANCELLED = "1";
const ID_CHARS_MAX = 100;
const MEMO_CHARS_MAX = 2_000;
/** A key, and the page that it leads to. */
type Page = readonly [key: string, id: string];
const BREAK = /<br[ \t\r\n]*\/?>/g;

function createMtech(code: Dialled | undefined): Codec {
  return {
    name: mtech.name,
    keyedById: "answers",

    decode(request) {
      const page = pageOf(readXml(request, "bad_body"), "bad_body");
      const read = (name: string) => textIn(page, name, "bad_body");
      const isOver = read("status") !== undefined;
      const pageId = isOver ? "" : idOf(read("page_id")?.trim(), "page_id");
      const isDial = pageId === FIRST_PAGE;
      const number = read("mobile_number");
      const isAnswer = !isOver && !isDial;
      const typed = isAnswer ? textOf(read("data"), "data", INPUT_CHARS_MAX) : "";
      const gate = textOf(read("gate") ?? "", "gate", INPUT_CHARS_MAX).trim();
      return {
        sessionId: idOf(read("session_id")?.trim(), "session_id"),
        msisdn:
          isDial || number !== undefined ? anyMsisdnOf(number?.trim(), "mobile_number") : undefined,
        phase: isOver ? "abort" : isDial ? "begin" : "continue",
        // A gate may be a name, too.
        dialled: isDial ? (canonicalDialled(gate) ?? code) : undefined,
        input: { kind: "latest", text: typed },
        messageId: undefined,
        network: undefined,
        echo: {},
      };
    },

    encode({ reply }, { sessionId = "" }) {
      const screen = reply === undefined ? "" : `<div>${linesOf(reply.screen)}</div>`;
      const link = `<link accesskey="${ANYTHING}" pageId="${NEXT_PAGE}" />`;
      const more = reply?.action === "continue" ? `<navigation>${link}</navigation>` : "";
      return page(tagged("session_id", sessionId) + screen + more);
    },

    refuse: () => ({ status: 400, headers: XML_UTF8_HEADERS, body: "" }),

    request: (turn, { method }) => ({
      ...{ method: method === "GET" ? "POST" : method, path: "", query: "" },
      ...{ headers: XML_UTF8_HEADERS, body: page(askedIn(turn)).body },
    }),

    reply(response, turn) {
      requireSuccess(response);
      const body = response.body.replace(BREAK, "\n");
      const said = pageOf(parseXml(body, "bad_reply"), "bad_reply");
      const id = textIn(said, "session_id", "bad_reply")?.trim();
      if (id !== undefined) requireSame(id, turn.sessionId, "session_id");
      const title = textIn(said, "title", "bad_reply")?.trim();
      const navigation = childOf(said, "navigation");
      const links = navigation?.children.filter(({ name }) => name === "link") ?? [];
      const lines = [title, textIn(said, "div", "bad_reply"), ...links.map(choiceOf)];
      const shown = lines.filter((line) => line !== undefined && line !== "").join("\n");
      const memo = memoOf(links);
      return {
        action: navigation === undefined ? "end" : "continue",
        screen: screenOf(shown, "div"),
        ...(memo !== undefined && { memo }),
      };
    },

    notice: ({ sessionId }, { eventsUrl, url }) => ({
      ...{ method: "POST", path: "", query: "", headers: XML_UTF8_HEADERS },
      body: page(tagged("session_id", sessionId) + tagged("status", CANCELLED)).body,
      url: eventsUrl ?? url,
    }),
  };
}

function pageOf(root: XmlElement, code: "bad_body" | "bad_reply"): XmlElement {
  if (root.name !== "page") throw new WireError(code, "the root must be page");
  return root;
}

function page(inner: string): WireReply {
  const body = `<?xml version='1.0' encoding='UTF-8'?><page version="2.0">${inner}</page>`;
  return { status: 200, headers: XML_UTF8_HEADERS, body };
}

function linesOf(screen: string): string {
  return escapeXml(screen).replaceAll("\n", "<br />");
}

/** The number goes with each request: an application may want it, and loses nothing by it. */
function askedIn(turn: Turn): string {
  const { sessionId, msisdn, serviceCode, input, memo } = turn;
  const who = tagged("session_id", sessionId) + tagged("mobile_number", msisdn);
  if (!isFirst(turn)) {
    return who + tagged("page_id", pageFor(input, memo)) + tagged("data", input);
  }
  const dialled = tagged("data", serviceCode) + tagged("gate", serviceCode);
  return who + tagged("page_id", FIRST_PAGE) + dialled;
}

/** "1. chicken": a link with a text is a choice of a menu. */
function choiceOf({ attributes, text }: XmlElement): string | undefined {
  const key = attributes.get("accesskey") ?? "";
  return text.trim() === "" ? undefined : `${key}. ${text.trim()}`;
}

/** Where each key leads: an answer asks for the page of its own link. */
function memoOf(links: readonly XmlElement[]): string | undefined {
  const pages = links.flatMap(({ attributes }): readonly Page[] => {
    const id = attributes.get("pageId") ?? "";
    return id === "" || id.length > ID_CHARS_MAX ? [] : [[attributes.get("accesskey") ?? "", id]];
  });
  if (pages.every(([, id]) => id === NEXT_PAGE)) return undefined;
  const memo = JSON.stringify(pages);
  if (memo.length <= MEMO_CHARS_MAX) return memo;
  throw new WireError("bad_reply", `links must have at most ${MEMO_CHARS_MAX} characters`);
}

function pageFor(input: string, memo: string | undefined): string {
  const pages = (memo === undefined ? [] : parseJson(memo)) as readonly Page[];
  const of = (wanted: string) => pages.find(([key]) => key === wanted);
  const [, id] = of(input.trim()) ?? of(ANYTHING) ?? pages[0] ?? [];
  return id ?? NEXT_PAGE;
}
