/**
 * Backends that are apps in this process: a call is a function, not a request. The app's state is
 * in the gateway's own session, under its `open` and `settle`; an app that subscribers resume is
 * found by number, so its sessions have a store of their own.
 */
import type { App, AppEvent, AppStore, AppTurn, Dialogue } from "../app/index.ts";
import { dialogueOf } from "../app/dialogue.ts";
import { asDialled } from "../core/address.ts";
import type { AttemptRecord, Backend, Codec, Inbound, Turn } from "../types.ts";
import type { BackendResult, Budget } from "./call.ts";

/** An app as it is configured; what its author knows of types was checked there. */
export type MountedApp = {
  readonly app: App<never, never>;
  readonly context?: (turn: AppTurn) => unknown;
  readonly locale?: (said: Inbound) => string | undefined;
  readonly rememberLocale?: (turn: AppTurn, locale: string) => void | Promise<void>;
  readonly onEvent?: (event: AppEvent) => void;
};
/** What the session holds of an app's dialogue; lapsed: a turn of it was begun and never settled. */
export type Kept = { readonly appState: string | undefined; readonly lapsed: boolean };

export type AppCaller = {
  readonly call: (
    backend: Backend,
    turn: Turn,
    budget: Budget,
    kept: Kept,
  ) => Promise<BackendResult>;
  /** The dialogue was hung up. */
  readonly notify: (backend: Backend, turn: Turn, appState: string | undefined) => void;
  readonly close: () => Promise<void>;
};
export type AppCallerOptions = {
  /** By name. */
  readonly apps: ReadonlyMap<string, MountedApp>;
  /** For apps whose sessions are resumed; opened for the first of them. */
  readonly openStore: () => Promise<AppStore>;
  readonly digest: (text: string) => string;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  readonly sessionTtlMs: number;
  readonly report: (error: unknown) => void;
};

/** After the app's deadline there has to be time to fit and settle its screen. */
const RESERVE_MS = 250;

/** Stands where a wire protocol stands: an app is told the dialled code, digits and all. */
export const APP_CODEC: Codec = {
  name: "app",
  carriesDialledDigits: true,
  decode: noWire,
  encode: noWire,
  request: noWire,
  reply: noWire,
};
function noWire(): never {
  throw new Error("an app in this process speaks no wire protocol");
}

export function createAppCaller(options: AppCallerOptions): AppCaller {
  const { nowMs, report } = options;
  const dialogues = new Map<number, { readonly name: string; readonly dialogue: Dialogue }>();
  const inFlight = new Map<number, number>();
  let store: Promise<AppStore> | undefined;

  function mountedOf({ app = "" }: Backend): MountedApp | undefined {
    return options.apps.get(app);
  }
  function dialogueFor(backend: Backend, { app, ...mounted }: MountedApp): Dialogue {
    const known = dialogues.get(backend.id);
    if (known !== undefined && known.name === backend.app) return known.dialogue;
    const dialogue = dialogueOf(app, {
      ...mounted,
      store: UNUSED,
      digest: options.digest,
      nowMs: options.wallMs,
      deadlineMs: Math.max(backend.timeoutMs - RESERVE_MS, RESERVE_MS),
      sessionTtlMs: options.sessionTtlMs,
      // The message may quote an input: what went wrong is said without it.
      log: (_message, { error } = {}) => report(error),
    });
    dialogues.set(backend.id, { name: app.name, dialogue });
    return dialogue;
  }

  async function call(backend: Backend, turn: Turn, budget: Budget, kept: Kept) {
    const mounted = mountedOf(backend);
    const calls = inFlight.get(backend.id) ?? 0;
    if (mounted === undefined) return failed("backend_inactive");
    if (calls >= backend.inFlightMax) return failed("backend_busy");
    inFlight.set(backend.id, calls + 1);
    const startMs = nowMs();
    try {
      const slot = createSlot(kept);
      const isResumed = mounted.app.resume.mode !== "never";
      const place = isResumed ? await (store ??= options.openStore()) : slot;
      const said = saidBy(turn);
      const { reply, secret } = await dialogueFor(backend, mounted).takeOn(place, said);
      if (reply === undefined) return failed("internal_error");
      const { action, screen } = reply;
      const attempt: AttemptRecord = {
        transactionId: turn.transactionId,
        startMs: Math.round(startMs - budget.startedAtMs),
        tookMs: Math.round(nowMs() - startMs),
        status: undefined,
        failure: undefined,
      };
      return {
        ...{ type: "reply", attempts: [attempt], requestOctets: 0, replyOctets: 0 },
        reply: { action, screen, ...(secret && { asksSecret: true }) },
        appState: slot.state(),
      } satisfies BackendResult;
    } finally {
      inFlight.set(backend.id, (inFlight.get(backend.id) ?? 1) - 1);
    }
  }

  return {
    call,
    notify(backend, turn, appState) {
      const mounted = mountedOf(backend);
      if (mounted === undefined) return;
      const slot = createSlot({ appState, lapsed: false });
      const said = { ...saidBy(turn), phase: "abort", dialled: undefined } as const;
      const take = async () => {
        const isResumed = mounted.app.resume.mode !== "never";
        const place = isResumed ? await (store ??= options.openStore()) : slot;
        await dialogueFor(backend, mounted).takeOn(place, said);
      };
      take().catch(report);
    },
    async close() {
      if (store !== undefined) await (await store).close();
    },
  };
}

function failed(code: "backend_inactive" | "backend_busy" | "internal_error"): BackendResult {
  return { type: "failed", code, attempts: [], requestOctets: 0, replyOctets: 0 };
}

/** A first call's inputs are what was dialled; a later one's are what was typed. */
function saidBy(turn: Turn): Inbound {
  const { sessionId, msisdn, serviceCode, provider, input, inputs, dialledDigits } = turn;
  const isFirst = inputs.length === dialledDigits.length;
  const whole = `${serviceCode.slice(0, -1)}*${dialledDigits.join("*")}#`;
  return {
    sessionId,
    msisdn,
    phase: isFirst ? "begin" : "continue",
    dialled: isFirst ? asDialled(dialledDigits.length === 0 ? serviceCode : whole) : undefined,
    input: { kind: "latest", text: input },
    messageId: turn.transactionId,
    network: provider,
    echo: {},
  };
}

/** The session's own place for one turn: its lease is the gateway's. */
function createSlot({ appState, lapsed }: Kept) {
  let state = appState;
  const store: AppStore & { readonly state: () => string | undefined } = {
    open: ({ key }) =>
      Promise.resolve({
        ...{ type: "leased", lease: { key, token: "" }, state, lapsed },
      } as const),
    settle(_lease, settlement) {
      ({ state } = settlement);
      return Promise.resolve(true);
    },
    release: () => Promise.resolve(),
    close: () => Promise.resolve(),
    state: () => state,
  };
  return store;
}

const UNUSED: AppStore = createSlot({ appState: undefined, lapsed: false });
