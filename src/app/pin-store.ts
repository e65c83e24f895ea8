/**
 * Where PINs are kept: one text for each subscriber, replaced only by who has read what it
 * replaces. What the text says is the vault's affair. `testPinStore` is every store's test.
 */

/**
 * A store of PINs. Anything that can compare and set can be one.
 * @example
 * const store: PinStore = memoryPinStore();
 * await store.replace("bank\n258823456789", undefined, "sealed"); // true: there was none
 */
export interface PinStore {
  load(key: string): Promise<string | undefined>;
  /**
   * Writes `after` (undefined: removes it) if exactly `before` is there (undefined: nothing).
   * False, and nothing written, if not. Durable before it resolves.
   */
  replace(key: string, before: string | undefined, after: string | undefined): Promise<boolean>;
  close(): Promise<void>;
}

const ROWS_MAX = 1_000_000;

/** A store that lets a test look at what it holds. */
export type MemoryPinStore = PinStore & { readonly dump: () => string };

/**
 * PINs in memory, gone with the process: for tests and demonstrations.
 * @example
 * const pins = pinVault({ app: "bank", keys, store: memoryPinStore() });
 */
export function memoryPinStore(rowsMax: number = ROWS_MAX): MemoryPinStore {
  const rows = new Map<string, string>();
  return {
    load: async (key) => rows.get(key),
    async replace(key, before, after) {
      if (rows.get(key) !== before) return false;
      if (after === undefined) rows.delete(key);
      else if (rows.size >= rowsMax && !rows.has(key)) throw new Error(`more than ${rowsMax} PINs`);
      else rows.set(key, after);
      return true;
    },
    close: async () => rows.clear(),
    dump: () => JSON.stringify([...rows]),
  };
}
