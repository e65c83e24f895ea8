/** A Map that cannot grow for ever: the OLA samples' Set of transaction ids does. */

export type Bounded<V> = {
  get(key: string): V | undefined;
  /** Puts the entry last; the first ones go when there are too many. */
  set(key: string, value: V): void;
  delete(key: string): void;
  /** The entry written longest ago. */
  first(): readonly [string, V] | undefined;
  readonly size: number;
};

export function bounded<V>(sizeMax: number): Bounded<V> {
  const entries = new Map<string, V>();
  return {
    get: (key) => entries.get(key),
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= sizeMax) return;
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        break;
      }
    },
    delete(key) {
      entries.delete(key);
    },
    first() {
      for (const entry of entries) return entry;
      return undefined;
    },
    get size() {
      return entries.size;
    },
  };
}
