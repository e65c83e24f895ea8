/**
 * The nouns of Dialyard. One word per thing, in code, configuration, logs, docs and console:
 *
 *   MSISDN        subscriber number; stored as E.164 digits without "+"
 *   service code  what a backend is registered for: "*365#"
 *   dialled       what the subscriber dialled: the code with any digits after it, "*365*2*500#"
 *   channel       one configured connection to an MNO or aggregator
 *   codec         the code for one wire protocol
 *   backend       the application behind a service code
 *   session       our record of one USSD dialogue, from the dial to the last screen
 *   turn          one request from the network and our answer
 *   screen        what the subscriber reads: 160 octets = 182 GSM-7 or 80 UCS-2 characters
 *   reply         a screen plus continue or end
 *   record        what is kept of a turn and of a session for operators
 *
 * A fact that a wire may lack is `T | undefined`, not optional: who writes a codec has to say
 * that it is not there.
 */
import type { FailureCode, WireError } from "./core/failure.ts";

export type Msisdn = string & { readonly __brand: "Msisdn" };
export type ServiceCode = string & { readonly __brand: "ServiceCode" };
export type Dialled = string & { readonly __brand: "Dialled" };

/** One message on a wire, as plain values: they compare, log and serialise as they are. */
export type WireRequest = {
  readonly method: string;
  /** Below the channel's or the backend's own path; usually "". */
  readonly path: string;
  /** Raw, without the "?". */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
};
export type WireReply = {
  readonly status: number;
  /** Of headers that came more than once the values are joined: set-cookie by line feeds. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
};

/** What one request from the network said. Facts only: decisions are openTurn's. */
export type Inbound = {
  /** The network's own id of the dialogue; undefined where the MSISDN is all there is. */
  readonly sessionId: string | undefined;
  /** Undefined where this message names no subscriber. */
  readonly msisdn: Msisdn | undefined;
  /**
   * "unknown" where the wire does not say whether this begins or continues a dialogue.
   * "abort" is a notice that the dialogue is over: nobody will read a screen. "notice" is one that
   * changes nothing (a screen was delivered), "query" asks whether the dialogue lives.
   */
  readonly phase: "begin" | "continue" | "abort" | "unknown" | "notice" | "query";
  /** As far as this request tells; digits after the service code may be part of it. */
  readonly dialled: Dialled | undefined;
  /** "latest": typed at this turn. "history": everything typed so far, joined by "*". */
  readonly input: { readonly kind: "latest" | "history"; readonly text: string };
  /** The network's own id of this message; a retransmit repeats it. */
  readonly messageId: string | undefined;
  /** MNO or provider as the wire names it; the channel's provider label where undefined. */
  readonly network: string | undefined;
  /** What the answer says back, for its codec alone. */
  readonly echo: Readonly<Record<string, string>>;
};

export type Reply = {
  readonly action: "continue" | "end";
  /** Lines joined by "\n". */
  readonly screen: string;
  /** Something the backend did against its protocol that was tolerated, for the record. */
  readonly flaw?: "missing_prefix";
  /** The backend says so itself: what is typed next is masked. */
  readonly asksSecret?: true;
  /** What the backend wants to be told with the next request of this dialogue, and only then. */
  readonly memo?: string;
};

/** What `encode` is given: the reply, and the failure it stands for when it stands for one. */
export type Answer = {
  /** Undefined when no screen is due: a notice was heard. */
  readonly reply: Reply | undefined;
  readonly failure: FailureCode | undefined;
  /** Service code as far as known, for doors that report errors as JSON. */
  readonly serviceCode: string | undefined;
  /** After a "query": whether the dialogue lives. */
  readonly isLive?: boolean;
};

/** One call of a backend, whatever wire the backend speaks. */
export type Turn = {
  /** "sess_" + 32 hexadecimal digits (128 random bits), unique to this session. */
  readonly sessionId: string;
  /** Derived from session id and `number`: the same for every attempt and after a crash. */
  readonly transactionId: string;
  /** Count of backend calls in this session, from 1. */
  readonly number: number;
  readonly msisdn: Msisdn;
  readonly serviceCode: ServiceCode;
  /** Network label the backend is told: "movitel", "test", … */
  readonly provider: string;
  /** Typed at this call; "" on the first. */
  readonly input: string;
  /** Everything typed so far; complete only for codecs with `wantsHistory`. */
  readonly inputs: readonly string[];
  /** Digits dialled after the code; given on the first call of codecs that carry them. */
  readonly dialledDigits: readonly string[];
  /** The memo of the reply before. */
  readonly memo?: string | undefined;
};

/** What differs where the screen is a call of its own: `encode` then makes that call. */
export type Pushes = {
  /** Answers the network's request, before anybody is asked. */
  acknowledge(inbound: Inbound): WireReply;
  /** What the network said to the call, where its HTTP status is no failure. */
  heard(response: WireReply): "taken" | "again" | "refused";
};

/** What differs where an application acknowledges our request, and answers by a call to us. */
export type AnswersLater = {
  /** What such a call has to carry; undefined where the registration names nothing. */
  readonly secret: string | undefined;
  /** What the wire calls the dialogue of this turn. */
  dialogueOf(turn: Turn): string;
  /** What the application said to our request, where its HTTP status is no failure. */
  heard(response: WireReply): "taken" | "again" | "refused";
  /** Whose screen a call brings; `reply` reads the screen. Throws WireError, nothing else. */
  read(call: WireRequest): { readonly dialogue: string; readonly secret: string };
  acknowledge(verdict: AnswerVerdict): WireReply;
  /** Tells what became of the screen: the subscriber has it, or it did not come in time. */
  tell(
    turn: Turn,
    backend: Backend,
    fate: "shown" | "late",
  ): WireRequest & { readonly url: string };
};
/** late: nobody waits for it. refused: not with what the registration names. */
export type AnswerVerdict = "taken" | "late" | "refused" | "malformed";

/** A dialogue that we open: the first screen goes out before the subscriber has said anything. */
export type Opening = {
  readonly msisdn: Msisdn;
  readonly serviceCode: ServiceCode;
  readonly reply: Reply;
  /** 32 random hexadecimal digits, for protocols in which who opens a dialogue names it. */
  readonly nonce: string;
};

/** One wire protocol, both ways round. A codec with options is a function of them. */
export interface Codec {
  readonly name: string;
  /** Default turn budget: how long the network waits, where its owner says so. */
  readonly patienceMs?: number;
  /** Carried by a link that we keep up ourselves, not by HTTP: for channels, never a backend's. */
  readonly overLink?: true;
  /** Present where the network wants its request acknowledged and the screen as a call of ours. */
  readonly pushes?: Pushes;
  /** The wire has no session id: the number is all that a dialogue is found by. */
  readonly namesNoSession?: true;
  /** The network numbers dialogues from the start again: another day's has the same id. */
  readonly reusesSessionIds?: true;
  /** Requests a minute and client address that the protocol's owner documents as a limit. */
  readonly requestsPerMinuteMax?: number;
  /** How the network asks; POST alone where it is left out. */
  readonly methods?: readonly string[];
  /** The network asks at paths below the channel's: they are `path` of its requests. */
  readonly hasSubpaths?: true;
  /** These messages may name no subscriber: a dialogue is found by the network's id alone. */
  readonly keyedById?: "notices" | "answers";
  /** What this network shows, where it is less than others: the default of its channels. */
  readonly screenOctetsMax?: number;
  /** Beyond the octets, where this network counts in its own way. */
  readonly takesScreen?: (screen: string) => boolean;

  // We are the application that the network calls. decode throws WireError, nothing else.
  decode(request: WireRequest): Inbound;
  encode(answer: Answer, inbound: Inbound, nowMs: number): WireReply;
  /** What goes back when decode refused; without it a JSON error with status 400. */
  readonly refuse?: (error: WireError) => WireReply;

  /** Present where a dialogue may begin on our side; `sessionId` is what answers will carry. */
  readonly initiate?: (opening: Opening) => {
    readonly wire: WireReply;
    readonly sessionId: string | undefined;
  };

  // We are the network that calls a backend. reply throws WireError, nothing else.
  /** `request` sends all inputs, not the latest alone. */
  readonly wantsHistory?: true;
  /** `request` carries digits dialled after the code on the first call. */
  readonly carriesDialledDigits?: true;
  /** `nowMs`: for wires that say when they ask. */
  request(turn: Turn, backend: Backend, nowMs?: number): WireRequest;
  reply(response: WireReply, turn: Turn): Reply;
  /** Present where an application answers by a call of its own: `reply` then reads that call. */
  readonly answersLater?: AnswersLater;
  /** Present where a backend of this protocol can be told that the dialogue is over. */
  readonly notice?: (
    turn: Turn,
    backend: Backend,
  ) => (WireRequest & { readonly url: string }) | undefined;
}

export type Channel = {
  readonly name: string;
  readonly codec: Codec;
  /** What OLA backends are told as `provider` where the wire names no network. */
  readonly provider: string;
  /** From arrival to the screen being on the wire. */
  readonly turnBudgetMs: number;
  readonly screenOctetsMax: number;
  /** Replace characters outside GSM-7 by their nearest look-alike instead of going UCS-2. */
  readonly transliterate: boolean;
};

export type Backend = {
  readonly id: number;
  readonly serviceCode: ServiceCode;
  readonly name: string;
  readonly url: string;
  readonly codec: Codec;
  readonly method: "POST" | "GET" | "PUT";
  readonly isActive: boolean;
  readonly timeoutMs: number;
  readonly retries: number;
  /** False: a call that may have reached the backend is never sent twice. */
  readonly idempotent: boolean;
  /** Sent with every call; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Signs every call per Standard Webhooks. */
  readonly secret: string | undefined;
  readonly inFlightMax: number;
  /** Where codecs with a `notice` send it. */
  readonly eventsUrl: string | undefined;
  /** Name of the app in this process that is called instead of a URL. */
  readonly app?: string | undefined;
};

/** Pages of a screen too long for the channel, while the subscriber leafs through them. */
export type Paging = {
  readonly pages: readonly string[];
  /** Index of the page shown last. */
  readonly shown: number;
  readonly moreKey: string;
  readonly backKey: string;
  /** What the backend said: after the last page of an "end" nothing more can be typed. */
  readonly action: Reply["action"];
};

export type Session = {
  readonly id: string;
  readonly msisdn: Msisdn;
  readonly networkSessionId: string | undefined;
  readonly serviceCode: ServiceCode | undefined;
  readonly backendId: number | undefined;
  readonly provider: string;
  /** Turns answered, repeats not counted. */
  readonly turns: number;
  /** Backend calls numbered so far, including numbers given up after a crash. */
  readonly calls: number;
  /** We opened it: the backend hears of it with the first answer. */
  readonly pushed?: true;
  /** The last text answered, as length and keyed digest: cumulative texts contain PINs. */
  readonly seen: { readonly length: number; readonly digest: string };
  readonly messageId: string | undefined;
  /** Of the turns before, newest first: a late copy of one never runs a step twice. */
  readonly olderMessageIds?: readonly string[];
  /** Kept (sealed) only for a backend that wants the history; undefined once they were not kept. */
  readonly inputs: readonly string[] | undefined;
  readonly lastReply: Reply | undefined;
  /** Failure that `lastReply` stands for, so that a repeat gets the same answer. */
  readonly lastFailure: FailureCode | undefined;
  readonly paging: Paging | undefined;
  /** What the backend keeps with us (sealed) while the session lives: an app's state, a memo. */
  readonly appState?: string | undefined;
  /** The screen shown last asks for a PIN, password or code: what comes next is masked. */
  readonly asksSecret: boolean;
  /** Kept until its TTL, to answer a retransmit of its last turn. */
  readonly ended: boolean;
  /** Why it ended; undefined while it lives. */
  readonly outcome: SessionOutcome | undefined;
};

/**
 * completed: the backend ended it. cancelled: a notice said so. abandoned: nobody answered until
 * the TTL. unknown: a turn was never settled. replaced: its network id was dialled anew.
 * A failure code: the screen shown last was that failure's.
 */
export type SessionOutcome =
  "completed" | "cancelled" | "abandoned" | "unknown" | "replaced" | FailureCode;

/** One attempt at a backend, times relative to the arrival of the turn's request. */
export type AttemptRecord = {
  readonly transactionId: string;
  readonly startMs: number;
  readonly tookMs: number;
  /** HTTP status, or undefined where no complete reply came. */
  readonly status: number | undefined;
  readonly failure: FailureCode | undefined;
};

/** What is kept of one turn. `input` is masked before it gets here. */
export type TurnRecord = {
  readonly outcome: TurnOutcome;
  readonly startedAtMs: number;
  readonly tookMs: number;
  /** Time of `tookMs` spent waiting for the backend (calls and waits between attempts). */
  readonly backendMs: number;
  readonly input: string;
  readonly screen: string;
  readonly action: Reply["action"] | undefined;
  readonly attempts: readonly AttemptRecord[];
  readonly requestOctets: number;
  readonly replyOctets: number;
  readonly flaw: Reply["flaw"];
};
/**
 * ok: the backend's screen. page: leafed by us. repeat: sent before. abort: a notice. push: sent
 * by us to open a dialogue.
 */
export type TurnOutcome = "ok" | "page" | "push" | "repeat" | "abort" | "unknown" | FailureCode;

/** The right to take one turn of a session. */
export type Lease = {
  readonly key: string;
  readonly token: string;
  /** For a session that begins now: the id asked with, or the one an unsettled turn left. */
  readonly freshId: string;
};
export type Ask = {
  /** Keyed hash of channel, network session id and MSISDN. */
  readonly key: string;
  readonly freshId: string;
  /** As the message names it; where it does not, the session knows. */
  readonly msisdn: Msisdn | undefined;
  /** Fingerprint of the message: a turn driven again after a crash has the same one. */
  readonly digest: string;
  readonly nowMs: number;
  readonly leaseMs: number;
};
export type Held =
  | {
      readonly type: "leased";
      readonly lease: Lease;
      /** Undefined when there is none or its TTL is over. */
      readonly session: Session | undefined;
      /** An earlier lease with the same digest lapsed unsettled: this is that turn again. */
      readonly redriven: boolean;
      /** Turns that lapsed unsettled and were not driven again: their numbers are used up. */
      readonly lostTurns: number;
      /** The last reply did not reach the network: the same input again is a retransmit. */
      readonly undelivered: boolean;
    }
  /** twin: the turn under way has the same digest. */
  | { readonly type: "busy"; readonly twin: boolean };

/** One settled turn: session, record and lease in one atomic step. */
export type Settlement = {
  readonly session: Session;
  readonly channel: string;
  readonly record: TurnRecord;
  readonly nowMs: number;
  readonly expiresAtMs: number;
  /**
   * Nobody waits for the screen any more, as `undelivered` says of one that nobody read. Asked when
   * it is written: there may be a queue before that.
   */
  readonly isUnread: () => boolean;
};

export interface SessionStore {
  /** Loads the session and takes its turn lease. One round trip, durable when it resolves. */
  open(ask: Ask): Promise<Held>;
  /**
   * Writes session and record and gives the lease back. One round trip. False, and nothing
   * written, when the lease has lapsed to another turn.
   */
  settle(lease: Lease, settlement: Settlement): Promise<boolean>;
  /** Gives a lease back with nothing written: the turn was refused before it began. */
  release(lease: Lease): Promise<void>;
  /** Notes that the reply settled last was not written to the network completely. */
  undelivered(key: string, sessionId: string): Promise<void>;
  /**
   * Gives sessions whose TTL is over an outcome and deletes what is older than `keepFromMs`, in
   * slices that hold up no turn. Returns the sessions finished. It may take minutes: where
   * `isStopping` says so, what is left is for the next sweep.
   */
  sweep(
    nowMs: number,
    keepFromMs: number,
    isStopping?: () => boolean,
  ): Promise<readonly FinishedSession[]>;
  close(): Promise<void>;
}
export type FinishedSession = {
  readonly id: string;
  readonly channel: string;
  readonly outcome: SessionOutcome;
};

/** What operators read: sessions and their turns, newest first. */
export interface RecordStore {
  /** At most `limit`; `next` continues where the page (or the bounded scan behind it) ended. */
  findSessions(
    filter: SessionFilter,
  ): Promise<{ readonly sessions: readonly SessionSummary[]; readonly next: string | undefined }>;
  getSession(id: string): Promise<SessionDetail | undefined>;
  /** Live sessions of a channel by the network's own id, at most `limit`. */
  findLive(channel: string, nowMs: number, limit: number): Promise<readonly SessionSummary[]>;
  findByNetworkId(
    channel: string,
    networkSessionId: string,
    nowMs: number,
  ): Promise<SessionDetail | undefined>;
  countLive(nowMs: number): Promise<number>;
}
export type SessionFilter = {
  readonly msisdn?: Msisdn;
  readonly serviceCode?: string;
  readonly channel?: string;
  readonly outcome?: string;
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly after?: string;
  readonly nowMs: number;
  readonly limit: number;
};
export type SessionSummary = {
  readonly id: string;
  readonly channel: string;
  readonly msisdn: Msisdn;
  readonly networkSessionId: string | undefined;
  readonly serviceCode: ServiceCode | undefined;
  readonly provider: string;
  readonly startedAtMs: number;
  readonly lastAtMs: number;
  readonly turns: number;
  /** "live" while it lives. */
  readonly outcome: SessionOutcome | "live";
};
export type SessionDetail = SessionSummary & {
  readonly lastReply: Reply | undefined;
  readonly records: readonly TurnRecord[];
};

/** What a backend was registered with: OLA's fields by their documented names, then ours. */
export type BackendRow = {
  readonly id: number;
  readonly callback_url: string;
  readonly service_code: string;
  readonly name: string;
  /** app: in this process, and `callback_url` is "app:" and its name. */
  readonly type: "http" | "app";
  readonly timeout: number;
  readonly retries: number;
  readonly method: "POST" | "GET" | "PUT";
  readonly status: "active" | "inactive";
  readonly protocol: string;
  readonly protocol_options: Readonly<Record<string, string>>;
  readonly idempotent: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly secret: string | undefined;
  readonly max_in_flight: number;
  readonly events_url: string | undefined;
  /** ISO 8601, UTC, whole seconds as the OLA API reference prints them. */
  readonly created_at: string;
  readonly updated_at: string;
};
export type NewBackendRow = Omit<BackendRow, "id" | "created_at" | "updated_at">;

export interface BackendStore {
  list(): Promise<readonly BackendRow[]>;
  /** Undefined when the service code is taken. Decided by a unique index, not by looking first. */
  insert(row: NewBackendRow, now: string): Promise<BackendRow | undefined>;
  update(
    id: number,
    row: NewBackendRow,
    now: string,
    ifUpdatedAt: string | undefined,
  ): Promise<BackendUpdate>;
  remove(id: number): Promise<boolean>;
}
export type BackendUpdate =
  | { readonly type: "updated"; readonly row: BackendRow }
  | { readonly type: "not_found" | "code_taken" | "stale" };

export type Store = {
  readonly sessions: SessionStore;
  readonly records: RecordStore;
  readonly backends: BackendStore;
  /** Resolves when the store answers; rejects when it does not. */
  ping(): Promise<void>;
  /**
   * Where other nodes change backends and settings too: calls back soon after. Resolves with how to
   * stop.
   */
  readonly watchBackends?: (changed: () => void) => Promise<() => Promise<void>>;
  /** Where records reach SQL behind their turns: how many have not yet. */
  readonly undrained?: () => Promise<number>;
  /** Where there can be more nodes than this one. */
  readonly cluster?: Cluster;
  close(): Promise<void>;
};

/** A node as it tells of itself every two seconds. */
export type NodeBeat = {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAtMs: number;
  readonly isDraining: boolean;
  readonly figures: NodeFigures;
};
/** Of this node alone, and since its last beat where it is a rate. */
export type NodeFigures = {
  readonly turns: number;
  readonly turnsPerSecond: number;
  readonly cpuShare: number;
  readonly rssOctets: number;
  /** How long the event loop was late, the worst of a hundred. */
  readonly loopDelayMs: number;
  /** Backends that this node does not call. */
  readonly openBreakers: readonly number[];
  /** Live events that were dropped because they came too fast to be told to other nodes. */
  readonly eventsDropped: number;
  /** Its last hour, oldest first. A node of the version before tells none. */
  readonly pulse?: readonly PulseMinute[];
};
/** What happened in one minute. */
export type PulseMinute = {
  /** Since 1970. */
  readonly minute: number;
  readonly turns: number;
  readonly p95Ms: number;
  readonly begun: number;
  readonly completed: number;
  readonly failed: number;
  /** Sessions that ended, in any way. */
  readonly over: number;
};
export type NodeSeen = NodeBeat & { readonly seenAtMs: number };

/** Requests that one node let in on one channel, by client address. */
export type TakenRequests = {
  readonly nodeId: string;
  readonly channel: string;
  /** Since 1970. */
  readonly minute: number;
  readonly counts: ReadonlyMap<string, number>;
};

/** Live events where none is named, or answers of applications that came to another node. */
export type Topic = "live" | "answers";

/** What nodes know of each other, beside the turns that they share. */
export interface Cluster {
  beat(node: NodeBeat): Promise<void>;
  /** Those that were heard of lately. */
  list(): Promise<readonly NodeSeen[]>;
  leave(id: string): Promise<void>;
  /** Notes what a node has taken in a minute so far; resolves with what all others have. */
  count(taken: TakenRequests): Promise<ReadonlyMap<string, number>>;
  /** `told`: what any node says, this one too. A text is at most 7,900 octets. */
  hear(told: (text: string, topic: Topic) => void): Promise<{
    readonly say: (texts: readonly string[], topic?: Topic) => Promise<void>;
    readonly close: () => Promise<void>;
  }>;
}
