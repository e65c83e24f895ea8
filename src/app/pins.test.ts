/** The PIN vault: what it says, what it keeps, and what somebody with the database can do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { phone } from "../testing/phone.ts";
import { measureScreen } from "../core/screen.ts";
import {
  memoryPinStore,
  newPin,
  ok,
  parsePinKeys,
  pinCheck,
  pinVault,
  samePin,
  ussd,
} from "./index.ts";
import type { PinStore, PinVaultOptions } from "./index.ts";
import { testPinStore } from "./pin-store-conformance.ts";

testPinStore("memory PIN store", async () => ({ store: memoryPinStore() }));

const OLD = "11".repeat(32);
const NEW = "22".repeat(32);
const CHEAP = { n: 16, r: 1, p: 1 };
const ANA = "258823456789";
const RUI = "258843456789";
const MINUTE_MS = 60_000;

function open(options: Partial<PinVaultOptions> = {}) {
  const store = options.store ?? memoryPinStore();
  const clock = { nowMs: 1_750_000_000_000 };
  const nowMs = () => clock.nowMs;
  const keys = parsePinKeys(OLD);
  const pins = pinVault({ app: "bank", keys, store, cost: CHEAP, nowMs, ...options });
  return { store, clock, pins };
}

test("a PIN is set once, and is then right or wrong", async () => {
  const { pins } = open();
  assert.deepEqual(await pins.verify(ANA, "8305"), { type: "unset" });
  assert.deepEqual(await pins.set(ANA, "8305"), { type: "set" });
  assert.deepEqual(await pins.set(ANA, "9999"), { type: "weak" });
  assert.deepEqual(await pins.set(ANA, "7391"), { type: "exists" });
  assert.deepEqual(await pins.verify(ANA, "8305"), { type: "right" });
  assert.deepEqual(await pins.verify(ANA, "7391"), { type: "wrong", left: 2, untilMs: undefined });
  assert.deepEqual(await pins.verify(RUI, "8305"), { type: "unset" });
});

test("what is no PIN, or everybody's PIN, is not set", async () => {
  const { pins } = open();
  for (const pin of ["", "12", "123456789", "12a4", "8305\n", "٨٣٠٥"]) {
    assert.deepEqual(await pins.set(ANA, pin), { type: "malformed" }, pin);
  }
  for (const pin of ["0000", "1234", "98765", "77777"]) {
    assert.deepEqual(await pins.set(ANA, pin), { type: "weak" }, pin);
  }
  const { pins: lenient } = open({ allowWeak: true, format: /^\d{5}$/ });
  assert.deepEqual(await lenient.set(ANA, "1234"), { type: "malformed" });
  assert.deepEqual(await lenient.set(ANA, "12345"), { type: "set" });
});

test("three wrong ones in a row lock, each lock twice as long as the one before", async () => {
  const { pins, clock } = open();
  await pins.set(ANA, "8305");
  for (const minutes of [15, 30, 60]) {
    const untilMs = clock.nowMs + minutes * MINUTE_MS;
    assert.deepEqual(await pins.verify(ANA, "0001"), {
      type: "wrong",
      left: 2,
      untilMs: undefined,
    });
    assert.deepEqual(await pins.verify(ANA, "0002"), {
      type: "wrong",
      left: 1,
      untilMs: undefined,
    });
    assert.deepEqual(await pins.verify(ANA, "0003"), { type: "wrong", left: 0, untilMs });
    assert.deepEqual(await pins.verify(ANA, "8305"), { type: "locked", untilMs });
    clock.nowMs = untilMs - 1;
    assert.deepEqual(await pins.verify(ANA, "8305"), { type: "locked", untilMs });
    clock.nowMs = untilMs;
  }
  assert.deepEqual(await pins.verify(ANA, "8305"), { type: "right" });
  // A right one starts from the beginning.
  for (const pin of ["0001", "0002", "0003"]) await pins.verify(ANA, pin);
  const again = { type: "locked", untilMs: clock.nowMs + 15 * MINUTE_MS };
  assert.deepEqual(await pins.verify(ANA, "8305"), again);
});

test("no lock is longer than the longest", async () => {
  const { pins, clock } = open({ attemptsMax: 1, lockMs: MINUTE_MS, lockMsMax: 90_000 });
  await pins.set(ANA, "8305");
  for (const expectedMs of [60_000, 90_000, 90_000]) {
    const verdict = await pins.verify(ANA, "0001");
    assert.deepEqual(verdict, { type: "wrong", left: 0, untilMs: clock.nowMs + expectedMs });
    clock.nowMs += expectedMs;
  }
});

test("the last attempt may be the right one", async () => {
  const { pins } = open();
  await pins.set(ANA, "8305");
  for (const pin of ["0001", "0002", "8305", "0003", "0004", "8305"]) {
    const { type } = await pins.verify(ANA, pin);
    assert.equal(type, pin === "8305" ? "right" : "wrong");
  }
});

test("an attempt is counted before it is looked at: dying in between wins nothing", async () => {
  const store = memoryPinStore();
  const { pins } = open({ store });
  await pins.set(ANA, "8305");
  const dies: PinStore = { ...store, replace: async (...row) => die(await store.replace(...row)) };
  const { pins: dying } = open({ store: dies });
  for (let nth = 0; nth < 3; nth += 1) {
    await assert.rejects(dying.verify(ANA, `000${nth}`), /killed/);
  }
  assert.equal((await pins.verify(ANA, "8305")).type, "locked");
});
function die(_written: boolean): never {
  throw new Error("killed");
}

test("a right answer forgets its own attempts, not those of others at the same time", async () => {
  const store = memoryPinStore();
  const { pins } = open({ store });
  await pins.set(ANA, "8305");
  let others = 1;
  const busy: PinStore = {
    ...store,
    async replace(key, before, after) {
      const isDone = await store.replace(key, before, after);
      if (others-- > 0) await pins.verify(ANA, "0001"); // between counting and looking
      return isDone;
    },
  };
  assert.deepEqual(await open({ store: busy }).pins.verify(ANA, "8305"), { type: "right" });
  assert.deepEqual(await pins.verify(ANA, "0002"), { type: "wrong", left: 1, untilMs: undefined });
});

test("a PIN is changed by who knows the old one", async () => {
  const { pins } = open();
  await pins.set(ANA, "8305");
  assert.deepEqual(await pins.change(ANA, "0001", "7391"), {
    ...{ type: "wrong", left: 2, untilMs: undefined },
  });
  assert.deepEqual(await pins.change(ANA, "8305", "4444"), { type: "weak" });
  assert.deepEqual(await pins.change(ANA, "8305", "7391"), { type: "changed" });
  assert.equal((await pins.verify(ANA, "8305")).type, "wrong");
  assert.equal((await pins.verify(ANA, "7391")).type, "right");
  assert.deepEqual(await pins.change(RUI, "8305", "7391"), { type: "unset" });
});

test("of two changes at once one is made, and the other sees the new PIN", async () => {
  const { pins } = open();
  await pins.set(ANA, "8305");
  const both = await Promise.all([
    pins.change(ANA, "8305", "7391"),
    pins.change(ANA, "8305", "6128"),
  ]);
  const types = both.map(({ type }) => type);
  assert.deepEqual(types.toSorted(), ["changed", "wrong"]);
  const pin = types[0] === "changed" ? "7391" : "6128";
  assert.equal((await pins.verify(ANA, pin)).type, "right");
});

test("an operator unlocks, and removes so that a new one can be set", async () => {
  const { pins } = open();
  assert.equal(await pins.unlock(ANA), false);
  await pins.set(ANA, "8305");
  for (const pin of ["0001", "0002", "0003"]) await pins.verify(ANA, pin);
  assert.equal(await pins.unlock(ANA), true);
  assert.equal((await pins.verify(ANA, "8305")).type, "right");
  assert.equal(await pins.remove(ANA), true);
  assert.equal(await pins.remove(ANA), false);
  assert.deepEqual(await pins.set(ANA, "7391"), { type: "set" });
});

test("equal PINs never look alike, and the store says nothing of them", async () => {
  const store = memoryPinStore();
  const { pins } = open({ store });
  const seen = new Set<string>();
  for (let nth = 0; nth < 200; nth += 1) {
    await pins.set(`25882${nth}`, "83057391");
    const row = JSON.parse((await store.load(`bank\n25882${nth}`))!) as { sealed: string };
    const [, envelope = ""] = row.sealed.split(".");
    for (let at = 0; at + 16 <= envelope.length; at += 1) {
      const part = envelope.slice(at, at + 16);
      assert.ok(!seen.has(part), "two ciphertexts have a part in common");
      seen.add(part);
    }
  }
  assert.ok(!store.dump().includes("83057391"));
});

test("a PIN moved to another subscriber or app, or changed, does not open", async () => {
  const store = memoryPinStore();
  const { pins } = open({ store });
  await pins.set(ANA, "8305");
  const row = (await store.load(`bank\n${ANA}`))!;
  await store.replace(`bank\n${RUI}`, undefined, row);
  await store.replace(`shop\n${ANA}`, undefined, row);
  await assert.rejects(pins.verify(RUI, "8305"), /belongs to another subscriber or app/);
  await assert.rejects(open({ store, app: "shop" }).pins.verify(ANA, "8305"), /another/);
  const { sealed, ...rest } = JSON.parse(row) as { sealed: string };
  for (const at of [10, 40, sealed.length - 2]) {
    const flipped = sealed[at] === "A" ? "B" : "A";
    const changed = sealed.slice(0, at) + flipped + sealed.slice(at + 1);
    const held = (await store.load(`bank\n${ANA}`))!;
    await store.replace(`bank\n${ANA}`, held, JSON.stringify({ ...rest, sealed: changed }));
    await assert.rejects(pins.verify(ANA, "8305"), /was changed/);
  }
});

test("a new key in front seals each PIN anew when it is next right; the old one can go then", async () => {
  const store = memoryPinStore();
  await open({ store }).pins.set(ANA, "8305");
  await open({ store }).pins.set(RUI, "8305");
  const { pins: both } = open({ store, keys: parsePinKeys(`${NEW},${OLD}`) });
  assert.equal((await both.verify(ANA, "0001")).type, "wrong");
  assert.equal((await both.verify(ANA, "8305")).type, "right");
  const { pins: later } = open({ store, keys: parsePinKeys(NEW) });
  assert.equal((await later.verify(ANA, "8305")).type, "right");
  await assert.rejects(later.verify(RUI, "8305"), /sealed with key \S+, which is not configured/);
});

test("a PIN is hashed anew when the cost went up", async () => {
  const store = memoryPinStore();
  await open({ store }).pins.set(ANA, "8305");
  const before = await store.load(`bank\n${ANA}`);
  const { pins } = open({ store, cost: { n: 32, r: 2, p: 3 } });
  assert.equal((await pins.verify(ANA, "8305")).type, "right");
  const after = await store.load(`bank\n${ANA}`);
  assert.notEqual(after, before);
  assert.equal((await pins.verify(ANA, "8305")).type, "right");
  assert.equal(await store.load(`bank\n${ANA}`), after, "once is enough");
});

test("keys come as text, and a bad one is refused without being said", () => {
  const base64 = Buffer.alloc(32, 7).toString("base64");
  assert.equal(parsePinKeys(` ${base64} , ${OLD}`).length, 2);
  const bad = [undefined, "", "secret", `${base64},`, `${OLD}${OLD}`, "A".repeat(42)];
  for (const text of bad) {
    assert.throws(
      () => parsePinKeys(text),
      ({ message }: Error) => {
        const isSaid = text !== undefined && text !== "" && message.includes(text);
        return message.startsWith("PIN_ENCRYPTION_KEY is 1 to 16 keys") && !isSaid;
      },
    );
  }
  assert.throws(() => parsePinKeys(`${OLD},${OLD}`), /the same key twice/);
});

test("a slip in the options is refused, before it locks everybody out", () => {
  for (const wrong of [
    { attemptsMax: 0 },
    { attemptsMax: 2.5 },
    { slots: 0 },
    { waitingMax: -1 },
    { lockMs: Number.NaN },
  ]) {
    assert.throws(() => open(wrong), new RegExp(`^Error: ${Object.keys(wrong)[0]} of a PIN vault`));
  }
  const costs = [
    { n: 1_000, r: 8, p: 1 },
    { n: 1, r: 8, p: 1 },
    { n: 16, r: 0, p: 1 },
    { n: 16, r: 1, p: 1.5 },
    { n: 2 ** 20, r: 8, p: 1 },
  ];
  for (const cost of costs) assert.throws(() => open({ cost }), /^Error: the cost of a PIN/);
  assert.throws(() => open({ keys: [] }), /needs a key/);
});

test("nobody has the PIN of nobody: a turn without a number is an error", async () => {
  const { pins } = open();
  await assert.rejects(pins.set("", "8305"), /belongs to a subscriber/);
  await assert.rejects(pins.verify("", "8305"), /belongs to a subscriber/);
});

test("when all slots and places to wait are taken, it says so and counts nothing", async () => {
  const { pins } = open({ slots: 1, waitingMax: 2 });
  await pins.set(ANA, "8305");
  const guesses = Array.from({ length: 10 }, () => pins.verify(ANA, "8305"));
  const types = (await Promise.all(guesses)).map(({ type }) => type);
  assert.deepEqual(types, [...Array(3).fill("right"), ...Array(7).fill("busy")]);
  assert.deepEqual(await pins.verify(ANA, "0001"), { type: "wrong", left: 2, untilMs: undefined });
});

test("hashing at the default cost leaves the event loop to the turns", async () => {
  const { pins } = open({ cost: { n: 2 ** 14, r: 8, p: 5 } });
  await pins.set(ANA, "8305");
  const before = performance.eventLoopUtilization();
  const guesses = Array.from({ length: 6 }, () => pins.verify(ANA, "8305"));
  await Promise.all(guesses);
  const { utilization } = performance.eventLoopUtilization(before);
  assert.ok(utilization < 0.5, `the event loop was busy for ${utilization} of the time`);
});

test("a PIN is chosen by typing it twice, and is the subscriber's when it is committed", async () => {
  const { pins, clock } = open();
  assert.deepEqual(await pins.repeat(ANA, "8305"), { type: "none" });
  assert.deepEqual(await pins.propose(ANA, "1111"), { type: "weak" });
  assert.deepEqual(await pins.propose(ANA, "8305"), { type: "proposed" });
  assert.equal(await pins.commit(ANA), false, "typed once");
  assert.deepEqual(await pins.verify(ANA, "8305"), { type: "unset" });
  assert.deepEqual(await pins.repeat(ANA, "8306"), { type: "different" });
  assert.deepEqual(await pins.repeat(RUI, "8305"), { type: "none" });
  assert.deepEqual(await pins.repeat(ANA, "8305"), { type: "same" });
  assert.equal(await pins.commit(ANA), true);
  assert.equal(await pins.commit(ANA), false, "once");
  assert.deepEqual(await pins.verify(ANA, "8305"), { type: "right" });

  assert.deepEqual(await pins.propose(ANA, "7391"), { type: "exists" });
  assert.deepEqual(await pins.propose(ANA, "7391", { replace: true }), { type: "proposed" });
  await pins.repeat(ANA, "7391");
  await pins.propose(ANA, "6128", { replace: true });
  assert.equal(await pins.commit(ANA), false, "another one was proposed");
  await pins.repeat(ANA, "6128");
  clock.nowMs += 10 * MINUTE_MS;
  assert.equal(await pins.commit(ANA), false, "too late");
  assert.deepEqual(await pins.repeat(ANA, "6128"), { type: "none" });
  assert.deepEqual(await pins.verify(ANA, "8305"), { type: "right" });
});

test("a flow changes a PIN: the old one, the new one, and the new one again", async () => {
  const { pins, clock } = open();
  const u = ussd<{ main: object }>();
  const main = u
    .flow()
    .secret("old", "Current PIN:", pinCheck(pins))
    .secret("new", "New PIN:", newPin(pins, { replace: true }))
    .secret("again", "New PIN again:", samePin(pins))
    .run(async (_v, _ctx, _key, { msisdn }) => ((await pins.commit(msisdn)) ? "Changed" : "Not"));
  const app = u.app({ name: "bank", start: "main", screens: { main } });
  await pins.set(ANA, "83057391");
  const p = phone(app, { msisdn: ANA, companion: false });
  clock.nowMs = p.clock.nowMs();
  (await p.dial()).expectText(/^Current PIN:/);
  (await p.send("83057391")).expectText(/^New PIN:/);
  (await p.send("12345678")).expectText(/^Too easy to guess/);
  (await p.send("61284759")).expectText(/^New PIN again:/);
  (await p.send("61284750")).expectText(/^The two PINs differ/);
  (await p.send("61284759")).expectEnd("Changed");
  assert.deepEqual(await pins.verify(ANA, "61284759"), { type: "right" });
  assert.equal((await pins.verify(ANA, "83057391")).type, "wrong");
});

const pay = (pins: ReturnType<typeof open>["pins"]) => {
  const u = ussd<{ main: object }>();
  const main = u
    .flow()
    .ask("amount", "Amount:", (raw) => ok(raw))
    .secret("pin", "Enter PIN:", pinCheck(pins))
    .run((v) => `Paid ${v.amount}`);
  return u.app({ name: "bank", start: "main", screens: { main } });
};

test("pinCheck in a flow: asks again while attempts are left, then the session ends", async () => {
  const { pins, clock } = open();
  await pins.set(ANA, "83057391");
  const options = { msisdn: ANA, companion: false } as const;
  const p = await phone(pay(pins), options).dial();
  clock.nowMs = p.clock.nowMs();
  (await p.send("50", "00000001")).expectText(/^Incorrect PIN\. 2 attempts left\.\nEnter PIN:/);
  (await p.send("00000002")).expectText(/^Incorrect PIN\. 1 attempt left\.\nEnter PIN:/);
  (await p.send("00000003")).expectEnd(/^PIN locked\. Try again in 15 min\./);
  // Another dial does not reset it.
  await p.dial();
  (await p.send("50", "83057391")).expectEnd(/^PIN locked/);
  await pins.unlock(ANA);
  await p.dial();
  (await p.send("50", "83057391")).expectEnd("Paid 50");
});

test("its texts are GSM-7, and their own, in every language that comes with it", async () => {
  const said = new Map<string, readonly string[]>();
  for (const locale of ["en", "fr", "pt", "sw"]) {
    const { pins, clock } = open();
    const options = { msisdn: ANA, companion: false, locale } as const;
    const p = await phone(pay(pins), options).dial();
    clock.nowMs = p.clock.nowMs();
    const texts: string[] = [];
    texts.push((await p.send("50", "83057391")).screen);
    await pins.set(ANA, "83057391");
    await p.dial();
    texts.push((await p.send("50", "00000001")).screen, (await p.send("00000002")).screen);
    texts.push((await p.send("00000003")).screen);
    const choosing = await phone(choose(pins), options).dial();
    for (const pin of ["12", "11111111", "61284759"]) texts.push((await choosing.send(pin)).screen);
    await pins.remove(ANA);
    await choosing.dial();
    texts.push((await choosing.send("61284759", "61284750")).screen);
    clock.nowMs += 10 * MINUTE_MS;
    texts.push((await choosing.send("61284759")).screen);
    for (const text of texts) assert.equal(measureScreen(text).alphabet, "gsm7", text);
    assert.equal(new Set(texts).size, 9);
    said.set(locale, texts);
  }
  for (let nth = 0; nth < 9; nth += 1) {
    assert.equal(new Set([...said.values()].map((texts) => texts[nth])).size, 4);
  }
});

const choose = (pins: ReturnType<typeof open>["pins"]) => {
  const u = ussd<{ main: object }>();
  const main = u
    .flow()
    .secret("pin", "Choose a PIN:", newPin(pins))
    .secret("again", "Again:", samePin(pins))
    .run(() => "Set");
  return u.app({ name: "bank", start: "main", screens: { main } });
};
