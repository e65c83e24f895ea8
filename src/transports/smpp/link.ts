/**
 * One TCP connection that speaks SMPP, either end of it: frames, sequence numbers, answers to
 * requests, a window, enquire_link. It knows no USSD and binds nobody.
 */
import type { Socket } from "node:net";
import { COMMAND, isResponse, type Pdu, readPdu, responseTo, STATUS, writePdu } from "./pdu.ts";

export type LinkOptions = {
  readonly socket: Socket;
  /** Requests of ours without an answer; what is asked beyond waits. */
  readonly windowMax: number;
  readonly responseMs: number;
  /** Silence after which the other end is asked whether it is there. */
  readonly enquireMs: number;
  /** A request of the other end; unbind and enquire_link are answered by the link. */
  readonly onRequest: (pdu: Pdu, respond: Respond) => void;
  /** Once, however it came. */
  readonly onClose: (reason: string) => void;
};
export type Respond = (status: number, body?: Buffer) => void;
export type Responded =
  | { readonly type: "response"; readonly status: number; readonly body: Buffer }
  /** "silent": sent, and nobody knows what became of it. "closed", "full": not sent. */
  | { readonly type: "silent" | "closed" | "full" };
export type Link = {
  readonly request: (command: number, body: Buffer) => Promise<Responded>;
  /** Says unbind, and hangs up when that was answered or took too long. */
  readonly unbind: () => Promise<void>;
  readonly destroy: (reason: string) => void;
};

const WAITING_MAX = 1_000;
/** §3.2: 1 to 0x7fffffff. */
const SEQUENCE_MAX = 0x7fffffff;
const EMPTY = Buffer.alloc(0);

type Pending = { readonly settle: (result: Responded) => void; readonly timer: NodeJS.Timeout };
type Waiting = {
  readonly command: number;
  readonly body: Buffer;
  readonly settle: (result: Responded) => void;
};

export function createLink(options: LinkOptions): Link {
  const { socket, windowMax, responseMs, enquireMs } = options;
  const pending = new Map<number, Pending>();
  const waiting: Waiting[] = [];
  let sequence = 0;
  let received: Buffer = EMPTY;
  let lastHeardMs = Date.now();
  let isClosed = false;

  function close(reason: string): void {
    if (isClosed) return;
    isClosed = true;
    clearInterval(enquiry);
    socket.destroy();
    for (const { settle, timer } of pending.values()) {
      clearTimeout(timer);
      settle({ type: "silent" });
    }
    pending.clear();
    for (const { settle } of waiting.splice(0)) settle({ type: "closed" });
    options.onClose(reason);
  }

  function send(pdu: Pdu): void {
    socket.write(writePdu(pdu));
  }

  function dispatch({ command, body, settle }: Waiting): void {
    sequence = sequence === SEQUENCE_MAX ? 1 : sequence + 1;
    const own = sequence;
    const timer = setTimeout(() => {
      pending.delete(own);
      settle({ type: "silent" });
      next();
    }, responseMs);
    pending.set(own, { settle, timer });
    send({ command, status: STATUS.ok, sequence: own, body });
  }

  function next(): void {
    while (!isClosed && pending.size < windowMax && waiting.length > 0) dispatch(waiting.shift()!);
  }

  function request(command: number, body: Buffer): Promise<Responded> {
    return new Promise((settle) => {
      if (isClosed) return settle({ type: "closed" });
      if (pending.size < windowMax) return dispatch({ command, body, settle });
      if (waiting.length >= WAITING_MAX) return settle({ type: "full" });
      waiting.push({ command, body, settle });
    });
  }

  function take(pdu: Pdu): void {
    if (isResponse(pdu)) {
      const asked = pending.get(pdu.sequence);
      if (asked === undefined) return; // too late, or to nothing
      pending.delete(pdu.sequence);
      clearTimeout(asked.timer);
      asked.settle({ type: "response", status: pdu.status, body: pdu.body });
      return next();
    }
    const { sequence: theirs } = pdu;
    const respond: Respond = (status, body = EMPTY) => {
      if (isClosed) return;
      send({ command: responseTo(pdu.command), status, sequence: theirs, body });
    };
    if (pdu.command === COMMAND.enquireLink) return respond(STATUS.ok);
    if (pdu.command === COMMAND.unbind) {
      respond(STATUS.ok);
      socket.end(() => close("unbound by the other end"));
      return;
    }
    options.onRequest(pdu, respond);
  }

  socket.setNoDelay(true);
  socket.on("data", (octets) => {
    lastHeardMs = Date.now();
    received = received.length === 0 ? octets : Buffer.concat([received, octets]);
    while (!isClosed) {
      const framed = readPdu(received);
      if (framed.type === "more") return;
      if (framed.type === "broken") {
        send({ command: COMMAND.genericNack, status: STATUS.badLength, sequence: 0, body: EMPTY });
        return close(framed.reason);
      }
      received = framed.rest;
      take(framed.pdu);
    }
  });
  socket.on("error", (error) => close(error.message));
  socket.on("close", () => close("the connection was closed"));

  const enquiry = setInterval(() => {
    if (Date.now() - lastHeardMs < enquireMs) return;
    void request(COMMAND.enquireLink, EMPTY).then(({ type }) => {
      if (type === "silent") close("enquire_link was not answered");
    });
  }, enquireMs);

  return {
    request,
    async unbind() {
      await request(COMMAND.unbind, EMPTY);
      close("unbound");
    },
    destroy: close,
  };
}
