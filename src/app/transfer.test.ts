import assert from "node:assert/strict";
import { test } from "node:test";
import { phone } from "../testing/phone.ts";
import { createBank } from "./bank.fixture.ts";
import { bankApp } from "./transfer.fixture.ts";
import type { AppTurn } from "./turn.ts";

const msisdn = "258823456789";

function customer() {
  const bank = createBank();
  const context = ({ msisdn: number }: AppTurn) => {
    const user = bank.users.get(number);
    if (user === undefined) throw new Error("User not found");
    return { bank, user };
  };
  return { bank, p: phone(bankApp, { msisdn, context }) };
}

test("a transfer reads as in the OLA integration examples, and moves the money once", async () => {
  const { bank, p } = customer();
  (await p.dial("*365#")).expectText(
    "Welcome John Doe\n\n1. Check Balance\n2. Transfer Money\n0. Exit",
  );
  (await p.send("2")).expectText("Transfer Money\n\nEnter recipient number:");
  (await p.send("843456789")).expectText("To: Jane Smith\n258843456789\n\nEnter amount (MZN):");
  (await p.send("500")).expectText(
    /^Transfer Summary\nTo: Jane Smith\nAmount: 500.00 MZN\n\nEnter/,
  );
  (await p.send("1234")).expectScreen("transfer.$confirm").expectText(/1. Confirm\n0. Cancel$/);
  (await p.send("1")).expectEnd(/^Transfer Successful!(\n.*)+New balance: 4500.00 MZN$/);
  assert.equal(bank.users.get("258843456789")?.balance, 3500);
  assert.equal(bank.keys.length, 1);
});

test("every text of Example 2 that refuses something, to the letter", async () => {
  const refusals = [
    [["9"], "Invalid option\n\nTry again"],
    [["1"], "Account Balance\n\nAvailable: 5000.00 MZN"],
    [["0"], "Goodbye!"],
    [["2", "12"], "Invalid number\n\nFormat: 258821234567\nor: 821234567\n\nEnter number:"],
    [["2", "821234567"], "Recipient not found\n\nEnter valid number:"],
    [["2", "843456789", "x"], "Invalid amount\n\nEnter amount:"],
    [["2", "843456789", "0"], "Invalid amount\n\nEnter amount:"],
    [["2", "843456789", "5001"], "Insufficient balance\nAvailable: 5000.00 MZN\n\nEnter amount:"],
    [["2", "843456789", "500", "12"], "Invalid PIN\n\nEnter 4-digit PIN:"],
    [["2", "843456789", "500", "4321"], "Incorrect PIN\n\nTransaction cancelled"],
    [["2", "843456789", "500", "1234", "7"], "Invalid option\n\n1. Confirm or 0. Cancel"],
    [["2", "843456789", "500", "1234", "0"], "Transfer cancelled"],
  ] as const;
  for (const [inputs, text] of refusals) {
    const { bank, p } = customer();
    (await (await p.dial()).send(...inputs)).expectText(text);
    assert.deepEqual(bank.keys, []);
  }
});
