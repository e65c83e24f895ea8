/**
 * Answers that come as calls of their own: which turns of this node wait for one, and which call
 * is whose. Such a wire names the dialogue and not the turn (PROTOCOLS 3.3), so that a copy of the
 * answer before looks like the next one: told apart as everywhere where a wire does not say it, by
 * whether our acknowledgement of it was written whole.
 */
import { hash } from "node:crypto";
import type {
  AnswersLater,
  AnswerVerdict,
  Backend,
  Codec,
  ServiceCode,
  Turn,
  WireReply,
  WireRequest,
} from "../types.ts";
import { createDeadlines, type Deadline, type Deadlines } from "./deadlines.ts";
import type { Outcome } from "./exchange.ts";
import { isSameSecret } from "./signature.ts";

export type Answers = {
  /** For all attempts of one call of a backend, until its `end`; undefined where too many wait. */
  readonly expect: (backend: Backend, turn: Turn, later: AnswersLater) => Expected | undefined;
  /** What a call to the door of this protocol comes to. Throws WireError where it names nobody. */
  readonly take: (codec: Codec, call: WireRequest) => Taken;
  /** The screen of this session is on its way to its subscriber. */
  readonly shown: (sessionId: string) => void;
  /** Calls of backends that wait. */
  readonly count: () => number;
};
export type Expected = {
  /** One attempt: `ask` sends the request, unless the answer has come already. */
  readonly attempt: (ask: () => Promise<Outcome>, untilMs: number) => Promise<Outcome>;
  readonly hasCome: () => boolean;
  /** The application has the request: it is not sent again. */
  readonly isAcknowledged: () => boolean;
  /** Calls back at once where the answer is there. */
  readonly whenCome: (called: () => void) => void;
  /** `isMissed`: the application may still be at work, and is told that it is too late. */
  readonly end: (isMissed: boolean) => void;
};
export type Taken = {
  readonly verdict: AnswerVerdict;
  readonly reply: WireReply;
  /** Another node can't have a turn that waits for it. */
  readonly isCertain: boolean;
  /** The reply was written to the application completely. */
  readonly heard: () => void;
};
export type AnswersOptions = {
  /** Registered, of any protocol, by their codes. */
  readonly backends: () => ReadonlyMap<ServiceCode, Backend>;
  readonly tell: (backend: Backend, notice: WireRequest & { readonly url: string }) => void;
  /** Monotonic. */
  readonly nowMs: () => number;
};

const EXPECTED_MAX = 10_000;
/** Dialogues whose last answer is known; older ones make room. */
const KEPT_MAX = 10_000;

/** A call of a backend that waits. */
type Waiting = {
  readonly backend: Backend;
  readonly turn: Turn;
  readonly later: AnswersLater;
  readonly come: (answer: WireReply) => void;
  readonly hasCome: () => boolean;
};
/** The answer that was taken last. */
type Known = { readonly later: AnswersLater; readonly digest: string; isHeard: boolean };
type Due = { readonly backend: Backend; readonly turn: Turn; readonly later: AnswersLater };

export function createAnswers(options: AnswersOptions): Answers {
  const { backends, tell, nowMs } = options;
  const deadlines = createDeadlines({ nowMs });
  const waiting = new Map<string, Waiting>();
  const known = new Map<string, Known>();
  /** By session: taken, and not on its way to the subscriber yet. */
  const due = new Map<string, Due>();

  function expect(backend: Backend, turn: Turn, later: AnswersLater): Expected | undefined {
    if (waiting.size >= EXPECTED_MAX) return undefined;
    const key = keyOf(backend.codec, later.dialogueOf(turn));
    const answer = createAnswer(later, deadlines);
    const entry = { backend, turn, later, come: answer.come, hasCome: answer.hasCome };
    due.delete(turn.sessionId);
    // One that is there already has lost its turn's lease: nobody would read its screen.
    waiting.set(key, entry);
    return {
      ...answer,
      end(isMissed) {
        if (waiting.get(key) === entry) waiting.delete(key);
        if (isMissed) tell(backend, later.tell(turn, backend, "late"));
      },
    };
  }

  function take(codec: Codec, call: WireRequest): Taken {
    const own = codec.answersLater;
    if (own === undefined) throw new Error(`${codec.name} answers at once`);
    const { dialogue, secret } = own.read(call);
    const key = keyOf(codec, dialogue);
    const wanted = waiting.get(key);
    const before = known.get(key);
    const later = wanted?.later ?? before?.later ?? ownerOf(codec, secret);
    if (later === undefined || !isAdmitted(later, secret)) return taken(later ?? own, "refused");
    // The turn after may wait elsewhere, for a screen that says the same.
    const isElsewhere = wanted === undefined && before?.isHeard !== false;
    const digest = hash("sha256", call.body);
    const isCopy = before?.digest === digest;
    const isAnswered = wanted === undefined || wanted.hasCome();
    if (isCopy && (isAnswered || !before.isHeard))
      return { ...taken(later, "taken", before), isCertain: !isElsewhere };
    if (isAnswered) return { ...taken(later, "late"), isCertain: wanted !== undefined };
    const verdict = bring(wanted, call);
    if (verdict !== "taken") return taken(later, verdict);
    const answered = { later, digest, isHeard: false };
    keep(known, key, answered);
    return taken(later, verdict, answered);
  }

  /** To who waits for it. */
  function bring({ backend, turn, later, come }: Waiting, call: WireRequest): AnswerVerdict {
    const answer = { status: 200, headers: call.headers, body: call.body };
    come(answer);
    try {
      backend.codec.reply(answer, turn);
    } catch {
      return "malformed"; // its turn reads the same, and says so
    }
    // Nothing that was typed is kept with it.
    keep(due, turn.sessionId, { backend, later, turn: { ...turn, input: "", inputs: [] } });
    return "taken";
  }

  /** Of a call that nobody waits for: whoever is registered with what it carries. */
  function ownerOf({ name }: Codec, secret: string): AnswersLater | undefined {
    for (const { codec } of backends().values()) {
      const { answersLater: later } = codec;
      if (codec.name === name && later !== undefined && isAdmitted(later, secret)) return later;
    }
    return undefined;
  }

  return {
    expect,
    take,
    shown(sessionId) {
      const shown = due.get(sessionId);
      if (shown === undefined) return;
      due.delete(sessionId);
      const { backend, turn, later } = shown;
      tell(backend, later.tell(turn, backend, "shown"));
    },
    count: () => waiting.size,
  };
}

/** What one call of a backend has heard so far. */
function createAnswer(
  later: AnswersLater,
  deadlines: Deadlines,
): Omit<Expected, "end"> & Pick<Waiting, "come"> {
  let answer: WireReply | undefined;
  let isAcknowledged = false;
  let called = (): void => undefined;
  return {
    come(came) {
      answer = came;
      called();
    },
    hasCome: () => answer !== undefined,
    isAcknowledged: () => isAcknowledged,
    whenCome(listener) {
      called = listener;
      if (answer !== undefined) listener();
    },
    attempt(ask, untilMs) {
      if (answer !== undefined) return Promise.resolve(repliedBy(answer));
      return new Promise((resolve) => {
        let deadline: Deadline | undefined;
        const done = (outcome: Outcome): void => {
          if (deadline !== undefined) deadlines.cancel(deadline);
          resolve(outcome);
        };
        // Also before the acknowledgement: an application may call while it is being asked.
        called = () => {
          if (answer !== undefined) done(repliedBy(answer));
        };
        void ask().then((outcome) => {
          const refusal = refusalOf(outcome, later);
          if (refusal !== undefined) return done(refusal);
          isAcknowledged = true;
          if (answer === undefined)
            deadline = deadlines.add(untilMs, () => resolve(silenceAfter(outcome)));
        });
      });
    },
  };
}

/** Undefined where the application took the request. */
function refusalOf(outcome: Outcome, later: AnswersLater): Outcome | undefined {
  if (outcome.type === "failed") return outcome;
  const { response, octets } = outcome;
  const heard = response.status >= 500 ? "again" : later.heard(response);
  if (heard === "taken") return undefined;
  const code = heard === "again" ? "backend_failed" : "backend_malformed";
  const { status } = response;
  return { type: "failed", code, status, errorCode: undefined, octets, refused: response };
}

function silenceAfter({ octets }: Outcome): Outcome {
  const none = { status: undefined, errorCode: undefined } as const;
  return { type: "failed", code: "backend_timeout", octets, ...none };
}

function repliedBy(answer: WireReply): Outcome {
  return { type: "replied", response: answer, octets: Buffer.byteLength(answer.body) };
}

function taken(later: AnswersLater, verdict: AnswerVerdict, known?: Known): Taken {
  const heard = (): void => {
    if (known !== undefined) known.isHeard = true;
  };
  return { verdict, reply: later.acknowledge(verdict), isCertain: true, heard };
}

function isAdmitted({ secret: wanted }: AnswersLater, given: string): boolean {
  return wanted === undefined || isSameSecret(given, wanted);
}

function keyOf({ name }: Codec, dialogue: string): string {
  return `${name}\n${dialogue}`;
}

/** The one set longest ago makes room. */
function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > KEPT_MAX && oldest !== undefined) map.delete(oldest);
}
