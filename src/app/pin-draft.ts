/**
 * A PIN being chosen: typed, typed again, and only then the subscriber's. A flow keeps no secret
 * from one question to the next, so the vault keeps it for those minutes, sealed like any PIN.
 */
import { type DraftRow, FRESH, rowOf, textOf } from "./pin-row.ts";
import type { OpenedPin } from "./pin-seal.ts";
import type { PinStore } from "./pin-store.ts";

type Busy = { readonly type: "busy" };
export type PinProposal = {
  readonly type: "proposed" | "exists" | "malformed" | "weak" | "busy";
};
export type PinRepeat = { readonly type: "same" | "different" | "none" | "busy" };
export type PinDrafts = {
  /** The first time. "exists" where there is a PIN, unless it may be replaced. */
  readonly propose: (
    subscriber: string,
    pin: string,
    options?: { readonly replace?: boolean },
  ) => Promise<PinProposal>;
  /** The second time. "none" when nothing was proposed in the last ten minutes. */
  readonly repeat: (subscriber: string, pin: string) => Promise<PinRepeat>;
  /** From now on it is the subscriber's PIN. False when none was typed twice: nothing changed. */
  readonly commit: (subscriber: string) => Promise<boolean>;
};

/** What drafts need of their vault. */
export type Chest = {
  readonly store: PinStore;
  readonly keyOf: (subscriber: string) => string;
  readonly unfit: (pin: string) => { readonly type: "malformed" | "weak" } | undefined;
  readonly seal: (subscriber: string, pin: string) => Promise<string>;
  readonly open: (subscriber: string, sealed: string) => OpenedPin;
  readonly inSlot: <T>(work: () => Promise<T>) => Promise<T | Busy>;
  readonly nowMs: () => number;
};

const DRAFT_MS = 600_000;
const WRITES_MAX = 10;

export function createDrafts(chest: Chest): PinDrafts {
  const { store, keyOf, nowMs } = chest;
  const draftKeyOf = (subscriber: string): string => `${keyOf(subscriber)}\ndraft`;
  async function find(subscriber: string): Promise<{ text: string; row: DraftRow } | undefined> {
    const text = await store.load(draftKeyOf(subscriber));
    if (text === undefined) return undefined;
    const row = rowOf<DraftRow>(text);
    return row.until > nowMs() ? { text, row } : undefined;
  }
  /** Over whatever is there. */
  async function put(key: string, after: string): Promise<void> {
    for (let nth = 0; nth < WRITES_MAX; nth += 1) {
      if (await store.replace(key, await store.load(key), after)) return;
    }
    throw new Error(`a PIN was written by others ${WRITES_MAX} times while it was chosen`);
  }
  return {
    async propose(subscriber, pin, { replace = false } = {}) {
      const why = chest.unfit(pin);
      if (why !== undefined) return why;
      return chest.inSlot(async () => {
        if (!replace && (await store.load(keyOf(subscriber))) !== undefined) {
          return { type: "exists" };
        }
        const sealed = await chest.seal(subscriber, pin);
        const draft = { v: 1, sealed, until: nowMs() + DRAFT_MS, same: false } as const;
        await put(draftKeyOf(subscriber), textOf(draft));
        return { type: "proposed" };
      });
    },
    repeat: (subscriber, pin) =>
      chest.inSlot(async () => {
        const draft = await find(subscriber);
        if (draft === undefined) return { type: "none" };
        const { text, row } = draft;
        const isSame = await chest.open(subscriber, row.sealed).matches(pin);
        if (!isSame) return { type: "different" };
        // Another one may have been proposed meanwhile.
        const after = textOf({ ...row, same: true });
        const isWritten = await store.replace(draftKeyOf(subscriber), text, after);
        return { type: isWritten ? "same" : "different" };
      }),
    async commit(subscriber) {
      const draft = await find(subscriber);
      if (draft === undefined || !draft.row.same) return false;
      // In this order: after a crash in between it can be committed again, to the same end.
      await put(keyOf(subscriber), textOf({ ...FRESH, sealed: draft.row.sealed }));
      await store.replace(draftKeyOf(subscriber), draft.text, undefined);
      return true;
    },
  };
}
