/**
 * USSD over SMPP 3.4 (PROTOCOLS 16). The transport turns PDUs into the same plain values that
 * requests on HTTP are: the command as method, parameters as headers, the text as body.
 *
 *   in   deliver_sm  ussd_service_op 1 begin, 18 answer, 129 aborted; the code in short_message
 *   out  submit_sm   ussd_service_op 2 goes on, 17 or 23 is the last; one for each deliver_sm
 *
 * `its_session_info` is written in hexadecimal, other numbers in decimal. Networks number the
 * operations differently: a profile is a row of the table below, and each number is an option.
 */
import { asDialled, canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Inbound, Turn, WireReply, WireRequest } from "../types.ts";
import type { CodecEntry, CodecOptions } from "./entry.ts";
import { bareMsisdnOf, INPUT_CHARS_MAX, textOf } from "./fields.ts";

type SessionField = "its_session_info" | "user_message_reference";
type Profile = {
  readonly beginOp: number;
  readonly inputOp: number;
  readonly abortOps: readonly number[];
  readonly continueOp: number;
  readonly endOp: number;
  readonly session: SessionField;
  /** Bits of its_session_info that name the dialogue: the first octet, or all but bit 0. */
  readonly sessionMask: number;
  /** A message without it belongs to no dialogue; else the number alone names one. */
  readonly needsSession: boolean;
  /** The last screen says so in bit 0 of its_session_info. */
  readonly endsInBit: boolean;
};

const ITS = "its_session_info";
const UMR = "user_message_reference";
const NUMBER_ONLY = 0xff00;
const ALL_BUT_END = 0xfffe;
const END_BIT = 1;
const NOTIFY_OP = 3;
const USSN_CONFIRM = 19;

const PROFILES: Readonly<Record<string, Profile>> = {
  standard: {
    ...{ beginOp: 1, inputOp: 18, abortOps: [], continueOp: 2, endOp: 17 },
    ...{ session: ITS, sessionMask: NUMBER_ONLY, needsSession: false, endsInBit: false },
  },
  tata: {
    ...{ beginOp: 1, inputOp: 18, abortOps: [17], continueOp: 2, endOp: 2 },
    ...{ session: ITS, sessionMask: ALL_BUT_END, needsSession: true, endsInBit: true },
  },
  mica: {
    ...{ beginOp: 1, inputOp: 18, abortOps: [129], continueOp: 2, endOp: 23 },
    ...{ session: UMR, sessionMask: 0, needsSession: true, endsInBit: false },
  },
  sixdee: {
    ...{ beginOp: 1, inputOp: 18, abortOps: [129], continueOp: 2, endOp: 23 },
    ...{ session: ITS, sessionMask: ALL_BUT_END, needsSession: true, endsInBit: true },
  },
};
const STANDARD = "standard";
const CODE_FIELDS = ["short_message", "destination_addr"];

const same = "of the profile";
export const smpp: CodecEntry = {
  name: "smpp",
  options: {
    profile: { default: STANDARD, help: `one of ${Object.keys(PROFILES).join(", ")}` },
    codeField: {
      default: "short_message",
      help: `where a dial has its code: ${CODE_FIELDS.join(" or ")}`,
    },
    serviceType: { default: "USSD", help: "service_type of what we submit" },
    beginOp: { default: "", help: `ussd_service_op of a dial; empty: ${same}` },
    inputOp: { default: "", help: `ussd_service_op of an answer; empty: ${same}` },
    abortOps: { default: "", help: `of a dialogue given up, with commas between; empty: ${same}` },
    continueOp: { default: "", help: `of a screen that expects an answer; empty: ${same}` },
    endOp: { default: "", help: `of the last screen; empty: ${same}` },
  },
  create(options) {
    const { codeField = "short_message", serviceType = "USSD" } = options;
    if (!CODE_FIELDS.includes(codeField)) throw wrong("codeField", CODE_FIELDS.join(" or "));
    if (!/^[\w-]{0,5}$/.test(serviceType))
      throw wrong("serviceType", "at most 5 letters or digits");
    return createSmpp(profileOf(options), codeField, serviceType);
  },
};

function wrong(option: string, rule: string): Error {
  return new Error(`smpp: option "${option}" must be ${rule}`);
}

function profileOf(options: CodecOptions): Profile {
  const { profile = STANDARD } = options;
  const base = Object.hasOwn(PROFILES, profile) ? PROFILES[profile] : undefined;
  if (base === undefined) throw wrong("profile", `one of ${Object.keys(PROFILES).join(", ")}`);
  const op = (name: "beginOp" | "inputOp" | "continueOp" | "endOp") =>
    opOf(options[name], name) ?? base[name];
  const { abortOps = "" } = options;
  return {
    ...base,
    beginOp: op("beginOp"),
    inputOp: op("inputOp"),
    continueOp: op("continueOp"),
    endOp: op("endOp"),
    abortOps:
      abortOps === ""
        ? base.abortOps
        : abortOps.split(",").flatMap((text) => opOf(text.trim(), "abortOps") ?? []),
  };
}

function opOf(text: string | undefined, option: string): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,3}$/.test(text) || Number(text) > 255) throw wrong(option, "0 to 255");
  return Number(text);
}

type Headers = WireRequest["headers"];

function createSmpp(profile: Profile, codeField: string, serviceType: string): Codec {
  const { beginOp, abortOps, continueOp, endOp, session, endsInBit } = profile;

  /** The dialogue's name in the field that this network uses. */
  const sessionOf = (headers: Headers): string | undefined => {
    const value = headers[session];
    if (value === undefined) {
      if (!profile.needsSession) return undefined;
      throw new WireError("missing_field", `${session} is required`);
    }
    if (session !== ITS) return value;
    return hex(itsOf(value) & profile.sessionMask);
  };
  const phaseOf = (headers: Headers, dialled: boolean): Inbound["phase"] => {
    const op = headers["ussd_service_op"];
    const its = headers[ITS];
    const isEnd = session === ITS && its !== undefined && (itsOf(its) & END_BIT) === END_BIT;
    if (isEnd || op === String(USSN_CONFIRM)) return "abort";
    // No operation at all: the text has to tell.
    if (op === undefined) return dialled ? "unknown" : "continue";
    if (abortOps.includes(Number(op))) return "abort";
    // What is in no table is an answer, as the networks' own clients take it.
    return Number(op) === beginOp ? "begin" : "continue";
  };
  const submit = (headers: Headers, text: string, isLast: boolean): WireReply => {
    const its = headers[ITS];
    const ended = its === undefined || !isLast || !endsInBit ? its : hex(itsOf(its) | END_BIT);
    return {
      status: 200,
      headers: {
        service_type: serviceType,
        source_addr: headers["destination_addr"],
        destination_addr: headers["source_addr"],
        ussd_service_op: String(isLast ? endOp : continueOp),
        [UMR]: headers[UMR],
        [ITS]: ended,
      },
      body: text,
    };
  };

  return {
    name: smpp.name,
    overLink: true,
    carriesDialledDigits: true,

    decode({ headers, body }) {
      const text = textOf(body, "short_message", INPUT_CHARS_MAX);
      const code = codeField === "short_message" ? text : (headers["destination_addr"] ?? "");
      const phase = phaseOf(headers, asDialled(text) !== undefined);
      const isDial = phase === "begin" || phase === "unknown";
      const dialled = isDial ? canonicalDialled(code) : undefined;
      if (isDial && dialled === undefined) {
        throw new WireError("bad_dialled", `${codeField} must be like *1234#`);
      }
      const source = headers["source_addr"];
      return {
        sessionId: sessionOf(headers),
        msisdn:
          source === undefined ? undefined : bareMsisdnOf(source.replace(/^\+/, ""), "source_addr"),
        phase,
        dialled,
        input: { kind: "latest", text: phase === "continue" ? text : "" },
        messageId: undefined,
        network: undefined,
        echo: echoOf(headers),
      };
    },

    encode({ reply }, { echo }) {
      // A notice is answered by its deliver_sm_resp alone.
      if (reply === undefined) return { status: 204, headers: {}, body: "" };
      return submit(echo, reply.screen, reply.action === "end");
    },

    /** A menu that expects an answer, or a notice: operations 2 and 3, as the standard has them. */
    initiate({ msisdn, serviceCode, reply, nonce }) {
      const named = sessionHeader(session, nonce);
      return {
        sessionId: sessionOf(named),
        wire: {
          status: 200,
          headers: {
            service_type: serviceType,
            source_addr: serviceCode,
            destination_addr: msisdn,
            ussd_service_op: String(reply.action === "end" ? NOTIFY_OP : continueOp),
            ...named,
          },
          body: reply.screen,
        },
      };
    },

    request(turn) {
      const isDial = isFirst(turn);
      const op = isDial ? beginOp : profile.inputOp;
      return {
        method: "deliver_sm",
        path: "",
        query: "",
        headers: {
          service_type: serviceType,
          source_addr: turn.msisdn,
          destination_addr: turn.serviceCode,
          ussd_service_op: String(op),
          ...sessionHeader(session, turn.sessionId),
        },
        body: isDial ? dialledBy(turn) : turn.input,
      };
    },

    reply({ headers, body }, turn) {
      const asked = sessionHeader(session, turn.sessionId);
      const its = headers[ITS];
      if (sessionOf(headers) !== sessionOf(asked))
        throw new WireError("bad_reply", `${session} is not the one asked with`);
      if (body.trim() === "") throw new WireError("bad_reply", "the text is empty");
      const ended = endsInBit
        ? its !== undefined && (itsOf(its) & END_BIT) === END_BIT
        : headers["ussd_service_op"] === String(endOp);
      return { action: ended ? "end" : "continue", screen: body };
    },
  };
}

/** "162e": four hexadecimal digits, two octets. */
function itsOf(text: string): number {
  if (!/^[0-9a-f]{4}$/.test(text)) throw new WireError("bad_field", `${ITS} must have two octets`);
  return Number.parseInt(text, 16);
}

function hex(value: number): string {
  return value.toString(16).padStart(4, "0");
}

const ECHOED = ["source_addr", "destination_addr", UMR, ITS];

function echoOf(headers: Headers): Inbound["echo"] {
  const echo: Record<string, string> = {};
  for (const name of ECHOED) {
    const value = headers[name];
    if (value !== undefined) echo[name] = value;
  }
  return echo;
}

/** A network has two octets for what we name with sixteen: the first that it can take. */
function sessionHeader(session: SessionField, sessionId: string): Record<string, string> {
  const digits = /[0-9a-f]{4}/.exec(sessionId)?.[0] ?? "0100";
  const value = Number.parseInt(digits, 16) & ALL_BUT_END;
  return session === ITS ? { [ITS]: hex(value) } : { [session]: String(value) };
}

/** Numbers lost in a crash are not used again, so a first call may be the seventh by number. */
function isFirst({ number, input, inputs, dialledDigits }: Turn): boolean {
  return number === 1 || (input === "" && inputs.length === dialledDigits.length);
}

function dialledBy({ serviceCode, dialledDigits }: Turn): string {
  if (dialledDigits.length === 0) return serviceCode;
  return `${serviceCode.slice(0, -1)}*${dialledDigits.join("*")}#`;
}
