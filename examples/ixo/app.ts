/**
 * The menus of the IXO API reference, text for text where it prints them, and an account menu: open
 * an account with a 5-digit PIN, log in by customer id. PINs are in a vault and nowhere else.
 */
import { bad, ok, type Parsed, pinCheck, type PinVault, stop, ussd } from "dialyard/app";

export type Accounts = {
  /** A number that nobody has yet. */
  readonly newId: () => string;
  readonly open: (id: string, name: string) => void;
  readonly nameOf: (id: string) => string | undefined;
};
export type Context = { readonly accounts: Accounts; readonly pins: PinVault };

const u = ussd<
  {
    main: object;
    information: object;
    about: object;
    pricing: object;
    delivery: object;
    account: object;
    create: object;
    login: object;
  },
  Context
>();

// On the document's screens nothing but the exit stands below the options.
const information = u.menu({
  title: "Information Center",
  items: [
    { label: "About this service", to: "about" },
    { label: "Pricing", to: "pricing" },
    { label: "Delivery", to: "delivery" },
  ],
  keys: { back: false },
});

const account = u.menu({
  title: "Account Menu",
  items: [
    { label: "Create Account", to: "create" },
    { label: "Log In", to: "login" },
  ],
});

const create = u
  .flow()
  .ask(
    "who",
    "Your name:",
    (raw, _v, { accounts }) => {
      const name = raw.trim();
      if (!/^[\p{L}][\p{L} .'-]{1,29}$/u.test(name)) return bad("2 to 30 letters");
      return ok({ id: accounts.newId(), name });
    },
    { examples: ["Ana Banda"] },
  )
  .secret(
    "pin",
    "Choose a 5-digit PIN:",
    (pin, { who }, { pins }) => choosePin(pins, who.id, pin),
    { examples: ["73915"] },
  )
  .secret(
    "again",
    "Enter the PIN again:",
    async (pin, { who }, { pins }) => {
      const { type } = await pins.verify(who.id, pin);
      if (type === "right") return ok(true);
      // Both have to be typed anew: nobody knows which of them was meant.
      await pins.remove(who.id);
      return stop("The PINs differ.\nPlease dial again.");
    },
    { examples: ["73915"] },
  )
  // The PIN typed again is the confirmation; a log-in moves nothing.
  .run(
    ({ who }, { accounts }) => {
      accounts.open(who.id, who.name);
      return `Account created.\nCustomer ID: ${who.id}\nKeep it with you to log in.`;
    },
    { unconfirmed: true },
  );

const login = u
  .flow()
  .ask("who", "Enter customer ID:", (raw, _v, { accounts }) => {
    const id = raw.trim();
    const name = accounts.nameOf(id);
    return name === undefined ? bad("Unknown customer ID") : ok({ id, name });
  })
  // pinCheck would verify the PIN of the number on the phone; here it is the customer's.
  .secret(
    "pin",
    "Enter PIN:",
    (pin, { who }, ctx, turn) => pinCheck(ctx.pins)(pin, {}, ctx, { ...turn, msisdn: who.id }),
    { attempts: 3 },
  )
  .run(({ who }) => `Welcome back, ${who.name}!\nYou are logged in.`, { unconfirmed: true });

export const app = u.app({
  name: "ixo",
  start: "main",
  keys: { home: false, exit: "*" },
  texts: { goodbye: "Thank you for using IXO USSD." },
  screens: {
    main: u.menu({
      title: "Welcome to IXO USSD",
      items: [
        { label: "Know More", to: "information" },
        { label: "Account Menu", to: "account" },
      ],
    }),
    information,
    about: u.text({ body: "About this service\nA demo of the IXO USSD menus." }),
    pricing: u.text({ body: "Pricing\nThis demo sells nothing: it is free." }),
    delivery: u.text({ body: "Delivery\nThis demo delivers nothing." }),
    account,
    create,
    login,
  },
});

/** Sealed before it is confirmed; without its account it opens nothing. */
async function choosePin(pins: PinVault, id: string, pin: string): Promise<Parsed<true>> {
  // Whoever went back and chooses again: the first choice was never an account's.
  await pins.remove(id);
  const { type } = await pins.set(id, pin);
  switch (type) {
    case "set":
      return ok(true);
    case "weak":
      return bad("Too easy to guess");
    case "malformed":
      return bad("5 digits, please");
    case "exists":
    case "busy":
      return bad("Please try again");
  }
}
