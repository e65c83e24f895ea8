import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { phone } from "dialyard/testing";
import { app } from "./app.ts";
import { serveBiller, type ServedBiller } from "./biller.ts";

let served: ServedBiller;
before(async () => {
  served = await serveBiller("secret");
});
after(() => served.close());

const customer = (url = served.url, timeoutMs = 500) =>
  phone(app, {
    msisdn: "258823456789",
    context: () => ({ biller: { url, key: "secret", timeoutMs } }),
    // The biller counts payments: a second subscriber who types along would make two of one.
    companion: false,
    deadlineMs: 2_000,
  });

test("a bill is looked up, shown and paid once, as in the document", async () => {
  const p = customer();
  (await p.dial("*105#")).expectText(
    "Bill Payment\n\n1. Electricity (EDMO)\n2. Water (FIPAG)\n3. Internet (TDM)\n0. Exit",
  );
  (await p.send("2")).expectText("FIPAG (Water)\n\nEnter account number:");
  (await p.send("12345678")).expectText(
    "Bill Details\n\nCustomer: Carlos Mondlane\nAccount: 12345678\nAmount: 3456.78 MZN\n\n1. Pay Now\n0. Cancel",
  );
  const before = served.paid();
  (await p.send("1")).expectEnd(
    /^Payment Successful!\n\nAmount: 3456.78 MZN\nAccount: 12345678\nRef: PAY\d{8}\n\nThank you!$/,
  );
  assert.equal(await p.again(), p.screen);
  assert.equal(served.paid(), before + 1);
});

const REFUSED = [
  [["9"], "Invalid option"],
  [["0"], "Goodbye!"],
  [["1", "123"], "Invalid account number\n\nEnter 8-12 digits:"],
  [["1", "12340000"], "Account not found\n\nCheck number and try again"],
  [["3", "12345678", "0"], "Payment cancelled"],
  [["3", "12345678", "5"], "Invalid option\n\n1. Pay or 0. Cancel"],
  [["1", "12999999", "1"], "Insufficient balance\n\nPlease top up and try again"],
] as const;
for (const [inputs, text] of REFUSED) {
  test(`${inputs.join(", ")}: ${text.split("\n")[0]}`, async () => {
    const before = served.paid();
    (await (await customer().dial()).send(...inputs)).expectText(text);
    assert.equal(served.paid(), before);
  });
}

test("a biller that is not there: nothing was paid, and that is said", async () => {
  const p = customer("http://127.0.0.1:1");
  const text = "Service temporarily unavailable\n\nPlease try again later";
  (await (await p.dial()).send("1", "12345678")).expectEnd(text);
});

test("a biller that never answers a payment: nobody is told to try again", async () => {
  const silent = createServer((request, response) => {
    if (request.url !== "/bills/lookup") return; // and hangs
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ amount: 10, customer_name: "Ana Machel" }));
  });
  await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
  const p = customer(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, 100);
  (await (await p.dial()).send("1", "12345678", "1")).expectEnd(/Please do not repeat it/);
  silent.closeAllConnections();
  silent.close();
});
