/**
 * Africa's Talking USSD callback, and its events callback.
 *
 *   in   POST, form: sessionId, serviceCode "*384*1234#", phoneNumber "+254…", networkCode, text
 *        or the end of a session: the same ids, status, cost, durationInMillis, … and no text
 *   out  200, text/plain: "CON <screen>" to go on, "END <screen>" to close
 *
 * `text` is everything typed so far joined by "*". Nothing on the wire says that a dialogue
 * begins, and subscribers type "*" themselves, so neither is decided here.
 */
import { WireError } from "../core/failure.ts";
import type { Codec, Inbound, Turn } from "../types.ts";
import { answerWithPrefix, readPrefixed, refuseWithEnd } from "./con-end.ts";
import type { CodecEntry } from "./entry.ts";
import {
  askInForm,
  type FormFields,
  idOf,
  INPUT_CHARS_MAX,
  labelOf,
  looseDialledOf,
  plusMsisdnOf,
  readForm,
  textOf,
} from "./fields.ts";

export const africastalking: CodecEntry = {
  name: "africastalking",
  options: {},
  create: () => codec,
};

const TEXT_CHARS_MAX = 2_000;
const STAR = 0x2a;
const HEADERS = { "content-type": "text/plain" };

const codec: Codec = {
  name: africastalking.name,
  // Not published; DESIGN §5.
  patienceMs: 12_000,
  wantsHistory: true,
  carriesDialledDigits: true,

  decode(request) {
    const form = readForm(request);
    if (form.has("status") && !form.has("text")) return readEnding(form);
    return {
      sessionId: idOf(form.get("sessionId"), "sessionId"),
      msisdn: readPhoneNumber(form),
      phase: "unknown",
      dialled: looseDialledOf(form.get("serviceCode"), "serviceCode"),
      input: { kind: "history", text: readHistory(form) },
      messageId: undefined,
      network: labelOf(form.get("networkCode"), "networkCode"),
      echo: {},
    };
  },

  encode: ({ reply }) => answerWithPrefix(reply, HEADERS),
  refuse: (error) => refuseWithEnd(error, HEADERS),

  request: (turn, { method }) => askInForm({ ...idsOf(turn), text: turn.inputs.join("*") }, method),
  reply: (response) => readPrefixed(response),

  notice(turn, { eventsUrl }) {
    if (eventsUrl === undefined) return undefined;
    const input = turn.inputs.join("*");
    const ending = { status: "Incomplete", hopsCount: String(turn.number), input };
    return { ...askInForm({ ...idsOf(turn), ...ending }, "POST"), url: eventsUrl };
  },
};

/** Success, Incomplete or Failed: it is over in each case, and nothing typed is kept of it. */
function readEnding(form: FormFields): Inbound {
  return {
    sessionId: idOf(form.get("sessionId"), "sessionId"),
    msisdn: readPhoneNumber(form),
    phase: "abort",
    dialled: looseDialledOf(form.get("serviceCode"), "serviceCode"),
    input: { kind: "history", text: "" },
    messageId: undefined,
    network: labelOf(form.get("networkCode"), "networkCode"),
    echo: {},
  };
}

/** An unencoded "+" is a space after form decoding (RELIABILITY 2.6). */
function readPhoneNumber(form: FormFields): Inbound["msisdn"] {
  const phoneNumber = form.get("phoneNumber");
  const repaired = phoneNumber?.startsWith(" ") ? `+${phoneNumber.slice(1)}` : phoneNumber;
  return plusMsisdnOf(repaired, "phoneNumber");
}

/** VoicePact webhook docs: `text` is not required. */
function readHistory(form: FormFields): string {
  const text = textOf(form.get("text") ?? "", "text", TEXT_CHARS_MAX);
  // What is typed at one turn may hold stars, so only a run without any is surely too long.
  let run = 0;
  for (let index = 0; index < text.length; index += 1) {
    run = text.charCodeAt(index) === STAR ? 0 : run + 1;
    if (run <= INPUT_CHARS_MAX) continue;
    throw new WireError("bad_field", `text must have at most ${INPUT_CHARS_MAX} characters a turn`);
  }
  return text;
}

function idsOf({ sessionId, serviceCode, msisdn, provider }: Turn) {
  return { sessionId, serviceCode, phoneNumber: `+${msisdn}`, networkCode: provider };
}
