/** What a check says of something typed: take it, ask again, or end here. */
import type { Text } from "./text.ts";

export type MaybePromise<T> = T | Promise<T>;

export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof (value as Partial<Promise<T>> | null | undefined)?.then === "function";
}

/** What follows from a value, at once where it is there: awaiting each step doubles a turn's cost. */
export function chain<T, R>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<R>,
): MaybePromise<R> {
  return isPromise(value) ? value.then(next) : next(value);
}

/** Asks the same question again. `alone`: in place of the question, not above it. */
export type Refusal = { readonly type: "bad"; readonly text: Text; readonly alone: boolean };
/** Ends the session with a text. */
export type Stop = { readonly type: "stop"; readonly text: Text };
export type Parsed<T> = { readonly type: "ok"; readonly value: T } | Refusal | Stop;

/**
 * The answer is taken, as this value.
 * @example
 * const parseAge = (raw: string) => (/^\d{1,3}$/.test(raw) ? ok(Number(raw)) : bad("Digits only"));
 */
export function ok<const T>(value: T): Parsed<T> {
  return { type: "ok", value };
}

/**
 * The same question again, with this text above it.
 * @example
 * bad("Insufficient balance");
 */
export function bad(text: Text): Refusal {
  return { type: "bad", text, alone: false };
}

/**
 * Asks again with this text in place of the whole screen; what can be answered stays the same.
 * @example
 * instead("Invalid amount\n\nEnter amount:");
 */
export function instead(text: Text): Refusal {
  return { type: "bad", text, alone: true };
}

/**
 * Ends the session with this text.
 * @example
 * stop("Incorrect PIN\n\nTransaction cancelled");
 */
export function stop(text: Text): Stop {
  return { type: "stop", text };
}
