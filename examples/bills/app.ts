/** OLA integration examples, Example 3: bills, looked up and paid through somebody else's API. */
import { instead, ok, type Parsed, stop, ussd } from "dialyard/app";

export type Biller = {
  readonly url: string;
  readonly key: string;
  /** Below the app's own deadline, so that what is said is ours. */
  readonly timeoutMs: number;
};
export type Context = { readonly biller: Biller };

const u = ussd<{ main: object; edmo: object; fipag: object; tdm: object }, Context>();

const main = u.menu({
  title: "Bill Payment\n",
  items: [
    { label: "Electricity (EDMO)", to: "edmo" },
    { label: "Water (FIPAG)", to: "fipag" },
    { label: "Internet (TDM)", to: "tdm" },
  ],
  zero: ["Exit", ({ end }) => end("Goodbye!")],
  invalid: instead("Invalid option"),
});

const UNAVAILABLE = "Service temporarily unavailable\n\nPlease try again later";

export const app = u.app({
  name: "bills",
  start: "main",
  keys: { back: false },
  texts: { failed: UNAVAILABLE },
  screens: {
    main,
    edmo: bill("edmo", "EDMO (Electricity)"),
    fipag: bill("fipag", "FIPAG (Water)"),
    tdm: bill("tdm", "TDM (Internet)"),
  },
});

type Bill = { readonly account: string; readonly customer: string; readonly amount: number };

function bill(id: string, name: string) {
  return u
    .flow()
    .ask(
      "bill",
      `${name}\n\nEnter account number:`,
      (raw, _v, ctx) => lookUp(ctx, id, raw.trim()),
      { examples: ["12345678"] },
    )
    .confirm((v) => `Bill Details\n\n${said(v.bill)}\n`, {
      yes: "Pay Now",
      cancelled: "Payment cancelled",
      invalid: "Invalid option\n\n1. Pay or 0. Cancel",
    })
    .run(
      ({ bill: { account, amount } }, ctx, effectKey, { msisdn }) =>
        pay(ctx, effectKey, {
          biller_id: id,
          account_number: account,
          amount,
          payer_msisdn: msisdn,
        }),
      { idempotent: true }, // the biller pays once for each key
    );
}

function said({ customer, account, amount }: Bill): string {
  return `Customer: ${customer}\nAccount: ${account}\nAmount: ${amount.toFixed(2)} MZN`;
}

async function lookUp({ biller }: Context, id: string, account: string): Promise<Parsed<Bill>> {
  if (!/^\d{8,12}$/.test(account)) return instead("Invalid account number\n\nEnter 8-12 digits:");
  const found = await call(biller, "/bills/lookup", { biller_id: id, account_number: account });
  if (found.status === 404) return stop("Account not found\n\nCheck number and try again");
  const { amount, customer_name: customer } = found.body;
  if (found.status !== 200 || typeof amount !== "number" || typeof customer !== "string") {
    throw new Error(`the biller answered ${found.status} to a lookup`);
  }
  return ok({ account, customer, amount });
}

type Payment = { readonly account_number: string; readonly amount: number } & Readonly<
  Record<string, unknown>
>;

async function pay({ biller }: Context, key: string, payment: Payment): Promise<string> {
  let paid: Awaited<ReturnType<typeof call>>;
  try {
    paid = await call(biller, "/bills/pay", payment, { "idempotency-key": key });
  } catch (error) {
    // Only a connection that was refused proves that nothing was paid. Of all else nobody knows,
    // and the framework says so: what it must not say is "try again".
    if (isRefused(error)) return UNAVAILABLE;
    throw error;
  }
  if (paid.status === 402) return "Insufficient balance\n\nPlease top up and try again";
  const { reference } = paid.body;
  if (paid.status !== 200 || typeof reference !== "string")
    throw new Error(`the biller answered ${paid.status} to a payment`);
  const { account_number, amount } = payment;
  return [
    ...[
      "Payment Successful!",
      "",
      `Amount: ${amount.toFixed(2)} MZN`,
      `Account: ${account_number}`,
    ],
    ...[`Ref: ${reference}`, "", "Thank you!"],
  ].join("\n");
}

function isRefused(error: unknown): boolean {
  const cause =
    error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return cause?.code === "ECONNREFUSED";
}

async function call(
  { url, key, timeoutMs }: Biller,
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
) {
  const response = await fetch(url + path, {
    method: "POST",
    headers: {
      ...{ "content-type": "application/json", authorization: `Bearer ${key}` },
      ...headers,
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: (response.ok ? JSON.parse(text) : {}) as Readonly<Record<string, unknown>>,
  };
}
