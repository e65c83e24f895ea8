/** A described wire as a channel: the network asks, and is answered. */
import { asDialled, canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Answer, Codec, Dialled, Inbound } from "../types.ts";
import {
  anyMsisdnOf,
  idOf,
  INPUT_CHARS_MAX,
  jsonToEcho,
  labelOf,
  looseDialledOf,
  textOf,
} from "./fields.ts";
import type { Description, ReplyField } from "./wire-description.ts";
import {
  formOf,
  type Named,
  nested,
  type Read,
  readAsQuery,
  type Scalar,
  TEXT_HEADERS,
} from "./wire-forms.ts";
import {
  first,
  inNewlines,
  inText,
  pathsOf,
  phaseFieldOf,
  spellerOf,
  spellings,
  timeOf,
} from "./wire-parts.ts";

const ECHO_CHARS_MAX = 1_000;
const HISTORY_CHARS_MAX = 2_000;

export function decoderOf(wire: Description, code: Dialled | undefined): Codec["decode"] {
  const { as, fields, root = "", firstInput } = wire.request;
  const form = formOf(as, { root, names: Object.keys(fields) });
  const path = pathsOf(fields);
  const input = path("input") ?? path("history") ?? "";
  const kind = path("input") === undefined ? "history" : "latest";
  const charsMax = kind === "history" ? HISTORY_CHARS_MAX : INPUT_CHARS_MAX;
  const sessionId = path("sessionId");
  const msisdn = path("msisdn") ?? path("+msisdn") ?? "";
  const dialledAt = path("code") ?? path("bareCode");
  const [messageId, network] = [path("messageId"), path("network")];
  const phaseOf = phaseReaderOf(wire, input, charsMax);
  const echoed = echoesOf(wire);
  const isDialString = firstInput === "dialString";
  const isWholeEchoed = wire.reply.echoesRequest === true;
  return (request) => {
    const isQuery = request.method === "GET";
    const raw = isQuery ? readAsQuery(request) : form.read(request, "bad_body");
    const read = as === "xml" && !isQuery ? trimmed(raw) : raw;
    const phase = phaseOf(read);
    const isRead = phase === "continue" || phase === "unknown";
    const isWanted = isRead || (phase === "begin" && isDialString);
    const text = isWanted ? textOf(raw(input), input, charsMax) : "";
    const id = sessionId === undefined ? undefined : read(sessionId);
    const echo: Record<string, string> = isWholeEchoed ? { body: request.body } : {};
    for (const name of echoed) {
      const value = exactText(read(name), name);
      echo[name] = value === undefined ? "" : textOf(value, name, ECHO_CHARS_MAX);
    }
    const isDial = phase === "begin" && isDialString;
    return {
      sessionId:
        sessionId === undefined || (id === undefined && wire.namesNoSession === true)
          ? undefined
          : idOf(id, sessionId),
      msisdn: anyMsisdnOf(read(msisdn), msisdn),
      phase,
      dialled:
        (isDial ? canonicalDialled(text) : undefined) ?? dialledIn(read, dialledAt, phase, code),
      input: { kind, text: isRead ? text : "" },
      messageId: messageId === undefined ? undefined : labelled(read(messageId), messageId),
      network: network === undefined ? undefined : labelOf(read(network), network),
      echo,
    };
  };
}

function dialledIn(
  read: Read,
  path: string | undefined,
  phase: Inbound["phase"],
  code: Dialled | undefined,
): Dialled | undefined {
  const value = path === undefined ? undefined : read(path);
  if (path === undefined || value === undefined || value === "") {
    const isDue = phase === "begin" || phase === "unknown";
    if (code !== undefined || path === undefined || !isDue) return code;
  }
  return looseDialledOf(value, path);
}

/** Ids of messages are left out by some networks; what is there has to be one. */
function labelled(value: unknown, name: string): string | undefined {
  return value === undefined || value === "" ? undefined : idOf(exactText(value, name), name);
}

/** A number beyond 2^53 was rounded when it was read: it may be another's by now. */
function exactText(value: unknown, name: string): unknown {
  const isRounded = typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER;
  if (!isRounded) return inText(value);
  throw new WireError("bad_field", `${name} must be a text where it has so many digits`);
}

function phaseReaderOf(
  wire: Description,
  input: string,
  charsMax: number,
): (read: Read) => Inbound["phase"] {
  const field = phaseFieldOf(wire);
  const guess = guesserOf(wire.request.begins, input, charsMax);
  if (field === undefined) return guess;
  const { path, says } = field;
  const phases = new Map<unknown, Inbound["phase"]>();
  const { as, methods = [] } = wire.request;
  // By GET the same values are texts.
  const isText = methods.includes("GET");
  const spell = isText ? String : spellerOf(as);
  for (const value of spellings(says.end)) phases.set(spell(value), "abort");
  for (const value of spellings(says.continue)) phases.set(spell(value), "continue");
  for (const value of spellings(says.begin)) phases.set(spell(value), "begin");
  const rule = `${path} must be ${[...phases.keys()].join(", ")}`;
  return (read) => {
    const value = read(path);
    if (value === undefined && wire.request.begins !== undefined) return guess(read);
    if (value === undefined) throw new WireError("missing_field", `${path} is required`);
    const phase = phases.get(isText ? inText(value) : value);
    if (phase === undefined) throw new WireError("bad_field", rule);
    return phase;
  };
}

/** From what was typed, or from nothing at all. */
function guesserOf(
  begins: Description["request"]["begins"],
  input: string,
  charsMax: number,
): (read: Read) => Inbound["phase"] {
  if (begins === "unknown") return () => "unknown";
  const isEmpty = begins === "emptyInput";
  return (read) => {
    const text = textOf(read(input), input, charsMax);
    // A subscriber can answer with nothing, too.
    if (isEmpty) return text === "" ? "unknown" : "continue";
    return asDialled(text) === undefined ? "continue" : "begin";
  };
}

/** Indented XML has spaces around its values; what was typed keeps its own. */
function trimmed(read: Read): Read {
  return (path) => {
    const value = read(path);
    return typeof value === "string" ? value.trim() : value;
  };
}

export function encoderOf(wire: Description): Codec["encode"] {
  const { reply } = wire;
  const { fields = {}, headers = {}, prefix, newline = "\n", root = "" } = reply;
  const form = formOf(reply.as, { root, names: Object.keys(fields) });
  const parts = Object.entries(fields);
  return (answer, inbound, nowMs) => {
    const isMore = answer.reply?.action === "continue";
    const action = isMore ? "continue" : "end";
    const screen = inNewlines(answer.reply?.screen ?? "", newline);
    const extra: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers))
      extra[name] = typeof value === "string" ? value : String(first(value[action]));
    if (reply.as === "text") {
      const body = answer.reply === undefined ? "" : (prefix?.[action] ?? "") + screen;
      return { status: 200, headers: { ...TEXT_HEADERS, ...extra }, body };
    }
    const values: Named = parts.map(([path, says]) => [
      path,
      replyValue(says, { answer, inbound, nowMs, screen, action }),
    ]);
    const written = form.write(values);
    const body =
      reply.echoesRequest === true
        ? JSON.stringify({ ...jsonToEcho(inbound.echo["body"] ?? "{}"), ...nested(values) })
        : written.body;
    return { status: 200, body, headers: { ...written.headers, ...extra } };
  };
}

type Said = {
  readonly answer: Answer;
  readonly inbound: Inbound;
  readonly nowMs: number;
  readonly screen: string;
  readonly action: "continue" | "end";
};

function replyValue(says: ReplyField, { inbound, nowMs, screen, action }: Said): Scalar {
  if (typeof says === "object") {
    if ("constant" in says) return says.constant;
    return "echo" in says ? (inbound.echo[says.echo] ?? "") : first(says[action]);
  }
  switch (says) {
    case "screen":
      return screen;
    case "sessionId":
    case "messageId":
    case "network":
      return inbound[says] ?? "";
    case "msisdn":
      return inbound.msisdn ?? "";
    case "+msisdn":
      return inbound.msisdn === undefined ? "" : `+${inbound.msisdn}`;
    case "isoTime":
    case "unixTime":
      return timeOf(says, nowMs);
  }
}

function echoesOf({ reply }: Description): readonly string[] {
  return Object.values(reply.fields ?? {}).flatMap((says) =>
    typeof says === "object" && "echo" in says ? [says.echo] : [],
  );
}
