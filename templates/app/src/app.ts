/** What the subscriber reads, and what their answers mean. */
import { hash } from "node:crypto";
import { bad, ok, ussd } from "dialyard/app";

const u = ussd<{ main: object; buy: object }>();

/** Questions one after another. What was answered, `v`, is typed and kept; nothing else is. */
const buy = u
  .flow()
  .ask("amount", "Amount (10 to 500):", (typed) => {
    const amount = /^\d{1,3}$/.test(typed) ? Number(typed) : 0;
    return amount >= 10 && amount <= 500 ? ok(amount) : bad("10 to 500, please");
  })
  // Checked and forgotten: no PIN is ever stored, logged or shown. Ask your own service here.
  .secret("pin", "Enter PIN:", (pin) => (pin === "1234" ? ok(true) : bad("Incorrect PIN")))
  .confirm((v) => `Buy airtime for ${v.amount}?`)
  // The one place for effects. It runs once; `effectKey` is what your service de-duplicates on.
  .run((v, _ctx, effectKey) => `Airtime for ${v.amount} is on its way.\nRef: ${refOf(effectKey)}`);

const main = u.menu({
  title: "Welcome to my-ussd-app",
  items: [
    { label: "Buy airtime", to: "buy" },
    { label: "Help", to: ({ end }) => end("Call 100, day or night.") },
  ],
  zero: ["Exit", ({ end }) => end("Goodbye!")],
});

export const app = u.app({ name: "my-ussd-app", start: "main", screens: { main, buy } });

/** Six characters that a subscriber can read out; your service will have its own. */
function refOf(effectKey: string): string {
  return hash("sha256", effectKey, "hex").slice(0, 6).toUpperCase();
}
