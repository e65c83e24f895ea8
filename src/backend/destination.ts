/** What of a call to a backend is the same every time, worked out once per registration. */
import type { Backend, WireRequest } from "../types.ts";
import type { EgressPolicy } from "./egress.ts";
import { checkUrl, portOf } from "./egress.ts";

export type Destination = {
  readonly origin: string;
  readonly port: number;
  /** Without the slash at its end when something follows. */
  readonly pathname: string;
  /** The registration's own query, with "?". */
  readonly search: string;
  /** Name, value, name, value. */
  readonly headers: readonly string[];
  /** Names in `headers`, which win over the codec's. */
  readonly names: ReadonlySet<string>;
};

/** Set by us or by HTTP itself: a registration can't change them. */
// prettier-ignore
const RESERVED = new Set([
  "accept-encoding", "connection", "content-length", "expect", "host", "idempotency-key",
  "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding",
  "upgrade", "user-agent", "webhook-id", "webhook-signature", "webhook-timestamp",
]);

/** Undefined where the policy refuses the URL. */
export function destinationOf(
  url: string,
  extraHeaders: Backend["headers"],
  policy: EgressPolicy,
): Destination | undefined {
  const checked = checkUrl(url, policy);
  if (checked.type === "refused") return undefined;
  const headers = ["user-agent", "dialyard"];
  for (const [name, value] of Object.entries(extraHeaders)) {
    if (isReserved(name)) continue;
    headers.push(name, value);
  }
  return {
    origin: checked.url.origin,
    port: portOf(checked.url),
    pathname: checked.url.pathname,
    search: checked.url.search,
    headers,
    names: new Set(headers.filter((_, index) => index % 2 === 0)),
  };
}

export function targetOf({ pathname, search }: Destination, { path, query }: WireRequest): string {
  const below =
    path === "" ? pathname : (pathname.endsWith("/") ? pathname.slice(0, -1) : pathname) + path;
  if (query === "") return below + search;
  return search === "" ? `${below}?${query}` : `${below}${search}&${query}`;
}

/** The destination's headers and the codec's, in a fresh list to which more may be added. */
export function headersOf(
  destination: Destination,
  codecHeaders: WireRequest["headers"],
): string[] {
  const headers = destination.headers.slice();
  for (const name in codecHeaders) {
    const value = codecHeaders[name];
    if (value !== undefined && !destination.names.has(name)) headers.push(name, value);
  }
  return headers;
}

export function isReserved(name: string): boolean {
  return RESERVED.has(name) || name.startsWith("x-ussd-");
}
