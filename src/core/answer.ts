/** What a decided turn comes to: the screen that the channel can show, and the session to keep. */
import type { Reply, Session, TurnOutcome } from "../types.ts";
import { FAILURES, type FailureCode, type RetryClass } from "./failure.ts";
import { asksForSecret } from "./redact.ts";
import { fitScreen } from "./screen.ts";
import { abortSession, closeTurn, pageReply } from "./turn.ts";
import type { Answered, Closing, ToAsk, Unkept } from "./turn.ts";
import { endWith, type Words } from "./words.ts";

export type Closed = {
  readonly outcome: TurnOutcome;
  /** Undefined when nobody is there to read a screen. */
  readonly reply: Reply | undefined;
  readonly failure: FailureCode | undefined;
  readonly session: Session;
};
/** A backend's answer, or why there is none. */
export type Asked =
  | { readonly type: "reply"; readonly reply: Reply }
  | { readonly type: "failed"; readonly code: FailureCode };
export type Limits = {
  readonly screenOctetsMax: number;
  readonly takes?: ((screen: string) => boolean) | undefined;
  readonly transliterate: boolean;
  readonly words: Words;
  /** Further words of screens that ask for a secret. */
  readonly secretPatterns: readonly RegExp[];
};

/** After the backend was asked. `lastNumber`: the last call's, whose number is used up. */
export function closeAsked(
  { session }: ToAsk,
  asked: Asked,
  lastNumber: number,
  limits: Limits,
): Closed {
  const fitted = fitAsked(asked, limits);
  const { reply, failure } = fitted;
  const kept = closeTurn(session, { ...fitted, lastNumber });
  return { outcome: failure ?? "ok", reply, failure, session: kept };
}

/** "Nothing was charged" is not said where an earlier call of this turn may have been executed. */
export function truthfully(asked: Asked, isSent: boolean): Asked {
  if (!isSent || asked.type === "reply") return asked;
  const retryClass: RetryClass = FAILURES[asked.code].class;
  const isUnsent = retryClass === "not_sent" || retryClass === "not_tried";
  return isUnsent ? { type: "failed", code: "turn_unsettled" } : asked;
}

/** Turns whose answer is known without asking anybody. */
export function closeAnswered(opened: Exclude<Answered, Unkept>, words: Words): Closed {
  const { session } = opened;
  switch (opened.type) {
    case "repeat": {
      const { lastReply: reply, lastFailure: failure } = session;
      return { outcome: "repeat", reply, failure, session };
    }
    case "page": {
      const { reply } = opened;
      const { paging, asksSecret } = session;
      const kept = closeTurn(session, { ...SCREEN_ALONE, reply, paging, asksSecret });
      return { outcome: "page", reply, failure: undefined, session: kept };
    }
    case "abort":
      return {
        outcome: "abort",
        reply: undefined,
        failure: undefined,
        session: abortSession(session),
      };
    case "failed": {
      const { code } = opened;
      const closing = failWith(code, words);
      const { reply } = closing;
      return { outcome: code, reply, failure: code, session: closeTurn(session, closing) };
    }
  }
}

const SCREEN_ALONE = {
  failure: undefined,
  paging: undefined,
  asksSecret: false,
  lastNumber: undefined,
} as const;

function failWith(failure: FailureCode, words: Words): Closing {
  return { ...SCREEN_ALONE, reply: endWith(failure, words), failure };
}

/** Whole, in pages, or a failure's: nothing is ever cut silently (DESIGN §5). */
function fitAsked(asked: Asked, limits: Limits): Closing {
  const { words, secretPatterns } = limits;
  if (asked.type === "failed") return failWith(asked.code, words);
  const { reply } = asked;
  const { action, screen } = reply;
  const asksSecret =
    action === "continue" && (reply.asksSecret === true || asksForSecret(screen, secretPatterns));
  const { screenOctetsMax: octetsMax, transliterate, takes } = limits;
  const size = { octetsMax, transliterate, takes };
  const fitted = fitScreen(screen, size, words.pages);
  switch (fitted.type) {
    case "fits":
      return { ...SCREEN_ALONE, reply: { ...reply, screen: fitted.screen }, asksSecret };
    case "paged": {
      const { pages, moreKey, backKey } = fitted;
      const paging = { pages, moreKey, backKey, shown: 0, action };
      const first = { ...reply, ...pageReply(pages, 0, action) };
      return { ...SCREEN_ALONE, reply: first, paging, asksSecret };
    }
    case "too_long":
      return failWith("backend_malformed", words);
  }
}
