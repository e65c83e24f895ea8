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
    const turn = take(request).catch(gateway.report);
    turns.add(turn);
    void turn.finally(() => {
      turns.delete(turn);
      open.delete(said);
    });
    return STATUS.ok;
  }

  async function take(request: WireRequest): Promise<void> {
    const deadlineMs = gateway.cameAtMs() + channel.turnBudgetMs;
    const { wire, key, sessionId, isDue } = await handleTurn(gateway, channel, request);
    if (!isDue) return count(OK);
    const submitted = await deliver(wire, deadlineMs);
    if (submitted.type === "taken") {
      if (sessionId !== undefined) gateway.onShown?.(sessionId);
      return count(OK);
    }
    count(UNDELIVERED, submitted.reason);
    // The same answer again will be a retransmit: this screen was not read.
    if (sessionId !== undefined) await gateway.store.undelivered(key, sessionId);
  }

  const ton = { source: TON_UNKNOWN, destination: TON_INTERNATIONAL };
  const deliver: Deliver = (wire, deadlineMs) =>
    esme.submit(fromWire(wire, link.alphabet, ton), deadlineMs);
  const esme = createEsme({
    ...link,
    onMessage,
    onState: (state) => options.onState(channel.name, state),
  });
  return {
    deliver,
    async close() {
      await Promise.all(turns);
      await esme.close();
    },
  };
}
