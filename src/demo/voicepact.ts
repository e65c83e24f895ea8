/**
 * Contracts and their delivery: VoicePact webhook docs, text for text where they print a screen.
 *
 * What differs from the sample: where a subscriber is follows from `text` and not from a row, so
 * a request that comes twice stays where it was; and a contract that is settled stays settled.
 */
import { bounded } from "./bounded.ts";
import { type HistoryRequest, type Screen, serveHistoryMenu, type ServedMenu } from "./history.ts";

export function serveVoicepact(): Promise<ServedMenu> {
  return serveHistoryMenu({
    path: "/api/v1/ussd/",
    textCharsMax: 2_000,
    readField: (body) => {
      const fields = new URLSearchParams(body);
      return (name) => fields.get(name) ?? undefined;
    },
    answer: answerOnce(),
  });
}

type Status = "active" | "completed" | "disputed";
type Contract = {
  readonly id: string;
  readonly product: string;
  readonly amount: number;
  status: Status;
};
/** Where a subscriber is. `nth` is the place of a contract in the list, which never changes. */
type Place = Seen | Settling;
type Seen =
  | { readonly type: "main" | "contracts" | "deliveries" | "payments" | "help" | "bye" | "over" }
  | { readonly type: "contract" | "delivery" | "partial"; readonly nth: number };
type Settling = { readonly type: "full" | "issue"; readonly nth: number };

const SUBSCRIBERS_MAX = 10_000;
const ANSWERS_MAX = 10_000;
const MAIN: Place = { type: "main" };
const CONTRACTS: Place = { type: "contracts" };
const CHOICES: ReadonlyMap<string, Place> = new Map([
  ["1", CONTRACTS],
  ["2", { type: "deliveries" }],
  ["3", { type: "payments" }],
  ["4", { type: "help" }],
  ["0", { type: "bye" }],
]);
const SAMPLES: readonly Contract[] = [
  { id: "VP-MAIZE-001-2026", product: "Maize, 50 bags", amount: 175_000, status: "active" },
  { id: "VP-BEANS-002-2026", product: "Beans, 20 bags", amount: 120_000, status: "active" },
  { id: "VP-HONEY-003-2026", product: "Honey, 80 kg", amount: 64_000, status: "completed" },
];

/** What settles a contract is done once for a session and text: a repeat gets the same answer. */
function answerOnce(): (request: HistoryRequest) => Screen {
  const subscribers = bounded<readonly Contract[]>(SUBSCRIBERS_MAX);
  const answers = bounded<Screen>(ANSWERS_MAX);
  return ({ phoneNumber, sessionId, text, inputs }) => {
    const contracts = subscribers.get(phoneNumber) ?? SAMPLES.map((sample) => ({ ...sample }));
    const place = placeAfter(inputs);
    if (place === undefined) return go("Invalid selection. Please try again.");
    if (!isSettling(place)) return look(place, contracts);
    const key = `${phoneNumber} ${sessionId} ${text}`;
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = settle(place, contracts);
    subscribers.set(phoneNumber, contracts);
    answers.set(key, answer);
    return answer;
  };
}

function isSettling(place: Place): place is Settling {
  return place.type === "full" || place.type === "issue";
}

/** Undefined where the last input chose nothing; earlier ones that did not are passed over. */
function placeAfter(inputs: readonly string[]): Place | undefined {
  let place: Place = MAIN;
  let next: Place | undefined = place;
  for (const input of inputs) {
    next = placeFrom(place, input);
    place = next ?? place;
  }
  return next;
}

/** Takes no look at a contract: what was chosen must not depend on what has happened since. */
function placeFrom(place: Place, input: string): Place | undefined {
  switch (place.type) {
    case "main":
      return CHOICES.get(input);
    case "contracts":
    case "deliveries": {
      if (input === "0") return MAIN;
      const nth = SAMPLES.findIndex((_, index) => String(index + 1) === input);
      if (nth === -1) return undefined;
      return { type: place.type === "contracts" ? "contract" : "delivery", nth };
    }
    case "contract":
      if (input === "1") return { type: "delivery", nth: place.nth };
      if (input === "2") return { type: "issue", nth: place.nth };
      return input === "0" ? CONTRACTS : undefined;
    case "delivery":
      if (input === "1") return { type: "full", nth: place.nth };
      if (input === "2") return { type: "partial", nth: place.nth };
      if (input === "3") return { type: "issue", nth: place.nth };
      return input === "0" ? MAIN : undefined;
    case "payments":
    case "help":
    case "partial":
      return input === "0" ? MAIN : undefined;
    case "full":
    case "issue":
    case "bye":
    case "over":
      return { type: "over" };
  }
}

function look(place: Seen, contracts: readonly Contract[]): Screen {
  switch (place.type) {
    case "main":
      return go(
        "Welcome to VoicePact",
        "1. View My Contracts",
        "2. Confirm Delivery",
        "3. Check Payments",
        "4. Help & Support",
        "0. Exit",
      );
    case "contracts":
      return go("Your Contracts:", ...listed(contracts), "", "0. Back to Main Menu");
    case "deliveries":
      return go("Confirm Delivery:", ...listed(contracts), "", "0. Back to Main Menu");
    case "payments":
      return go("Payments:", ...contracts.map(paymentLine), "", "0. Back to Main Menu");
    case "help":
      return go("Help & Support", "This is a demo: nobody is", "called.", "0. Back to Main Menu");
    case "contract":
      return contractScreen(contractAt(contracts, place.nth));
    case "delivery":
      return deliveryScreen(contractAt(contracts, place.nth));
    case "partial": {
      const contract = contractAt(contracts, place.nth);
      if (contract.status !== "active") return go(...unchanged(contract), "0. Main Menu");
      return go("Partial delivery noted.", "SMS will be sent for details.", "0. Main Menu");
    }
    case "bye":
      return end("Thank you for using VoicePact!");
    case "over":
      return end("Session expired. Please dial again.");
  }
}

/** An issue may be found after a delivery was confirmed, but not the other way round. */
function settle({ type, nth }: Settling, contracts: readonly Contract[]): Screen {
  const contract = contractAt(contracts, nth);
  if (contract.status === "disputed") return end(...unchanged(contract));
  if (type === "issue") {
    contract.status = "disputed";
    return end("Issue reported.", "Contract marked for review.", "Support will contact you.");
  }
  if (contract.status === "completed") return end(...unchanged(contract));
  contract.status = "completed";
  return end("Full delivery confirmed!", "Buyer will be notified.", "Payment will be processed.");
}

function contractScreen({ id, product, amount, status }: Contract): Screen {
  return go(
    "Contract Details",
    shortId(id),
    `Product: ${product}`,
    `Value: KES ${amount.toLocaleString("en-US")}`,
    `Status: ${status.charAt(0).toUpperCase()}${status.slice(1)}`,
    ...(status === "active" ? ["1. Confirm Delivery"] : []),
    "2. Report Issue",
    "0. Back",
  );
}

function deliveryScreen(contract: Contract): Screen {
  if (contract.status !== "active") return go(...unchanged(contract), "0. Main Menu");
  const choices = ["1. Full delivery", "2. Partial delivery", "3. Report issue", "0. Main Menu"];
  return go("Confirm Delivery", shortId(contract.id), ...choices);
}

function unchanged({ id, status }: Contract): readonly string[] {
  return [shortId(id), `Contract is ${status}.`, "Nothing to confirm."];
}

function listed(contracts: readonly Contract[]): readonly string[] {
  return contracts.map(({ id, status }, index) => `${index + 1}. ${shortId(id)} (${status})`);
}

const PAYMENT = { active: "held", completed: "released", disputed: "stopped" } as const;
function paymentLine({ id, amount, status }: Contract): string {
  return `${shortId(id)} KES ${amount.toLocaleString("en-US")} ${PAYMENT[status]}`;
}

/** As much as the document's screens show of an id. */
function shortId(id: string): string {
  return `${id.slice(0, 12)}...`;
}

function contractAt(contracts: readonly Contract[], nth: number): Contract {
  const contract = contracts[nth];
  if (contract === undefined) throw new RangeError(`there is no contract ${nth}`);
  return contract;
}

function go(...lines: readonly string[]): Screen {
  return { text: lines.join("\n"), ended: false };
}

function end(...lines: readonly string[]): Screen {
  return { text: lines.join("\n"), ended: true };
}
