/** Screens as text with a prefix: "CON <screen>" to go on, "END <screen>" to close. */
import { WireError } from "../core/failure.ts";
import type { Reply, WireReply } from "../types.ts";
import { parseJson, requirePlain } from "./fields.ts";

type Headers = WireReply["headers"];

/** A notice gets "OK": nobody reads it. */
export function answerWithPrefix(reply: Reply | undefined, headers: Headers): WireReply {
  if (reply === undefined) return { status: 200, headers, body: "OK" };
  const verb = reply.action === "end" ? "END" : "CON";
  return { status: 200, headers, body: `${verb} ${reply.screen}` };
}

export function refuseWithEnd({ message }: WireError, headers: Headers): WireReply {
  return { status: 400, headers, body: `END Invalid request: ${message}` };
}

/**
 * "CON text", "CON\ntext" and even "CONtext" are all in production, and frameworks send the
 * string JSON-quoted (PROTOCOLS 2a). VoicePact's own main menu comes without any prefix.
 */
export function readPrefixed({ status, headers, body }: WireReply): Reply {
  if (status < 200 || status > 299) throw new WireError("bad_reply", `status is ${status}`);
  requirePlain(headers, "bad_reply");
  const text = unquoted(body.trimStart());
  if (text.startsWith("CON")) return { action: "continue", screen: afterPrefix(text) };
  if (text.startsWith("END")) return { action: "end", screen: afterPrefix(text) };
  if (text.trim() === "") throw new WireError("bad_reply", "body is empty");
  if (!isText(headers["content-type"], text)) {
    throw new WireError("bad_reply", "body is no text and starts with neither CON nor END");
  }
  return { action: "continue", screen: text, flaw: "missing_prefix" };
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  const value = parseJson(text);
  return typeof value === "string" ? value.trimStart() : text;
}

/** One separator is the prefix's; what follows is the screen's own. */
function afterPrefix(text: string): string {
  if (text.startsWith("\r\n", 3)) return text.slice(5);
  const next = text[3];
  return text.slice(next === " " || next === "\n" ? 4 : 3);
}

/** An error page or an error object is not a screen that lost its prefix. */
function isText(contentType: string | undefined, text: string): boolean {
  const type = (contentType ?? "").toLowerCase();
  if (type.startsWith("text/html")) return false;
  return !(type.startsWith("application/json") && (text.startsWith("{") || text.startsWith("[")));
}
