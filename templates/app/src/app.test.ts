import { test } from "node:test";
import { phone } from "dialyard/testing";
import { app } from "./app.ts";

test("airtime is bought", async () => {
  const p = phone(app, { msisdn: "258841234567" });
  (await p.dial("*123#")).expectText(/^Welcome/);
  (await p.send("1")).expectText(/^Amount/);
  (await p.send("5")).expectText(/^10 to 500, please/);
  (await p.send("50")).expectText(/^Enter PIN/);
  (await p.send("1234")).expectText(/^Buy airtime for 50\?/);
  (await p.send("1")).expectEnd(/^Airtime for 50 is on its way/);
});

test("a wrong PIN is asked again, and 0 leads back", async () => {
  const p = phone(app, { msisdn: "258841234567" });
  await p.dial("*123#");
  (await p.send("1", "50", "9999")).expectText(/^Incorrect PIN/);
  (await p.send("0")).expectScreen("buy.amount");
});
