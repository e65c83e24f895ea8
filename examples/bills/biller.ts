/**
 * The biller that OLA integration examples, Example 3 calls: POST /bills/lookup, POST /bills/pay.
 * A process of its own: BILLER_KEY=… node biller.ts
 *
 * Bills follow from the account number, so anybody can tell what to expect. The last six digits
 * are the amount in centavos ("12345678" owes 3456.78 MZN), a number ending in 0000 is not known
 * (404), and more than 5,000 MZN cannot be paid (402).
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

type Answer = { readonly status: number; readonly body: object };
type Body = Readonly<Record<string, unknown>>;
type Payment = { readonly about: string; readonly answer: Answer };
export type ServedBiller = {
  readonly url: string;
  /** Payments taken, repeats not counted. */
  readonly paid: () => number;
  readonly close: () => Promise<void>;
};

const PAYMENT_MAX = 500_000; // 5,000 MZN in centavos
const PAYMENTS_KEPT_MAX = 10_000;
const BODY_OCTETS_MAX = 16_384;
const BILLERS: readonly unknown[] = ["edmo", "fipag", "tdm"];
const CUSTOMERS = ["Ana Machel", "Carlos Mondlane", "Graca Sitoe", "Paulo Cossa", "Rosa Nhaca"];

export async function serveBiller(key: string, port = 0): Promise<ServedBiller> {
  const payments = new Map<string, Payment>();
  let taken = 0;
  const wanted = digestOf(`Bearer ${key}`);

  function answer(request: IncomingMessage, body: Body): Answer {
    if (!timingSafeEqual(digestOf(request.headers.authorization ?? ""), wanted))
      return { status: 401, body: { error: "unauthorized" } };
    if (request.url === "/bills/lookup") return lookup(body);
    if (request.url === "/bills/pay") return pay(request, body);
    return { status: 404, body: { error: "not_found" } };
  }

  /** The same idempotency key is paid once; for another payment it is refused. */
  function pay(request: IncomingMessage, body: Body): Answer {
    const id = String(request.headers["idempotency-key"] ?? "");
    if (id === "") return { status: 400, body: { error: "idempotency_key_required" } };
    const { biller_id, account_number, amount, payer_msisdn } = body;
    const about = JSON.stringify([biller_id, account_number, amount, payer_msisdn]);
    const known = payments.get(id);
    if (known?.about === about) return known.answer;
    if (known !== undefined) return { status: 422, body: { error: "idempotency_mismatch" } };
    const bill = lookup(body);
    if (bill.status !== 200) return bill;
    const centavos = owedBy(String(account_number));
    if (typeof amount !== "number" || Math.round(amount * 100) !== centavos)
      return { status: 409, body: { error: "amount_differs" } };
    if (centavos > PAYMENT_MAX) return { status: 402, body: { error: "insufficient_balance" } };
    taken += 1;
    const reference = `PAY${String(taken).padStart(8, "0")}`;
    const paid = { about, answer: { status: 200, body: { reference } } };
    if (payments.size >= PAYMENTS_KEPT_MAX) payments.delete(payments.keys().next().value ?? "");
    payments.set(id, paid);
    return paid.answer;
  }

  const server = createServer((request, response) => {
    readJson(request).then(
      (body) => {
        const { status, body: said } = answer(request, body);
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(said));
      },
      () => response.writeHead(400).end(),
    );
  });
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paid: () => taken,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function lookup({ biller_id, account_number }: Body): Answer {
  if (!BILLERS.includes(biller_id)) return { status: 400, body: { error: "bad_biller_id" } };
  if (typeof account_number !== "string" || !/^[0-9]{8,12}$/.test(account_number))
    return { status: 400, body: { error: "bad_account_number" } };
  if (account_number.endsWith("0000")) return { status: 404, body: { error: "account_not_found" } };
  const customer_name = CUSTOMERS[Number(account_number[0]) % CUSTOMERS.length];
  return { status: 200, body: { amount: owedBy(account_number) / 100, customer_name } };
}

function owedBy(account: string): number {
  return Number(account.slice(-6));
}

async function readJson(request: IncomingMessage): Promise<Body> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk;
    if (text.length > BODY_OCTETS_MAX) throw new Error("the body is too large");
  }
  return JSON.parse(text) as Body;
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

if (import.meta.main) {
  const { BILLER_KEY = "demo", BILLER_PORT = "0" } = process.env;
  const { url } = await serveBiller(BILLER_KEY, Number(BILLER_PORT));
  console.log(`biller: ${url}`);
}
