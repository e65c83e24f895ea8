/**
 * The step of one turn under its deadline: context, middleware, engine, effect. Whatever they do,
 * there is a reply (APP-FRAMEWORK R7), and an effect runs once or is reported unknown (R6).
 */
import { PAGE_LABELS } from "../core/screen.ts";
import type { Inbound } from "../types.ts";
import { chain, isPromise, type MaybePromise } from "./answers.ts";
import { DeadlineError } from "./deadline.ts";
import type { Host } from "./dialogue.ts";
import { advance, asksSecret } from "./engine.ts";
import { type AppNote, notesBetween, placeOf } from "./events.ts";
import { type Effect, type Given, type Outcome, own, type Shown } from "./given.ts";
import { layOut, type Layout } from "./layout.ts";
import { type Life, OwnTurn } from "./own-turn.ts";
import { type Place, rewind } from "./resume.ts";
import { end, frameOf, show } from "./show.ts";
import { type AppState, RESUME } from "./state.ts";
import { languageOf, say, systemText, type SystemText } from "./text.ts";
import type { AppReply, AppTurn } from "./turn.ts";

/** A turn to be taken. `state` is the session's, its turn already counted. */
export type Taking = {
  readonly state: AppState;
  /** Undefined: show, don't answer. */
  readonly input: string | undefined;
  /** An earlier holder never settled: the effect may have run. */
  readonly lapsed: boolean;
  readonly begin: "start" | "resume" | "unknown" | undefined;
  readonly place: Place | undefined;
  readonly dialled: string | undefined;
};
export type Stepped = {
  readonly state: AppState;
  readonly secret: boolean;
  readonly notes: readonly AppNote[];
};

/** How far a turn got; looked at when it did not come to an end by itself. */
type Attempt = Life & {
  effect: { readonly flow: string; result: "running" | "done" | "failed" | "unknown" } | undefined;
  shown: Shown | undefined;
  error: unknown;
};

export async function takeTurn(host: Host, said: Inbound, taking: Taking): Promise<Stepped> {
  const attempt: Attempt = {
    isOver: false,
    effect: undefined,
    shown: undefined,
    error: undefined,
    controller: undefined,
  };
  const turn = createTurn(host, said, taking, attempt);
  const abort = (): void => {
    attempt.isOver = true;
    attempt.controller?.abort();
  };
  let reply: AppReply;
  try {
    const work = runMiddleware(host, turn, () => step(host, taking, turn, attempt));
    // What is done at once needs no deadline.
    reply = isPromise(work) ? await host.deadlines.within(work, abort) : work;
  } catch (error) {
    return failed(host, taking, turn, attempt, error);
  } finally {
    attempt.isOver = true;
  }
  return attempt.shown === undefined
    ? instead(host, taking, turn, reply)
    : stepped(host, taking, turn, attempt, attempt.shown);
}

/** Bolt's middleware: each may do something around the rest, which it may start once. */
function runMiddleware(
  { app: { use } }: Host,
  turn: AppTurn,
  last: () => MaybePromise<AppReply>,
): MaybePromise<AppReply> {
  if (use.length === 0) return last();
  const from = async (index: number): Promise<AppReply> => {
    const middleware = use[index];
    if (middleware === undefined) return last();
    let isCalled = false;
    return middleware(turn, () => {
      if (isCalled) throw new Error("a middleware called next() twice");
      isCalled = true;
      return from(index + 1);
    });
  };
  return from(0);
}

function step(host: Host, taking: Taking, turn: AppTurn, attempt: Attempt): MaybePromise<AppReply> {
  return chain(host.context(turn), (ctx) => {
    const given = givenOf(host, taking, turn, ctx);
    return chain(firstStep(given, taking), (outcome) =>
      outcome.type === "shown"
        ? keep(host, turn, attempt, outcome)
        : chain(runEffect(given, taking, outcome, attempt), (shown) =>
            keep(host, turn, attempt, shown),
          ),
    );
  });
}

function givenOf(host: Host, taking: Taking, turn: AppTurn, ctx: unknown): Given {
  const tries = taking.state.tries ?? {};
  const givenIn = (said: AppTurn): Given => ({
    app: host.app,
    ctx,
    turn: said,
    layout: layoutOf(host, said.locale),
    tries,
    speak: (locale) => givenIn(turnIn(turn, locale)),
  });
  return givenIn(turn);
}

/** What is shown stands when a language that was chosen has been remembered. */
function keep(host: Host, turn: AppTurn, attempt: Attempt, shown: Shown): MaybePromise<AppReply> {
  const isChosen = shown.locale !== turn.locale;
  return chain(isChosen ? host.rememberLocale(turn, shown.locale) : undefined, () => {
    attempt.shown = shown;
    return shown.reply;
  });
}

function firstStep(given: Given, taking: Taking): MaybePromise<Outcome> {
  const { app, ctx } = given;
  const { state, place, begin, input } = taking;
  if (begin === "unknown") return end(given, own(given, "processing"));
  if (begin === "resume") {
    const stack = rewind(given, state.stack);
    return app.resume.mode === "ask"
      ? show(given, [...stack, { s: RESUME }], "")
      : show(given, stack, own(given, "resumed"));
  }
  if (place === undefined) return advance(given, state.stack, input);
  const start = frameOf(app, app.start, {}, ctx);
  if (place.screen === app.start) return show(given, [start], "");
  return show(given, [start, frameOf(app, place.screen, place.params, ctx)], "");
}

/** R6: under the turn's lease, once. */
async function runEffect(
  given: Given,
  { state, lapsed }: Taking,
  effect: Effect,
  attempt: Attempt,
): Promise<Shown> {
  const { flow, tries, idempotent } = effect;
  const after = { ...given, tries };
  // Somebody may have run it and died: unknown, so never twice.
  if (lapsed && !idempotent) {
    attempt.effect = { flow, result: "unknown" };
    return end(after, own(given, "processing"));
  }
  // The subscriber was already told that nothing happened.
  if (attempt.isOver) throw new DeadlineError("too late to begin");
  const running: NonNullable<Attempt["effect"]> = { flow, result: "running" };
  attempt.effect = running;
  try {
    const text = await effect.run(`${state.id}/${flow}`);
    running.result = "done";
    return await end(after, text);
  } catch (error) {
    running.result = "failed";
    attempt.error = error;
    given.turn.log("an effect of the app failed", { error, flow });
    return end(after, own(given, "processing"));
  }
}

function stepped(
  host: Host,
  taking: Taking,
  turn: AppTurn,
  attempt: Attempt,
  shown: Shown,
): Stepped {
  const { stack, reply, tries, secret, invalid, locale } = shown;
  const before = taking.state.stack;
  const between = host.onEvent === undefined ? [] : notesBetween(before, stack, invalid);
  const notes: AppNote[] = [...between, ...effectNotes(attempt)];
  if (attempt.error !== undefined) notes.push({ type: "error", error: attempt.error });
  if (stack.length === 0) notes.push({ type: "session:end", reason: "completed" });
  const { id, sid, turn: transactionId, n, seen, l } = taking.state;
  // Field by field: every turn does this. What is on the phone is the top of the stack again.
  const state: AppState = {
    ...{ v: 1, id, sid, turn: transactionId, n, stack, reply, at: host.nowMs() },
    ...(seen !== undefined && { seen }),
    ...(Object.keys(tries).length > 0 && { tries }),
    ...(locale !== turn.locale ? { l: locale } : l !== undefined && { l }),
  };
  return { state, secret, notes };
}

function effectNotes({ effect }: Attempt): readonly AppNote[] {
  if (effect === undefined) return [];
  const result = effect.result === "running" ? "unknown" : effect.result;
  return [{ type: `flow:${result}`, flow: effect.flow }];
}

/** R7: a safe screen, never the error's text; the session stays where it was. */
function failed(
  host: Host,
  taking: Taking,
  turn: AppTurn,
  attempt: Attempt,
  error: unknown,
): Stepped {
  // An effect that began and did not come back: nobody knows, so nobody repeats it.
  const isUnknown = attempt.effect !== undefined;
  const reply = { action: "end", screen: ownText(host, turn, isUnknown ? "processing" : "failed") };
  const { stack } = taking.state;
  const shown = taking.input !== undefined && asksSecret(host.app, stack) ? hidden() : error;
  host.log("a handler of the app failed", { error: shown, place: placeOf(stack) });
  const notes = [...effectNotes(attempt), { type: "error", error: shown } as const];
  const { off: _off, ...state } = taking.state;
  const after = isUnknown ? { stack: [] } : { off: 1 as const };
  const settled = { ...state, ...after, reply, at: host.nowMs() } as AppState;
  return { state: settled, secret: false, notes };
}

/** A middleware answered by itself: what is on the phone is not the session's screen. */
function instead(host: Host, taking: Taking, turn: AppTurn, reply: AppReply): Stepped {
  const view = { text: reply.screen, lines: undefined, footer: [], fit: "truncate" } as const;
  const { screen } = layOut(view, "", {}, layoutOf(host, turn.locale));
  const shown = { action: reply.action, screen };
  const state = { ...taking.state, off: 1, reply: shown, at: turn.nowMs } as const;
  return { state, secret: false, notes: [] };
}

/** What a secret's check throws may say what was typed. */
function hidden(): Error {
  return new Error("thrown while a secret was checked; what it said is not kept");
}

function ownText({ app }: Host, { locale }: AppTurn, key: SystemText): string {
  return say(app.texts[key] ?? systemText(key, locale), locale);
}

/** Inherits the rest, the signal that is made when somebody asks included. */
function turnIn(turn: AppTurn, locale: string): AppTurn {
  const spoken: Pick<AppTurn, "locale" | "say"> = { locale, say: (text) => say(text, locale) };
  return Object.setPrototypeOf(spoken, turn) as AppTurn;
}

function layoutOf({ limits, app }: Host, locale: string): Layout {
  return { limits, keys: app.keys, labels: PAGE_LABELS[languageOf(locale)] };
}

function createTurn(
  host: Host,
  said: Inbound,
  { state, dialled }: Taking,
  attempt: Attempt,
): AppTurn {
  const nowMs = host.nowMs();
  const locale = state.l ?? host.localeOf(said) ?? host.app.locale;
  const deadlineMs = nowMs + host.deadlineMs;
  return new OwnTurn(said, { state, dialled, locale, nowMs, deadlineMs }, host, attempt);
}
