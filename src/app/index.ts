/**
 * "dialyard/app": menus, questions and flows on a phone's screen.
 *
 * An app is inert data; a mount gives it a store, a protocol and a server. Imports nothing of the
 * gateway but the reply contract, the pure text layer and the codecs.
 */
export {
  bad,
  instead,
  ok,
  type MaybePromise,
  type Parsed,
  type Refusal,
  stop,
  type Stop,
} from "./answers.ts";
export { type App, type AppDef, type Builders, type Keys, type Resume, ussd } from "./app.ts";
export {
  type ContextOption,
  createDialogue,
  type Dialogue,
  type DialogueOptions,
  type Taken,
} from "./dialogue.ts";
export { keyedDigest } from "./digest.ts";
export type { AppEvent } from "./events.ts";
export type {
  Answers,
  AskOptions,
  Check,
  ConfirmOptions,
  Flow,
  FlowDef,
  Option,
  Prompt,
  RunOptions,
  SecretOptions,
} from "./flow.ts";
export { createExchange, type Exchange, type MountOptions } from "./mount.ts";
export { serveApp, type ServedApp, type ServeOptions, toFastify, toNodeHandler } from "./node.ts";
export { newPin, pinCheck, type PinTexts, samePin } from "./pin-check.ts";
export type { PinDrafts, PinProposal, PinRepeat } from "./pin-draft.ts";
export { parsePinKeys, type PinCost, type PinKey } from "./pin-seal.ts";
export { memoryPinStore, type MemoryPinStore, type PinStore } from "./pin-store.ts";
export {
  type PinChange,
  type PinSet,
  pinVault,
  type PinVault,
  type PinVaultOptions,
  type PinVerdict,
} from "./pins.ts";
export type {
  Args,
  FitPolicy,
  InputDef,
  LanguageDef,
  ListDef,
  MenuDef,
  MenuItem,
  Nav,
  Next,
  Paramless,
  Screen,
  ScreenKeys,
  ScreenOptions,
  TextDef,
} from "./screens.ts";
export {
  type AppAsk,
  type AppHeld,
  type AppLease,
  type AppSettlement,
  type AppStore,
  memoryAppStore,
  type MemoryAppStore,
} from "./store.ts";
export {
  catalog,
  type Catalog,
  type CatalogEntry,
  languageOf,
  type Message,
  say,
  systemText,
  type SystemText,
  type SystemTexts,
  type Text,
} from "./text.ts";
export type { AppReply, AppTurn, Middleware } from "./turn.ts";
