/**
 * The menus of the IXO API reference, text for text where it prints them. It names the pages of
 * the information center and not what they say, and no account is kept here: each says so.
 */
import { type Screen, serveHistoryMenu, type ServedMenu } from "./history.ts";
import { parseObject } from "./serve.ts";

export function serveIxo(): Promise<ServedMenu> {
  return serveHistoryMenu({
    path: "/api/ussd",
    textCharsMax: 182, // IXO API reference, Validation rules
    readField: (body) => {
      const fields = new Map(Object.entries(parseObject(body) ?? {}));
      return (name) => fields.get(name);
    },
    answer: ({ inputs }) => screenAfter(inputs),
  });
}

type Name = "start" | "information" | "about" | "pricing" | "delivery" | "account";
type Page = { readonly lines: readonly string[]; readonly keys: ReadonlyMap<string, Name> };

const EXIT = "*";

function screenAfter(inputs: readonly string[]): Screen {
  let name: Name = "start";
  let isKnown = true;
  for (const input of inputs) {
    if (input === EXIT) return { text: "Thank you for using IXO USSD.", ended: true };
    const next: Name | undefined = PAGES[name].keys.get(input);
    isKnown = next !== undefined;
    name = next ?? name;
  }
  const lines = [...(isKnown ? [] : ["Invalid option"]), ...PAGES[name].lines, `${EXIT}. Exit`];
  return { text: lines.join("\n"), ended: false };
}

const PAGES: Readonly<Record<Name, Page>> = {
  start: {
    lines: ["Welcome to IXO USSD", "1. Know More", "2. Account Menu"],
    keys: new Map([
      ["1", "information"],
      ["2", "account"],
    ]),
  },
  information: {
    lines: ["Information Center", "1. About this service", "2. Pricing", "3. Delivery"],
    keys: new Map([
      ["1", "about"],
      ["2", "pricing"],
      ["3", "delivery"],
    ]),
  },
  about: page("information", "About this service", "A demo of the IXO USSD menus."),
  pricing: page("information", "Pricing", "This demo sells nothing: it is free."),
  delivery: page("information", "Delivery", "This demo delivers nothing."),
  account: page(
    "start",
    "Account Menu",
    "You would sign in or open",
    "an account here. This demo",
    "keeps no accounts.",
  ),
};

function page(back: Name, ...lines: readonly string[]): Page {
  return { lines: [...lines, "0. Back"], keys: new Map([["0", back]]) };
}
