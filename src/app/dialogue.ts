/**
 * One turn of an app, from the message to the reply: open, read, step, settle. Two round trips to
 * the store, effects included. What every mount calls; it knows no wire and no server.
 */
import type { ScreenLimits } from "../core/screen.ts";
import type { Inbound } from "../types.ts";
import type { App } from "./app.ts";
import { createDeadlines, type Deadlines } from "./deadline.ts";
import { asksSecret } from "./engine.ts";
import { type AppEvent, type AppNote, placeOf, turnNote } from "./events.ts";
import type { AnyApp } from "./given.ts";
import { readInbound, type Reading, seenOf, sessionIdOf } from "./reading.ts";
import { findResumable, type Place, placeOfCode } from "./resume.ts";
import { type AppState, parseState } from "./state.ts";
import type { AppHeld, AppLease, AppStore } from "./store.ts";
import { takeTurn, type Taking } from "./take-turn.ts";
import { say, systemText, type SystemText } from "./text.ts";
import type { AppReply, AppTurn } from "./turn.ts";

export type ContextOption<C> = object extends C
  ? { readonly context?: (turn: AppTurn) => C | Promise<C> }
  : {
      /** What handlers are given as `ctx`: the subscriber, clients, whatever one turn needs. */
      readonly context: (turn: AppTurn) => C | Promise<C>;
    };
export type DialogueOptions<C> = ContextOption<C> &
  HostOptions & {
    readonly store: AppStore;
    /** Keyed hash of histories and, where sessions are resumed, of MSISDNs. */
    readonly digest: (text: string) => string;
  };
/** The same with the types of one application forgotten, and what the test phone needs. */
export type DialogueSettings = HostOptions & {
  readonly store: AppStore;
  readonly digest: (text: string) => string;
  readonly context?: (turn: AppTurn) => unknown;
  /** Where a dial begins instead of the start screen. */
  readonly startAt?: () => Place | undefined;
};
/** What every mount takes. */
export type HostOptions = {
  /** The subscriber gets the safe screen when handlers take longer. */
  readonly deadlineMs?: number;
  readonly sessionTtlMs?: number;
  readonly screen?: Partial<ScreenLimits>;
  readonly locale?: (said: Inbound) => string | undefined;
  /** Called when a subscriber chose a language: `locale` can give it back at the next dial. */
  readonly rememberLocale?: (turn: AppTurn, locale: string) => void | Promise<void>;
  readonly onEvent?: (event: AppEvent) => void;
  readonly log?: AppTurn["log"];
  readonly nowMs?: () => number;
  readonly random?: () => number;
};

export type Taken = {
  /** Undefined when nobody is there to read a screen. */
  readonly reply: AppReply | undefined;
  /** The next input is a secret: whoever records the dialogue masks it. */
  readonly secret: boolean;
  /** Where the cursor is: "transfer.amount". */
  readonly place: string | undefined;
};
export type Dialogue = {
  /** Resolves with a reply whatever handlers and store do; rejects never. */
  readonly take: (said: Inbound) => Promise<Taken>;
  /** The same on another store: a host may hold the session itself for the time of a turn. */
  readonly takeOn: (store: AppStore, said: Inbound) => Promise<Taken>;
};

export type Host = {
  readonly app: AnyApp;
  readonly context: (turn: AppTurn) => unknown;
  readonly store: AppStore;
  readonly digest: (text: string) => string;
  readonly deadlines: Deadlines;
  readonly deadlineMs: number;
  readonly sessionTtlMs: number;
  readonly limits: ScreenLimits;
  readonly localeOf: (said: Inbound) => string | undefined;
  readonly rememberLocale: (turn: AppTurn, locale: string) => void | Promise<void>;
  readonly onEvent: ((event: AppEvent) => void) | undefined;
  readonly startAt: () => Place | undefined;
  readonly log: AppTurn["log"];
  readonly nowMs: () => number;
  readonly random: () => number;
};

/** Below the 5 s that gateways give a backend by default (OLA API reference, timeout). */
export const DEADLINE_MS = 4_000;
const SESSION_TTL_MS = 300_000;
const SCREEN_OCTETS = 160;
const LEASE_SPARE_MS = 1_000;
const BUSY_POLL_MS = 10;

/**
 * An app behind a store, ready to take turns: what mounts are made of.
 * @example
 * const { take } = createDialogue(app, { store, digest: keyedDigest(secret), context });
 * const { reply } = await take(codec.decode(request));
 */
export function createDialogue<R, C>(app: App<R, C>, options: DialogueOptions<C>): Dialogue {
  return dialogueOf(app, options);
}

export function dialogueOf<R, C>(app: App<R, C>, options: DialogueSettings): Dialogue {
  const { deadlineMs = DEADLINE_MS, sessionTtlMs = SESSION_TTL_MS } = options;
  const host: Host = {
    // What it was made with it is given back; in between the types are not needed.
    app: app as unknown as AnyApp,
    context: options.context ?? (() => ({})),
    store: options.store,
    digest: options.digest,
    deadlines: createDeadlines(deadlineMs),
    deadlineMs,
    sessionTtlMs,
    limits: { octetsMax: SCREEN_OCTETS, transliterate: false, ...options.screen },
    localeOf: (said) => localeOf(options, said),
    rememberLocale: options.rememberLocale ?? (() => undefined),
    onEvent: options.onEvent,
    startAt: options.startAt ?? (() => undefined),
    log: options.log ?? (() => undefined),
    nowMs: options.nowMs ?? Date.now,
    random: options.random ?? Math.random,
  };
  return {
    take: (said) => takeMessage(host, said),
    takeOn: (store, said) => takeMessage({ ...host, store }, said),
  };
}

/** The one callback outside the deadline: it must not throw either. */
function localeOf({ locale, log }: DialogueSettings, said: Inbound): string | undefined {
  try {
    return locale?.(said);
  } catch (error) {
    log?.("the app's locale() threw", { error });
    return undefined;
  }
}

async function takeMessage(host: Host, said: Inbound): Promise<Taken> {
  const startedMs = performance.now();
  const key = keyOf(host, said);
  const opened = await openWhenFree(host, key);
  if (opened.type !== "leased") {
    return withoutState(host, said, opened.type === "busy" ? "wait" : "failed");
  }
  const { lease, lapsed, waited } = opened;
  const openedMs = performance.now();
  const state = parseState(opened.state);
  // Whoever was waited for died and showed nothing: what is on the phone is what is stored.
  const reading = readInbound(said, state, { digest: host.digest, waited: waited && !lapsed });
  if (reading.type === "repeat" || reading.type === "abort") {
    return finish(host, said, lease, state, reading);
  }
  const taking = beginTaking(host, said, state, reading, lapsed);
  const next = await takeTurn(host, said, taking);
  const steppedMs = performance.now();
  const seen = seenOf(said, host.digest);
  const after: AppState = seen === undefined ? next.state : { ...next.state, seen };
  const settled = await settle(host, lease, after);
  // Not written: another turn may be under way, or an effect done that nobody will remember.
  if (settled !== true) return withoutState(host, said, settled === false ? "wait" : "processing");
  const { reply, stack, turn } = after;
  if (host.onEvent !== undefined) {
    const doneMs = performance.now();
    const storeMs = openedMs - startedMs + (doneMs - steppedMs);
    const notes = [...taking.notes, ...next.notes, turnNote(reply, doneMs - startedMs, storeMs)];
    emit(host, sessionIdOf(said), turn, notes);
  }
  return { reply, secret: next.secret, place: placeOf(stack) };
}

/** With resume, the subscriber is found again by number, under a keyed hash. */
function keyOf({ app, digest }: Host, { sessionId, msisdn }: Inbound): string {
  if (app.resume.mode !== "never" && msisdn !== undefined) {
    return `${app.name}\n${digest(`${app.name}\n${msisdn}`)}`;
  }
  // Another MSISDN with a known session id never meets its state (DESIGN 5).
  return `${app.name}\n${sessionId ?? ""}\n${msisdn ?? ""}`;
}

type Opened =
  | (Extract<AppHeld, { type: "leased" }> & { readonly waited: boolean })
  | { readonly type: "busy" | "failed" };

/** A twin waits for the answer in the making. */
async function openWhenFree(host: Host, key: string): Promise<Opened> {
  const { store, deadlineMs, nowMs } = host;
  const leaseMs = deadlineMs + LEASE_SPARE_MS;
  let waitedSinceMs: number | undefined;
  try {
    for (;;) {
      const held = await store.open({ key, nowMs: nowMs(), leaseMs });
      if (held.type === "leased") return { ...held, waited: waitedSinceMs !== undefined };
      waitedSinceMs ??= performance.now();
      if (performance.now() - waitedSinceMs > deadlineMs) return held;
      await new Promise((resolve) => setTimeout(resolve, BUSY_POLL_MS));
    }
  } catch (error) {
    host.log("the app's store did not open a session", { error });
    return { type: "failed" };
  }
}

/** Undefined when the store failed: nobody knows whether it was written. */
async function settle(host: Host, lease: AppLease, state: AppState): Promise<boolean | undefined> {
  const { store, app, sessionTtlMs } = host;
  const nowMs = host.nowMs();
  const keptMs = Math.max(sessionTtlMs, app.resume.mode === "never" ? 0 : app.resume.withinMs);
  try {
    const expiresAtMs = nowMs + keptMs;
    return await store.settle(lease, { state: JSON.stringify(state), nowMs, expiresAtMs });
  } catch (error) {
    host.log("the app's store did not settle a turn", { error });
    return undefined;
  }
}

/** Messages that run nothing: the last reply again, or a notice that the dialogue is over. */
async function finish(
  host: Host,
  said: Inbound,
  lease: AppLease,
  state: AppState | undefined,
  reading: Extract<Reading, { type: "repeat" | "abort" }>,
): Promise<Taken> {
  const isMine = state !== undefined && state.sid === sessionIdOf(said);
  const isEnd = reading.type === "abort" && isMine && state.stack.length > 0;
  // With resume, hanging up is what one resumes from.
  if (isEnd && host.app.resume.mode === "never") {
    await settle(host, lease, { ...state, stack: [] });
  } else {
    await host.store.release(lease).catch((error: unknown) => {
      host.log("the app's store did not take a lease back", { error });
    });
  }
  if (isEnd) emit(host, state.sid, state.turn, [{ type: "session:end", reason: "aborted" }]);
  const reply = reading.type === "repeat" ? reading.reply : undefined;
  const stack = state?.stack ?? [];
  return { reply, secret: asksSecret(host.app, stack), place: placeOf(stack) };
}

/** Which session this turn is of: the one held, one resumed, or a new one. */
function beginTaking(
  host: Host,
  said: Inbound,
  state: AppState | undefined,
  reading: Exclude<Reading, { type: "repeat" | "abort" }>,
  lapsed: boolean,
): Taking & { readonly notes: readonly AppNote[] } {
  const sid = sessionIdOf(said);
  const plain = { lapsed, input: undefined, place: undefined, dialled: undefined } as const;
  if (reading.type !== "begin") {
    const held = state!;
    const n = held.n + 1;
    const continued = { ...held, n, turn: said.messageId ?? `${sid}#${n}` };
    const input = reading.type === "input" ? reading.text : undefined;
    return { ...plain, state: continued, input, begin: undefined, notes: [] };
  }
  const { dialled, isLost } = reading;
  const nowMs = host.nowMs();
  const place = host.startAt() ?? placeOfCode(host.app, dialled);
  const turn = said.messageId ?? `${sid}#1`;
  const found = findResumable(host.app, state, { nowMs, lapsed });
  // What was dialled wins over resuming, but nothing over an effect that may have happened.
  if (found.type === "unknown" || (found.type === "resume" && place === undefined)) {
    const { off: _off, seen: _seen, ...old } = state!;
    const resumed = { ...old, sid, turn, n: 1 };
    const notes = [{ type: found.type === "resume" ? "session:resume" : "session:start" }] as const;
    return { ...plain, state: resumed, begin: found.type, dialled, notes };
  }
  const isExpired = isLost || (found.type === "none" && found.isExpired);
  const notes: AppNote[] = [{ type: "session:start" }];
  if (isExpired) notes.unshift({ type: "session:expired" });
  // Only where the next session is found under the same key: with resume, by number.
  const { tries, l } = state ?? {};
  const kept = { ...(tries && { tries }), ...(l !== undefined && { l }) };
  const fresh = { v: 1, id: sid, sid, turn, n: 1, stack: [], reply: NOTHING, at: nowMs } as const;
  return { ...plain, state: { ...fresh, ...kept }, begin: "start", place, dialled, notes };
}
const NOTHING: AppReply = { action: "continue", screen: "" };

function withoutState(host: Host, said: Inbound, key: SystemText): Taken {
  const locale = host.localeOf(said) ?? host.app.locale;
  const screen = say(host.app.texts[key] ?? systemText(key, locale), locale);
  return { reply: { action: "end", screen }, secret: false, place: undefined };
}

/** A listener that throws changes nothing. */
function emit(host: Host, sessionId: string, transactionId: string, notes: readonly AppNote[]) {
  const { name, version } = host.app;
  const about = { app: name, version, sessionId, transactionId, nowMs: host.nowMs() };
  for (const note of notes) {
    try {
      host.onEvent?.({ ...note, ...about });
    } catch (error) {
      host.log("a listener of the app threw", { error });
    }
  }
}
