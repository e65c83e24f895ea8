/** A menu and a payment that says what it did, and messages to send it: for tests. */
import { parseMsisdn } from "../core/address.ts";
import type { Inbound } from "../types.ts";
import { bad, keyedDigest, ok, ussd } from "./index.ts";

export const digest = keyedDigest("a secret of thirty-two characters");
export const said = (change: Partial<Inbound>): Inbound => ({
  sessionId: "s1",
  msisdn: parseMsisdn("258841234567"),
  phase: "continue",
  dialled: undefined,
  input: { kind: "latest", text: "" },
  messageId: undefined,
  network: undefined,
  echo: {},
  ...change,
});
export const typed = (text: string) => ({ kind: "latest", text }) as const;
export const anything = (raw: string) => ok(raw);

type Routes = { main: object; pay: object };
export const u = ussd<Routes>();
export const payment = (ran: string[] = []) => {
  const flow = u.flow().ask("to", "to?", anything).ask("amount", "amount?", anything);
  const check = (pin: string) => (pin === "9731" ? ok(true) : bad("Wrong PIN"));
  const run = async (v: object, _ctx: object, key: string) => {
    ran.push(key);
    return `paid ${JSON.stringify(v)}`;
  };
  return { flow, check, run };
};
export const menuOf = (...labels: readonly string[]) =>
  u.menu({
    title: "M",
    items: labels.map((label) => ({ id: label, label, to: "pay" })),
  });
export const paying = (ran: string[] = []) => {
  const { flow, check, run } = payment(ran);
  const pay = flow.secret("pin", "PIN?", check).confirm("sure?").run(run);
  return u.app({ name: "pay", start: "main", screens: { main: menuOf("Pay"), pay } });
};
export const toConfirm = ["1", "84", "500", "9731"] as const;
