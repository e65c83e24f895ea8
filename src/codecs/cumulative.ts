/**
 * Wires that send everything typed so far joined by "*", and take "CON <screen>" or "END <screen>"
 * as text. Whose they are is a table of names; how they work is written once.
 *
 * Nothing on these wires says that a dialogue begins, and subscribers type "*" themselves, so
 * neither is decided here.
 */
import { WireError } from "../core/failure.ts";
import type { Codec, Dialled, Turn } from "../types.ts";
import { answerWithPrefix, readPrefixed, refuseWithEnd } from "./con-end.ts";
import {
  anyMsisdnOf,
  askInForm,
  askInQuery,
  bareCodeOf,
  type FormFields,
  idOf,
  INPUT_CHARS_MAX,
  labelOf,
  looseDialledOf,
  plusMsisdnOf,
  readForm,
  readQuery,
  readQueryOrForm,
  textOf,
} from "./fields.ts";

export type CumulativeWire = {
  /** "any": by GET as documented, by POST on request. */
  readonly method: "GET" | "POST" | "any";
  /** Names on the wire. */
  readonly sessionId: string;
  readonly msisdn: string;
  readonly code: string;
  readonly input: string;
  readonly network?: string;
  /** E.164 with the plus; without where it is left out. */
  readonly isPlus?: true;
  /** How the code is written: "*384*12#", "384*12" or "*384*12". */
  readonly codeAs: "dialled" | "bare" | "open";
  /** The input repeats the code, "*384*12*1#" for "1", but for the first, which is empty. */
  readonly inputHasCode?: true;
  /** "latest" where the input is of this turn alone. */
  readonly kind?: "latest";
  /** What says that the dialogue is over. */
  readonly isOver?: (fields: FormFields) => boolean;
};

const TEXT_CHARS_MAX = 2_000;
const STAR = 0x2a;
const HEADERS = { "content-type": "text/plain" };
const READ = { GET: readQuery, POST: readForm, any: readQueryOrForm };

export function createCumulative(name: string, wire: CumulativeWire): Codec {
  const { method, kind = "history" } = wire;
  const readPhone = wire.isPlus ? readPlus : anyMsisdnOf;
  return {
    name,
    methods: method === "any" ? ["GET", "POST"] : [method],
    ...(kind === "history" ? { wantsHistory: true, carriesDialledDigits: true } : {}),

    decode(request) {
      const fields = READ[method](request);
      const isOver = wire.isOver?.(fields) === true;
      const dialled = looseDialledOf(fields.get(wire.code), wire.code);
      return {
        sessionId: idOf(fields.get(wire.sessionId), wire.sessionId),
        msisdn: readPhone(fields.get(wire.msisdn), wire.msisdn),
        phase: isOver ? "abort" : "unknown",
        dialled,
        input: { kind, text: isOver ? "" : readInput(fields, wire, dialled) },
        messageId: undefined,
        network:
          wire.network === undefined ? undefined : labelOf(fields.get(wire.network), wire.network),
        echo: {},
      };
    },

    encode: ({ reply }) => answerWithPrefix(reply, HEADERS),
    refuse: (error) => refuseWithEnd(error, HEADERS),

    request(turn, { method: wanted }) {
      const fields = { ...idsOf(turn, wire), [wire.input]: inputOf(turn, wire) };
      return method === "POST" ? askInForm(fields, wanted) : askInQuery(fields);
    },
    reply: (response) => readPrefixed(response),
  };
}

/** Who and what, by the names of the wire. */
export function idsOf({ sessionId, serviceCode, msisdn, provider }: Turn, wire: CumulativeWire) {
  return {
    [wire.sessionId]: sessionId,
    [wire.code]: CODE_AS[wire.codeAs](serviceCode),
    [wire.msisdn]: wire.isPlus ? `+${msisdn}` : msisdn,
    ...(wire.network === undefined ? {} : { [wire.network]: provider }),
  };
}
const CODE_AS = {
  dialled: (code: string) => code,
  bare: bareCodeOf,
  open: (code: string) => code.slice(0, -1),
};

function inputOf({ serviceCode, input, inputs }: Turn, { kind, inputHasCode }: CumulativeWire) {
  if (kind === "latest") return input;
  if (!inputHasCode || inputs.length === 0) return inputs.join("*");
  return `${[serviceCode.slice(0, -1), ...inputs].join("*")}#`;
}

/** An unencoded "+" is a space after form decoding (RELIABILITY 2.6). */
function readPlus(value: string | undefined, name: string): ReturnType<typeof plusMsisdnOf> {
  return plusMsisdnOf(value?.startsWith(" ") ? `+${value.slice(1)}` : value, name);
}

/** VoicePact webhook docs: the text is not required. */
function readInput(fields: FormFields, wire: CumulativeWire, dialled: Dialled): string {
  const { input: name, kind, inputHasCode } = wire;
  if (kind === "latest") return textOf(fields.get(name) ?? "", name, INPUT_CHARS_MAX);
  const whole = textOf(fields.get(name) ?? "", name, TEXT_CHARS_MAX);
  const text = inputHasCode ? withoutCode(whole, dialled) : whole;
  // What is typed at one turn may hold stars, so only a run without any is surely too long.
  let run = 0;
  for (let index = 0; index < text.length; index += 1) {
    run = text.charCodeAt(index) === STAR ? 0 : run + 1;
    if (run <= INPUT_CHARS_MAX) continue;
    const detail = `${name} must have at most ${INPUT_CHARS_MAX} characters a turn`;
    throw new WireError("bad_field", detail);
  }
  return text;
}

/** "1*2" for "*384*12*1*2#" behind "*384*12#"; what does not begin with the code is left alone. */
function withoutCode(text: string, dialled: Dialled): string {
  const code = dialled.slice(0, -1);
  if (!text.startsWith(code)) return text;
  const rest = text.slice(code.length).replace(/#$/, "");
  if (rest === "") return "";
  return rest.startsWith("*") ? rest.slice(1) : text;
}
