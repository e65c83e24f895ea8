/** The bank of the OLA integration examples, Example 2: its users, rules and texts. */
import { instead, ok, type Parsed } from "./index.ts";

export type Account = { readonly msisdn: string; readonly name: string };
export type User = Account & { balance: number; readonly pin: string };
export type Ctx = { readonly bank: Bank; readonly user: User };
export type Bank = ReturnType<typeof createBank>;

export function createBank() {
  const users = new Map<string, User>(
    [
      { msisdn: "258823456789", name: "John Doe", balance: 5000, pin: "1234" },
      { msisdn: "258843456789", name: "Jane Smith", balance: 3000, pin: "5678" },
    ].map((user) => [user.msisdn, user]),
  );
  const moved = new Map<string, string>();
  const keys: string[] = [];
  return {
    users,
    /** Effect keys in the order they came, twice where an effect ran twice. */
    keys,
    async transfer(user: User, to: Account, amount: number, key: string) {
      keys.push(key);
      const other = users.get(to.msisdn);
      if (other === undefined) throw new Error("recipient is gone");
      user.balance -= amount;
      other.balance += amount;
      moved.set(key, `TXN${1_000 + moved.size}`);
      return moved.get(key)!;
    },
  };
}

export const money = (amount: number): string => `${amount.toFixed(2)} MZN`;

export function parseAccount(raw: string, _v: object, { bank }: Ctx): Parsed<Account> {
  if (!/^(?:258)?8[2467]\d{7}$/.test(raw)) {
    return instead("Invalid number\n\nFormat: 258821234567\nor: 821234567\n\nEnter number:");
  }
  const user = bank.users.get(raw.startsWith("258") ? raw : `258${raw}`);
  if (user === undefined) return instead("Recipient not found\n\nEnter valid number:");
  return ok({ msisdn: user.msisdn, name: user.name });
}

export function parseAmount(raw: string, _v: object, { user }: Ctx): Parsed<number> {
  const amount = /^\d+(?:\.\d{1,2})?$/.test(raw) ? Number(raw) : 0;
  if (amount <= 0) return instead("Invalid amount\n\nEnter amount:");
  if (amount > user.balance) {
    const available = `Available: ${money(user.balance)}`;
    return instead(`Insufficient balance\n${available}\n\nEnter amount:`);
  }
  return amount > 10_000 ? instead("Transfer limit exceeded\nMax: 10,000 MZN") : ok(amount);
}
