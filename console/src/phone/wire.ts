/** A hop as text: what was on the wire, what one reads, and a command that does it again. */
import type { PhoneAnswer } from "../../../src/api/phone-schemas.ts";

export type Hop = PhoneAnswer["hops"][number];

export function rawRequest({ request }: Hop): string {
  return rawText(`${request.method} ${request.target}`, request.headers, request.body);
}

export function rawResponse({ response, failure }: Hop): string {
  if (response === null) return failure ?? "";
  return rawText(String(response.status), response.headers, response.body);
}

function rawText(first: string, headers: Readonly<Record<string, string>>, body: string): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [first, ...lines, "", prettyBody(body)].join("\n");
}

/** JSON and forms laid out; all else as it is. */
export function prettyBody(body: string): string {
  if (/^\s*[{[]/.test(body)) {
    try {
      return JSON.stringify(JSON.parse(body), undefined, 2);
    } catch {
      return body; // not JSON after all, and that is worth seeing
    }
  }
  if (/^[\w.-]+=[^\s]*(?:&[\w.-]+=[^\s]*)*$/.test(body)) {
    return [...new URLSearchParams(body)].map(([name, value]) => `${name} = ${value}`).join("\n");
  }
  return body;
}

export function curlOf({ request, to }: Hop, origin: string): string {
  return commandOf(request, to === "gateway" ? origin : "");
}

type Sent = Omit<Hop["request"], "path" | "query"> & { readonly target: string };

/** Runs in a POSIX shell. */
export function commandOf(request: Sent, origin: string): string {
  const headers = Object.entries(request.headers)
    .filter(([name]) => !/^(?:host|content-length|connection)$/.test(name))
    .map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  const body = request.body === "" ? [] : [`--data-raw ${quoted(request.body)}`];
  const method = request.method === "GET" ? [] : [`-X ${request.method}`];
  return ["curl -i", ...method, quoted(origin + request.target), ...headers, ...body].join(
    " \\\n  ",
  );
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
