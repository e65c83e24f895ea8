/** How doors answer on node:http, and refuse what no codec has seen. */
import type { ServerResponse } from "node:http";
import type { WireReply } from "../types.ts";

/** Nothing where nobody listens any more, or was answered already. */
export function writeReply(response: ServerResponse, reply: WireReply, isDraining = false): void {
  if (response.destroyed || response.headersSent) return;
  const headers: Record<string, string | number | undefined> = { ...reply.headers };
  headers["content-length"] = Buffer.byteLength(reply.body);
  headers["x-content-type-options"] = "nosniff";
  // Also to requests that came before the signal (RELIABILITY 2.11).
  if (isDraining) headers["connection"] = "close";
  response.writeHead(reply.status, headers);
  response.end(reply.body);
}

/** `hangUp` where the rest of the request is not read. */
export function refusal(status: number, message: string, hangUp: boolean): WireReply {
  const error = status === 401 || status === 403 ? "unauthorized" : "invalid_request";
  const headers: Record<string, string> = { "content-type": "application/json; charset=utf-8" };
  if (hangUp || status === 400) headers["connection"] = "close";
  return { status, headers, body: JSON.stringify({ error, message }) };
}
