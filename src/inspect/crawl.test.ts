import assert from "node:assert/strict";
import { test } from "node:test";
import { bad, ok, ussd } from "../app/index.ts";
import { crawl } from "./crawl.ts";
import { graph } from "./graph.ts";
import { type AnyApp, planOf } from "./plan.ts";

const u = ussd<{ main: object; pay: object; broken: object; hidden: object }>();
let effects = 0;
const app = u.app({
  name: "walked",
  start: "main",
  codes: { "*365*9#": "pay" },
  screens: {
    main: u.menu({
      title: "Main",
      items: [
        { label: "Pay", to: "pay" },
        { label: "Broken", to: "broken" },
        { id: "bye", label: "Bye", to: ({ end }) => end("Bye") },
      ],
    }),
    pay: u
      .flow()
      .ask(
        "meter",
        "Meter number:",
        (raw) => (raw === "11112222333" ? ok(raw) : bad("11 digits")),
        {
          examples: ["11112222333"],
        },
      )
      .secret("pin", "PIN:", (pin) => (pin === "4321" ? ok(true) : bad("no")), {
        examples: ["4321"],
      })
      .confirm((v) => `Pay for ${v.meter}, a question that is by far the longest of all?`)
      .run(() => ((effects += 1), "Paid")),
    broken: u.text({
      body: () => {
        throw new Error("4321 must not be said");
      },
    }),
    hidden: u.text({ body: "Nobody comes here" }),
  },
}) as unknown as AnyApp;
const options = { locales: ["en", "pt"], octetsMax: 160, turnsMax: 4_000, msisdn: "258841234567" };

test("every place is walked to in every language, and nothing happens there", async () => {
  const { walked, neverReached, threw, isCut } = await crawl(app, options);
  const places = new Set(walked.map(({ place }) => place));
  for (const place of ["main", "pay.meter", "pay.pin", "pay.$confirm", "pay.$confirm (end)"])
    assert.ok(places.has(place), `${place} of ${[...places].join(", ")}`);
  assert.match(walked[0]?.screen ?? "", /by far the longest/);
  assert.deepEqual([...new Set(walked.map(({ locale }) => locale))].sort(), ["en", "pt"]);
  assert.deepEqual(neverReached.toSorted(), ["broken", "hidden"]);
  assert.deepEqual(
    threw.map(({ place }) => place),
    ["main"],
  );
  assert.equal(isCut, false);
  assert.equal(effects, 0);
});

test("it ends where it is told to", async () => {
  const { turns, isCut } = await crawl(app, { ...options, turnsMax: 20 });
  assert.ok(turns < 40 && isCut);
});

test("the graph has screens, the flow as a box, codes, and dashes where a handler decides", () => {
  const drawn = graph(planOf(app));
  for (const line of [
    'dial(("walked")) --> s0',
    'dial -->|"*365*9#"| s1',
    's0 -->|"Pay"| s1',
    "s0 -.-> end_",
    'subgraph s1 ["pay"]',
    's1_1[/"pin (secret)"/]',
    "s1 --> end_",
  ])
    assert.ok(drawn.includes(line), `${line}\nis not in\n${drawn}`);
});
