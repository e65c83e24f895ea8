/**
 * What people change while the gateway runs: its own texts, how long what is kept, what is masked.
 * Kept in memory, so that no turn reads the store for it, and read again when a node changed it.
 */
import { type Config, SETTINGS } from "./config.ts";
import { failureTexts, type FailureText, type TextName } from "./core/failure.ts";
import { findTextProblem, type Words, wordsOf } from "./core/words.ts";
import type { ManagementStore, SettingRow } from "./stores/sql-management.ts";

export type Settings = {
  readonly words: () => Words;
  readonly secretPatterns: () => readonly RegExp[];
  readonly privacy: () => PrivacyInForce;
  /** `rules` undefined: those of the configuration again. Only what `readPrivacy` has read. */
  readonly changePrivacy: (rules: Privacy | undefined) => Promise<Changed<PrivacyInForce>>;
  readonly texts: () => readonly OwnText[];
  /** `text` undefined: the built-in one again. Undefined where there is no such text. */
  readonly changeText: (
    name: string,
    language: string,
    text: string | undefined,
  ) => Promise<Changed<OwnText> | undefined>;
  /** Takes over what other nodes have changed. */
  readonly refresh: () => Promise<void>;
};
export type OwnText = FailureText & { readonly builtIn: string; readonly isChanged: boolean };
export type Changed<T> = { readonly before: T; readonly after: T };

export type Privacy = {
  readonly sessionDays: number;
  readonly auditDays: number;
  readonly secretWords: readonly string[];
};
export type PrivacyInForce = Privacy & { readonly isChanged: boolean };

/** What rows say, as it is used. */
type InForce = {
  readonly texts: readonly OwnText[];
  readonly words: Words;
  readonly privacy: PrivacyInForce;
  readonly secretPatterns: readonly RegExp[];
};
type Configured = Pick<Config, "language" | "retentionDays" | "auditDays" | "secretWords">;

export function createSettings(options: {
  readonly store: ManagementStore["settings"];
  readonly config: Configured;
  readonly wallMs: () => number;
}): Settings {
  const { store, config, wallMs } = options;
  let inForce = readRows([], config);
  const read = async () => {
    inForce = readRows(await store.list(), config);
  };
  // One after another: a list that was asked for earlier must not undo a later change.
  let last: Promise<unknown> = Promise.resolve();
  function inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = last.then(step, step);
    last = result.catch(() => undefined);
    return result;
  }
  async function change<T>(name: string, value: unknown, shown: () => T): Promise<Changed<T>> {
    return inTurn(async () => {
      await read();
      const before = shown();
      if (value === undefined) await store.remove(name);
      else await store.put(name, value, wallMs());
      await read();
      return { before, after: shown() };
    });
  }

  return {
    words: () => inForce.words,
    secretPatterns: () => inForce.secretPatterns,
    privacy: () => inForce.privacy,
    changePrivacy: (rules) => change(PRIVACY, rules, () => inForce.privacy),
    texts: () => inForce.texts,
    async changeText(name, language, text) {
      const find = () => inForce.texts.find((one) => isOf(one, name, language));
      const known = find();
      if (known === undefined) return undefined;
      return change(rowName(known), text, () => find() ?? known);
    },
    refresh: () => inTurn(read),
  };
}

function isOf(text: FailureText, name: string, language: string): boolean {
  return text.name === name && text.language === language;
}

function rowName({ name, language }: FailureText): string {
  return `text.${name}.${language}`;
}

export function privacyOf(config: Configured): Privacy {
  const { retentionDays: sessionDays, auditDays, secretWords } = config;
  return { sessionDays, auditDays, secretWords };
}

/** Within the bounds of the configuration; else what is wrong. */
export function readPrivacy({ sessionDays, auditDays, secretWords }: Privacy): Privacy | string {
  const { retentionDays: ofSessions, auditDays: ofAudit, secretWords: ofWords } = SETTINGS;
  const session = ofSessions.rule.read(String(sessionDays));
  if (typeof session === "string") return `session_days must be ${session}`;
  const audit = ofAudit.rule.read(String(auditDays));
  if (typeof audit === "string") return `audit_days must be ${audit}`;
  const words = secretWords.length === 0 ? NO_WORDS : ofWords.rule.read(secretWords.join(","));
  if (typeof words === "string") return `secret_words must be ${words}`;
  return { sessionDays: session, auditDays: audit, secretWords: words.items };
}
const NO_WORDS = { items: [] };
const PRIVACY = "privacy";

/** What no rule of this release allows is as if it were not there: another release wrote it. */
function readRows(rows: readonly SettingRow[], config: Configured): InForce {
  const values = new Map(rows.map(({ name, value }) => [name, value]));
  const texts = failureTexts().map((builtIn): OwnText => {
    const own = values.get(rowName(builtIn));
    const isChanged = typeof own === "string" && findTextProblem(own) === undefined;
    return { ...builtIn, text: isChanged ? own : builtIn.text, builtIn: builtIn.text, isChanged };
  });
  const own = new Map<TextName, string>();
  for (const one of texts) if (one.language === config.language) own.set(one.name, one.text);
  const privacy = privacyInForce(values.get(PRIVACY), config);
  return {
    texts,
    words: wordsOf(config.language, own),
    privacy,
    secretPatterns: privacy.secretWords.map((word) => new RegExp(RegExp.escape(word), "iu")),
  };
}

function privacyInForce(value: unknown, config: Configured): PrivacyInForce {
  const { sessionDays = 0, auditDays = 0, secretWords } = (value ?? {}) as Partial<Privacy>;
  const rules = Array.isArray(secretWords) && readPrivacy({ sessionDays, auditDays, secretWords });
  return typeof rules === "object"
    ? { ...rules, isChanged: true }
    : { ...privacyOf(config), isChanged: false };
}
