/** Words of the console in its user's language. English comes with the page, others on demand. */
import { keep, kept } from "../lib/keep.ts";
import { en } from "./en.ts";

export type Words = Readonly<Record<keyof typeof en, string>>;
export type Word = keyof typeof en;
export const LANGUAGES = {
  en: "English",
  fr: "Français",
  pt: "Português",
  sw: "Kiswahili",
} as const;
export type Language = keyof typeof LANGUAGES;

let words: Words = en;
let language: Language = "en";

const LOADERS: Readonly<Record<Language, () => Promise<Words>>> = {
  en: () => Promise.resolve(en),
  fr: () => import("./fr.ts").then(({ fr }) => fr),
  pt: () => import("./pt.ts").then(({ pt }) => pt),
  sw: () => import("./sw.ts").then(({ sw }) => sw),
};

export function currentLanguage(): Language {
  return language;
}

/** The chosen one, else the browser's. */
export async function loadLanguage(wanted?: Language): Promise<void> {
  const chosen = wanted ?? kept<Language>("language") ?? browserLanguage();
  language = chosen in LANGUAGES ? chosen : "en";
  if (wanted !== undefined) keep("language", language);
  words = await LOADERS[language]().catch(() => en);
  document.documentElement.lang = language;
}

/** "{n} {n|session|sessions}" with its places filled in, the second by what {n} counts. */
export function t(word: Word, places: Readonly<Record<string, string | number>> = {}): string {
  return words[word].replace(
    /\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g,
    (whole, name: string, one?: string, other?: string) => {
      const value = places[name] ?? whole;
      if (one === undefined || other === undefined) return String(value);
      return plurals().select(Number(value)) === "one" ? one : other;
    },
  );
}

let rules: Intl.PluralRules | undefined;
function plurals(): Intl.PluralRules {
  if (rules?.resolvedOptions().locale !== language) rules = new Intl.PluralRules(language);
  return rules;
}

/** A word that the gateway names, as an outcome; its own name where we have none. */
export function tOr(word: string, fallback: string): string {
  return word in words ? words[word as Word] : fallback;
}

function browserLanguage(): Language {
  const found = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in LANGUAGES);
  return (found as Language | undefined) ?? "en";
}
