import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { memoryPinStore, parsePinKeys } from "dialyard/app";
import { phone } from "dialyard/testing";
import { createAccounts, openPins } from "./accounts.ts";
import { app } from "./app.ts";

function customer() {
  const store = memoryPinStore();
  const keys = parsePinKeys(randomBytes(32).toString("base64"));
  const pins = openPins(keys, store);
  const accounts = createAccounts();
  const p = phone(app, {
    msisdn: "260971234567",
    context: () => ({ accounts, pins }),
    // Who types along would open accounts of their own, and PINs take their time.
    companion: false,
  });
  return { accounts, pins, store, p };
}

test("the two screens of the document, to the letter, and the way out", async () => {
  const { p } = customer();
  (await p.dial("*1234#")).expectText(
    "Welcome to IXO USSD\n1. Know More\n2. Account Menu\n*. Exit",
  );
  (await p.send("1")).expectText(
    "Information Center\n1. About this service\n2. Pricing\n3. Delivery\n*. Exit",
  );
  (await p.send("1")).expectText(
    "About this service\nA demo of the IXO USSD menus.\n0. Back\n*. Exit",
  );
  (await p.send("0", "*")).expectEnd("Thank you for using IXO USSD.");
});

test("an account is opened with a PIN typed twice, and logged in to by its id", async () => {
  const { p, store } = customer();
  await (await p.dial()).send("2", "1", "Ana Banda", "73915");
  (await p.send("73915")).expectEnd(/^Account created.\nCustomer ID: \d{6}\n/);
  const id = /\d{6}/.exec(p.screen)?.[0] ?? "";
  assert.doesNotMatch(store.dump(), /73915/);
  await p.dial();
  (await p.send("2", "2", "000000")).expectText(/^Unknown customer ID\nEnter customer ID:/);
  (await p.send(id)).expectText(/^Enter PIN:/);
  (await p.send("11112")).expectText(/^Incorrect PIN. 2 attempts left.\nEnter PIN:/);
  (await p.send("73915")).expectEnd("Welcome back, Ana Banda!\nYou are logged in.");
});

test("three wrong PINs lock the account, also for another dial", async () => {
  const { p, accounts, pins } = customer();
  accounts.open("123456", "Ana");
  await pins.set("123456", "73915");
  await (await p.dial()).send("2", "2", "123456", "00001", "00002");
  (await p.send("00003")).expectEnd(/^PIN locked/);
  await p.dial();
  (await p.send("2", "2", "123456", "73915")).expectEnd(/^PIN locked/);
});

test("PINs that differ open nothing", async () => {
  const { p, accounts } = customer();
  await (await p.dial()).send("2", "1", "Ana Banda", "73915");
  (await p.send("73916")).expectEnd("The PINs differ.\nPlease dial again.");
  assert.equal(accounts.nameOf("123456"), undefined);
});

test("a PIN is five digits, and none that everybody tries first", async () => {
  const { p } = customer();
  await (await p.dial()).send("2", "1", "Ana Banda");
  (await p.send("1234")).expectText(/^5 digits, please\nChoose/);
  (await p.send("12345")).expectText(/^Too easy to guess\nChoose/);
});
