/** A menu and a money transfer: OLA integration examples, Example 2, to the letter. */
import { type Ctx, money, parseAccount, parseAmount } from "./bank.fixture.ts";
import { instead, ok, stop, ussd } from "./index.ts";

const u = ussd<{ main: object; transfer: object }, Ctx>();
const transfer = u
  .flow()
  .ask("to", "Transfer Money\n\nEnter recipient number:", parseAccount)
  .ask("amount", (v) => `To: ${v.to.name}\n${v.to.msisdn}\n\nEnter amount (MZN):`, parseAmount)
  .secret(
    "pin",
    (v) => `Transfer Summary\nTo: ${v.to.name}\nAmount: ${money(v.amount)}\n\nEnter PIN:`,
    (pin, _v, { user }) => {
      if (!/^\d{4}$/.test(pin)) return instead("Invalid PIN\n\nEnter 4-digit PIN:");
      return pin === user.pin ? ok(true) : stop("Incorrect PIN\n\nTransaction cancelled");
    },
  )
  .confirm(
    ({ to, amount }) =>
      `Confirm Transfer\n\nTo: ${to.name}\n${to.msisdn}\nAmount: ${money(amount)}\n`,
    { cancelled: "Transfer cancelled", invalid: "Invalid option\n\n1. Confirm or 0. Cancel" },
  )
  .run(async ({ to, amount }, ctx, effectKey) => {
    const ref = await ctx.bank.transfer(ctx.user, to, amount, effectKey);
    const paid = `Amount: ${money(amount)}\nTo: ${to.name}\nRef: ${ref}`;
    return `Transfer Successful!\n\n${paid}\n\nNew balance: ${money(ctx.user.balance)}`;
  });
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
const keys = { back: false } as const;
export const bankApp = u.app({ name: "bank", start: "main", keys, screens: { main, transfer } });
