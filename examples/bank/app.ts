/** OLA integration examples, Examples 1 and 2: a balance, and a transfer behind a PIN. */
import { type AppTurn, instead, ok, type Parsed, stop, ussd } from "dialyard/app";
import { type Account, type Bank, createBank, money, parseMoney, type Payee } from "./bank.ts";

export type Context = { readonly bank: Bank; readonly user: Account };

const u = ussd<{ main: object; transfer: object }, Context>();

const main = u.menu({
  title: ({ ctx }) => `Welcome ${ctx.user.name}\n`,
  items: [
    {
      label: "Check Balance",
      to: ({ ctx, end }) => end(`Account Balance\n\nAvailable: ${money(ctx.user.balance)}`),
    },
    { label: "Transfer Money", to: "transfer" },
  ],
  zero: ["Exit", ({ end }) => end("Goodbye!")],
  invalid: instead("Invalid option\n\nTry again"),
});

const transfer = u
  .flow()
  .ask("to", "Transfer Money\n\nEnter recipient number:", parsePayee, {
    examples: ["843456789"],
  })
  .ask("amount", ({ to }) => `To: ${to.name}\n${to.msisdn}\n\nEnter amount (MZN):`, parseAmount, {
    examples: ["500"],
  })
  .secret(
    "pin",
    (v) => `Transfer Summary\nTo: ${v.to.name}\nAmount: ${money(v.amount)}\n\nEnter PIN:`,
    (pin, _v, { bank, user }) => {
      if (!/^\d{4}$/.test(pin)) return instead("Invalid PIN\n\nEnter 4-digit PIN:");
      return bank.isPin(user, pin) ? ok(true) : stop("Incorrect PIN\n\nTransaction cancelled");
    },
    { examples: ["1234"] },
  )
  .confirm(
    ({ to, amount }) =>
      `Confirm Transfer\n\nTo: ${to.name}\n${to.msisdn}\nAmount: ${money(amount)}\n`,
    { cancelled: "Transfer cancelled", invalid: "Invalid option\n\n1. Confirm or 0. Cancel" },
  )
  .run(
    ({ to, amount }, { bank, user }, effectKey) => {
      const reference = bank.transfer(user.msisdn, to.msisdn, amount, effectKey);
      if (reference === undefined) return insufficient(user);
      const paid = `Amount: ${money(amount)}\nTo: ${to.name}\nRef: ${reference}`;
      return `Transfer Successful!\n\n${paid}\n\nNew balance: ${money(user.balance)}`;
    },
    { idempotent: true }, // the bank knows the key, so a node that dies here costs nobody anything
  );

// Back is not among the document's screens: there 0 is a digit like any other.
export const app = u.app({
  name: "bank",
  start: "main",
  keys: { back: false },
  screens: { main, transfer },
});

const bank = createBank();

export function context({ msisdn }: AppTurn): Context {
  return { bank, user: bank.account(msisdn) };
}

function parsePayee(raw: string, _v: object, { bank, user }: Context): Parsed<Payee> {
  if (!/^(?:258)?8[2467]\d{7}$/.test(raw)) {
    return instead("Invalid number\n\nFormat: 258821234567\nor: 821234567\n\nEnter number:");
  }
  const msisdn = raw.length === 9 ? `258${raw}` : raw;
  if (msisdn === user.msisdn) return instead("This is your own number\n\nEnter valid number:");
  return ok({ msisdn, name: bank.account(msisdn).name });
}

const TRANSFER_MAX = 1_000_000; // 10,000 MZN

function parseAmount(raw: string, _v: object, { user }: Context): Parsed<number> {
  const amount = parseMoney(raw);
  if (amount === undefined) return instead("Invalid amount\n\nEnter amount:");
  if (amount > user.balance) return instead(`${insufficient(user)}\n\nEnter amount:`);
  return amount > TRANSFER_MAX ? instead("Transfer limit exceeded\nMax: 10,000 MZN") : ok(amount);
}

function insufficient({ balance }: Account): string {
  return `Insufficient balance\nAvailable: ${money(balance)}`;
}
