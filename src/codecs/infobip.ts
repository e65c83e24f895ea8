/**
 * Infobip USSD gateway, and the one-address form of it that Ghana's Vodafone and mNotify's own
 * codes use.
 *
 *   in   below the channel's path: POST /session/{id}/start and /session/{id}/response, JSON:
 *        msisdn "385…", text, shortCode "*123#", ussdGwId; PUT /session/{id}/end, JSON: reason,
 *        exitCode; GET /session/{id}/status
 *   flat POST to the channel's path itself, JSON: sessId, msIsdn, text, shortCode "766", ussdGwId
 *   out  200, JSON: ussdMenu, shouldClose, responseExitCode 200, responseMessage
 *
 * What is wrong is said in the body, as responseExitCode 400, under status 200. The flat form has
 * no verb: its dial is a text like *766#, and lines of its screens end in CR LF. The end and the
 * status name no subscriber (PROTOCOLS 11, from vumi, which quotes Infobip's interface document).
 */
import { asDialled, canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Dialled, Inbound, Turn, WireReply, WireRequest } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  anyMsisdnOf,
  askInJson,
  bareCodeOf,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  type JsonFields,
  labelOf,
  readJson,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";

const FORMS = ["rest", "flat"];

export const infobip: CodecEntry = {
  name: "infobip",
  options: {
    form: {
      default: "rest",
      help: '"rest" or "flat": how backends are asked; networks may ask either way',
    },
  },
  create({ form = "rest" }) {
    if (!FORMS.includes(form)) throw new Error('infobip: option "form" must be "rest" or "flat"');
    return createInfobip(form === "flat");
  },
};

const ADDRESS = /(?:^|\/)session\/([^/]{1,300})\/(start|response|end|status)$/;
const METHODS: Readonly<Record<string, string>> = { end: "PUT", status: "GET" };
const PHASES: Readonly<Record<string, Inbound["phase"]>> = {
  ...{ start: "begin", response: "continue", end: "abort", status: "query" },
};
const OK = 200;
const WRONG = 400;
const CRLF = "\r\n";

function createInfobip(isFlat: boolean): Codec {
  return {
    name: infobip.name,
    methods: ["POST", "PUT", "GET"],
    hasSubpaths: true,
    keyedById: "notices",
    carriesDialledDigits: true,

    decode(request) {
      const [, id = "", verb = ""] = ADDRESS.exec(request.path) ?? [];
      const phase = PHASES[verb];
      if (phase === undefined) return decodeFlat(request);
      const method = METHODS[verb] ?? "POST";
      if (request.method !== method) throw new WireError("bad_field", `use ${method} for ${verb}`);
      const about = { ...NOTHING, sessionId: idOf(unescaped(id), "session"), phase };
      if (phase === "abort" || phase === "query") return about;
      const body = readJson(request, "bad_body");
      return {
        ...about,
        msisdn: anyMsisdnOf(body.msisdn, "msisdn"),
        dialled: codeOf(body.shortCode),
        network: labelOf(body.ussdGwId ?? undefined, "ussdGwId"),
        // What a start says besides its code is nobody's answer.
        input: { kind: "latest", text: phase === "begin" ? "" : typedIn(body) },
      };
    },

    encode({ reply, failure, isLive }, { phase, sessionId, echo }) {
      if (failure === "session_lost") return said(WRONG, `Invalid USSD session '${sessionId}'`);
      if (phase === "query") return said(OK, "", { sessionActive: isLive === true });
      if (reply === undefined) return said(OK, "");
      const ussdMenu = echo["form"] ? reply.screen.replaceAll("\n", CRLF) : reply.screen;
      const message = echo["form"] ? "OK" : "";
      return said(OK, message, { ussdMenu, shouldClose: reply.action === "end" });
    },

    refuse: (error) => said(WRONG, wordsOf(error)),

    request(turn, { method }) {
      const { sessionId, msisdn, provider: ussdGwId } = turn;
      const isDial = isFirst(turn);
      const rest = { imsi: "", optional: "", ussdGwId, language: "null" };
      if (isFlat) {
        const text = isDial ? dialStringOf(turn) : turn.input;
        const shortCode = bareCodeOf(turn.serviceCode);
        return askInJson({ shortCode, msIsdn: msisdn, text, ...rest, sessId: sessionId }, method);
      }
      const shortCode = isDial ? dialStringOf(turn) : turn.serviceCode;
      const asked = askInJson({ msisdn, text: turn.input, shortCode, ...rest }, method);
      return { ...asked, path: pathOf(turn, isDial ? "start" : "response") };
    },

    reply(response) {
      requireSuccess(response);
      const body = readJson(response, "bad_reply");
      const { responseExitCode, shouldClose } = body;
      if (responseExitCode !== OK) {
        throw new WireError("bad_reply", `responseExitCode must be ${OK}`);
      }
      if (typeof shouldClose !== "boolean") {
        throw new WireError("bad_reply", "shouldClose must be true or false");
      }
      const screen = screenOf(body.ussdMenu, "ussdMenu").replaceAll(CRLF, "\n");
      return { action: shouldClose ? "end" : "continue", screen };
    },

    // The flat form has no way to say it.
    notice: (turn, { url, eventsUrl }) =>
      isFlat
        ? undefined
        : {
            ...askInJson({ reason: "ended by the network", exitCode: 0 }, "PUT"),
            path: pathOf(turn, "end"),
            url: eventsUrl ?? url,
          },
  };
}

const NOTHING = {
  ...{ msisdn: undefined, dialled: undefined, messageId: undefined, network: undefined },
  ...{ input: { kind: "latest" as const, text: "" }, echo: {} },
};

function decodeFlat(request: WireRequest): Inbound {
  if (request.method !== "POST") throw new WireError("bad_field", "use POST");
  const body = readJson(request, "bad_body");
  const text = typedIn(body);
  const dialled = asDialled(text);
  return {
    ...NOTHING,
    sessionId: idOf(body.sessId, "sessId"),
    msisdn: anyMsisdnOf(body.msIsdn, "msIsdn"),
    phase: dialled === undefined ? "continue" : "begin",
    dialled,
    network: labelOf(body.ussdGwId ?? undefined, "ussdGwId"),
    input: { kind: "latest", text: dialled === undefined ? text : "" },
    echo: { form: "flat" },
  };
}

/** A menu may be answered with nothing, which some leave out. */
function typedIn({ text = "" }: JsonFields): string {
  return textOf(text ?? "", "text", INPUT_CHARS_MAX);
}

/** "*123#1#" is seen too: a code, and a digit dialled after it. */
function codeOf(shortCode: unknown): Dialled {
  const whole = textOf(shortCode, "shortCode", INPUT_CHARS_MAX).replace(/#(?=.)/g, "*");
  const dialled = canonicalDialled(whole);
  if (dialled === undefined) throw new WireError("bad_dialled", "shortCode must be like *123#");
  return dialled;
}

function unescaped(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new WireError("bad_field", "session is not valid in an address");
  }
}

function pathOf({ sessionId }: Turn, verb: string): string {
  return `/session/${encodeURIComponent(sessionId)}/${verb}`;
}

/** In Infobip's own words, where it has some. */
function wordsOf({ code, message }: WireError): string {
  if (code === "missing_field") {
    return `Missing required JSON field: ${message.replace(/ is required$/, "")}`;
  }
  return code === "bad_body" && message.includes("valid JSON") ? "Invalid JSON" : message;
}

function said(responseExitCode: number, responseMessage: string, more: JsonFields = {}): WireReply {
  return answerInJson(200, { ...more, responseExitCode, responseMessage });
}
