import assert from "node:assert/strict";
import { test } from "node:test";
import { phone } from "dialyard/testing";
import { app } from "./app.ts";
import { createBank } from "./bank.ts";

function customer(msisdn = "258823456789") {
  const bank = createBank();
  const context = (turn: { msisdn: string }) => ({ bank, user: bank.account(turn.msisdn) });
  return { bank, p: phone(app, { msisdn, context }) };
}

test("a transfer reads as in the document, and moves the money once", async () => {
  const { bank, p } = customer();
  (await p.dial("*365#")).expectText(
    "Welcome John Doe\n\n1. Check Balance\n2. Transfer Money\n0. Exit",
  );
  (await p.send("2")).expectText("Transfer Money\n\nEnter recipient number:");
  (await p.send("843456789")).expectText("To: Jane Smith\n258843456789\n\nEnter amount (MZN):");
  (await p.send("500")).expectText(
    "Transfer Summary\nTo: Jane Smith\nAmount: 500.00 MZN\n\nEnter PIN:",
  );
  (await p.send("1234")).expectText(
    "Confirm Transfer\n\nTo: Jane Smith\n258843456789\nAmount: 500.00 MZN\n\n1. Confirm\n0. Cancel",
  );
  (await p.send("1")).expectEnd(
    /^Transfer Successful!\n\nAmount: 500.00 MZN\nTo: Jane Smith\nRef: TXN\d+\n\nNew balance: 4500.00 MZN$/,
  );
  assert.equal(bank.account("258843456789").balance, 350_000);
});

const REFUSED = [
  [["9"], "Invalid option\n\nTry again"],
  [["1"], "Account Balance\n\nAvailable: 5000.00 MZN"],
  [["0"], "Goodbye!"],
  [["2", "811234567"], "Invalid number\n\nFormat: 258821234567\nor: 821234567\n\nEnter number:"],
  [["2", "823456789"], "This is your own number\n\nEnter valid number:"],
  [["2", "843456789", "1e3"], "Invalid amount\n\nEnter amount:"],
  [["2", "843456789", "0"], "Invalid amount\n\nEnter amount:"],
  [["2", "843456789", "5000.01"], "Insufficient balance\nAvailable: 5000.00 MZN\n\nEnter amount:"],
  [["2", "843456789", "500", "123"], "Invalid PIN\n\nEnter 4-digit PIN:"],
  [["2", "843456789", "500", "9999"], "Incorrect PIN\n\nTransaction cancelled"],
  [["2", "843456789", "500", "1234", "7"], "Invalid option\n\n1. Confirm or 0. Cancel"],
  [["2", "843456789", "500", "1234", "0"], "Transfer cancelled"],
] as const;

for (const [inputs, text] of REFUSED) {
  test(`${inputs.join(", ")}: ${text.split("\n")[0]}`, async () => {
    const { bank, p } = customer();
    (await (await p.dial()).send(...inputs)).expectText(text);
    assert.equal(bank.account("258823456789").balance, 500_000);
  });
}

test("more than 10,000 MZN is over the limit of one transfer, exactly 10,000 is not", async () => {
  const { bank, p } = customer();
  bank.account("258823456789").balance = 2_000_000;
  (await (await p.dial()).send("2", "843456789", "10000.01")).expectText(
    "Transfer limit exceeded\nMax: 10,000 MZN",
  );
  (await p.send("10000")).expectText(/^Transfer Summary/);
});

test("what another dialogue has spent meanwhile is not there any more", async () => {
  const { bank, p } = customer();
  await (await p.dial()).send("2", "843456789", "5000", "1234");
  bank.account("258823456789").balance = 100;
  (await p.send("1")).expectEnd("Insufficient balance\nAvailable: 1.00 MZN");
});
