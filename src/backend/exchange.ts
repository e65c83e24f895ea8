/** One HTTP request and its reply, until a deadline: the IO of one attempt. */
import type { Dispatcher } from "undici";
import { isUtf8 } from "node:buffer";
import { errors } from "undici";
import type { FailureCode } from "../core/failure.ts";
import type { WireReply } from "../types.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";

export type Outcome =
  /** A complete reply, 2xx or 5xx, that kept the rules of HTTP (RELIABILITY 2.4). */
  | { readonly type: "replied"; readonly response: WireReply; readonly octets: number }
  | {
      readonly type: "failed";
      readonly code: FailureCode;
      /** Undefined where no complete reply came. */
      readonly status: number | undefined;
      /** Of the library or the system; for alarms, never branched on outside this file. */
      readonly errorCode: string | undefined;
      readonly octets: number;
      /** Complete, but against the rules: for who looks on, never read as a reply. */
      readonly refused?: WireReply | undefined;
    };

export type OutgoingRequest = {
  readonly path: string;
  readonly method: string;
  /** Name, value, name, value. */
  readonly headers: string[];
  readonly body: Buffer | null;
};

const BODY_OCTETS_MAX = 65_536;
/** A body dripped octet by octet would otherwise be kept as 65,536 buffers. */
const CHUNKS_MAX = 256;
const ABORTED = new Error("no longer waited for");

export function exchange(
  dispatcher: Dispatcher,
  request: OutgoingRequest,
  deadlines: Deadlines,
  deadlineMs: number,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const handler = new Exchange(resolve, deadlines);
    handler.deadline = deadlines.add(deadlineMs, () => handler.expire());
    // A connection that is closed under an idle keep-alive is not found out by sending twice:
    // undici looks at the socket before it writes, and no attempt is repeated down here.
    dispatcher.dispatch(request, handler);
  });
}

/**
 * undici's handler interface used directly: a quarter cheaper than `undici.request`, which makes a
 * stream of every body. A class, so that an attempt allocates one object and no closures.
 */
class Exchange implements Dispatcher.DispatchHandler {
  deadline: Deadline | undefined;
  private readonly resolve: (outcome: Outcome) => void;
  private readonly deadlines: Deadlines;
  private controller: Dispatcher.DispatchController | undefined;
  private isSettled = false;
  private status = 0;
  private headers: Record<string, string | string[] | undefined> = {};
  private chunks: Buffer[] = [];
  private octets = 0;

  constructor(resolve: (outcome: Outcome) => void, deadlines: Deadlines) {
    this.resolve = resolve;
    this.deadlines = deadlines;
  }

  /** Called on a connection, before the first octet of the request is written to it. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.isSettled) controller.abort(ABORTED);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return this.refuse(controller, "backend_malformed");
    this.status = status;
    this.headers = headers;
    if (Number(headers["content-length"]) > BODY_OCTETS_MAX) this.refuseSize(controller);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.isSettled) return;
    this.octets += chunk.length;
    if (this.octets > BODY_OCTETS_MAX) return this.refuseSize(controller);
    this.chunks.push(chunk);
    if (this.chunks.length === CHUNKS_MAX) this.chunks = [Buffer.concat(this.chunks)];
  }

  onResponseEnd(): void {
    const { status, octets } = this;
    const headers = this.plainHeaders();
    const body = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
    const encoding = headers["content-encoding"];
    const isClean = (encoding ?? "identity") === "identity" && body !== undefined && isUtf8(body);
    const response = isClean ? { status, headers, body: body.toString("utf8") } : undefined;
    if (response !== undefined && (status < 300 || status >= 500)) {
      return this.settle({ type: "replied", response, octets });
    }
    this.fail(codeOfStatus(status), status, undefined, response);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const errorCode = (error as NodeJS.ErrnoException).code;
    const isSent = this.controller !== undefined;
    const code = isSent ? codeOnceSent(error, errorCode, this.status) : codeUnsent(errorCode);
    this.fail(code, undefined, errorCode);
  }

  expire(): void {
    // Not yet on a connection: when one is found, onRequestStart stops it before it is written.
    if (this.controller === undefined)
      return this.fail("backend_unreachable", undefined, "deadline");
    this.refuse(this.controller, "backend_timeout");
  }

  private refuseSize(controller: Dispatcher.DispatchController): void {
    this.refuse(controller, codeOfStatus(this.status));
  }

  private refuse(controller: Dispatcher.DispatchController, code: FailureCode): void {
    this.fail(code, undefined, undefined);
    controller.abort(ABORTED);
  }

  private fail(
    code: FailureCode,
    status: number | undefined,
    errorCode: string | undefined,
    refused?: WireReply,
  ): void {
    this.settle({ type: "failed", code, status, errorCode, octets: this.octets, refused });
  }

  private settle(outcome: Outcome): void {
    if (this.isSettled) return;
    this.isSettled = true;
    if (this.deadline !== undefined) this.deadlines.cancel(this.deadline);
    this.chunks = [];
    this.resolve(outcome);
  }

  /** Repeated headers joined; a cookie may have commas in it. */
  private plainHeaders(): Record<string, string | undefined> {
    const { headers } = this;
    for (const name in headers) {
      const value = headers[name];
      if (typeof value !== "object") continue;
      headers[name] = value.join(name === "set-cookie" ? "\n" : ", ");
    }
    return headers as Record<string, string | undefined>;
  }
}

function codeOfStatus(status: number): FailureCode {
  return status >= 500 ? "backend_failed" : "backend_malformed";
}

// RELIABILITY 2.1. Whether the request was sent is known from undici having given it a connection,
// which is proof where an error code is a guess: an ECONNRESET may come before or after.
function codeUnsent(errorCode: string | undefined): FailureCode {
  if (errorCode === "EGRESS_REFUSED") return "backend_refused_address";
  // A header or path that HTTP can't carry: ours or the registration's fault, and no better later.
  const isOurs = errorCode === "UND_ERR_INVALID_ARG" || errorCode === "UND_ERR_NOT_SUPPORTED";
  return isOurs ? "internal_error" : "backend_unreachable";
}

function codeOnceSent(error: Error, errorCode = "", status: number): FailureCode {
  // llhttp calls the end of a stream inside a reply a parse error too, one without an offending
  // octet: that reply was cut.
  if (error instanceof errors.HTTPParserError) {
    const { data: offending } = error as { readonly data?: string };
    return offending === "" ? "backend_disconnected" : "backend_malformed";
  }
  if (errorCode === "UND_ERR_HEADERS_OVERFLOW") return "backend_malformed";
  // undici says so of every parse error next to a Content-Length; after headers it is a cut body.
  if (errorCode === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH" && status === 0)
    return "backend_malformed";
  // 100 and 101 have no code of their own in undici, only these words.
  const isInterim = error.message === "bad response" || error.message === "bad upgrade";
  if (errorCode === "UND_ERR_SOCKET" && isInterim) return "backend_malformed";
  // With TLS 1.3 a missing client certificate is refused after we have begun to write (F17).
  if (/^ERR_SSL_.*ALERT_(?:BAD_)?(?:CERTIFICATE|UNKNOWN_CA)/.test(errorCode)) {
    return "backend_unreachable";
  }
  return "backend_disconnected";
}
