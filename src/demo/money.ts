/** Amounts in cents (centavos): a float loses them. */

// No sign, no exponent, no grouping: parseFloat takes "1e3", "5abc" and "0.1 + 0.2" on trust.
const AMOUNT = /^[0-9]{1,9}(?:\.[0-9]{1,2})?$/;

/** "12", "12.5" or "12.50" in cents; undefined for anything else, and for nothing. */
export function parseCents(text: string): number | undefined {
  if (!AMOUNT.test(text)) return undefined;
  const [whole = "", fraction = ""] = text.split(".");
  const cents = Number(whole) * 100 + Number(fraction.padEnd(2, "0"));
  return cents === 0 ? undefined : cents;
}

/** 123456 is "1234.56", as the OLA integration examples print amounts. */
export function formatCents(cents: number): string {
  return `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
}
