/**
 * The outside of an OLA backend: one HTTP request in, one screen out (OLA API reference, USSD
 * Callback). A menu is a function from a state and an input to lines and the next state.
 *
 * Unlike the OLA samples: a transaction id is answered once and its twins get that answer, also
 * while it is still in the making; a session belongs to its subscriber and has a TTL; nothing
 * grows for ever (RELIABILITY §3).
 */
import { bounded } from "./bounded.ts";
import type { JsonAnswer, JsonObject, JsonRequest } from "./serve.ts";

export type OlaRequest = {
  readonly msisdn: string;
  readonly sessionId: string;
  readonly transactionId: string;
  readonly input: string;
};
/** `next` undefined: the dialogue ends with these lines. */
export type Step<State> = { readonly lines: readonly string[]; readonly next: State | undefined };

export type Dialogue<State> = {
  readonly start: State;
  readonly step: (state: State, request: OlaRequest) => Step<State> | Promise<Step<State>>;
  /** What is read when `step` threw. */
  readonly failed: readonly string[];
  readonly nowMs: () => number;
  readonly sessionTtlMs?: number;
};

// OLA integration examples, Example 4: SESSION_TTL.
const SESSION_TTL_MS = 300_000;
const SESSIONS_MAX = 10_000;
const ANSWERS_MAX = 10_000;
const ID_CHARS_MAX = 100;
const INPUT_CHARS_MAX = 182;

export const CALLBACK_PATH = "/ussd/callback";

/** What a server on loopback answers: the callback, and the health check OLA recommends. */
export function olaDoor<State>(
  dialogue: Dialogue<State>,
): (request: JsonRequest) => Promise<JsonAnswer> {
  const answer = answerOnce(dialogue);
  return async ({ method, path, body }) => {
    if (path === "/health" && method === "GET") return { status: 200, body: { status: "ok" } };
    if (path !== CALLBACK_PATH) return refusal(404, "not_found", `POST ${CALLBACK_PATH}`);
    if (method !== "POST") return refusal(405, "invalid_request", "the method must be POST");
    const request = readRequest(body ?? {});
    if (typeof request === "string") {
      return refusal(400, "missing_field", `${request} is required`);
    }
    return { status: 200, body: await answer(request) };
  };
}

type OlaAnswer = {
  readonly session_id: string;
  readonly transaction_id: string;
  readonly output: readonly string[];
  readonly end_session: boolean;
};

/**
 * Keeps the promise, not the answer: a retry that overtakes a slow first attempt waits for it
 * instead of running the step again. The OLA sample (best practice 5) would answer it `undefined`.
 */
function answerOnce<State>(dialogue: Dialogue<State>): (request: OlaRequest) => Promise<OlaAnswer> {
  const answers = bounded<Promise<OlaAnswer>>(ANSWERS_MAX);
  const take = takeStep(dialogue);
  return (request) => {
    const { msisdn, sessionId, transactionId } = request;
    const key = `${msisdn} ${sessionId} ${transactionId}`;
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = take(request).then(({ lines, next }) => ({
      session_id: sessionId,
      transaction_id: transactionId,
      output: lines,
      end_session: next === undefined,
    }));
    answers.set(key, answer);
    return answer;
  };
}

type Held<State> = { readonly state: Promise<State | undefined>; readonly untilMs: number };

/** One step of a session after another: what comes while one is taken waits for its end. */
function takeStep<State>(dialogue: Dialogue<State>): (request: OlaRequest) => Promise<Step<State>> {
  const { start, step, failed, nowMs, sessionTtlMs = SESSION_TTL_MS } = dialogue;
  const sessions = bounded<Held<State>>(SESSIONS_MAX);
  return async (request) => {
    // Written last = expires last, so what is over stands in front.
    for (let first = sessions.first(); first !== undefined; first = sessions.first()) {
      if (first[1].untilMs > nowMs()) break;
      sessions.delete(first[0]);
    }
    // By session id alone a guessed id would be somebody else's dialogue (RELIABILITY §3).
    const key = `${request.msisdn} ${request.sessionId}`;
    const before = sessions.get(key)?.state;
    if (before === undefined && request.input !== "") return EXPIRED;
    const taken = Promise.resolve(before === undefined ? start : before).then((state) =>
      state === undefined ? EXPIRED : attempt(() => step(state, request), failed),
    );
    const held = { state: taken.then(({ next }) => next), untilMs: nowMs() + sessionTtlMs };
    sessions.set(key, held);
    if ((await held.state) === undefined && sessions.get(key) === held) sessions.delete(key);
    return taken;
  };
}
// The samples take an answer without a session for a choice of the main menu: "1" typed to
// confirm would show the balance.
const EXPIRED = { lines: ["Session expired", "", "Please dial again"], next: undefined };

async function attempt<State>(
  step: () => Step<State> | Promise<Step<State>>,
  failed: readonly string[],
): Promise<Step<State>> {
  try {
    return await step();
  } catch {
    return { lines: failed, next: undefined };
  }
}

/** The request, or the name of the field that it lacks. */
function readRequest(body: JsonObject): OlaRequest | string {
  const { msisdn, session_id, transaction_id, input = "" } = body;
  if (!isText(msisdn, 1, ID_CHARS_MAX)) return "msisdn";
  if (!isText(session_id, 1, ID_CHARS_MAX)) return "session_id";
  if (!isText(transaction_id, 1, ID_CHARS_MAX)) return "transaction_id";
  if (!isText(input, 0, INPUT_CHARS_MAX)) return "input";
  return { msisdn, sessionId: session_id, transactionId: transaction_id, input };
}

function isText(value: unknown, charsMin: number, charsMax: number): value is string {
  return typeof value === "string" && value.length >= charsMin && value.length <= charsMax;
}

function refusal(status: number, error: string, message: string): JsonAnswer {
  return { status, body: { error, message } };
}
