import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { inputsOf } from "./history.ts";
import { startDemo, type Demo } from "./index.ts";

let demo: Demo;
before(async () => {
  demo = await startDemo();
});
after(() => demo.close());

const SCREEN_CHARS_MAX = 160;

async function post(
  code: string,
  body: string | URLSearchParams,
): Promise<{ status: number; text: string }> {
  const backend = demo.backends.find(({ serviceCode }) => serviceCode === code);
  assert.ok(backend !== undefined, code);
  const response = await fetch(backend.callbackUrl, { method: "POST", body });
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain/);
  return { status: response.status, text: await response.text() };
}

test("a history is read input by input, and a star that was typed is an input", () => {
  const histories = {
    "": [],
    "1": ["1"],
    "1*2*15": ["1", "2", "15"],
    "*": ["*"],
    "1**": ["1", "*"],
    "1***2": ["1", "*", "2"],
    "1*": ["1", ""],
  };
  for (const [text, inputs] of Object.entries(histories)) assert.deepEqual(inputsOf(text), inputs);
});

describe("VoicePact on *384*1234#", () => {
  let dialled = 0;
  let ids: Record<string, string> = {};
  const fresh = (phoneNumber: string) => ({ sessionId: `ATUid_${++dialled}`, phoneNumber });
  beforeEach(() => {
    ids = fresh(`+2547000000${10 + dialled}`);
  });
  const send = async (text: string, as = ids): Promise<string> => {
    const form = new URLSearchParams({ ...as, serviceCode: "*384*1234#", text });
    const { status, text: screen } = await post("*384*1234#", form);
    assert.equal(status, 200);
    assert.ok(screen.length - "CON ".length <= SCREEN_CHARS_MAX, screen);
    return screen;
  };
  const MAIN =
    "CON Welcome to VoicePact\n1. View My Contracts\n2. Confirm Delivery\n" +
    "3. Check Payments\n4. Help & Support\n0. Exit";
  const CONFIRMED =
    "END Full delivery confirmed!\nBuyer will be notified.\nPayment will be processed.";
  const REPORTED = "END Issue reported.\nContract marked for review.\nSupport will contact you.";

  test("the main menu and the exit are the document's", async () => {
    assert.equal(await send(""), MAIN);
    assert.equal(await send("0"), "END Thank you for using VoicePact!");
    assert.equal(await send("7"), "CON Invalid selection. Please try again.");
  });

  test("a contract is chosen from the list and shown as the document shows it", async () => {
    assert.equal(
      await send("1"),
      "CON Your Contracts:\n1. VP-MAIZE-001... (active)\n2. VP-BEANS-002... (active)\n" +
        "3. VP-HONEY-003... (completed)\n\n0. Back to Main Menu",
    );
    assert.equal(
      await send("1*2"),
      "CON Contract Details\nVP-BEANS-002...\nProduct: Beans, 20 bags\nValue: KES 120,000\n" +
        "Status: Active\n1. Confirm Delivery\n2. Report Issue\n0. Back",
    );
    assert.match(await send("1*3"), /Status: Completed\n2\. Report Issue\n0\. Back$/);
    assert.equal(await send("1*2*0"), await send("1"));
    assert.equal(await send("1*2*0*0"), MAIN);
  });

  test("payments and help lead back to the main menu", async () => {
    assert.match(await send("3"), /^CON Payments:\nVP-MAIZE-001\.\.\. KES 175,000 held\n/);
    assert.match(await send("4"), /^CON Help & Support\n/);
    assert.deepEqual([await send("3*0"), await send("4*0")], [MAIN, MAIN]);
  });

  test("a full delivery completes the contract, and its repeat gets the same answer", async () => {
    assert.match(await send("1*1*1"), /^CON Confirm Delivery\nVP-MAIZE-001\.\.\.\n1\. Full/);
    const first = await send("1*1*1*1");
    assert.equal(first, CONFIRMED);
    assert.equal(await send("1*1*1*1"), first);
    assert.match(await send("1"), /^1\. VP-MAIZE-001\.\.\. \(completed\)$/m);
    assert.match(await send("3"), /^VP-MAIZE-001\.\.\. KES 175,000 released$/m);
  });

  test("another session does not confirm again, nobody else's contract changes", async () => {
    assert.equal(await send("2*1*1"), CONFIRMED);
    const again = fresh(ids["phoneNumber"] ?? "");
    assert.match(await send("2*1", again), /^CON VP-MAIZE-001\.\.\.\nContract is completed\./);
    assert.match(await send("2*1*1", again), /^END VP-MAIZE-001\.\.\.\nContract is completed\./);
    assert.match(await send("1", fresh("+254711111111")), /1\. VP-MAIZE-001\.\.\. \(active\)/);
  });

  test("a late repeat of a confirmation does not take back an issue reported since", async () => {
    await send("2*1*1");
    assert.equal(await send("1*1*2", fresh(ids["phoneNumber"] ?? "")), REPORTED);
    assert.equal(await send("2*1*1"), CONFIRMED);
    assert.match(await send("1"), /^1\. VP-MAIZE-001\.\.\. \(disputed\)$/m);
    assert.match(await send("2*1*3"), /^END VP-MAIZE-001\.\.\.\nContract is disputed\./);
  });

  test("a partial delivery changes nothing, an issue disputes the contract", async () => {
    const noted = "CON Partial delivery noted.\nSMS will be sent for details.\n0. Main Menu";
    assert.equal(await send("2*2*2"), noted);
    assert.equal(await send("2*2*2*0"), MAIN);
    assert.match(await send("1"), /^2\. VP-BEANS-002\.\.\. \(active\)$/m);
    assert.equal(await send("2*2*3"), REPORTED);
    assert.match(await send("1"), /^2\. VP-BEANS-002\.\.\. \(disputed\)$/m);
  });

  test("an input that chose nothing is passed over when the next one chooses", async () => {
    assert.equal(await send("1*9"), "CON Invalid selection. Please try again.");
    assert.equal(await send("1*9*2"), await send("1*2"));
    assert.equal(await send("1***2"), await send("1*2"));
  });

  test("what is typed after the end does nothing", async () => {
    assert.equal(await send("2*1*1*1"), "END Session expired. Please dial again.");
    assert.match(await send("1"), /^1\. VP-MAIZE-001\.\.\. \(active\)$/m);
  });

  test("a request without a session or a number is refused", async () => {
    for (const lacking of ["sessionId", "phoneNumber"]) {
      const form = new URLSearchParams({ ...ids, [lacking]: "", text: "" });
      const { status, text } = await post("*384*1234#", form);
      assert.deepEqual([status, text], [400, `END Invalid request: ${lacking}`]);
    }
  });
});

describe("IXO on *1234#", () => {
  const send = (text: unknown) =>
    post(
      "*1234#",
      JSON.stringify({ sessionId: "session-001", phoneNumber: "+260971234567", text }),
    );
  const screen = async (text: string): Promise<string> => {
    const heard = await send(text);
    assert.equal(heard.status, 200);
    assert.ok(heard.text.length - "CON ".length <= SCREEN_CHARS_MAX, heard.text);
    return heard.text;
  };
  const START = "Welcome to IXO USSD\n1. Know More\n2. Account Menu\n*. Exit";

  test("the two screens that the document prints are the document's", async () => {
    assert.equal(await screen(""), `CON ${START}`);
    assert.equal(
      await screen("1"),
      "CON Information Center\n1. About this service\n2. Pricing\n3. Delivery\n*. Exit",
    );
  });

  test("every page says what it is and leads back", async () => {
    const titles = { "1*1": "About this service", "1*2": "Pricing", "1*3": "Delivery" };
    for (const [text, title] of Object.entries(titles)) {
      assert.match(await screen(text), new RegExp(`^CON ${title}\n.*\n0\\. Back\n\\*\\. Exit$`));
      assert.equal(await screen(`${text}*0`), await screen("1"));
    }
    assert.match(await screen("2"), /^CON Account Menu\n[^]*keeps no accounts\.\n0\. Back\n/);
    assert.equal(await screen("2*0"), `CON ${START}`);
  });

  test("a star leaves from anywhere", async () => {
    for (const text of ["*", "1**", "1*2**", "2*0**"]) {
      assert.equal(await screen(text), "END Thank you for using IXO USSD.");
    }
  });

  test("what is no option shows the same page again", async () => {
    assert.equal(await screen("constructor"), `CON Invalid option\n${START}`);
    assert.equal(await screen("9*1"), await screen("1"));
  });

  test("a text that is no text, or over 182 characters, is refused", async () => {
    for (const text of [1, "1".repeat(183)]) {
      const heard = await send(text);
      assert.deepEqual([heard.status, heard.text], [400, "END Invalid request: text"]);
    }
    assert.equal((await send("1".repeat(182))).status, 200);
  });
});
