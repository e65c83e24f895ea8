/**
 * What fits on a screen. A USSD string is at most 160 octets (3GPP TS 23.038 §6.1.2.3): 182
 * septets of GSM 03.38, or 80 UTF-16 code units as soon as one character is outside it. Networks
 * that take less say so per channel. A longer text is paged, never passed on whole and never cut
 * (RELIABILITY 2.4).
 */
import type { Language } from "./failure.ts";
import { packedOctets, septetCost, septetsMax, septetsOf } from "./gsm7.ts";

export type ScreenSize = {
  readonly alphabet: "gsm7" | "ucs2";
  /** Septets or UTF-16 code units. */
  readonly units: number;
  readonly octets: number;
};
export type ScreenLimits = {
  readonly octetsMax: number;
  /** Replace characters outside GSM-7 by look-alikes instead of sending UCS-2. */
  readonly transliterate: boolean;
  /** What the network takes, counted as it counts. */
  readonly takes?: ((screen: string) => boolean) | undefined;
};
export type PageLabels = { readonly more: string; readonly back: string };

export type Fitted =
  | { readonly type: "fits"; readonly screen: string }
  | {
      readonly type: "paged";
      /** At least two, each with its footer. */
      readonly pages: readonly string[];
      readonly moreKey: string;
      readonly backKey: string;
    }
  /** More than PAGES_MAX pages, or no room for a character beside the footer. */
  | { readonly type: "too_long" };

/** What one screen of 160 octets has room for. */
export const SCREEN_UNITS = { gsm7: 182, ucs2: 80 } as const;
export const PAGES_MAX = 99;
export const PAGE_LABELS: Readonly<Record<Language, PageLabels>> = {
  en: { more: "More", back: "Back" },
  fr: { more: "Suite", back: "Retour" },
  pt: { more: "Mais", back: "Voltar" },
  sw: { more: "Zaidi", back: "Rudi" },
};

export function measureScreen(text: string): ScreenSize {
  const septets = septetsOf(text);
  if (septets === undefined) {
    return { alphabet: "ucs2", units: text.length, octets: text.length * 2 };
  }
  return { alphabet: "gsm7", units: septets, octets: packedOctets(septets) };
}

/** No control characters but line feeds, none of these at the end, and no lone surrogates. */
export function cleanScreen(text: string): string {
  if (isClean(text)) return text;
  const cleaned = text
    .replace(/\r\n?/g, "\n")
    .replace(/\p{Surrogate}/gu, "?")
    .replace(/(?!\n)\p{Control}/gu, "");
  return cleaned.slice(0, endWithout(cleaned, cleaned.length, isLineFeed));
}

/** The text in GSM-7: look-alikes where there are any, "?" where not. */
export function transliterate(text: string): string {
  if (septetsOf(text) !== undefined) return text;
  // Composed first: "e" with a combining grave is the "è" that GSM-7 has.
  const composed = COMBINING.test(text) ? text.normalize("NFC") : text;
  let plain = "";
  let copied = 0;
  for (let at = 0; at < composed.length; at += 1) {
    if (septetCost(composed.charCodeAt(at)) > 0) continue;
    const character = String.fromCodePoint(composed.codePointAt(at) ?? 0);
    plain += composed.slice(copied, at) + lookAlike(character);
    copied = at + character.length;
    at = copied - 1;
  }
  return plain + composed.slice(copied);
}

/** Cleans the text and fits it into one screen, or into pages with keys to leaf through them. */
export function fitScreen(text: string, limits: ScreenLimits, labels = PAGE_LABELS.en): Fitted {
  // More than all pages hold, were they full: not worth the time to look.
  if (text.length > PAGES_MAX * septetsMax(limits.octetsMax)) return { type: "too_long" };
  const screen = prepare(text, limits);
  if (fitsIn(screen, limits)) return { type: "fits", screen };
  const end = endWithout(screen, screen.length, isBlank);
  const trimmed = screen.slice(startWithout(screen, 0, isBlank), end);
  if (fitsIn(trimmed, limits)) return { type: "fits", screen: trimmed };

  const taken = optionsIn(trimmed);
  const moreKey = MORE_KEYS.find((key) => !taken.has(key));
  const backKey = BACK_KEYS.find((key) => !taken.has(key));
  if (moreKey === undefined || backKey === undefined) return { type: "too_long" };
  const more = `\n${moreKey}. ${prepare(labels.more, limits)}`;
  const back = `\n${backKey}. ${prepare(labels.back, limits)}`;
  const pages = breakIntoPages(trimmed, limits, more, back);
  if (pages === undefined) return { type: "too_long" };
  return { type: "paged", pages, moreKey, backKey };
}

function prepare(text: string, limits: ScreenLimits): string {
  const cleaned = cleanScreen(text);
  return limits.transliterate ? transliterate(cleaned) : cleaned;
}

function fitsIn(text: string, { octetsMax, takes }: ScreenLimits): boolean {
  // No alphabet takes more than two octets for a code unit: short texts need no counting.
  const isSmall = text.length * 2 <= octetsMax || measureScreen(text).octets <= octetsMax;
  return isSmall && (takes === undefined || takes(text));
}

// No key is in both lists, so that the two chosen always differ.
const MORE_KEYS = ["98", "97", "96", "94", "93", "92", "91", "90", "998"];
const BACK_KEYS = ["0", "99", "95", "89", "88", "87", "86", "85", "999"];
// "0. Back", "0) Back", "0: Back", "0-Back", "[0] Back", "1.Yes 0.No"; and "0 Back" at a line's
// start.
const OPTION = /(?:^|[ ([])([0-9]{1,3})(?=[.):\]-])|^ *([0-9]{1,3})(?= |$)/gm;

/** Keys that the text itself offers: leafing must not take them from the backend. */
function optionsIn(text: string): ReadonlySet<string> {
  const options = new Set<string>();
  for (const [, marked, spaced] of text.matchAll(OPTION)) options.add(marked ?? spaced ?? "");
  return options;
}

/** Undefined when the pages are too many or too small. The text neither starts nor ends blank. */
function breakIntoPages(
  text: string,
  { octetsMax, takes = () => true }: ScreenLimits,
  more: string,
  back: string,
): readonly string[] | undefined {
  const pages: string[] = [];
  let start = 0;
  while (pages.length < PAGES_MAX) {
    const lastFooter = pages.length === 0 ? "" : back;
    const last = text.slice(start) + lastFooter;
    const lastEnd = endOfRoom(text, start, roomBeside(lastFooter, octetsMax));
    if (lastEnd === text.length && takes(last)) return [...pages, last];
    const footer = more + lastFooter;
    let limit = endOfRoom(text, start, roomBeside(footer, octetsMax));
    let end = breakBefore(text, start, limit);
    const pageTo = (to: number) => text.slice(start, endWithout(text, to, isBlank)) + footer;
    while (limit > start && !takes(pageTo(end))) {
      limit = Math.min(end, limit - 1);
      end = breakBefore(text, start, limit);
    }
    if (limit === start) return undefined;
    pages.push(pageTo(end));
    start = startWithout(text, end, isBlank);
  }
  return undefined;
}

/** What a footer leaves of a page, in either alphabet; below 0 where it leaves nothing. */
type Room = { readonly septets: number; readonly units: number };

function roomBeside(footer: string, octetsMax: number): Room {
  const footerSeptets = septetsOf(footer);
  return {
    septets: footerSeptets === undefined ? -1 : septetsMax(octetsMax) - footerSeptets,
    units: Math.floor(octetsMax / 2) - footer.length,
  };
}

/**
 * Everything from `start` up to the index returned fits, however much less is taken. A page is in
 * the alphabet of its own characters, and less of what fits in an alphabet fits in it too: so the
 * limit is the further one of the two alphabets' limits.
 */
function endOfRoom(text: string, start: number, room: Room): number {
  const ucs2End = wholePairs(text, start, Math.min(start + room.units, text.length));
  let septets = 0;
  for (let at = start; at < text.length; at += 1) {
    const cost = septetCost(text.charCodeAt(at));
    septets += cost;
    if (cost === 0 || septets > room.septets) return Math.max(at, ucs2End);
  }
  return text.length;
}

/** The best place to break at or before `limit`: between lines, then words, then characters. */
function breakBefore(text: string, start: number, limit: number): number {
  // A break in the first third would waste the page: the next kind of break is better then.
  const early = start + Math.floor((limit - start) / 3);
  const line = text.lastIndexOf("\n", limit);
  if (line > early) return line;
  const word = text.lastIndexOf(" ", limit);
  if (word > early) return word;
  return wholeCluster(text, start, limit);
}

function wholePairs(text: string, start: number, end: number): number {
  if (end <= start) return start;
  return isPairAt(text, end - 1) ? end - 1 : end;
}

// Accents, variation selectors, skin tones and the joiner belong to the character before them.
// Intl.Segmenter would know flags too, but takes 18 ms to make (Node 24).
const CONTINUES = /^[\p{Mark}\u{1f3fb}-\u{1f3ff}\u200d]/u;
const JOINER = 0x200d;
const CLUSTER_UNITS_MAX = 32;

/** Steps back out of an emoji sequence or an accented letter, unless it fills the page. */
function wholeCluster(text: string, start: number, limit: number): number {
  const earliest = Math.max(start, limit - CLUSTER_UNITS_MAX);
  let at = limit;
  while (at > earliest && isInsideCluster(text, at)) at = wholePairs(text, start, at - 1);
  return at > earliest ? at : limit;
}

function isInsideCluster(text: string, at: number): boolean {
  return text.charCodeAt(at - 1) === JOINER || CONTINUES.test(text.slice(at, at + 2));
}

// U+2010 to U+2015 and U+2212 are dashes; the letters are those of African and European
// orthographies that no Unicode decomposition takes apart.
const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "'": "‘’‚‛′´ʼʻʹ`",
    '"': "“”„‟«»¨",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212•‣▪●¯¬",
    "<": "‹",
    ">": "›",
    ".": "·",
    ",": "¸",
    "/": "⁄÷∕",
    "\n": "\u2028\u2029",
    "->": "→",
    "<-": "←",
    "<=": "≤",
    ">=": "≥",
    "+-": "±",
    "(c)": "©",
    "(R)": "®",
    a: "ɑ",
    b: "ɓ",
    B: "Ɓ",
    c: "¢",
    C: "₵",
    d: "đðɖɗ",
    D: "ĐÐƉƊ",
    e: "ɛǝə",
    E: "ƐƎƏ",
    f: "ƒ",
    F: "Ƒ",
    g: "ɣ",
    G: "Ɣ",
    h: "ħ",
    H: "Ħ",
    i: "ıɩ",
    I: "Ɩ",
    k: "ƙ",
    K: "Ƙ",
    l: "ł",
    L: "Ł",
    n: "ŋɲ",
    N: "ŊƝ₦",
    o: "ɔ°",
    O: "Ɔ",
    oe: "œ",
    OE: "Œ",
    t: "ŧƭ",
    T: "ŦƬ",
    th: "þ",
    Th: "Þ",
    u: "μʊ",
    U: "Ʊ",
    v: "ʋ",
    V: "Ʋ",
    x: "×",
    y: "ƴ",
    Y: "Ƴ",
  }).flatMap(([plain, characters]) => [...characters].map((character) => [character, plain])),
);
const COMBINING = /[\u0300-\u036f]/;
const INVISIBLE = /^[\p{Mark}\p{Format}]$/u;

function lookAlike(character: string): string {
  const known = LOOK_ALIKES.get(character);
  if (known !== undefined) return known;
  let plain = "";
  for (const part of character.normalize("NFKD")) {
    if (septetsOf(part) !== undefined) plain += part;
    else if (LOOK_ALIKES.has(part)) plain += LOOK_ALIKES.get(part) ?? "";
    else if (!INVISIBLE.test(part)) return "?";
  }
  return plain;
}

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const DELETE = 0x7f;
/** First code after the C1 control characters. */
const NO_BREAK_SPACE = 0xa0;

function isClean(text: string): boolean {
  if (isLineFeed(text.charCodeAt(text.length - 1))) return false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if ((code >= SPACE && code < DELETE) || code === LINE_FEED) continue;
    if (code < NO_BREAK_SPACE) return false;
    if (!isSurrogate(code)) continue;
    if (!isPairAt(text, at)) return false;
    at += 1;
  }
  return true;
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}

/** Whether a character outside the BMP begins at this code unit. */
function isPairAt(text: string, at: number): boolean {
  return (text.codePointAt(at) ?? 0) > 0xffff;
}

function isLineFeed(code: number): boolean {
  return code === LINE_FEED;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === LINE_FEED;
}

function startWithout(text: string, from: number, isUnwanted: (code: number) => boolean): number {
  let start = from;
  while (start < text.length && isUnwanted(text.charCodeAt(start))) start += 1;
  return start;
}

function endWithout(text: string, to: number, isUnwanted: (code: number) => boolean): number {
  let end = to;
  while (end > 0 && isUnwanted(text.charCodeAt(end - 1))) end -= 1;
  return end;
}
