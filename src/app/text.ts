/**
 * Texts in the subscriber's language: typed catalogs for applications, and what the framework
 * says itself. The locale is the turn's, never a global (APP-FRAMEWORK R11).
 */
import { failureScreen, type Language } from "../core/failure.ts";

/** A text of a catalog with its values, not yet in a language. */
export type Message = {
  readonly in: (locale: string) => string;
  /** The languages it was written in. */
  readonly locales?: readonly string[];
};
/** Whatever a subscriber may read: a string, or a message of a catalog. */
export type Text = string | Message;

/**
 * A text in one language.
 * @example
 * say(t.hello({ name: "Ana" }), "pt"); // "Olá Ana"
 */
export function say(text: Text, locale: string): string {
  return typeof text === "string" ? text : text.in(locale);
}

/** A text with `{name}` and `{amount:number}` in it, or its plural forms, chosen by `{n}`. */
export type CatalogEntry =
  string | (Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string });
type Entries = Readonly<Record<string, CatalogEntry>>;

/** "name" and "amount:number" for "{name} pays {amount:number}". */
type Placeholders<S> = S extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;
type PlaceholdersOf<E> = E extends string ? Placeholders<E> : "n:number" | Placeholders<E[keyof E]>;
type NameOf<P> = P extends `${infer Name}:number` ? Name : P;
/** `{n}` of a plural is the number it is chosen by, however it is written. */
type ValuesOf<P extends string> = {
  readonly [Name in NameOf<P> & string]: `${Name}:number` extends P ? number : string | number;
};
type KeysOf<C> = C extends unknown ? keyof C : never;
type EntryOf<C, K> = C extends unknown ? (K extends keyof C ? C[K] : never) : never;
/** What every locale has to look like, given all of them: the same keys and placeholders. */
type Complete<C> = {
  readonly [L in keyof C]: {
    readonly [K in KeysOf<C[keyof C]> & string]: [PlaceholdersOf<EntryOf<C[keyof C], K>>] extends [
      K extends keyof C[L] ? PlaceholdersOf<C[L][K]> : never,
    ]
      ? CatalogEntry
      : { readonly placeholdersMissing: PlaceholdersOf<EntryOf<C[keyof C], K>> };
  };
};
type MessageOf<P extends string> = [P] extends [never]
  ? () => Message
  : (values: ValuesOf<P>) => Message;
export type Catalog<C> = {
  readonly [K in KeysOf<C[keyof C]> & string]: MessageOf<
    PlaceholdersOf<EntryOf<C[keyof C], K>> & string
  >;
};

/**
 * Typed messages: a key missing in one locale, a placeholder with another name or a value of
 * another type does not compile. The first locale stands in for a locale that is not there.
 * @example
 * const t = catalog({
 *   en: { hello: "Hello {name}", left: { one: "{n} try left", other: "{n} tries left" } },
 *   pt: { hello: "Bom dia {name}", left: { one: "Resta {n}", other: "Restam {n}" } },
 * });
 * u.menu({ title: ({ ctx }) => t.hello({ name: ctx.name }), items: [] });
 */
export function catalog<const C extends Readonly<Record<string, Entries>>>(
  locales: C & Complete<C>,
): Catalog<C> {
  const byLocale: Readonly<Record<string, Entries>> = locales;
  const known = Object.keys(byLocale);
  const [first] = known;
  if (first === undefined) throw new Error("a catalog needs a locale");
  const messages: Record<string, (values?: Values) => Message> = {};
  for (const key of Object.keys(byLocale[first] ?? {})) {
    messages[key] = (values = {}) => ({
      locales: known,
      in(locale) {
        const spoken = matchLocale(locale, known) ?? first;
        return fill(byLocale[spoken]?.[key] ?? "", values, spoken);
      },
    });
  }
  return messages as Catalog<C>;
}
type Values = Readonly<Record<string, string | number>>;

function fill(entry: CatalogEntry, values: Values, locale: string): string {
  const text = typeof entry === "string" ? entry : pluralForm(entry, Number(values.n), locale);
  return text.replace(/\{(\w+)(?::number)?\}/g, (_, name: string) => String(values[name]));
}

function pluralForm(entry: Exclude<CatalogEntry, string>, count: number, locale: string): string {
  return entry[pluralRules(locale).select(count)] ?? entry.other;
}

const LOCALES_MAX = 100;
const rulesByLocale = new Map<string, Intl.PluralRules>();
function pluralRules(locale: string): Intl.PluralRules {
  const known = rulesByLocale.get(locale);
  if (known !== undefined) return known;
  const rules = new Intl.PluralRules(locale);
  if (rulesByLocale.size < LOCALES_MAX) rulesByLocale.set(locale, rules);
  return rules;
}

/** "pt" for "pt-MZ" where there is no "pt-MZ". */
function matchLocale(locale: string, known: readonly string[]): string | undefined {
  if (known.includes(locale)) return locale;
  const language = locale.split("-")[0];
  return known.find((candidate) => candidate === language);
}

/** What the framework says itself; an app can say each of them otherwise (`texts`). */
export type SystemText =
  | "back"
  | "home"
  | "more"
  | "exit"
  | "goodbye"
  | "confirm"
  | "cancel"
  | "cancelled"
  | "invalid"
  | "updated"
  | "locked"
  | "failed"
  | "processing"
  | "wait"
  | "resume"
  | "resumed"
  | "continue"
  | "restart";
export type SystemTexts = Readonly<Record<SystemText, Text>>;

type Own = Exclude<SystemText, "processing" | "wait">;
/** All within GSM-7, so that none of them turns a screen of 182 characters into one of 80. */
const TEXTS: Readonly<Record<Language, Readonly<Record<Own, string>>>> = {
  en: {
    back: "Back",
    home: "Home",
    more: "More",
    exit: "Exit",
    goodbye: "Goodbye!",
    confirm: "Confirm",
    cancel: "Cancel",
    cancelled: "Cancelled",
    invalid: "Invalid option",
    updated: "Menu updated",
    locked: "Too many attempts.",
    failed: "Service unavailable. Please try again later.",
    resume: "Continue where you left off?",
    resumed: "Welcome back",
    continue: "Continue",
    restart: "Start again",
  },
  fr: {
    back: "Retour",
    home: "Accueil",
    more: "Suite",
    exit: "Quitter",
    goodbye: "Au revoir !",
    confirm: "Confirmer",
    cancel: "Annuler",
    cancelled: "Annulé",
    invalid: "Choix non valide",
    updated: "Menu mis à jour",
    locked: "Trop d'essais.",
    failed: "Service indisponible. Réessayez plus tard.",
    resume: "Reprendre ?",
    resumed: "Vous revoici",
    continue: "Reprendre",
    restart: "Recommencer",
  },
  pt: {
    back: "Voltar",
    home: "Menu principal",
    more: "Mais",
    exit: "Sair",
    goodbye: "Adeus!",
    confirm: "Confirmar",
    cancel: "Cancelar",
    cancelled: "Cancelado",
    invalid: "Escolha errada",
    updated: "Menu atualizado",
    locked: "Demasiadas tentativas.",
    failed: "O pedido falhou. Tente de novo mais tarde.",
    resume: "Continuar onde parou?",
    resumed: "De volta onde parou",
    continue: "Continuar",
    restart: "De novo",
  },
  sw: {
    back: "Rudi",
    home: "Mwanzo",
    more: "Zaidi",
    exit: "Toka",
    goodbye: "Kwaheri!",
    confirm: "Thibitisha",
    cancel: "Ghairi",
    cancelled: "Imeghairiwa",
    invalid: "Chaguo si sahihi",
    updated: "Menyu imebadilika",
    locked: "Umejaribu mara nyingi mno.",
    failed: "Huduma haipatikani. Tafadhali jaribu tena baadaye.",
    resume: "Uendelee ulipoishia?",
    resumed: "Karibu tena",
    continue: "Endelea",
    restart: "Anza upya",
  },
};

const LANGUAGES = Object.keys(TEXTS);

/**
 * The language of the framework's own texts for a locale; English where it has none.
 * @example
 * languageOf("pt-MZ"); // "pt"
 */
export function languageOf(locale: string): Language {
  return (matchLocale(locale, LANGUAGES) ?? "en") as Language;
}

/**
 * One of the framework's own texts.
 * @example
 * systemText("back", "sw"); // "Rudi"
 */
export function systemText(key: SystemText, locale: string): string {
  const language = languageOf(locale);
  // The same promise as the gateway's: what may have been charged is not to be repeated.
  if (key === "processing") return failureScreen("turn_unsettled", language);
  if (key === "wait") return failureScreen("session_busy", language);
  return TEXTS[language][key];
}
