/**
 * Africa's Talking USSD callback, and its events callback.
 *
 *   in   POST, form: sessionId, serviceCode "*384*1234#", phoneNumber "+254…", networkCode, text
 *        or the end of a session: the same ids, status, cost, durationInMillis, … and no text
 *   out  200, text/plain: "CON <screen>" to go on, "END <screen>" to close
 *
 * `text` is everything typed so far joined by "*". Other aggregators say the same in other words
 * (PROTOCOLS 2a): each is a preset.
 */
import type { Codec } from "../types.ts";
import { createCumulative, type CumulativeWire, idsOf } from "./cumulative.ts";
import type { CodecEntry } from "./entry.ts";
import { askInForm, type FormFields } from "./fields.ts";

/** Not published; DESIGN §5. */
const PATIENCE_MS = 12_000;

const OWN: CumulativeWire = {
  method: "POST",
  ...{ sessionId: "sessionId", msisdn: "phoneNumber", code: "serviceCode", input: "text" },
  ...{ network: "networkCode", isPlus: true, codeAs: "dialled" },
};
/** developers.fastmessage.co.ke and sms.techsavanna.co.ke document one API of three brands. */
const ADVANTA: CumulativeWire = {
  method: "any",
  ...{ sessionId: "SESSIONID", msisdn: "MSISDN", code: "USSDCODE", input: "INPUT" },
  ...{ network: "NETWORK", codeAs: "open", inputHasCode: true },
};
const PRESETS: Readonly<Record<string, CumulativeWire>> = {
  hellio: OWN,
  mobilesasa: OWN,
  crossgate: {
    method: "GET",
    ...{ sessionId: "session_id", msisdn: "msisdn", code: "service_code", input: "ussd_string" },
    ...{ network: "network_code", codeAs: "bare" },
  },
  bonga: {
    method: "GET",
    ...{ sessionId: "session_id", msisdn: "mobile_number", code: "service_code", input: "message" },
    ...{ network: "network", codeAs: "dialled" },
  },
  advanta: ADVANTA,
  fastmessage: ADVANTA,
  techsavanna: ADVANTA,
};
const PRESET_NAMES = Object.keys(PRESETS).join(", ");

export const africastalking: CodecEntry = {
  name: "africastalking",
  options: {
    preset: { default: "", help: `another aggregator with the same ways: ${PRESET_NAMES}` },
    latest: { default: "false", help: '"true": this preset sends the last input alone' },
  },
  create({ preset = "", latest = "false" }) {
    if (latest !== "true" && latest !== "false") {
      throw new Error('africastalking: option "latest" must be "true" or "false"');
    }
    if (preset === "" && latest === "false") return own;
    const wire = Object.hasOwn(PRESETS, preset) ? PRESETS[preset] : undefined;
    if (wire === undefined) {
      throw new Error(`africastalking: option "preset" must be one of ${PRESET_NAMES}`);
    }
    return createCumulative(africastalking.name, latest === "true" ? asLatest(wire) : wire);
  },
};

function asLatest({ inputHasCode: _, ...wire }: CumulativeWire): CumulativeWire {
  return { ...wire, kind: "latest" };
}

const own: Codec = {
  ...createCumulative(africastalking.name, { ...OWN, isOver: isEnding }),
  patienceMs: PATIENCE_MS,

  notice(turn, { eventsUrl }) {
    if (eventsUrl === undefined) return undefined;
    const input = turn.inputs.join("*");
    const ending = { status: "Incomplete", hopsCount: String(turn.number), input };
    return { ...askInForm({ ...idsOf(turn, OWN), ...ending }, "POST"), url: eventsUrl };
  },
};

/** Success, Incomplete or Failed: it is over in each case, and nothing typed is kept of it. */
function isEnding(form: FormFields): boolean {
  return form.has("status") && !form.has("text");
}
