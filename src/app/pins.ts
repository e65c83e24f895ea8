/**
 * The PIN vault: sets, verifies and changes PINs. A guess is counted, durably, before it is looked
 * at, so that neither a crash nor guessing in parallel wins another one; what is slow about it
 * happens off the event loop, a few at a time.
 */
import { createDrafts, type PinDrafts } from "./pin-draft.ts";
import { FRESH, type PinRow, rowOf, textOf } from "./pin-row.ts";
import {
  checkCost,
  openPin,
  type PinCost,
  type PinKey,
  type PinOwner,
  sealPin,
} from "./pin-seal.ts";
import type { PinStore } from "./pin-store.ts";
import { createSlots } from "./slots.ts";

export type PinVaultOptions = {
  /** Name of the app; a PIN of one app opens in no other. */
  readonly app: string;
  /** `parsePinKeys(process.env.PIN_ENCRYPTION_KEY)` */
  readonly keys: readonly PinKey[];
  readonly store: PinStore;
  /** Wrong ones in a row that lock the subscriber: 3. */
  readonly attemptsMax?: number;
  /** How long the first lock is: 15 min. Each in a row is twice as long as the one before. */
  readonly lockMs?: number;
  /** And the longest: a day. */
  readonly lockMsMax?: number;
  /** What a PIN looks like: 4 to 8 digits. */
  readonly format?: RegExp;
  /** Takes 1111 and 1234 for PINs as well. */
  readonly allowWeak?: boolean;
  readonly cost?: PinCost;
  /** PINs hashed at once: 2. */
  readonly slots?: number;
  /** PINs that wait for that: 32. */
  readonly waitingMax?: number;
  /** Turns a subscriber into the store's key, where MSISDNs must not be there: keyedDigest(…). */
  readonly digest?: (subscriber: string) => string;
  readonly nowMs?: () => number;
};

/** All checks wait: nothing was looked at, nothing counted. */
type Busy = { readonly type: "busy" };
type Locked = { readonly type: "locked"; readonly untilMs: number };
type Refused = { readonly type: "unset" } | Locked | Busy;
export type PinVerdict =
  | { readonly type: "right" }
  /** Looked at, and wrong. With none left, `untilMs` says how long the subscriber is locked. */
  | { readonly type: "wrong"; readonly left: number; readonly untilMs: number | undefined }
  | Refused;
type Unfit = { readonly type: "malformed" | "weak" };
export type PinSet = { readonly type: "set" | "exists" } | Unfit | Busy;
export type PinChange =
  { readonly type: "changed" } | Exclude<PinVerdict, { type: "right" }> | Unfit;

export type PinVault = PinDrafts & {
  /** A first PIN; "exists" where there is one, which stays. */
  readonly set: (subscriber: string, pin: string) => Promise<PinSet>;
  readonly verify: (subscriber: string, pin: string) => Promise<PinVerdict>;
  /** The old one is verified, and counted, like any. */
  readonly change: (subscriber: string, old: string, pin: string) => Promise<PinChange>;
  /** Ends a lock early: for who has seen the subscriber's papers. False where there is no PIN. */
  readonly unlock: (subscriber: string) => Promise<boolean>;
  /** Forgets the PIN, so that another can be set. False where there was none. */
  readonly remove: (subscriber: string) => Promise<boolean>;
};

type Read = { readonly text: string; readonly row: PinRow };

/** OWASP Password Storage Cheat Sheet, scrypt: 16 MiB, for some 0.2 s. */
const COST: PinCost = { n: 2 ** 14, r: 8, p: 5 };
const FORMAT = /^\d{4,8}$/;
const ATTEMPTS_MAX = 3;
const LOCK_MS = 900_000;
const LOCK_MS_MAX = 86_400_000;
const SLOTS = 2;
const WAITING_MAX = 32;
/** A shift further would be longer than any lock. */
const LOCKS_DOUBLED_MAX = 30;
/** Others' writes between our read and our write; more than that is not a coincidence. */
const WRITES_MAX = 100;

/**
 * A vault over a store of PINs.
 * @example
 * const keys = parsePinKeys(process.env.PIN_ENCRYPTION_KEY);
 * const pins = pinVault({ app: "bank", keys, store: sqlitePinStore({ file: "./data/pins.db" }) });
 * await pins.set("258823456789", "8305");
 * await pins.verify("258823456789", "0000"); // { type: "wrong", left: 2, untilMs: undefined }
 */
export function pinVault(options: PinVaultOptions): PinVault {
  const { app, keys, store, digest = (subscriber) => subscriber } = options;
  const { format = FORMAT, allowWeak = false, cost = COST } = options;
  const [key] = keys;
  if (key === undefined) throw new Error("a PIN vault needs a key");
  checkNumbers(options);
  const slots = createSlots(options.slots ?? SLOTS, options.waitingMax ?? WAITING_MAX);
  const limits: Limits = {
    attemptsMax: options.attemptsMax ?? ATTEMPTS_MAX,
    lockMs: options.lockMs ?? LOCK_MS,
    lockMsMax: options.lockMsMax ?? LOCK_MS_MAX,
    nowMs: options.nowMs ?? Date.now,
  };
  const placeOf = (subscriber: string): Place => {
    // A turn without a number has "": all of those would share one PIN.
    if (subscriber === "") throw new Error("a PIN belongs to a subscriber, and none was given");
    const key = `${app}\n${digest(subscriber)}`;
    return { store, keys, cost, limits, key, owner: { app, subscriber } };
  };
  const unfit = (pin: string): Unfit | undefined => {
    if (!format.test(pin)) return { type: "malformed" };
    return !allowWeak && isWeak(pin) ? { type: "weak" } : undefined;
  };
  const seal = (subscriber: string, pin: string): Promise<string> =>
    sealPin(key, { app, subscriber }, pin, cost);

  const drafts = createDrafts({
    ...{ store, unfit, seal, nowMs: limits.nowMs },
    keyOf: (subscriber) => placeOf(subscriber).key,
    open: (subscriber, sealed) => openPin(keys, { app, subscriber }, sealed, cost),
    inSlot: (work) => within(slots, work),
  });

  return {
    ...drafts,
    async set(subscriber, pin) {
      const why = unfit(pin);
      if (why !== undefined) return why;
      return within(slots, async () => {
        const place = placeOf(subscriber);
        if ((await store.load(place.key)) !== undefined) return { type: "exists" };
        const text = textOf({ ...FRESH, sealed: await seal(subscriber, pin) });
        return { type: (await store.replace(place.key, undefined, text)) ? "set" : "exists" };
      });
    },
    verify: (subscriber, pin) =>
      within(slots, async () => {
        const guessed = await guess(placeOf(subscriber), pin);
        if (guessed.type !== "right") return guessed;
        const { isCurrent, accept } = guessed;
        await accept(isCurrent ? undefined : await seal(subscriber, pin));
        return { type: "right" };
      }),
    async change(subscriber, old, pin) {
      const why = unfit(pin);
      if (why !== undefined) return why;
      return within(slots, async () => {
        // Another change may come first: then the old PIN is looked at again, and counted again.
        for (;;) {
          const guessed = await guess(placeOf(subscriber), old);
          if (guessed.type !== "right") return guessed;
          if (await guessed.accept(await seal(subscriber, pin))) return { type: "changed" };
        }
      });
    },
    async unlock(subscriber) {
      const free = ({ sealed }: PinRow): PinRow => ({ ...FRESH, sealed });
      return (await rewrite(placeOf(subscriber), free)) !== undefined;
    },
    async remove(subscriber) {
      return (await rewrite(placeOf(subscriber), () => undefined)) !== undefined;
    },
  };
}

/** A slip here would lock everybody out, or nobody. */
function checkNumbers(options: PinVaultOptions): void {
  const { attemptsMax, lockMs, lockMsMax, slots, waitingMax, cost } = options;
  const least = { attemptsMax: [attemptsMax, 1], lockMs: [lockMs, 1], lockMsMax: [lockMsMax, 1] };
  const all = { ...least, slots: [slots, 1], waitingMax: [waitingMax, 0] };
  for (const [name, [value, min]] of Object.entries(all)) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= min!)) {
      throw new Error(`${name} of a PIN vault is a whole number of at least ${min}, not ${value}`);
    }
  }
  if (cost !== undefined) checkCost(cost);
}

type Limits = {
  readonly attemptsMax: number;
  readonly lockMs: number;
  readonly lockMsMax: number;
  readonly nowMs: () => number;
};
type Place = {
  readonly store: PinStore;
  readonly key: string;
  readonly owner: PinOwner;
  readonly keys: readonly PinKey[];
  readonly cost: PinCost;
  readonly limits: Limits;
};

async function within<T>(
  slots: ReturnType<typeof createSlots>,
  work: () => Promise<T>,
): Promise<T | Busy> {
  const entered = slots.enter();
  if (entered === undefined) return { type: "busy" };
  const leave = await entered;
  try {
    return await work();
  } finally {
    leave();
  }
}

type Right = {
  readonly type: "right";
  readonly isCurrent: boolean;
  /** Forgets the wrong guesses, and keeps this instead where given. False: it is another PIN now. */
  readonly accept: (sealed: string | undefined) => Promise<boolean>;
};

async function guess(
  place: Place,
  pin: string,
): Promise<Right | Exclude<PinVerdict, Busy | { type: "right" }>> {
  const counted = await count(place);
  if (counted.type !== "counted") return counted;
  const { row, text } = counted;
  const opened = openPin(place.keys, place.owner, row.sealed, place.cost);
  if (await opened.matches(pin)) {
    const accept = async (sealed = row.sealed): Promise<boolean> => {
      const isWritten = await place.store.replace(place.key, text, textOf({ ...FRESH, sealed }));
      return isWritten || acceptLate(place, row, sealed);
    };
    return { type: "right", isCurrent: opened.isCurrent, accept };
  }
  const left = Math.max(0, place.limits.attemptsMax - row.tries);
  return { type: "wrong", left, untilMs: left === 0 ? row.until : undefined };
}

type Counted = ({ readonly type: "counted" } & Read) | { readonly type: "unset" } | Locked;

/** One guess more, written before anybody looks at it. */
async function count(place: Place): Promise<Counted> {
  const { attemptsMax, lockMs, lockMsMax, nowMs } = place.limits;
  let locked: Locked | undefined;
  const written = await rewrite(place, (row) => {
    const now = nowMs();
    locked = row.until > now ? { type: "locked", untilMs: row.until } : undefined;
    if (locked !== undefined) return row;
    // A lock that is over gives all attempts anew, and is remembered: the next is longer.
    const tries = (row.until === 0 ? row.tries : 0) + 1;
    if (tries < attemptsMax) return { ...row, tries, until: 0 };
    const thisLockMs = Math.min(lockMs * 2 ** Math.min(row.locks, LOCKS_DOUBLED_MAX), lockMsMax);
    return { ...row, tries, locks: row.locks + 1, until: now + thisLockMs };
  });
  if (written === undefined) return { type: "unset" };
  return locked ?? { type: "counted", ...written };
}

/** Others guessed meanwhile: what they did stays counted, and a lock of theirs stays. */
async function acceptLate(place: Place, looked: PinRow, sealed: string): Promise<boolean> {
  let isSame = false;
  await rewrite(place, (row) => {
    isSame = row.sealed === looked.sealed;
    return isSame ? { ...row, sealed, tries: Math.max(0, row.tries - 1) } : row;
  });
  return isSame;
}

/** Until nobody else wrote in between. Undefined where there is no row. */
async function rewrite(
  { store, key }: Place,
  change: (row: PinRow) => PinRow | undefined,
): Promise<Read | undefined> {
  for (let nth = 0; nth < WRITES_MAX; nth += 1) {
    const text = await store.load(key);
    if (text === undefined) return undefined;
    const row = rowOf<PinRow>(text);
    const after = change(row);
    if (after === row) return { text, row };
    const afterText = after === undefined ? undefined : textOf(after);
    if (await store.replace(key, text, afterText)) {
      return { text: afterText ?? "", row: after ?? row };
    }
  }
  throw new Error(`a PIN was written by others ${WRITES_MAX} times while it was read`);
}

/** One digit all along, or digits in a row: 0000, 1234, 9876. */
function isWeak(pin: string): boolean {
  const steps = [...pin].slice(1).map((digit, index) => Number(digit) - Number(pin[index]));
  return [0, 1, -1].some((straight) => steps.every((step) => step === straight));
}
