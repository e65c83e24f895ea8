/** What a lease that is already there means for who asks: one decision for every store. */
import type { Ask, TurnRecord } from "../types.ts";

/**
 * How long at least a turn that a crash left can be driven again: a session's default TTL. A first
 * turn has no session yet; a later one can be for as long as its session lives.
 */
export const UNSETTLED_KEPT_MS = 300_000;

/** A lease as stored. */
export type HeldLease = {
  /** "" when nobody holds it: kept for what it remembers. */
  readonly token: string;
  readonly takenAtMs: number;
  readonly untilMs: number;
  /** "" when no turn of it is unsettled. */
  readonly digest: string;
  readonly freshId: string;
  readonly redriven: boolean;
  readonly lost: number;
};
export type Taking =
  | { readonly type: "busy"; readonly twin: boolean }
  | {
      /** over: what was unsettled belongs to a session whose time is over. */
      readonly type: "take" | "over";
      readonly freshId: string;
      readonly redriven: boolean;
      readonly lost: number;
      /** An unsettled turn was given up just now: its record is to be written. */
      readonly gaveUp: boolean;
    };

/** `expiresAtMs` is the session's, undefined when no turn of it was ever settled. */
export function takeOver(held: HeldLease, ask: Ask, expiresAtMs: number | undefined): Taking {
  if (held.token !== "" && held.untilMs > ask.nowMs) {
    return { type: "busy", twin: held.digest === ask.digest };
  }
  const { freshId, lost } = held;
  const unsettled = held.digest !== "";
  if (isOver(held.untilMs, expiresAtMs, ask.nowMs)) {
    return { type: "over", freshId: ask.freshId, redriven: false, lost: 0, gaveUp: unsettled };
  }
  if (!unsettled) return { type: "take", freshId, redriven: false, lost, gaveUp: false };
  if (held.digest === ask.digest) {
    return { type: "take", freshId, redriven: true, lost, gaveUp: false };
  }
  // RELIABILITY 2.3: another input closes the turn as unknown and takes the next number.
  return { type: "take", freshId, redriven: false, lost: lost + 1, gaveUp: true };
}

/**
 * Nobody will drive an unsettled turn again. It may be the dial of a session to come, on the
 * network id of one whose time ends meanwhile: it has the time of its own.
 */
export function isOver(untilMs: number, expiresAtMs: number | undefined, nowMs: number): boolean {
  return Math.max(expiresAtMs ?? 0, untilMs + UNSETTLED_KEPT_MS) <= nowMs;
}

/**
 * What of a lease outlives its release. A turn driven again may have reached the backend the
 * first time, so it stays unsettled; numbers given up before stay given up.
 */
export function afterRelease(
  held: Pick<HeldLease, "redriven" | "lost">,
): "unsettled" | "numbers" | "nothing" {
  if (held.redriven) return "unsettled";
  return held.lost > 0 ? "numbers" : "nothing";
}

/** The record of a turn that was begun, never settled and not driven again. */
export function unknownTurn(takenAtMs: number): TurnRecord {
  return {
    outcome: "unknown",
    startedAtMs: takenAtMs,
    tookMs: 0,
    backendMs: 0,
    input: "",
    screen: "",
    action: undefined,
    attempts: [],
    requestOctets: 0,
    replyOctets: 0,
    flaw: undefined,
  };
}
