/** Each fault that lint knows, planted in an app of its own; and apps without one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { catalog, type Nav, ok, ussd } from "../app/index.ts";
import { type FindingId, lint, mistakeOf } from "./lint.ts";
import { type AnyApp, planOf } from "./plan.ts";

type Routes = { main: object; next: object; pay: object };
const u = ussd<Routes>();
const anything = (raw: string) => ok(raw);
const text = (body: string) => u.text({ body });
const pay = u
  .flow()
  .ask("to", "To?", anything)
  .confirm("Sure?")
  .run(() => "Done");
const main = u.menu({
  title: "Main",
  items: [
    { label: "Next", to: "next" },
    { label: "Pay", to: "pay" },
  ],
});
const screens = { main, next: text("Next"), pay };
type Change = Partial<Parameters<typeof u.app>[0]>;
const appOf = (change: Change = {}) =>
  u.app({ name: "planted", start: "main", screens, ...change }) as unknown as AnyApp;
const find = (app: AnyApp, octetsMax = 160) =>
  lint(planOf(app), { octetsMax, locales: [] }).map(({ id, place }) => `${id} ${place}`);
/** As code that no compiler saw. */
const untyped = <T>(value: unknown): T => value as T;

const PLANTED: readonly (readonly [id: FindingId, place: string, make: () => AnyApp])[] = [
  [
    "unreachable",
    "next",
    () =>
      appOf({
        screens: { ...screens, main: u.menu({ title: "M", items: [{ label: "P", to: "pay" }] }) },
      }),
  ],
  [
    "dead-end",
    "next",
    () =>
      appOf({
        screens: { ...screens, next: u.text({ body: "Stop", keys: { back: false, home: false } }) },
      }),
  ],
  [
    "no-way-back",
    "next",
    () =>
      appOf({
        screens: {
          ...screens,
          next: u.menu({
            title: "On",
            items: [{ label: "Pay", to: "pay" }],
            keys: { back: false, home: false },
          }),
        },
      }),
  ],
  [
    "unknown-target",
    "next",
    () =>
      appOf({
        screens: {
          ...screens,
          next: u.menu({ title: "N", items: [{ label: "X", to: untyped("nope") }] }),
        },
      }),
  ],
  [
    "dynamic-target",
    "next",
    () => {
      const elsewhere: string = "main";
      const to = ({ go }: Nav<Routes>) => go(elsewhere as "main");
      return appOf({
        screens: { ...screens, next: u.menu({ title: "N", items: [{ label: "X", to }] }) },
      });
    },
  ],
  [
    "missing-id",
    "next",
    () =>
      appOf({
        screens: {
          ...screens,
          next: u.menu({ title: "N", items: [{ label: () => "X", to: ({ end }) => end("x") }] }),
        },
      }),
  ],
  [
    "secret-last",
    "pay.pin",
    () =>
      appOf({
        screens: {
          ...screens,
          pay: u
            .flow()
            .confirm("Sure?")
            .secret("pin", "PIN?", () => ok(true))
            .run(() => "Done"),
        },
      }),
  ],
  [
    "no-confirm",
    "pay",
    () =>
      appOf({
        screens: {
          ...screens,
          pay: u
            .flow()
            .ask("to", "To?", anything)
            .run(() => ""),
        },
      }),
  ],
  ["too-long", "next", () => appOf({ screens: { ...screens, next: text("x".repeat(180)) } })],
  ["ucs2", "next", () => appOf({ screens: { ...screens, next: text("Transferência") } })],
  [
    "too-many-options",
    "next",
    () =>
      appOf({
        screens: {
          ...screens,
          next: u.menu({
            title: "N",
            items: Array.from({ length: 9 }, (_, n) => ({
              id: `i${n}`,
              label: `Row ${n}`,
              to: "main" as const,
            })),
          }),
        },
      }),
  ],
  [
    "untranslated",
    "main",
    () => {
      const t = catalog({ en: { next: "Next" }, pt: { next: "Seguinte" } });
      return appOf({ screens: { ...screens, next: u.text({ body: t.next() }) } });
    },
  ],
  [
    "zero-shadowed",
    "next",
    () => appOf({ screens: { ...screens, next: text("Pay?\n0. Cancel") } }),
  ],
  [
    "shortcut-secret",
    "pay",
    () =>
      appOf({
        codes: { "*365*1#": "pay" },
        screens: {
          ...screens,
          pay: u
            .flow()
            .secret("pin", "PIN?", () => ok(true))
            .confirm("Sure?")
            .run(() => ""),
        },
      }),
  ],
];

describe("a planted fault is found", () => {
  for (const [id, place, make] of PLANTED) {
    test(`${id} at ${place}`, () => {
      assert.ok(find(make()).includes(`${id} ${place}`), find(make()).join("\n") || "nothing");
    });
  }
});

const MISTAKES: readonly (readonly [id: FindingId, make: () => unknown])[] = [
  [
    "duplicate-key",
    () =>
      appOf({
        screens: {
          ...screens,
          pay: untyped(
            u
              .flow()
              .ask("a", "?", anything)
              .ask(untyped<never>("a"), "?", anything)
              .run(() => ""),
          ),
        },
      }),
  ],
  [
    "duplicate-key",
    () =>
      u.menu({
        title: "",
        items: [
          { label: "A", to: "pay" },
          { label: "B", to: "pay" },
        ],
      }),
  ],
  ["reserved-name", () => appOf({ screens: untyped({ ...screens, constructor: main }) })],
  [
    "reserved-name",
    () =>
      appOf({
        screens: {
          ...screens,
          pay: untyped(
            u
              .flow()
              .ask(untyped<never>("$a"), "?", anything)
              .run(() => ""),
          ),
        },
      }),
  ],
  ["empty-flow", () => appOf({ screens: { ...screens, pay: u.flow().run(() => "") } })],
  ["unknown-target", () => appOf({ start: untyped("nope") })],
  ["unknown-target", () => appOf({ codes: { "*365*1#": untyped("nope") } })],
  ["bad-keys", () => appOf({ keys: { back: "0", exit: "0" } })],
];
describe("a mistake that no app is made of", () => {
  for (const [index, [id, make]] of MISTAKES.entries()) {
    test(`${id}, ${index + 1}`, () => {
      assert.throws(make, (error) => mistakeOf(error)?.id === id);
    });
  }
});

describe("nothing is found", () => {
  test("in an app without faults", () => assert.deepEqual(find(appOf()), []));
  test("in what is meant: a log-in that confirms nothing, a target that is declared", () => {
    const to = ({ go }: Nav<Routes>) => go(String("main") as "main");
    const app = appOf({
      screens: {
        ...screens,
        next: u.menu({ title: "N", items: [{ label: "X", to, targets: ["main"] }] }),
        pay: u
          .flow()
          .ask("to", "To?", anything)
          .run(() => "", { unconfirmed: true }),
      },
    });
    assert.deepEqual(find(app), []);
  });
  test("too long on a screen that is large enough", () => {
    const app = appOf({ screens: { ...screens, next: text("x".repeat(180)) } });
    assert.deepEqual(find(app, 200), []);
  });
});
