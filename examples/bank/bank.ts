/** A bank in memory: the two people of the OLA integration examples, and whoever else dials. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

export type Account = {
  readonly msisdn: string;
  readonly name: string;
  readonly pin: string;
  /** In centavos: a float loses them. */
  balance: number;
};
/** What a screen may say of an account. */
export type Payee = { readonly msisdn: string; readonly name: string };
export type Bank = ReturnType<typeof createBank>;

const VISITORS_MAX = 10_000;
const TRANSFERS_MAX = 100_000;

export function createBank() {
  const accounts = new Map<string, Account>();
  const open = (msisdn: string, name: string, pin: string, balance: number) =>
    accounts.set(msisdn, { msisdn, name, pin, balance });
  open("258823456789", "John Doe", "1234", 500_000);
  open("258843456789", "Jane Smith", "5678", 300_000);
  const references = new Map<string, string>();
  const key = randomBytes(32);
  const digest = (pin: string) => createHmac("sha256", key).update(pin).digest();

  function account(msisdn: string): Account {
    const known = accounts.get(msisdn);
    if (known !== undefined) return known;
    // A demo that anybody may dial must not fill the memory.
    const oldest = accounts.keys().drop(2).next().value;
    if (accounts.size >= VISITORS_MAX && oldest !== undefined) accounts.delete(oldest);
    open(msisdn, "Demo User", "1234", 500_000);
    return account(msisdn);
  }

  return {
    account,
    /** Digests are compared, so that the time taken does not tell how many digits were right. */
    isPin: ({ pin }: Account, typed: string) => timingSafeEqual(digest(pin), digest(typed)),
    /**
     * Moves the money once for each effect key, however often it is asked to. Undefined where the
     * payer has not enough: another dialogue may have spent it since the amount was typed.
     */
    transfer(from: string, to: string, centavos: number, effectKey: string): string | undefined {
      const done = references.get(effectKey);
      if (done !== undefined) return done;
      const [payer, payee] = [account(from), account(to)];
      if (payer.balance < centavos) return undefined;
      payer.balance -= centavos;
      payee.balance += centavos;
      const reference = `TXN${Date.now()}${references.size}`;
      if (references.size >= TRANSFERS_MAX) references.clear();
      references.set(effectKey, reference);
      return reference;
    },
  };
}

/** 123456 is "1234.56", as the document prints amounts. */
export function money(centavos: number): string {
  return `${Math.trunc(centavos / 100)}.${String(centavos % 100).padStart(2, "0")} MZN`;
}

/** "12", "12.5" or "12.50" in centavos; undefined for anything else, and for nothing. */
export function parseMoney(text: string): number | undefined {
  if (!/^[0-9]{1,9}(?:\.[0-9]{1,2})?$/.test(text)) return undefined;
  const [whole = "", fraction = ""] = text.split(".");
  return Number(whole) * 100 + Number(fraction.padEnd(2, "0")) || undefined;
}
