/**
 * The application's end of an SMPP link (ESME): binds as a transceiver, stays bound, submits.
 * A lost link is dialled again with growing waits; what could not be submitted says so.
 */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Delivered } from "../../initiate.ts";
import { createLink, type Link, type Responded } from "./link.ts";
import {
  COMMAND,
  type Pdu,
  PduError,
  readShortMessage,
  type ShortMessage,
  STATUS,
  writeBind,
  writeShortMessage,
} from "./pdu.ts";

export type EsmeOptions = {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
  readonly windowMax: number;
  readonly submitsPerSecondMax: number;
  readonly enquireMs: number;
  /** How long an answer of the SMSC is waited for. */
  readonly responseMs?: number;
  /** Waits between attempts to bind: the first, doubled up to the last. */
  readonly backoffMs?: readonly [first: number, last: number];
  /** The command status to answer with; the reply to the subscriber is a submit of its own. */
  readonly onMessage: (message: ShortMessage) => number;
  readonly onState: (state: EsmeState) => void;
};
export type EsmeState =
  | { readonly type: "connecting" | "bound" | "closed" }
  | { readonly type: "down"; readonly reason: string; readonly retryMs: number };
export type Esme = {
  /** Resolves within `deadlineMs` (of `performance.now`), whatever the SMSC does. */
  readonly submit: (message: ShortMessage, deadlineMs: number) => Promise<Delivered>;
  readonly close: () => Promise<void>;
};

const RESPONSE_MS = 5_000;
const BACKOFF_MS = [1_000, 60_000] as const;
/** Between submits that the SMSC refused because they are too many. */
const THROTTLED_WAIT_MS = 250;
/** A screen whose link is lost waits so long for the next one: the subscriber is still there. */
const RELINK_MS = 5_000;
const RELINK_POLL_MS = 50;

export function createEsme(options: EsmeOptions): Esme {
  const { responseMs = RESPONSE_MS, backoffMs = BACKOFF_MS } = options;
  const pace = createPace(options.submitsPerSecondMax);
  let link: Link | undefined;
  let isBound = false;
  let isClosed = false;
  let failures = 0;
  let redial: NodeJS.Timeout | undefined;

  function onRequest(pdu: Pdu, respond: (status: number, body?: Buffer) => void): void {
    if (pdu.command !== COMMAND.deliverSm) return respond(STATUS.unknownCommand);
    try {
      // deliver_sm_resp carries a message_id that is not used (§4.6.2).
      respond(options.onMessage(readShortMessage(pdu.body)), Buffer.from([0]));
    } catch (error) {
      if (!(error instanceof PduError)) throw error;
      respond(STATUS.badLength);
    }
  }

  function fall(reason: string): void {
    link = undefined;
    isBound = false;
    if (isClosed) return;
    const [first, last] = backoffMs;
    const retryMs = Math.min(first * 2 ** failures, last) * (0.75 + Math.random() / 2);
    failures = Math.min(failures + 1, 16);
    options.onState({ type: "down", reason, retryMs });
    redial = setTimeout(dial, retryMs);
  }

  function dial(): void {
    options.onState({ type: "connecting" });
    const socket = openSocket(options);
    socket.setTimeout(responseMs, () => socket.destroy(new Error("no connection in time")));
    socket.once("error", onEarly).once(options.isTls ? "secureConnect" : "connect", () => {
      socket.setTimeout(0);
      socket.off("error", onEarly);
      void bind(socket);
    });
    function onEarly(error: Error): void {
      fall(error.message);
    }
  }

  async function bind(socket: Socket): Promise<void> {
    if (isClosed) return void socket.destroy();
    const { windowMax, enquireMs } = options;
    const onClose = fall;
    const own = createLink({ socket, windowMax, responseMs, enquireMs, onRequest, onClose });
    link = own;
    const answered = await own.request(COMMAND.bindTransceiver, writeBind(options));
    if (answered.type !== "response") return own.destroy("the bind was not answered");
    if (answered.status !== STATUS.ok) {
      return own.destroy(`the bind was refused: ${statusText(answered.status)}`);
    }
    isBound = true;
    failures = 0;
    options.onState({ type: "bound" });
  }

  async function isLinked(deadlineMs: number): Promise<boolean> {
    const untilMs = Math.min(deadlineMs, performance.now() + RELINK_MS);
    while (!isBound && !isClosed && performance.now() < untilMs) await sleep(RELINK_POLL_MS);
    return isBound;
  }

  function request(body: Buffer): Promise<Responded> {
    return link?.request(COMMAND.submitSm, body) ?? Promise.resolve({ type: "closed" });
  }

  async function submit(message: ShortMessage, deadlineMs: number): Promise<Delivered> {
    const body = writeShortMessage(message);
    for (;;) {
      if (!(await isLinked(deadlineMs))) return { type: "failed", reason: "the link is down" };
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) return { type: "failed", reason: "no time left" };
      if (!(await pace.take(leftMs))) return { type: "failed", reason: "too many submits" };
      const answered = await within(request(body), deadlineMs);
      if (answered === undefined) return { type: "failed", reason: "no answer in time" };
      if (answered.type === "closed") continue; // it never left
      if (answered.type !== "response") return { type: "failed", reason: answered.type };
      const { status } = answered;
      if (status === STATUS.ok) return { type: "taken" };
      const isBusy = status === STATUS.throttled || status === STATUS.queueFull;
      if (!isBusy) return { type: "failed", reason: statusText(status) };
      await sleep(Math.min(THROTTLED_WAIT_MS, deadlineMs - performance.now()));
    }
  }

  dial();
  return {
    submit,
    async close() {
      isClosed = true;
      clearTimeout(redial);
      await link?.unbind();
      options.onState({ type: "closed" });
    },
  };
}

function openSocket({ host, port, isTls }: EsmeOptions): Socket {
  return isTls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
}

function statusText(status: number): string {
  return `command status 0x${status.toString(16).padStart(8, "0")}`;
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, Math.max(0, ms)));
}

async function within<T>(promise: Promise<T>, deadlineMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((done) => {
    timer = setTimeout(() => done(undefined), Math.max(0, deadlineMs - performance.now()));
  });
  const result = await Promise.race([promise, late]);
  clearTimeout(timer);
  return result;
}

/** So many a second, evenly: an SMSC that counts by the second throttles bursts. */
function createPace(perSecondMax: number) {
  const gapMs = 1_000 / perSecondMax;
  let freeAtMs = 0;
  return {
    /** False where the wait would be longer than `waitMsMax`. */
    async take(waitMsMax: number): Promise<boolean> {
      const nowMs = performance.now();
      const atMs = Math.max(nowMs, freeAtMs);
      if (atMs - nowMs > waitMsMax) return false;
      freeAtMs = atMs + gapMs;
      if (atMs > nowMs) await sleep(atMs - nowMs);
      return true;
    },
  };
}
