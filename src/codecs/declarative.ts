/**
 * A wire described in configuration, for a protocol that Dialyard has no codec for.
 *
 *   in   what `request` says: JSON, form, query, XML or pipes
 *   out  what `reply` says: JSON, form, text, XML or pipes
 *
 * The description is data (wire-description.ts), checked when the codec is made. Presets are
 * descriptions that come with Dialyard. Of "tmcel" nothing is published but that it is JSON
 * (OLA overview): its names are our proposal, not verified (PROTOCOLS 3.6).
 */
import type { Answer, Codec, Dialled, Inbound, Turn } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import { charsAtMost, isFirst, SERVICE_CODE_OPTION, serviceCodeOptionOf } from "./fields.ts";
import { askerOf, type Phase, replyReaderOf, requestValues } from "./wire-backend.ts";
import { decoderOf, encoderOf } from "./wire-channel.ts";
import { type Description, parseDescription } from "./wire-description.ts";
import { phaseFieldOf } from "./wire-parts.ts";

const PRESETS: Readonly<Record<string, Description>> = {
  tmcel: {
    request: {
      as: "json",
      fields: {
        session_id: "sessionId",
        transaction_id: "messageId",
        msisdn: "msisdn",
        service_code: "code",
        type: { begin: "begin", continue: "continue", end: "end" },
        input: "input",
      },
    },
    reply: {
      as: "json",
      fields: {
        session_id: "sessionId",
        transaction_id: "messageId",
        message: "screen",
        action: { continue: "continue", end: "end" },
      },
    },
  },
};
const PRESET_NAMES = Object.keys(PRESETS).join(", ");

export const declarative: CodecEntry = {
  name: "declarative",
  options: {
    preset: { default: "tmcel", help: `a description that comes with Dialyard: ${PRESET_NAMES}` },
    description: { default: "", help: "a description of one's own as JSON, in the preset's place" },
    service_code: SERVICE_CODE_OPTION,
  },
  create({ preset = "tmcel", description = "", service_code: code = "" }) {
    const known = Object.hasOwn(PRESETS, preset) ? PRESETS[preset] : undefined;
    if (known === undefined) {
      throw new Error(`declarative: option "preset" must be one of ${PRESET_NAMES}`);
    }
    const wire = description === "" ? known : parseDescription(description);
    return createDeclarative(wire, serviceCodeOptionOf(code, declarative.name));
  },
};

const NO_ANSWER: Answer = { reply: undefined, failure: undefined, serviceCode: undefined };
/** Who asked is not known when a request is refused. */
const NOBODY: Inbound = {
  ...{ sessionId: undefined, msisdn: undefined, phase: "notice", dialled: undefined },
  ...{ input: { kind: "latest", text: "" }, messageId: undefined, network: undefined, echo: {} },
};
function createDeclarative(wire: Description, code: Dialled | undefined): Codec {
  const { request, reply, namesNoSession, screenOctetsMax, screenCharsMax } = wire;
  const says = new Set(Object.values(request.fields));
  const { as, methods = as === "query" ? ["GET"] : ["POST"] } = request;
  const ask = askerOf(wire);
  const asks = (turn: Turn, phase: Phase, method: string, nowMs: number) => {
    const values = requestValues(wire, turn, phase, nowMs);
    return { ...ask(values, method), path: "" };
  };
  const endsByNotice = phaseFieldOf(wire)?.says.end !== undefined;
  const encode = encoderOf(wire);
  return {
    name: declarative.name,
    methods,
    ...(namesNoSession === true && { namesNoSession }),
    ...(screenOctetsMax !== undefined && { screenOctetsMax }),
    ...(screenCharsMax !== undefined && {
      takesScreen: charsAtMost(screenCharsMax, reply.newline),
    }),
    ...(says.has("history") && { wantsHistory: true as const }),
    ...((request.firstInput === "dialString" || !says.has("input")) && {
      carriesDialledDigits: true as const,
    }),
    decode: decoderOf(wire, code),
    encode,
    ...(reply.refusesInKind === true && {
      refuse: () => ({ ...encode(NO_ANSWER, NOBODY, 0), status: 400 }),
    }),
    request: (turn, { method }, nowMs = 0) =>
      asks(turn, isFirst(turn) ? "begin" : "continue", method, nowMs),
    reply: replyReaderOf(wire),
    ...(endsByNotice && {
      notice: (turn, { eventsUrl, url, method }) => ({
        ...asks({ ...turn, input: "" }, "end", method, 0),
        url: eventsUrl ?? url,
      }),
    }),
  };
}
