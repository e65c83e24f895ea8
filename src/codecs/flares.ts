/**
 * Comviva Flares "HTTP Pull", as Airtel's gateways and perhaps Tmcel's ask an application.
 *
 *   in   GET, 1.5.0: SessionID, MSISDN, MSC, input "167*7"; over: clean, error, SessionID, msisdn
 *        GET, Bluteki: sessionid, msisdn, type "1" new or "0", msg
 *   out  200, text: the screen; header Freeflow "FC" to go on or "FB" to close, charge, amount
 *
 * 1.5.0 sends the code without star and hash, then the latest answer: a session id not seen before
 * begins a dialogue (PROTOCOLS 14.1). The other dialect is what bluteki/ussd reads (3.5).
 */
import { canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Dialled, Inbound, Turn, WireReply } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  anyMsisdnOf,
  askInQuery,
  bareCodeOf,
  dialStringOf,
  type FormFields,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  readQuery,
  requireSuccess,
  screenOf,
  SERVICE_CODE_OPTION,
  serviceCodeOptionOf,
  textOf,
} from "./fields.ts";

const TEXT = { "content-type": "text/plain; charset=utf-8" };

export const flares: CodecEntry = {
  name: "flares",
  options: {
    dialect: { default: "1.5.0", help: "1.5.0 or bluteki" },
    service_code: SERVICE_CODE_OPTION,
  },
  create({ dialect = "1.5.0", service_code: serviceCode = "" }) {
    const code = serviceCodeOptionOf(serviceCode, flares.name);
    if (dialect === "1.5.0") return createFlares(DIALECTS.pull, code);
    if (dialect === "bluteki") return createFlares(DIALECTS.bluteki, code);
    throw new Error('flares: option "dialect" must be "1.5.0" or "bluteki"');
  },
};

type Dialect = {
  read(query: FormFields, code: Dialled | undefined): Inbound;
  ask(turn: Turn): Readonly<Record<string, string>>;
  /** The call that says that it is over. */
  clean(turn: Turn): Readonly<Record<string, string>>;
  readonly more: Readonly<Record<string, string>>;
};

const DIALECTS: Readonly<Record<"pull" | "bluteki", Dialect>> = {
  pull: {
    read: readPull,
    ask(turn) {
      const { sessionId, msisdn, provider } = turn;
      const input = isFirst(turn) ? bareCodeOf(dialStringOf(turn)) : turn.input;
      return { MSISDN: msisdn, MSC: provider, input, SessionID: sessionId };
    },
    clean: ({ sessionId, msisdn }) => ({
      ...{ msisdn, clean: "clean-session", error: "522", SessionID: sessionId },
    }),
    more: {},
  },
  bluteki: {
    read: readBluteki,
    ask(turn) {
      const { sessionId: sessionid, msisdn } = turn;
      const isNew = isFirst(turn);
      const msg = isNew ? dialStringOf(turn) : turn.input;
      return { msisdn, sessionid, type: isNew ? "1" : "0", msg };
    },
    clean: ({ sessionId: sessionid, msisdn }) => ({ msisdn, sessionid, type: "2", msg: "" }),
    more: { cprefid: "" },
  },
};

function createFlares({ read, ask, clean, more }: Dialect, code: Dialled | undefined): Codec {
  return {
    name: flares.name,
    methods: ["GET"],
    carriesDialledDigits: true,

    decode: (request) => read(readQuery(request), code),

    encode({ reply }) {
      if (reply === undefined) return { status: 200, headers: TEXT, body: "" };
      const freeflow = reply.action === "continue" ? "FC" : "FB";
      const headers = { ...TEXT, freeflow, charge: "N", amount: "0", ...more };
      // Handsets of Airtel show a leading line break as one (PROTOCOLS 14.1).
      return { status: 200, headers, body: reply.screen.replace(/^\n+/, "") };
    },
    refuse: refuseAsPull,

    request: (turn) => askInQuery(ask(turn)),

    reply(response) {
      requireSuccess(response);
      const { freeflow } = response.headers;
      if (freeflow !== "FC" && freeflow !== "FB") {
        throw new WireError("bad_reply", "header Freeflow must be FC or FB");
      }
      const action = freeflow === "FC" ? "continue" : "end";
      return { action, screen: screenOf(response.body, "body") };
    },

    notice: (turn, { eventsUrl, url }) => ({ ...askInQuery(clean(turn)), url: eventsUrl ?? url }),
  };
}

const NOTHING_SAID = { messageId: undefined, network: undefined, echo: {} };

function readPull(query: FormFields): Inbound {
  const sessionId = idOf(query.get("SessionID"), "SessionID");
  if (query.has("clean")) {
    const msisdn = anyMsisdnOf(query.get("MSISDN") ?? query.get("msisdn"), "msisdn");
    const over = {
      phase: "abort",
      dialled: undefined,
      input: { kind: "latest", text: "" },
    } as const;
    return { sessionId, msisdn, ...over, ...NOTHING_SAID };
  }
  textOf(query.get("MSC"), "MSC", INPUT_CHARS_MAX);
  const text = textOf(query.get("input"), "input", INPUT_CHARS_MAX);
  return {
    sessionId,
    msisdn: anyMsisdnOf(query.get("MSISDN"), "MSISDN"),
    phase: "unknown",
    dialled: canonicalDialled(text),
    input: { kind: "latest", text },
    ...NOTHING_SAID,
  };
}

function readBluteki(query: FormFields, code: Dialled | undefined): Inbound {
  const type = textOf(query.get("type"), "type", INPUT_CHARS_MAX);
  const phase = type === "1" ? "begin" : type === "0" ? "continue" : "abort";
  const isOver = phase === "abort";
  const msg = textOf(query.get("msg") ?? (isOver ? "" : undefined), "msg", INPUT_CHARS_MAX);
  return {
    sessionId: idOf(query.get("sessionid"), "sessionid"),
    msisdn: anyMsisdnOf(query.get("msisdn"), "msisdn"),
    phase,
    dialled: (phase === "begin" ? canonicalDialled(msg) : undefined) ?? code,
    input: { kind: "latest", text: phase === "continue" ? msg : "" },
    ...NOTHING_SAID,
  };
}

/** What Airtel hears from vumi's transport: the first word of a missing field's error names it. */
function refuseAsPull({ code, message }: WireError): WireReply {
  if (code !== "missing_field") return answerInJson(400, { error: "invalid_request", message });
  return answerInJson(400, { missing_parameter: [message.split(" ", 1)[0]] });
}
