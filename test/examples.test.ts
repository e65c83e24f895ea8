/**
 * The examples as `npm start` has them, each dialled through every one of the gateway's protocols:
 * the texts of the documents to the letter, whatever the wire.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { createNumbering, phoneOn } from "./support/operator.ts";
import { networks } from "./support/phones.ts";

const newMsisdn = createNumbering("25884");

/** What is typed, and what is read then: a text to the letter, or a pattern where it varies. */
type Dialogue = {
  readonly title: string;
  readonly code: string;
  readonly steps: readonly (readonly [input: string, screen: string | RegExp])[];
};

const DIALOGUES: readonly Dialogue[] = [
  {
    title: "bank (OLA integration examples, Examples 1 and 2)",
    code: "*365#",
    steps: [
      ["", "Welcome Demo User\n\n1. Check Balance\n2. Transfer Money\n0. Exit"],
      ["2", "Transfer Money\n\nEnter recipient number:"],
      ["1", "Invalid number\n\nFormat: 258821234567\nor: 821234567\n\nEnter number:"],
      ["843456789", "To: Jane Smith\n258843456789\n\nEnter amount (MZN):"],
      ["10.50", "Transfer Summary\nTo: Jane Smith\nAmount: 10.50 MZN\n\nEnter PIN:"],
      ["123", "Invalid PIN\n\nEnter 4-digit PIN:"],
      [
        "1234",
        "Confirm Transfer\n\nTo: Jane Smith\n258843456789\nAmount: 10.50 MZN\n\n1. Confirm\n0. Cancel",
      ],
      ["1", /^Transfer Successful!\n\nAmount: 10.50 MZN\nTo: Jane Smith\nRef: TXN\d+\n\nNew/],
    ],
  },
  {
    title: "bills (OLA integration examples, Example 3)",
    code: "*105#",
    steps: [
      ["", "Bill Payment\n\n1. Electricity (EDMO)\n2. Water (FIPAG)\n3. Internet (TDM)\n0. Exit"],
      ["1", "EDMO (Electricity)\n\nEnter account number:"],
      ["12", "Invalid account number\n\nEnter 8-12 digits:"],
      [
        "12345678",
        "Bill Details\n\nCustomer: Carlos Mondlane\nAccount: 12345678\nAmount: 3456.78 MZN\n\n1. Pay Now\n0. Cancel",
      ],
      ["1", /^Payment Successful!\n\nAmount: 3456.78 MZN\nAccount: 12345678\nRef: PAY\d+\n\nThank/],
    ],
  },
  {
    title: "voicepact (VoicePact webhook docs)",
    code: "*384*1234#",
    steps: [
      [
        "",
        "Welcome to VoicePact\n1. View My Contracts\n2. Confirm Delivery\n3. Check Payments\n4. Help & Support\n0. Exit",
      ],
      [
        "1",
        "Your Contracts:\n1. VP-MAIZE-001... (active)\n2. VP-BEANS-002... (active)\n3. VP-HONEY-003... (completed)\n\n0. Back to Main Menu",
      ],
      ["1", /^Contract Details\nVP-MAIZE-001...\nProduct: Maize, 50 bags\nValue: KES 175,000\nSt/],
      ["1", /^Confirm Delivery\nVP-MAIZE-001...\n1. Full delivery\n2. Partial delivery\n3. Rep/],
      ["2", "Partial delivery noted.\nSMS will be sent for details.\n0. Main Menu"],
      ["0", /^Welcome to VoicePact\n/],
      ["2", /^Confirm Delivery:\n1. VP-MAIZE-001/],
      ["1", /1. Full delivery/],
      ["1", "Full delivery confirmed!\nBuyer will be notified.\nPayment will be processed."],
    ],
  },
  {
    title: "ixo (IXO API reference)",
    code: "*1234#",
    steps: [
      ["", "Welcome to IXO USSD\n1. Know More\n2. Account Menu\n*. Exit"],
      ["1", "Information Center\n1. About this service\n2. Pricing\n3. Delivery\n*. Exit"],
      ["2", "Pricing\nThis demo sells nothing: it is free.\n0. Back\n*. Exit"],
      ["0", /^Information Center/],
      ["*", "Thank you for using IXO USSD."],
    ],
  },
];

describe("the examples of npm start", { concurrency: false }, () => {
  let gateway: StartedGateway;
  before(async () => {
    gateway = await startGateway({
      env: { DIALYARD_DEMO: "1" },
      configFile: `export const config = {
        channels: { ixo: { protocol: "ixo", requestsPerMinuteMax: 0 } } };`,
    });
  });
  after(() => gateway.stop());

  for (const protocol of Object.keys(networks)) {
    for (const { title, code, steps } of DIALOGUES) {
      test(`${title}, dialled through ${protocol}`, async () => {
        const msisdn = newMsisdn();
        const phone = phoneOn(protocol, gateway.url, msisdn, `example-${msisdn}`);
        for (const [index, [input, wanted]] of steps.entries()) {
          const seen = await (index === 0 ? phone.dial(code) : phone.type(input));
          const { screen, isEnd } = seen;
          if (typeof wanted === "string") assert.equal(screen, wanted);
          else assert.match(screen, wanted);
          assert.equal(isEnd, index === steps.length - 1, `${screen}: the end`);
        }
      });
    }
  }
});
