/** What an answer says that is no screen, in a line. */
import type { WireReply } from "../types.ts";

const REFUSAL_CHARS_MAX = 200;

/** "404 backend_not_found: No backend registered …" */
export function describeRefusal({ status, body }: Pick<WireReply, "status" | "body">): string {
  const { error, message } = fieldsOf(body);
  if (typeof error === "string" && typeof message === "string")
    return `${status} ${error}: ${message}`;
  const text = body.trim().slice(0, REFUSAL_CHARS_MAX);
  return text === "" ? String(status) : `${status}: ${text}`;
}

function fieldsOf(body: string): { readonly error?: unknown; readonly message?: unknown } {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {}; // a text, shown as it is
  }
}
