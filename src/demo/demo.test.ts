import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { serveBiller } from "./biller.ts";
import { serveBills } from "./bills.ts";
import { startDemo, type Demo } from "./index.ts";
import { postJson, serveJson } from "./serve.ts";

let demo: Demo;
before(async () => {
  demo = await startDemo();
});
after(() => demo.close());

const JOHN = "258823456789";
const JANE = "258843456789";
type Heard = { readonly text: string; readonly ended: boolean };
type Phone = {
  /** Sends each input in turn and tells the last screen. */
  type(...inputs: readonly string[]): Promise<Heard>;
  /** Sends the last request again, byte for byte. */
  again(): Promise<Heard>;
};

let dialled = 0;
function dialUrl(callbackUrl: string, msisdn: string): Phone {
  const session_id = `sess_${++dialled}`;
  let body: Record<string, string> = {};
  let count = 0;
  const send = async (sent: Record<string, string>): Promise<Heard> => {
    const answer = await postJson(callbackUrl, sent, { headers: {}, timeoutMs: 5_000 });
    assert.equal(answer.status, 200);
    const { session_id, transaction_id, output, end_session } = answer.body ?? {};
    assert.deepEqual([session_id, transaction_id], [sent["session_id"], sent["transaction_id"]]);
    assert.ok(Array.isArray(output));
    return { text: output.join("\n"), ended: end_session === true };
  };
  return {
    again: () => send(body),
    async type(...inputs) {
      let heard: Heard = { text: "", ended: false };
      for (const input of inputs) {
        assert.equal(heard.ended, false, `ended before ${input}: ${heard.text}`);
        const transaction_id = `${session_id}_${++count}`;
        body = { provider: "test", msisdn, session_id, transaction_id, input };
        heard = await send(body);
      }
      return heard;
    },
  };
}

function dial(serviceCode: string, msisdn: string): Phone {
  const backend = demo.backends.find((candidate) => candidate.serviceCode === serviceCode);
  assert.ok(backend !== undefined);
  return dialUrl(backend.callbackUrl, msisdn);
}

/** What the bank says that somebody has, in cents. */
async function balanceOf(msisdn: string): Promise<number> {
  const { text } = await dial("*365#", msisdn).type("", "1");
  const [, whole = "", cents = ""] = /^Available: (\d+)\.(\d\d) MZN$/m.exec(text) ?? [];
  return Number(`${whole}${cents}`);
}

test("the first screens are those of the OLA integration examples", async () => {
  const bank = await dial("*365#", JOHN).type("");
  assert.equal(bank.text, "Welcome John Doe\n\n1. Check Balance\n2. Transfer Money\n0. Exit");
  const bills = await dial("*105#", JOHN).type("");
  const choices = "1. Electricity (EDMO)\n2. Water (FIPAG)\n3. Internet (TDM)\n0. Exit";
  assert.equal(bills.text, `Bill Payment\n\n${choices}`);
});

test("a transfer moves the amount once, also when its confirmation is sent again", async () => {
  const [john, jane] = [await balanceOf(JOHN), await balanceOf(JANE)];
  const phone = dial("*365#", JOHN);
  const asked = await phone.type("", "2", "843456789", "150.25", "1234");
  assert.equal(
    asked.text,
    `Confirm Transfer\n\nTo: Jane Smith\n${JANE}\nAmount: 150.25 MZN\n\n1. Confirm\n0. Cancel`,
  );
  const done = await phone.type("1");
  assert.match(
    done.text,
    /^Transfer Successful!\n\nAmount: 150\.25 MZN\nTo: Jane Smith\nRef: TXN\d+/,
  );
  assert.equal(done.ended, true);
  assert.deepEqual(await phone.again(), done);
  assert.equal(await balanceOf(JOHN), john - 15_025);
  assert.equal(await balanceOf(JANE), jane + 15_025);
});

test("a wrong PIN ends the transfer and moves nothing", async () => {
  const before = await balanceOf(JANE);
  const heard = await dial("*365#", JANE).type("", "2", "258823456789", "10", "1234");
  assert.deepEqual(heard, { text: "Incorrect PIN\n\nTransaction cancelled", ended: true });
  assert.equal(await balanceOf(JANE), before);
});

test("a PIN of another length is asked for again", async () => {
  const heard = await dial("*365#", JANE).type("", "2", "823456789", "10", "567");
  assert.deepEqual(heard, { text: "Invalid PIN\n\nEnter 4-digit PIN:", ended: false });
});

test("numbers and amounts that are none of the document's are asked again", async () => {
  const phone = dial("*365#", "258860000001");
  const invalid = /^Invalid number\n\nFormat: 258821234567\nor: 821234567\n\nEnter number:$/;
  assert.match((await phone.type("", "2", "811234567")).text, invalid);
  assert.match((await phone.type("258860000001")).text, /^This is your own number/);
  assert.match((await phone.type("871234567")).text, /^To: Demo User\n258871234567/);
  assert.equal((await phone.type("1e3")).text, "Invalid amount\n\nEnter amount:");
  const { text } = await phone.type("5000.01");
  assert.equal(text, "Insufficient balance\nAvailable: 5000.00 MZN\n\nEnter amount:");
});

test("more than 10,000 MZN is over the limit of one transfer, exactly 10,000 is not", async () => {
  const rich = "258870000010";
  for (const giver of ["258870000011", "258870000012"]) {
    await dial("*365#", giver).type("", "2", rich, "5000", "1234", "1");
  }
  assert.equal(await balanceOf(rich), 1_500_000);
  const phone = dial("*365#", rich);
  const over = await phone.type("", "2", "841111111", "10000.01");
  assert.deepEqual(over, { text: "Transfer limit exceeded\nMax: 10,000 MZN", ended: false });
  assert.match((await phone.type("10000")).text, /^Transfer Summary/);
});

test("two dialogues of one subscriber cannot spend the same money", async () => {
  const payer = "258870000020";
  const phones = [dial("*365#", payer), dial("*365#", payer)] as const;
  for (const phone of phones) await phone.type("", "2", "842222222", "3000", "1234");
  assert.match((await phones[0].type("1")).text, /^Transfer Successful!/);
  const second = await phones[1].type("1");
  assert.equal(second.text, "Insufficient balance\nAvailable: 2000.00 MZN");
  assert.equal(await balanceOf(payer), 200_000);
});

test("a bill is paid, and its confirmation sent again gets the same reference", async () => {
  const phone = dial("*105#", JOHN);
  const bill = await phone.type("", "1", "12345678");
  assert.equal(
    bill.text,
    "Bill Details\n\nCustomer: Carlos Mondlane\nAccount: 12345678\nAmount: 3456.78 MZN\n\n" +
      "1. Pay Now\n0. Cancel",
  );
  const paid = await phone.type("1");
  assert.match(
    paid.text,
    /^Payment Successful!\n\nAmount: 3456\.78 MZN\nAccount: 12345678\nRef: PAY\d{8}\n\nThank you!$/,
  );
  assert.deepEqual(await phone.again(), paid);
});

test("an account that the biller does not know (404) ends the dialogue", async () => {
  const heard = await dial("*105#", JOHN).type("", "2", "12340000");
  assert.deepEqual(heard, { text: "Account not found\n\nCheck number and try again", ended: true });
});

test("a bill over what can be paid (402) says insufficient balance", async () => {
  const heard = await dial("*105#", JOHN).type("", "3", "12999999", "1");
  assert.deepEqual(heard, {
    text: "Insufficient balance\n\nPlease top up and try again",
    ended: true,
  });
});

test("an account of 7 or 13 digits is asked for again", async () => {
  const phone = dial("*105#", JOHN);
  for (const account of ["1234567", "1234567890123"]) {
    const { text } = await (account.length === 7
      ? phone.type("", "1", account)
      : phone.type(account));
    assert.equal(text, "Invalid account number\n\nEnter 8-12 digits:");
  }
});

test("with the biller down, what was not sent can be tried again later", async (t) => {
  const { phone, biller } = await billsAlone(t);
  await phone.type("", "1", "12345678");
  await biller.close();
  const unavailable = "Service temporarily unavailable\n\nPlease try again later";
  assert.deepEqual(await phone.type("1"), { text: unavailable, ended: true });
  const other = dialUrl(phone.url, JANE);
  assert.deepEqual(await other.type("", "1", "12345678"), { text: unavailable, ended: true });
});

test("a payment whose answer did not come in time is not offered again", async (t) => {
  const silent = await serveJson(({ path }) =>
    path === "/bills/lookup"
      ? { status: 200, body: { amount: 1.5, customer_name: "Ana" } }
      : new Promise(() => {}),
  );
  t.after(silent.close);
  const bills = await serveBills({
    nowMs: Date.now,
    biller: { url: silent.url, key: "k", timeoutMs: 100 },
  });
  t.after(bills.close);
  const heard = await dialUrl(bills.callbackUrl, JOHN).type("", "1", "12345678", "1");
  assert.equal(heard.ended, true);
  assert.match(heard.text, /^Payment not confirmed yet\n\nPlease do not repeat it/);
});

test("two confirmations of one bill are one payment", async (t) => {
  const { phone, biller } = await billsAlone(t);
  await phone.type("", "1", "12345678");
  await Promise.all([phone.type("1"), phone.type("1")]);
  assert.equal(biller.paymentCount(), 1);
});

test("the biller wants its key, and takes a payment once for each idempotency key", async (t) => {
  const biller = await serveBiller({ key: "secret" });
  t.after(biller.close);
  const bill = { biller_id: "edmo", account_number: "12345678", payer_msisdn: JOHN };
  const pay = (amount: number, headers: Record<string, string>) =>
    postJson(`${biller.url}/bills/pay`, { ...bill, amount }, { headers, timeoutMs: 5_000 });
  const authorization = "Bearer secret";
  const first = await pay(3456.78, { authorization, "idempotency-key": "a" });
  assert.equal(first.status, 200);
  assert.deepEqual(await pay(3456.78, { authorization, "idempotency-key": "a" }), first);
  assert.equal((await pay(1, { authorization, "idempotency-key": "a" })).status, 422);
  assert.equal((await pay(1, { authorization, "idempotency-key": "b" })).status, 409);
  assert.equal((await pay(3456.78, { authorization })).status, 400);
  assert.equal((await pay(3456.78, { authorization: "Bearer guess" })).status, 401);
  assert.equal(biller.paymentCount(), 1);
});

async function billsAlone(t: TestContext) {
  const biller = await serveBiller({ key: "k" });
  const bills = await serveBills({
    nowMs: Date.now,
    biller: { url: biller.url, key: "k", timeoutMs: 1_000 },
  });
  t.after(() => Promise.all([biller.close(), bills.close()]));
  return { biller, phone: { ...dialUrl(bills.callbackUrl, JOHN), url: bills.callbackUrl } };
}
