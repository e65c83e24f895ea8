/** HTTP as text, for test vectors: paste what was captured. LF and CRLF are both read. */
import type { WireReply, WireRequest } from "../types.ts";

export function parseRequest(raw: string): WireRequest {
  const { start, headers, body } = split(raw);
  const [method = "", target = "", version = ""] = start.split(" ");
  if (!version.startsWith("HTTP/") || !target.startsWith("/")) {
    throw new Error(`not a request line: "${start}"`);
  }
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? "" : target.slice(mark + 1);
  return { method, path: path === "/" ? "" : path, query, headers, body };
}

export function parseReply(raw: string): WireReply {
  const { start, headers, body } = split(raw);
  const status = /^HTTP\/\d(?:\.\d)? (\d{3})(?: |$)/.exec(start)?.[1];
  if (status === undefined) throw new Error(`not a status line: "${start}"`);
  return { status: Number(status), headers, body };
}

export function formatRequest({ method, path, query, headers, body }: WireRequest): string {
  const target = `${path === "" ? "/" : path}${query === "" ? "" : `?${query}`}`;
  return join(`${method} ${target} HTTP/1.1`, headers, body);
}

/** Without a reason phrase: it says nothing that the status does not. */
export function formatReply({ status, headers, body }: WireReply): string {
  return join(`HTTP/1.1 ${status}`, headers, body);
}

type Headers = WireReply["headers"];

function join(start: string, headers: Headers, body: string): string {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return [start, ...lines, "", body].join("\n");
}

/** Line breaks before the start line are how template literals are written. */
function split(raw: string): { start: string; headers: Headers; body: string } {
  const text = raw.replace(/^(?:\r?\n)+/, "");
  const gap = /\r?\n\r?\n/.exec(text);
  const head = gap === null ? text.trimEnd() : text.slice(0, gap.index);
  const body = gap === null ? "" : text.slice(gap.index + gap[0].length);
  const [start = "", ...lines] = head.split(/\r?\n/);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error(`not a header: "${line}"`);
    headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { start, headers, body };
}
