/** What subscribers read of the gateway itself: built in, or in an operator's own words. */
import type { Reply } from "../types.ts";
import {
  FAILURES,
  failureScreen,
  type FailureCode,
  type Language,
  type TextName,
} from "./failure.ts";
import {
  cleanScreen,
  measureScreen,
  PAGE_LABELS,
  type PageLabels,
  SCREEN_UNITS,
} from "./screen.ts";

export type Words = {
  readonly failure: (code: FailureCode) => string;
  readonly pages: PageLabels;
};

/** `own`: texts in an operator's words, of this language. */
export function wordsOf(
  language: Language,
  own: ReadonlyMap<TextName, string> = BUILT_IN_ALONE,
): Words {
  return {
    failure: (code) => own.get(FAILURES[code].text) ?? failureScreen(code, language),
    pages: PAGE_LABELS[language],
  };
}
const BUILT_IN_ALONE: ReadonlyMap<TextName, string> = new Map();

export function endWith(code: FailureCode, words: Words): Reply {
  return { action: "end", screen: words.failure(code) };
}

export function fitsOneScreen(text: string): boolean {
  const { alphabet, units } = measureScreen(text);
  return units <= SCREEN_UNITS[alphabet];
}

/** Why a text can't be one of the gateway's own screens, which are neither cleaned nor paged. */
export function findTextProblem(text: string): string | undefined {
  if (text.trim() === "") return "text must not be empty";
  if (text.includes("\n") || text !== cleanScreen(text))
    return "text must be one line without control characters or halves of characters";
  if (fitsOneScreen(text)) return undefined;
  const { alphabet, units } = measureScreen(text);
  const most = SCREEN_UNITS[alphabet];
  return alphabet === "gsm7"
    ? `text has ${units} septets; a screen has room for ${most}`
    : `text has ${units} UCS-2 units, since a character is not in GSM-7; ` +
        `a screen has room for ${most}`;
}
