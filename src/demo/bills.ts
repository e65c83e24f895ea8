/**
 * Bill payment through somebody else's HTTP API: OLA integration examples, Example 3, text for
 * text. Two things differ. A payment carries an idempotency key, and where its outcome is not
 * known the subscriber is not told to try again, which could charge them twice.
 */
import { randomUUID } from "node:crypto";
import { CALLBACK_PATH, olaDoor, type OlaRequest, type Step } from "./dialogue.ts";
import { formatCents } from "./money.ts";
import { postJson, serveJson } from "./serve.ts";

type BillsOptions = {
  readonly nowMs: () => number;
  readonly biller: BillerApi;
};
export type BillerApi = {
  readonly url: string;
  readonly key: string;
  /** Below OLA's default backend timeout of 5 s, so that it is our screen that is read. */
  readonly timeoutMs: number;
};
type ServedBills = { readonly callbackUrl: string; readonly close: () => Promise<void> };

export async function serveBills({ nowMs, biller }: BillsOptions): Promise<ServedBills> {
  const door = olaDoor<State>({
    start: { type: "main_menu" },
    step: (state, request) => step(biller, state, request),
    failed: ["Service temporarily unavailable", "", "Please try again later"],
    nowMs,
  });
  const { url, close } = await serveJson(door);
  return { callbackUrl: `${url}${CALLBACK_PATH}`, close };
}

type Choice = { readonly id: string; readonly name: string };
type Bill = {
  readonly billerId: string;
  readonly accountNumber: string;
  readonly cents: number;
  /** One for each bill shown: however often it is confirmed, it is paid once. */
  readonly paymentKey: string;
};
type State =
  | { readonly type: "main_menu" }
  | { readonly type: "enter_account"; readonly choice: Choice }
  | { readonly type: "confirm_payment"; readonly bill: Bill };

const CHOICES: ReadonlyMap<string, Choice> = new Map([
  ["1", { id: "edmo", name: "EDMO (Electricity)" }],
  ["2", { id: "fipag", name: "FIPAG (Water)" }],
  ["3", { id: "tdm", name: "TDM (Internet)" }],
]);

function step(
  biller: BillerApi,
  state: State,
  { msisdn, input }: OlaRequest,
): Step<State> | Promise<Step<State>> {
  switch (state.type) {
    case "main_menu":
      return mainMenu(input);
    case "enter_account":
      return enterAccount(biller, state.choice, input.trim());
    case "confirm_payment":
      return confirmPayment(biller, state.bill, msisdn, input);
  }
}

function mainMenu(input: string): Step<State> {
  const next: State = { type: "main_menu" };
  if (input === "") {
    const choices = ["1. Electricity (EDMO)", "2. Water (FIPAG)", "3. Internet (TDM)"];
    return { lines: ["Bill Payment", "", ...choices, "0. Exit"], next };
  }
  if (input === "0") return end("Goodbye!");
  const choice = CHOICES.get(input);
  if (choice === undefined) return { lines: ["Invalid option"], next };
  const lines = [choice.name, "", "Enter account number:"];
  return { lines, next: { type: "enter_account", choice } };
}

async function enterAccount(
  biller: BillerApi,
  choice: Choice,
  accountNumber: string,
): Promise<Step<State>> {
  if (!/^[0-9]{8,12}$/.test(accountNumber)) {
    const lines = ["Invalid account number", "", "Enter 8-12 digits:"];
    return { lines, next: { type: "enter_account", choice } };
  }
  const found = await callBiller(biller, "/bills/lookup", {
    biller_id: choice.id,
    account_number: accountNumber,
  });
  if (found.status === 404) return end("Account not found", "", "Check number and try again");
  const { amount, customer_name } = found.body ?? {};
  if (found.status !== 200 || typeof amount !== "number" || typeof customer_name !== "string") {
    throw new Error(`the biller answered ${found.status} to a lookup`);
  }
  const cents = Math.round(amount * 100);
  const paymentKey = randomUUID();
  return {
    lines: [
      "Bill Details",
      "",
      `Customer: ${customer_name}`,
      `Account: ${accountNumber}`,
      `Amount: ${formatCents(cents)} MZN`,
      "",
      "1. Pay Now",
      "0. Cancel",
    ],
    next: {
      type: "confirm_payment",
      bill: { billerId: choice.id, accountNumber, cents, paymentKey },
    },
  };
}

async function confirmPayment(
  biller: BillerApi,
  bill: Bill,
  msisdn: string,
  input: string,
): Promise<Step<State>> {
  if (input === "0") return end("Payment cancelled");
  if (input !== "1") {
    const lines = ["Invalid option", "", "1. Pay or 0. Cancel"];
    return { lines, next: { type: "confirm_payment", bill } };
  }
  const body = {
    biller_id: bill.billerId,
    account_number: bill.accountNumber,
    amount: bill.cents / 100,
    payer_msisdn: msisdn,
  };
  const headers = { "idempotency-key": bill.paymentKey };
  const paid = await callBiller(biller, "/bills/pay", body, headers).catch(noAnswer);
  if (paid.status === 402) return end("Insufficient balance", "", "Please top up and try again");
  if (paid.status === NOT_SENT) throw new Error("the biller could not be reached");
  const reference = paid.body?.["reference"];
  if (paid.status !== 200 || typeof reference !== "string") {
    return end(
      "Payment not confirmed yet",
      "",
      "Please do not repeat it",
      "before you have checked",
    );
  }
  return end(
    "Payment Successful!",
    "",
    `Amount: ${formatCents(bill.cents)} MZN`,
    `Account: ${bill.accountNumber}`,
    `Ref: ${reference}`,
    "",
    "Thank you!",
  );
}

type BillerAnswer = Awaited<ReturnType<typeof postJson>>;
const NOT_SENT = -1;
const NOT_KNOWN = 0;

/** Only a connection that was refused proves that nothing was paid (RELIABILITY 2.1). */
function noAnswer(error: unknown): BillerAnswer {
  const refused = error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
  return { status: refused ? NOT_SENT : NOT_KNOWN, body: undefined };
}

function callBiller(
  { url, key, timeoutMs }: BillerApi,
  path: string,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<BillerAnswer> {
  const authorization = `Bearer ${key}`;
  return postJson(`${url}${path}`, body, { headers: { ...headers, authorization }, timeoutMs });
}

function end(...lines: readonly string[]): Step<State> {
  return { lines, next: undefined };
}
