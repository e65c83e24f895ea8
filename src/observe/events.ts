/** Live events for whoever watches: bounded, and free while nobody does. */
import { maskMsisdn } from "../core/address.ts";
import type { TurnEvent } from "../gateway.ts";

export type LiveEvent = {
  readonly type: "turn" | "session_ended";
  readonly at: string;
  readonly session_id: string | null;
  readonly channel: string;
  readonly msisdn: string | null;
  readonly service_code: string | null;
  readonly outcome: string;
  readonly turn: number | null;
  readonly took_ms: number | null;
};
export type Listener = {
  readonly onEvent: (event: LiveEvent) => void;
  readonly onClose: () => void;
};
export type Events = {
  readonly publish: (event: LiveEvent) => void;
  /** Undefined when so many listen that one more is refused. */
  readonly subscribe: (listener: Listener) => (() => void) | undefined;
  /** The gateway stops: tells all that nothing more will come. */
  readonly close: () => void | Promise<void>;
  readonly isWatched: () => boolean;
};

const LISTENERS_MAX = 100;

export function createEvents(): Events {
  const listeners = new Set<Listener>();
  return {
    publish(event) {
      for (const { onEvent } of listeners) onEvent(event);
    },
    subscribe(listener) {
      if (listeners.size >= LISTENERS_MAX) return undefined;
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      for (const { onClose } of listeners) onClose();
      listeners.clear();
    },
    isWatched: () => listeners.size > 0,
  };
}

export function turnEvent(
  { channel, inbound, outcome, session, tookMs }: TurnEvent,
  at: string,
): LiveEvent {
  const msisdn = inbound.msisdn ?? session?.msisdn;
  return {
    type: "turn",
    at,
    session_id: session?.id ?? null,
    channel: channel.name,
    msisdn: msisdn === undefined ? null : maskMsisdn(msisdn),
    service_code: session?.serviceCode ?? null,
    outcome,
    turn: session?.turns ?? null,
    took_ms: Math.round(tookMs * 10) / 10,
  };
}
