/**
 * Balance and money transfer: OLA integration examples, Examples 1 and 2, text for text.
 *
 * What differs from the samples is named where it differs: money in cents, a PIN that is neither
 * kept in the session nor compared in clear, the balance looked at again when it is taken.
 */
import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from "node:crypto";
import { bounded } from "./bounded.ts";
import { CALLBACK_PATH, olaDoor, type OlaRequest, type Step } from "./dialogue.ts";
import { formatCents, parseCents } from "./money.ts";
import { serveJson } from "./serve.ts";

type BankOptions = { readonly nowMs: () => number };
type ServedBank = { readonly callbackUrl: string; readonly close: () => Promise<void> };

export async function serveBank({ nowMs }: BankOptions): Promise<ServedBank> {
  const bank: Bank = {
    accounts: openAccounts(),
    isPin: pinCheck(),
    newReference: references(nowMs),
  };
  const door = olaDoor<State>({
    start: { type: "main_menu" },
    step: (state, request) => step(bank, state, request),
    failed: ["System error", "", "Please try again"],
    nowMs,
  });
  const { url, close } = await serveJson(door);
  return { callbackUrl: `${url}${CALLBACK_PATH}`, close };
}

type Account = { readonly name: string; readonly pin: string; balanceCents: number };
type Bank = {
  readonly accounts: (msisdn: string) => Account;
  readonly isPin: (account: Account, typed: string) => boolean;
  readonly newReference: () => string;
};
type Transfer = { readonly recipient: string; readonly cents: number };
type State =
  | { readonly type: "main_menu" | "enter_recipient" }
  | { readonly type: "enter_amount"; readonly recipient: string }
  | { readonly type: "enter_pin" | "confirm"; readonly transfer: Transfer };

const TRANSFER_CENTS_MAX = 1_000_000; // 10,000 MZN
const ACCOUNTS_MAX = 10_000;
const MSISDN = /^(258)?(82|84|86|87)[0-9]{7}$/;

function step(bank: Bank, state: State, { msisdn, input }: OlaRequest): Step<State> {
  switch (state.type) {
    case "main_menu":
      return mainMenu(bank.accounts(msisdn), input);
    case "enter_recipient":
      return enterRecipient(bank, msisdn, input);
    case "enter_amount":
      return enterAmount(bank, msisdn, state.recipient, input);
    case "enter_pin":
      return enterPin(bank, msisdn, state.transfer, input);
    case "confirm":
      return confirm(bank, msisdn, state.transfer, input);
  }
}

function mainMenu(account: Account, input: string): Step<State> {
  const next: State = { type: "main_menu" };
  switch (input) {
    case "":
      return {
        lines: [`Welcome ${account.name}`, "", "1. Check Balance", "2. Transfer Money", "0. Exit"],
        next,
      };
    case "1":
      return end("Account Balance", "", `Available: ${formatCents(account.balanceCents)} MZN`);
    case "2":
      return {
        lines: ["Transfer Money", "", "Enter recipient number:"],
        next: { type: "enter_recipient" },
      };
    case "0":
      return end("Goodbye!");
    default:
      return { lines: ["Invalid option", "", "Try again"], next };
  }
}

function enterRecipient(bank: Bank, msisdn: string, input: string): Step<State> {
  const again: State = { type: "enter_recipient" };
  if (!MSISDN.test(input)) {
    const formats = ["Format: 258821234567", "or: 821234567"];
    return { lines: ["Invalid number", "", ...formats, "", "Enter number:"], next: again };
  }
  const recipient = input.length === 9 ? `258${input}` : input;
  if (recipient === msisdn) {
    return { lines: ["This is your own number", "", "Enter valid number:"], next: again };
  }
  const { name } = bank.accounts(recipient);
  return {
    lines: [`To: ${name}`, recipient, "", "Enter amount (MZN):"],
    next: { type: "enter_amount", recipient },
  };
}

function enterAmount(bank: Bank, msisdn: string, recipient: string, input: string): Step<State> {
  const again: State = { type: "enter_amount", recipient };
  const { balanceCents } = bank.accounts(msisdn);
  const cents = parseCents(input);
  if (cents === undefined) {
    return { lines: ["Invalid amount", "", "Enter amount:"], next: again };
  }
  if (cents > balanceCents) {
    return { lines: [...insufficient(balanceCents), "", "Enter amount:"], next: again };
  }
  if (cents > TRANSFER_CENTS_MAX) {
    return { lines: ["Transfer limit exceeded", "Max: 10,000 MZN"], next: again };
  }
  return {
    lines: [
      "Transfer Summary",
      `To: ${bank.accounts(recipient).name}`,
      `Amount: ${formatCents(cents)} MZN`,
      "",
      "Enter PIN:",
    ],
    next: { type: "enter_pin", transfer: { recipient, cents } },
  };
}

function enterPin(bank: Bank, msisdn: string, transfer: Transfer, input: string): Step<State> {
  if (!/^[0-9]{4}$/.test(input)) {
    const lines = ["Invalid PIN", "", "Enter 4-digit PIN:"];
    return { lines, next: { type: "enter_pin", transfer } };
  }
  if (!bank.isPin(bank.accounts(msisdn), input)) {
    return end("Incorrect PIN", "", "Transaction cancelled");
  }
  return {
    lines: [
      "Confirm Transfer",
      "",
      `To: ${bank.accounts(transfer.recipient).name}`,
      transfer.recipient,
      `Amount: ${formatCents(transfer.cents)} MZN`,
      "",
      "1. Confirm",
      "0. Cancel",
    ],
    next: { type: "confirm", transfer },
  };
}

function confirm(bank: Bank, msisdn: string, transfer: Transfer, input: string): Step<State> {
  if (input === "0") return end("Transfer cancelled");
  if (input !== "1") {
    const lines = ["Invalid option", "", "1. Confirm or 0. Cancel"];
    return { lines, next: { type: "confirm", transfer } };
  }
  const payer = bank.accounts(msisdn);
  const payee = bank.accounts(transfer.recipient);
  // Another dialogue may have spent it since the amount was typed; the sample goes below zero.
  if (transfer.cents > payer.balanceCents) return end(...insufficient(payer.balanceCents));
  payer.balanceCents -= transfer.cents;
  payee.balanceCents += transfer.cents;
  return end(
    "Transfer Successful!",
    "",
    `Amount: ${formatCents(transfer.cents)} MZN`,
    `To: ${payee.name}`,
    `Ref: ${bank.newReference()}`,
    "",
    `New balance: ${formatCents(payer.balanceCents)} MZN`,
  );
}

function insufficient(balanceCents: number): readonly string[] {
  return ["Insufficient balance", `Available: ${formatCents(balanceCents)} MZN`];
}

function end(...lines: readonly string[]): Step<State> {
  return { lines, next: undefined };
}

/** The two people of the document, and for anybody else an account to play with. */
function openAccounts(): Bank["accounts"] {
  const named = new Map<string, Account>([
    ["258823456789", { name: "John Doe", pin: "1234", balanceCents: 500_000 }],
    ["258843456789", { name: "Jane Smith", pin: "5678", balanceCents: 300_000 }],
  ]);
  const visitors = bounded<Account>(ACCOUNTS_MAX);
  return (msisdn) => {
    const known = named.get(msisdn) ?? visitors.get(msisdn);
    if (known !== undefined) return known;
    const account = { name: "Demo User", pin: "1234", balanceCents: 500_000 };
    visitors.set(msisdn, account);
    return account;
  };
}

/** Compares digests, so that the time taken does not tell how many digits were right. */
function pinCheck(): Bank["isPin"] {
  const key = createSecretKey(randomBytes(32));
  const digest = (pin: string): Buffer => createHmac("sha256", key).update(pin).digest();
  return ({ pin }, typed) => timingSafeEqual(digest(pin), digest(typed));
}

/** "TXN" and milliseconds as in the sample, but never the same twice. */
function references(nowMs: () => number): Bank["newReference"] {
  let last = 0;
  return () => {
    last = Math.max(nowMs(), last + 1);
    return `TXN${last}`;
  };
}
