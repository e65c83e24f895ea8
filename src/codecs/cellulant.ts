/**
 * Cellulant USSD.
 *
 *   in   GET: sessionID, MSISDN "2547…", INPUT, opCode "BEG", "" or "ABO", ABORT "0" or "1"
 *   out  200, text/plain: "1|<screen>|null|null|null|null" to go on, "…|end|null" to close
 *
 * `INPUT` is the code as dialled, then the latest answer. The wire frames with "|", so a screen has
 * "/" for it (PROTOCOLS 14.3, from praekelt/vumi's transport).
 */
import { WireError } from "../core/failure.ts";
import type { Codec, Inbound } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  anyMsisdnOf,
  askInQuery,
  dialStringOf,
  type FormFields,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  looseDialledOf,
  readQuery,
  requireSuccess,
  screenOf,
  textOf,
} from "./fields.ts";

export const cellulant: CodecEntry = {
  name: "cellulant",
  options: {},
  create: () => codec,
};

const HEADERS = { "content-type": "text/plain; charset=utf-8" };
const FIELDS = 6;

const codec: Codec = {
  name: cellulant.name,
  methods: ["GET"],
  carriesDialledDigits: true,

  decode(request) {
    const query = readQuery(request);
    const phase = phaseOf(query);
    const said = query.get("INPUT") ?? (phase === "abort" ? "" : undefined);
    const text = textOf(said, "INPUT", INPUT_CHARS_MAX);
    return {
      sessionId: idOf(query.get("sessionID"), "sessionID"),
      msisdn: anyMsisdnOf(query.get("MSISDN"), "MSISDN"),
      phase,
      dialled: phase === "begin" ? looseDialledOf(text, "INPUT") : undefined,
      input: { kind: "latest", text: phase === "continue" ? text : "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    };
  },

  encode({ reply }) {
    if (reply === undefined) return { status: 200, headers: HEADERS, body: "" };
    const screen = reply.screen.replaceAll("|", "/");
    const end = reply.action === "end" ? "end" : "null";
    return { status: 200, headers: HEADERS, body: `1|${screen}|null|null|${end}|null` };
  },

  request(turn) {
    const isNew = isFirst(turn);
    const input = isNew ? dialStringOf(turn) : turn.input;
    return askInQuery(fieldsOf(turn, input, isNew ? "BEG" : ""));
  },

  reply(response) {
    requireSuccess(response);
    const fields = response.body.split("|");
    if (fields.length < FIELDS) throw new WireError("bad_reply", `body must have ${FIELDS} fields`);
    // An application may have let a "|" of its screen through.
    const screen = fields.slice(1, fields.length - FIELDS + 2).join("|");
    const isEnd = fields.at(-2)?.trim() === "end";
    return { action: isEnd ? "end" : "continue", screen: screenOf(screen, "the second field") };
  },

  notice: (turn, { eventsUrl, url }) => ({
    ...askInQuery(fieldsOf(turn, "", "ABO")),
    url: eventsUrl ?? url,
  }),
};

function fieldsOf(
  { sessionId, msisdn }: { readonly sessionId: string; readonly msisdn: string },
  input: string,
  opCode: string,
) {
  return { MSISDN: msisdn, INPUT: input, opCode, ABORT: "0", sessionID: sessionId };
}

/** ABORT counts whatever opCode says. */
function phaseOf(query: FormFields): Inbound["phase"] {
  const opCode = query.get("opCode");
  if (query.get("ABORT") === "1" || opCode === "ABO") return "abort";
  return opCode === "BEG" ? "begin" : "continue";
}
