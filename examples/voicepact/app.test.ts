import assert from "node:assert/strict";
import { test } from "node:test";
import { phone } from "dialyard/testing";
import { app } from "./app.ts";
import { type Contract, openContracts, type Status } from "./contracts.ts";

const msisdn = "254712345678";
const contractOf = (id: string, status: Status): Contract => ({
  ...{ id, product: "Maize, 50 bags", total_amount: 175_000, currency: "KES", status },
});

function farmer(...statuses: readonly Status[]) {
  const contracts = openContracts(":memory:");
  statuses.forEach((status, index) =>
    contracts.add(msisdn, contractOf(`VP-MAIZE-00${index + 1}-2026`, status)),
  );
  return { contracts, p: phone(app, { msisdn, context: () => ({ contracts }) }) };
}

const MAIN =
  "Welcome to VoicePact\n1. View My Contracts\n2. Confirm Delivery\n3. Check Payments\n4. Help & Support\n0. Exit";

test("the menus of the document, to the letter", async () => {
  const { p } = farmer("active", "completed");
  (await p.dial("*384*1234#")).expectText(MAIN);
  (await p.send("1")).expectText(
    "Your Contracts:\n1. VP-MAIZE-001... (active)\n2. VP-MAIZE-002... (completed)\n\n0. Back to Main Menu",
  );
  (await p.send("1")).expectText(
    "Contract Details\nVP-MAIZE-001...\nProduct: Maize, 50 bags\nValue: KES 175,000\nStatus: Active\n1. Confirm Delivery\n2. Report Issue\n0. Back",
  );
  (await p.send("0")).expectText(/^Your Contracts:/);
  (await p.send("2")).expectText(/Status: Completed\n2. Report Issue\n0. Back$/);
  (await p.send("1")).expectText("Invalid selection. Please try again.");
  (await p.send("0")).expectText(/^Your Contracts:/);
  (await p.send("0")).expectText(MAIN);
  (await p.send("0")).expectEnd("Thank you for using VoicePact!");
});

test("without contracts", async () => {
  const { p } = farmer();
  (await (await p.dial()).send("1")).expectText("No active contracts found.\n0. Back to Main Menu");
  (await p.send("0")).expectText(MAIN);
});

test("a full delivery completes the contract", async () => {
  const { contracts, p } = farmer("active");
  (await (await p.dial()).send("2", "1")).expectText(
    "Confirm Delivery\nVP-MAIZE-001...\n1. Full delivery\n2. Partial delivery\n3. Report issue\n0. Main Menu",
  );
  (await p.send("1")).expectEnd(
    "Full delivery confirmed!\nBuyer will be notified.\nPayment will be processed.",
  );
  assert.equal(contracts.list(msisdn)[0]?.status, "completed");
});

test("a partial delivery is noted, and the dialogue goes on", async () => {
  const { contracts, p } = farmer("active");
  (await (await p.dial()).send("2", "1", "2")).expectText(
    "Partial delivery noted.\nSMS will be sent for details.\n0. Main Menu",
  );
  (await p.send("0")).expectText(MAIN);
  assert.equal(contracts.list(msisdn)[0]?.status, "active");
});

test("an issue is reported from the contract and from its delivery", async () => {
  for (const inputs of [
    ["1", "1", "2"],
    ["2", "1", "3"],
  ] as const) {
    const { contracts, p } = farmer("active");
    (await (await p.dial()).send(...inputs)).expectEnd(
      "Issue reported.\nContract marked for review.\nSupport will contact you.",
    );
    assert.equal(contracts.list(msisdn)[0]?.status, "disputed");
  }
});

test("what is settled stays settled", () => {
  const { contracts } = farmer("disputed");
  assert.equal(contracts.settle(msisdn, "VP-MAIZE-001-2026", "completed"), false);
  assert.equal(contracts.list(msisdn)[0]?.status, "disputed");
});

test("one number's contracts are nobody else's", async () => {
  const { contracts } = farmer("active");
  const other = phone(app, { msisdn: "254700000000", context: () => ({ contracts }) });
  (await (await other.dial()).send("1")).expectText(/^No active contracts/);
});
