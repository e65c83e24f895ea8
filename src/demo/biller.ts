/**
 * The biller that OLA integration examples, Example 3 calls: POST /bills/lookup, POST /bills/pay.
 *
 * Bills are a function of the account number, so that anybody can tell what to expect: the last
 * six digits are the amount in cents ("12345678" owes 3456.78 MZN), one ending in 0000 is not
 * known (404), and more than 5,000 MZN cannot be paid (402).
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { bounded, type Bounded } from "./bounded.ts";
import { serveJson, type JsonAnswer, type JsonObject, type Served } from "./serve.ts";

export const PAYMENT_CENTS_MAX = 500_000;
const PAYMENTS_MAX = 10_000;
const BILLERS: readonly unknown[] = ["edmo", "fipag", "tdm"];
const CUSTOMERS = ["Ana Machel", "Carlos Mondlane", "Graça Sitoe", "Paulo Cossa", "Rosa Nhaca"];

export type ServedBiller = Served & {
  /** Payments taken, repeats not counted. */
  paymentCount(): number;
};

export async function serveBiller(options: { readonly key: string }): Promise<ServedBiller> {
  const payments = bounded<Payment>(PAYMENTS_MAX);
  let taken = 0;
  const newReference = (): string => `PAY${String(++taken).padStart(8, "0")}`;
  const expected = digestOf(`Bearer ${options.key}`);
  const served = await serveJson(({ method, path, headers, body = {} }) => {
    if (!timingSafeEqual(digestOf(String(headers["authorization"])), expected)) {
      return answer(401, { error: "unauthorized" });
    }
    if (method === "POST" && path === "/bills/lookup") return lookup(body);
    if (method !== "POST" || path !== "/bills/pay") return answer(404, { error: "not_found" });
    return pay(body, String(headers["idempotency-key"] ?? ""), payments, newReference);
  });
  return { ...served, paymentCount: () => taken };
}

type Payment = { readonly about: string; readonly answer: JsonAnswer };

function lookup({ biller_id, account_number }: JsonObject): JsonAnswer {
  if (!BILLERS.includes(biller_id)) return answer(400, { error: "bad_biller_id" });
  if (!isAccountNumber(account_number)) return answer(400, { error: "bad_account_number" });
  const cents = billCents(account_number);
  if (cents === undefined) return answer(404, { error: "account_not_found" });
  const customer_name = CUSTOMERS[Number(account_number.at(0)) % CUSTOMERS.length];
  return answer(200, { amount: cents / 100, customer_name });
}

/** The same idempotency key is paid once; with another payment's it is refused. */
function pay(
  body: JsonObject,
  key: string,
  payments: Bounded<Payment>,
  newReference: () => string,
): JsonAnswer {
  const { biller_id, account_number, amount, payer_msisdn } = body;
  if (key === "") return answer(400, { error: "idempotency_key_required" });
  const about = JSON.stringify([biller_id, account_number, amount, payer_msisdn]);
  const known = payments.get(key);
  if (known !== undefined) {
    return known.about === about ? known.answer : answer(422, { error: "idempotency_mismatch" });
  }
  const bill = lookup(body);
  if (bill.status !== 200 || !isAccountNumber(account_number)) return bill;
  const cents = billCents(account_number);
  if (cents === undefined || typeof amount !== "number" || Math.round(amount * 100) !== cents) {
    return answer(409, { error: "amount_differs" });
  }
  if (cents > PAYMENT_CENTS_MAX) return answer(402, { error: "insufficient_balance" });
  const paid = answer(200, { reference: newReference() });
  payments.set(key, { about, answer: paid });
  return paid;
}

function billCents(accountNumber: string): number | undefined {
  return accountNumber.endsWith("0000") ? undefined : Number(accountNumber.slice(-6));
}

function isAccountNumber(value: unknown): value is string {
  return typeof value === "string" && /^[0-9]{8,12}$/.test(value);
}

function answer(status: number, body: JsonObject): JsonAnswer {
  return { status, body };
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
