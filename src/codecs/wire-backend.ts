/** A described wire as a backend: we ask, and read what is answered. */
import { WireError } from "../core/failure.ts";
import type { Codec, Reply, Turn, WireReply } from "../types.ts";
import {
  askInJson,
  askInQuery,
  bareCodeOf,
  dialStringOf,
  requireSame,
  requireSameMsisdn,
  requireSuccess,
  screenOf,
} from "./fields.ts";
import type { Description, Flag, RequestField } from "./wire-description.ts";
import { formOf, type Named, nested, type Scalar } from "./wire-forms.ts";
import {
  first,
  flagOf,
  type Found,
  inText,
  outOfNewlines,
  pathsOf,
  spellerOf,
  spellings,
  timeOf,
} from "./wire-parts.ts";

export type Phase = "begin" | "continue" | "end";

export function askerOf({ request }: Description) {
  const { as, fields, headers = {}, root = "" } = request;
  const form = formOf(as, { root, names: Object.keys(fields) });
  return (values: Named, method: string) => {
    const asked = { method, path: "", query: "" };
    const isQuery = as === "query" || method === "GET";
    if (as === "json" && !isQuery) {
      const wire = askInJson(nested(values), "POST");
      return { ...wire, method, headers: { ...wire.headers, ...headers } };
    }
    if (isQuery) {
      const wire = askInQuery(Object.fromEntries(values));
      return { ...wire, headers: { ...wire.headers, ...headers } };
    }
    const wire = form.write(values);
    return { ...asked, body: wire.body, headers: { ...wire.headers, ...headers } };
  };
}

export function requestValues(wire: Description, turn: Turn, phase: Phase, nowMs: number): Named {
  return Object.entries(wire.request.fields).map(([path, says]) => [
    path,
    requestValue(wire, says, turn, phase, nowMs),
  ]);
}

function requestValue(
  { request: { firstInput } }: Description,
  says: RequestField,
  turn: Turn,
  phase: Phase,
  nowMs: number,
): Scalar {
  if (typeof says === "object") {
    return "constant" in says ? says.constant : first(says[phase] ?? says.continue);
  }
  switch (says) {
    case "sessionId":
      return turn.sessionId;
    case "messageId":
      return turn.transactionId;
    case "msisdn":
      return turn.msisdn;
    case "+msisdn":
      return `+${turn.msisdn}`;
    case "code":
      return turn.serviceCode;
    case "bareCode":
      return bareCodeOf(turn.serviceCode);
    case "network":
      return turn.provider;
    case "history":
      return turn.inputs.join("*");
    case "input":
      return phase === "begin" ? firstInputOf(firstInput, turn) : turn.input;
    case "isoTime":
    case "unixTime":
      return timeOf(says, nowMs);
  }
}

function firstInputOf(rule: Description["request"]["firstInput"], turn: Turn): string {
  if (rule === "dialString") return dialStringOf(turn);
  return rule === "code" ? turn.serviceCode : (rule?.constant ?? "");
}

export function replyReaderOf(wire: Description): Codec["reply"] {
  const { reply } = wire;
  const { as, fields = {}, headers = {}, prefix, newline = "\n", root = "" } = reply;
  const form = formOf(as, { root, names: Object.keys(fields) });
  const path = pathsOf(fields);
  const [sessionId, messageId] = [path("sessionId"), path("messageId")];
  const msisdn = path("msisdn") ?? path("+msisdn");
  const screenAt = path("screen") ?? "body";
  const flagged = flagOf(Object.entries(fields));
  const spell = spellerOf(as);
  const header = flagOf(Object.entries(headers));
  return (response, turn) => {
    requireSuccess(response);
    if (as === "text" && prefix !== undefined) return readText(response.body, prefix, newline);
    const heading = header && response.headers[header.path];
    if (as === "text") {
      const action = actionOf(header, heading, String);
      return { action, screen: screenOf(outOfNewlines(response.body, newline), "body") };
    }
    const read = form.read(response, "bad_reply");
    const same = (at: string | undefined, expected: string) => {
      const value = at === undefined ? undefined : inText(read(at));
      if (at !== undefined && value !== undefined) requireSame(value, expected, at);
    };
    same(sessionId, turn.sessionId);
    same(messageId, turn.transactionId);
    const number = msisdn === undefined ? undefined : read(msisdn);
    if (msisdn !== undefined && number !== undefined)
      requireSameMsisdn(number, turn.msisdn, msisdn);
    const action =
      flagged === undefined
        ? actionOf(header, heading, String)
        : actionOf(flagged, read(flagged.path), spell);
    return { action, screen: outOfNewlines(screenOf(read(screenAt), screenAt), newline) };
  };
}

function readText(
  body: WireReply["body"],
  prefix: NonNullable<Description["reply"]["prefix"]>,
  newline: string,
): Reply {
  for (const action of ["continue", "end"] as const) {
    if (!body.startsWith(prefix[action])) continue;
    const screen = outOfNewlines(body.slice(prefix[action].length), newline);
    return { action, screen: screenOf(screen, "body") };
  }
  const rule = `body must begin with ${prefix.continue.trim()} or ${prefix.end.trim()}`;
  throw new WireError("bad_reply", rule);
}

function actionOf(
  flag: Found<Flag> | undefined,
  value: unknown,
  spell: (value: Scalar) => Scalar,
): Reply["action"] {
  const { path = "", says } = flag ?? {};
  for (const action of ["continue", "end"] as const) {
    if (spellings(says?.[action]).some((one) => spell(one) === value)) return action;
  }
  const known = [...spellings(says?.continue), ...spellings(says?.end)].join(", ");
  throw new WireError("bad_reply", `${path} must be ${known}`);
}
