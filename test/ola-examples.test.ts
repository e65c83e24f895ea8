/**
 * The applications of the OLA integration examples, cut from the document as it stands and run as
 * processes of their own, answer subscribers of each of the four protocols.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { sessionsOf } from "./support/operator.ts";
import { networks, register, type Phone } from "./support/phones.ts";
import { hasFlask, PORT, startSource, whyTaken } from "./support/port-8081.ts";
import { cut, readSpec, specsMissing } from "./support/specs.ts";

const DOCUMENT = readSpec("ola-integration-examples.txt");
const CALLBACK = `http://127.0.0.1:${PORT}/ussd/callback`;
const JOHN = "258823456789";
const JANE = "258843456789";
const STRANGER = "258860000000";
const CODE = "*365#";
const skip = specsMissing === false ? await whyTaken() : specsMissing;

type Step = readonly [typed: string, lines: readonly string[], last?: "last"];

const EXAMPLE_1 = "Example 1: Simple Balance Check";
const EXAMPLE_2 = "Example 2: Money Transfer with State Management";

/** The source of a section of an example. */
function sourceOf(example: string, startLine: string, endLine: string): string {
  const fromHere = DOCUMENT.slice(DOCUMENT.indexOf(`\n${example}\n`));
  return cut(fromHere, startLine, endLine);
}

/**
 * The document's text lost the indentation of its Python, and Python means nothing without it.
 * Put back by one rule that adds spaces and nothing else: a line that ends with ":" opens a block,
 * and a complete return closes the innermost.
 */
function indent(python: string): string {
  let blocks = 0;
  let brackets = 0;
  let isReturn = false;
  const lines = python.split("\n").map((line) => {
    if (brackets === 0) isReturn = line.startsWith("return ");
    const indented = line === "" ? "" : " ".repeat(4 * blocks) + line;
    for (const char of line) brackets += "([{".includes(char) ? 1 : ")]}".includes(char) ? -1 : 0;
    if (brackets === 0 && line.endsWith(":")) blocks += 1;
    if (brackets === 0 && isReturn && line !== "") blocks -= 1;
    return indented;
  });
  return lines.join("\n");
}

describe("OLA integration examples", { skip }, () => {
  let gateway: StartedGateway;
  let phones = 0;
  before(async () => {
    gateway = await startGateway();
    // The registration of the OLA API reference, with the address of this machine.
    await register(gateway.url, { service_code: CODE, callback_url: CALLBACK });
  });
  after(() => gateway.stop());

  function phoneOf(protocol: string, msisdn: string): Phone {
    const network = networks[protocol];
    assert.ok(network);
    phones += 1;
    return network(gateway.url, msisdn, `example-${phones}`);
  }
  /** Dials and types, and compares each screen with the document's, line by line. */
  async function walk(protocol: string, msisdn: string, steps: readonly Step[]): Promise<void> {
    const phone = phoneOf(protocol, msisdn);
    for (const [index, [typed, lines, last]] of steps.entries()) {
      const seen = index === 0 ? await phone.dial(typed) : await phone.type(typed);
      const shown = seen.screen.replace(/^(Ref: TXN)\d{13}$/m, "$1…");
      assert.deepEqual(
        { ...seen, screen: shown },
        { status: 200, screen: lines.join("\n"), isEnd: last === "last" },
        `after "${typed}"`,
      );
    }
  }

  const printedPython = () => sourceOf(EXAMPLE_1, "Python Implementation", EXAMPLE_2);
  test("the document's Python is whole but for its indentation", () => {
    assert.equal(indent(printedPython()).replaceAll(/^ +/gm, ""), printedPython());
  });

  const implementations = [
    {
      language: "node",
      title: "Example 1, Node.js, byte for byte",
      source: () => sourceOf(EXAMPLE_1, "Node.js Implementation", "Python Implementation"),
      skip: false,
    },
    {
      language: "python",
      title: "Example 1, Python (Flask), its lost indentation put back by rule, else as it stands",
      source: () => indent(printedPython()),
      skip: hasFlask ? false : "python3 has no Flask here",
    },
  ] as const;
  for (const { language, title, source, skip } of implementations) {
    describe(title, { skip }, () => {
      let stop = async () => {};
      before(async () => {
        stop = await startSource(language, source());
      });
      after(() => stop());

      for (const protocol of Object.keys(networks)) {
        test(`a balance check through ${protocol}`, async () => {
          const menu: Step = [CODE, ["Welcome John Doe", "", "1. Check Balance", "0. Exit"]];
          await walk(protocol, JOHN, [
            menu,
            ["7", ["Invalid option", "", "Please try again"]],
            ["1", ["Account Balance", "", "Available: 1234.56 MZN", "", "Thank you!"], "last"],
          ]);
          await walk(protocol, JOHN, [menu, ["0", ["Goodbye!"], "last"]]);
          await walk(protocol, STRANGER, [
            [CODE, ["User not found", "", "Please register first"], "last"],
          ]);
        });
      }
    });
  }

  describe("Example 2, Node.js, byte for byte", () => {
    let stop = async () => {};
    const balances = { [JOHN]: 5000, [JANE]: 3000 };
    before(async () => {
      const next = "Example 3: External API Integration";
      stop = await startSource("node", sourceOf(EXAMPLE_2, "Node.js Implementation", next));
    });
    after(() => stop());
    const menuOf = (name: string): Step => [
      CODE,
      [`Welcome ${name}`, "", "1. Check Balance", "2. Transfer Money", "0. Exit"],
    ];
    const money = (amount: number) => `${amount.toFixed(2)} MZN`;
    const askRecipient: Step = ["2", ["Transfer Money", "", "Enter recipient number:"]];

    type Transfer = {
      readonly from: readonly [msisdn: typeof JOHN | typeof JANE, name: string, pin: string];
      readonly to: readonly [msisdn: typeof JOHN | typeof JANE, name: string, typed: string];
      readonly amount: number;
    };
    async function transfer(protocol: string, { from, to, amount }: Transfer): Promise<void> {
      const [payer, payerName, pin] = from;
      const [payee, payeeName, typedPayee] = to;
      balances[payer] -= amount;
      balances[payee] += amount;
      const amountLine = `Amount: ${money(amount)}`;
      const toLine = `To: ${payeeName}`;
      await walk(protocol, payer, [
        menuOf(payerName),
        askRecipient,
        [typedPayee, [toLine, payee, "", "Enter amount (MZN):"]],
        [String(amount), ["Transfer Summary", toLine, amountLine, "", "Enter PIN:"]],
        [pin, ["Confirm Transfer", "", toLine, payee, amountLine, "", "1. Confirm", "0. Cancel"]],
        [
          "1",
          [
            "Transfer Successful!",
            "",
            amountLine,
            toLine,
            "Ref: TXN…",
            "",
            `New balance: ${money(balances[payer])}`,
          ],
          "last",
        ],
      ]);
    }

    for (const protocol of Object.keys(networks)) {
      test(`whole transfers, there and back, through ${protocol}`, async () => {
        await transfer(protocol, {
          from: [JOHN, "John Doe", "1234"],
          to: [JANE, "Jane Smith", "843456789"],
          amount: 100.5,
        });
        await transfer(protocol, {
          from: [JANE, "Jane Smith", "5678"],
          to: [JOHN, "John Doe", "258823456789"],
          amount: 40,
        });
        for (const [msisdn, name] of [
          [JOHN, "John Doe"],
          [JANE, "Jane Smith"],
        ] as const) {
          const available = `Available: ${money(balances[msisdn])}`;
          await walk(protocol, msisdn, [
            menuOf(name),
            ["1", ["Account Balance", "", available], "last"],
          ]);
        }
      });

      test(`every mistake the example knows, through ${protocol}`, async () => {
        await walk(protocol, JOHN, [
          menuOf("John Doe"),
          ["9", ["Invalid option", "", "Try again"]],
          askRecipient,
          [
            "12",
            ["Invalid number", "", "Format: 258821234567", "or: 821234567", "", "Enter number:"],
          ],
          ["829999999", ["Recipient not found", "", "Enter valid number:"]],
          ["843456789", ["To: Jane Smith", JANE, "", "Enter amount (MZN):"]],
          ["a lot", ["Invalid amount", "", "Enter amount:"]],
          [
            "99999",
            ["Insufficient balance", `Available: ${money(balances[JOHN])}`, "", "Enter amount:"],
          ],
          ["50", ["Transfer Summary", "To: Jane Smith", "Amount: 50.00 MZN", "", "Enter PIN:"]],
          ["12", ["Invalid PIN", "", "Enter 4-digit PIN:"]],
          ["0000", ["Incorrect PIN", "", "Transaction cancelled"], "last"],
        ]);
        await walk(protocol, STRANGER, [[CODE, ["User not found"], "last"]]);
      });
    }

    test("the PIN of each transfer is masked in its record", async () => {
      const sessions = await sessionsOf(gateway.url, JANE);
      let transfers = 0;
      for (const { channel, records } of sessions) {
        const inputs = records.map(({ input }) => input);
        if (inputs.length !== 6) continue;
        transfers += 1;
        assert.deepEqual(inputs, [CODE, "2", JOHN, "40", "****", "1"], channel);
      }
      assert.equal(transfers, 4, "one transfer of Jane's through each channel");
    });
  });
});
