/** The JSON that Hubtel made and Emergent took over: what both read and write. */
import { asDialled, canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Dialled, Inbound, Reply, Turn } from "../types.ts";
import {
  answerInJson,
  askInJson,
  bareCodeOf,
  bareMsisdnOf,
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

type Told = { readonly SessionId: string };
export type HubtelLike = {
  readonly name: string;
  /** Where the wire does not name the code: the network's own apps have none to dial. */
  readonly serviceCode: Dialled | undefined;
  /** Its answers say of themselves that the next input is to be hidden: Mask, MaskNextRoute. */
  readonly masks?: true;
  /** What the answer says besides Message and Type. */
  readonly more: (reply: Reply | undefined, told: Told) => JsonFields;
};

const TYPE_CHARS_MAX = 20;
const CODE_CHARS_MAX = 64;
/** Hubtel's API reference: "ClientState", at most 100 characters. */
const CLIENT_STATE_CHARS_MAX = 100;
const PHASES: Readonly<Record<string, Inbound["phase"]>> = {
  initiation: "begin",
  response: "continue",
  release: "abort",
  timeout: "abort",
};

export function createHubtelLike({ name, serviceCode, masks, more }: HubtelLike): Codec {
  return {
    name,
    carriesDialledDigits: true,

    decode(request) {
      const body = readJson(request, "bad_body");
      const text = textOf(body.Message ?? "", "Message", INPUT_CHARS_MAX);
      const phase = phaseOf(body.Type, text);
      const sessionId = idOf(body.SessionId ?? body.sessionId, "SessionId");
      // Hubtel's reference writes it either way, and Emergent says USERID for it.
      const named = body.ServiceCode ?? body.serviceCode ?? body.USERID ?? "";
      const code = canonicalDialled(textOf(named, "ServiceCode", CODE_CHARS_MAX));
      return {
        sessionId,
        msisdn: bareMsisdnOf(body.Mobile, "Mobile"),
        phase,
        dialled: (phase === "begin" ? asDialled(text) : undefined) ?? code ?? serviceCode,
        input: { kind: "latest", text: phase === "continue" ? text : "" },
        messageId: sequenceOf(body.Sequence),
        network: labelOf(body.Operator, "Operator"),
        // The case of types is the sender's: applications and networks compare it as it is.
        echo: { case: typeof body.Type === "string" && /^[a-z]/.test(body.Type) ? "lower" : "" },
      };
    },

    encode({ reply }, { sessionId = "", echo }) {
      const type = reply?.action === "continue" ? "Response" : "Release";
      return answerInJson(200, {
        ...more(reply, { SessionId: sessionId }),
        Type: echo.case === "lower" ? type.toLowerCase() : type,
        Message: reply?.screen ?? "",
      });
    },

    request(turn, { method }) {
      const first = isFirst(turn);
      const Message = first ? dialStringOf(turn) : turn.input;
      return askInJson({ ...said(turn), Type: first ? "Initiation" : "Response", Message }, method);
    },

    reply(response) {
      requireSuccess(response);
      const { Type, Message, ClientState, ...rich } = readJson(response, "bad_reply");
      const type = typeof Type === "string" ? Type.toLowerCase() : "";
      if (type !== "response" && type !== "release") {
        throw new WireError("bad_reply", "Type must be Response or Release");
      }
      const memo = memoOf(ClientState);
      const isHidden = rich.Mask === true || rich.MaskNextRoute === true;
      return {
        action: type === "response" ? "continue" : "end",
        screen: screenOf(Message, "Message"),
        ...(memo !== undefined && { memo }),
        ...(masks && isHidden && type === "response" && { asksSecret: true as const }),
      };
    },

    notice: (turn, { eventsUrl, url, method }) => ({
      ...askInJson({ ...said(turn), Type: "Release", Message: "" }, method),
      url: eventsUrl ?? url,
    }),
  };
}

function said({ sessionId, serviceCode, msisdn, provider, number, memo = "" }: Turn) {
  return {
    SessionId: sessionId,
    ServiceCode: bareCodeOf(serviceCode),
    Mobile: msisdn,
    Operator: provider,
    Sequence: number,
    ClientState: memo,
  };
}

/** Simulators leave the type out: then a code as it is dialled is a dial. */
function phaseOf(type: unknown, text: string): Inbound["phase"] {
  if (type === undefined) return asDialled(text) === undefined ? "continue" : "begin";
  const phase = PHASES[textOf(type, "Type", TYPE_CHARS_MAX).toLowerCase()];
  if (phase === undefined) throw new WireError("bad_field", "Type is none that begins or answers");
  return phase;
}

/** A number, or a number as text. */
function sequenceOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = typeof value === "number" ? String(value) : textOf(value, "Sequence", 10);
  if (!/^\d{1,10}$/.test(text)) throw new WireError("bad_field", "Sequence must be a number");
  return text;
}

function memoOf(state: unknown): string | undefined {
  if (state === undefined || state === null || state === "") return undefined;
  if (typeof state !== "string" || state.length > CLIENT_STATE_CHARS_MAX) {
    throw new WireError("bad_reply", "ClientState must be a text of at most 100 characters");
  }
  return state;
}
