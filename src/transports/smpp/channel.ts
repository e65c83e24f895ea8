/**
 * A channel on an SMPP link: each deliver_sm is acknowledged at once and is a turn; the screen
 * goes out as a submit_sm within the channel's budget (PROTOCOLS 16).
 */
import type { SmppLink } from "../../config-smpp.ts";
import { WireError } from "../../core/failure.ts";
import { type Gateway, handleTurn } from "../../gateway.ts";
import type { Deliver } from "../../initiate.ts";
import type { Channel, WireRequest } from "../../types.ts";
import type { DoorOutcome } from "../door.ts";
import { createEsme, type EsmeState } from "./esme.ts";
import { fromWire, isOrdinary, TON_INTERNATIONAL, TON_UNKNOWN, toWire } from "./messages.ts";
import { type ShortMessage, STATUS } from "./pdu.ts";

export type SmppChannelOptions = {
  readonly channel: Channel;
  readonly link: SmppLink;
  readonly gateway: Gateway;
  readonly onRequest: (outcome: DoorOutcome) => void;
  readonly onState: (channel: string, state: EsmeState) => void;
  readonly isDraining: () => boolean;
};
export type SmppChannel = {
  readonly deliver: Deliver;
  /** Waits for the turns in flight, then unbinds. */
  readonly close: () => Promise<void>;
};

/** After a link was bound: copies of what was not acknowledged on the one before come at once. */
const COPIES_MS = 2_000;
/** Turns at once of one link: what comes beyond is asked to come again. */
const TURNS_MAX = 2_000;
/** The codes of the metrics are those of HTTP: one list for all channels. */
const OK = 200;
const REFUSED = 400;
const BUSY = 503;
const UNDELIVERED = 502;

export function startSmppChannel(options: SmppChannelOptions): SmppChannel {
  const { channel, link, gateway } = options;
  const turns = new Set<Promise<void>>();
  const open = new Set<string>();
  let boundAtMs = -Infinity;
  const count = (status: number, reason?: string) =>
    options.onRequest({ channel: channel.name, status, reason });

  function onMessage(message: ShortMessage): number {
    if (!isOrdinary(message)) return STATUS.ok; // a delivery receipt: nobody asked for one
    if (options.isDraining() || turns.size >= TURNS_MAX) {
      count(BUSY, "too many turns");
      return STATUS.temporarilyRejected;
    }
    const request = toWire(message, "deliver_sm", link.alphabet);
    try {
      channel.codec.decode(request);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      count(REFUSED, error.message);
      return STATUS.rejected;
    }
    // What was not acknowledged before a link was lost is sent again on the next one. While its
    // screen is on its way nobody has read anything, so the copy is no second answer.
    const said = JSON.stringify([request.headers, request.body]);
    if (open.has(said)) {
      count(OK);
      return STATUS.ok;
    }
    open.add(said);
    const turn = takeOnce(request, () => open.delete(said));
    turns.add(turn);
    void turn.finally(() => turns.delete(turn));
    return STATUS.ok;
  }

  async function takeOnce(request: WireRequest, forget: () => void): Promise<void> {
    const cameAtMs = performance.now();
    const isShown = await take(request).catch((error: unknown) => gateway.report(error));
    // A link that was bound meanwhile may have had the screen first, and then the copy.
    const copiesUntilMs = isShown && boundAtMs > cameAtMs ? boundAtMs + COPIES_MS : 0;
    const leftMs = copiesUntilMs - performance.now();
    if (leftMs > 0) setTimeout(forget, leftMs).unref();
    else forget();
  }

  /** Whether the SMSC took the screen. */
  async function take(request: WireRequest): Promise<boolean> {
    const deadlineMs = gateway.cameAtMs() + channel.turnBudgetMs;
    const { wire, key, sessionId, isDue } = await handleTurn(gateway, channel, request);
    if (!isDue) {
      count(OK);
      return false;
    }
    const submitted = await deliver(wire, deadlineMs);
    if (submitted.type === "taken") {
      if (sessionId !== undefined) gateway.onShown?.(sessionId);
      count(OK);
      return true;
    }
    count(UNDELIVERED, submitted.reason);
    // The same answer again will be a retransmit: this screen was not read.
    if (sessionId !== undefined) await gateway.store.undelivered(key, sessionId);
    return false;
  }

  const ton = { source: TON_UNKNOWN, destination: TON_INTERNATIONAL };
  const deliver: Deliver = (wire, deadlineMs) =>
    esme.submit(fromWire(wire, link.alphabet, ton), deadlineMs);
  const esme = createEsme({
    ...link,
    onMessage,
    onState(state) {
      if (state.type === "bound") boundAtMs = performance.now();
      options.onState(channel.name, state);
    },
  });
  return {
    deliver,
    async close() {
      await Promise.all(turns);
      await esme.close();
    },
  };
}
