/** Contracts, their delivery and payments: VoicePact webhook docs, text for text where they print one. */
import { instead, ussd } from "dialyard/app";
import type { Contract, Contracts } from "./contracts.ts";

export type Context = { readonly contracts: Contracts };
type Id = { readonly id: string };

const u = ussd<
  {
    main: object;
    contracts: object;
    contract: Id;
    deliveries: object;
    delivery: Id;
    partial: object;
    payments: object;
    help: object;
  },
  Context
>();

const invalid = instead("Invalid selection. Please try again.");
/** The document shows five: more would not fit a screen. */
const SHOWN_MAX = 5;

const main = u.menu({
  title: "Welcome to VoicePact",
  items: [
    { label: "View My Contracts", to: "contracts" },
    { label: "Confirm Delivery", to: "deliveries" },
    { label: "Check Payments", to: "payments" },
    { label: "Help & Support", to: "help" },
  ],
  zero: ["Exit", ({ end }) => end("Thank you for using VoicePact!")],
  invalid,
});

const contracts = listOf("Your Contracts:", "contract");
const deliveries = listOf("Confirm Delivery:", "delivery");

function listOf(title: string, to: "contract" | "delivery") {
  return u.list<object, Contract>({
    title,
    load: ({ ctx, turn }) => ctx.contracts.list(turn.msisdn).slice(0, SHOWN_MAX),
    id: ({ id }) => id,
    label: ({ id, status }) => `${short(id)} (${status})`,
    to: ({ row, go }) => go(to, { id: row.id }),
    empty: "No active contracts found.",
    zero: ["Back to Main Menu", ({ home }) => home()],
    gap: true,
    invalid,
    targets: [to],
  });
}

// The numbers are the document's: 2 reports an issue, also where there is nothing to confirm.
const contract = u.input<Id, string>({
  prompt({ ctx, params, turn }) {
    const { id, product, currency, total_amount, status } = find(ctx, turn.msisdn, params.id);
    return [
      "Contract Details",
      short(id),
      `Product: ${product}`,
      `Value: ${currency} ${total_amount.toLocaleString("en-US")}`,
      `Status: ${status.charAt(0).toUpperCase()}${status.slice(1)}`,
      ...(status === "active" ? ["1. Confirm Delivery"] : []),
      "2. Report Issue",
      "0. Back",
    ].join("\n");
  },
  back: false,
  examples: ["1", "2", "0"],
  parse(raw, { ctx, params, turn }) {
    const { status } = find(ctx, turn.msisdn, params.id);
    const choices = status === "active" ? ["0", "1", "2"] : ["0", "2"];
    return choices.includes(raw) ? { type: "ok", value: raw } : invalid;
  },
  next({ value, params, go, back, ctx, turn, end }) {
    if (value === "1") return go("delivery", { id: params.id });
    if (value === "2") return end(reportIssue(ctx, turn.msisdn, params.id));
    return back();
  },
});

const delivery = u.menu<Id>({
  title({ ctx, params, turn }) {
    const { id, status } = find(ctx, turn.msisdn, params.id);
    const head = `Confirm Delivery\n${short(id)}`;
    return status === "active" ? head : `${head}\nContract is ${status}.`;
  },
  items: [
    {
      id: "full",
      label: "Full delivery",
      when: isActive,
      to: ({ ctx, turn, params, end }) => end(confirmFull(ctx, turn.msisdn, params.id)),
    },
    { id: "partial", label: "Partial delivery", when: isActive, to: "partial" },
    {
      id: "issue",
      label: "Report issue",
      to: ({ ctx, turn, params, end }) => end(reportIssue(ctx, turn.msisdn, params.id)),
    },
  ],
  zero: ["Main Menu", ({ home }) => home()],
  invalid,
});

const toMain = { zero: ["Main Menu", ({ home }) => home()], invalid } as const satisfies Partial<
  Parameters<typeof u.text>[0]
>;

export const app = u.app({
  name: "voicepact",
  start: "main",
  keys: { home: false },
  texts: { failed: "Service temporarily unavailable. Please try again later." },
  screens: {
    main,
    contracts,
    contract,
    deliveries,
    delivery,
    partial: u.text({
      body: "Partial delivery noted.\nSMS will be sent for details.",
      ...toMain,
    }),
    payments: u.text({
      body({ ctx, turn }) {
        const lines = ctx.contracts.list(turn.msisdn).slice(0, SHOWN_MAX).map(paymentOf);
        return ["Payments:", ...(lines.length === 0 ? ["none yet"] : lines)].join("\n");
      },
      ...toMain,
    }),
    help: u.text({ body: "Help & Support\nThis is a demo: nobody is called.", ...toMain }),
  },
});

function isActive({ ctx, params, turn }: { ctx: Context; params: Id; turn: { msisdn: string } }) {
  return find(ctx, turn.msisdn, params.id).status === "active";
}

function find({ contracts: all }: Context, phone: string, id: string): Contract {
  const found = all.find(phone, id);
  if (found === undefined) throw new Error("a contract is gone");
  return found;
}

function confirmFull({ contracts: all }: Context, phone: string, id: string): string {
  return all.settle(phone, id, "completed")
    ? "Full delivery confirmed!\nBuyer will be notified.\nPayment will be processed."
    : `${short(id)}\nNothing to confirm.`;
}

function reportIssue({ contracts: all }: Context, phone: string, id: string): string {
  all.settle(phone, id, "disputed");
  return "Issue reported.\nContract marked for review.\nSupport will contact you.";
}

const PAID = { active: "held", completed: "released", disputed: "stopped" } as const;
function paymentOf({ id, currency, total_amount, status }: Contract): string {
  return `${short(id)} ${currency} ${total_amount.toLocaleString("en-US")} ${PAID[status]}`;
}

/** As much of an id as the document's screens show. */
function short(id: string): string {
  return `${id.slice(0, 12)}...`;
}
