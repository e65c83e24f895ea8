/** Customers by id, in memory; their PINs are the vault's. */
import { randomInt } from "node:crypto";
import { type PinKey, type PinStore, pinVault, type PinVault } from "dialyard/app";
import type { Accounts } from "./app.ts";

const ACCOUNTS_MAX = 10_000;

export function createAccounts(): Accounts {
  const names = new Map<string, string>();
  return {
    newId() {
      for (;;) {
        const id = String(randomInt(100_000, 1_000_000));
        if (!names.has(id)) return id;
      }
    },
    open(id, name) {
      const oldest = names.keys().next().value;
      if (names.size >= ACCOUNTS_MAX && oldest !== undefined) names.delete(oldest);
      names.set(id, name);
    },
    nameOf: (id) => names.get(id),
  };
}

export function openPins(keys: readonly PinKey[], store: PinStore): PinVault {
  return pinVault({ app: "ixo", keys, store, format: /^\d{5}$/ });
}
