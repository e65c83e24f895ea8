/** What every store of PINs does, as tests: the store's part, and a vault's on top of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePinKeys } from "./pin-seal.ts";
import type { PinStore } from "./pin-store.ts";
import { pinVault } from "./pins.ts";

export type StartedPinStore = {
  readonly store: PinStore;
  /** The same PINs through another connection, as another process has them; absent for memory. */
  readonly again?: () => Promise<PinStore>;
};
type Case = readonly [title: string, run: (started: StartedPinStore) => Promise<void>];

/**
 * Runs every case of the contract against a store, each on a fresh one.
 * @example
 * testPinStore("memory", async () => ({ store: memoryPinStore() }));
 */
export function testPinStore(name: string, start: () => Promise<StartedPinStore>): void {
  for (const [title, run] of CASES) {
    test(`${name}: ${title}`, async () => {
      const started = await start();
      try {
        await run(started);
      } finally {
        await started.store.close();
      }
    });
  }
}

const KEYS = parsePinKeys("00".repeat(31) + "01");
const CHEAP = { n: 16, r: 1, p: 1 };
const SUBSCRIBER = "258823456789";
const GUESSES = 40;
const ATTEMPTS_MAX = 5;

const CASES: readonly Case[] = [
  [
    "what is there is replaced only by who has read it",
    async ({ store }) => {
      assert.equal(await store.load("a"), undefined);
      assert.equal(await store.replace("a", "something", "x"), false, "there is nothing");
      assert.equal(await store.replace("a", undefined, "one"), true);
      assert.equal(await store.replace("a", undefined, "two"), false, "there is one");
      assert.equal(await store.replace("a", "other", "two"), false);
      assert.equal(await store.replace("a", "one", "two"), true);
      assert.equal(await store.load("a"), "two");
      assert.equal(await store.replace("a", "one", undefined), false);
      assert.equal(await store.replace("a", "two", undefined), true);
      assert.equal(await store.replace("a", undefined, undefined), true, "nothing stays nothing");
      assert.equal(await store.load("a"), undefined);
    },
  ],
  [
    "texts come back to the letter, and keys do not meet",
    async ({ store }) => {
      const text = JSON.stringify({ text: "São '5' €\n\\ 😀", n: 1.5 });
      await store.replace("bank\n1", undefined, text);
      await store.replace("bank\n2", undefined, "");
      assert.equal(await store.load("bank\n1"), text);
      assert.equal(await store.load("bank\n2"), "");
      assert.equal(await store.replace("bank\n2", "", "full"), true, "an empty text is a text");
    },
  ],
  [
    "of fifty who replace the same text at once, one does",
    async ({ store, again }) => {
      const other = (await again?.()) ?? store;
      await store.replace("a", undefined, "before");
      const all = Array.from({ length: 50 }, (_, n) =>
        (n % 2 === 0 ? store : other).replace("a", "before", `after ${n}`),
      );
      const won = (await Promise.all(all)).flatMap((isOne, n) => (isOne ? [`after ${n}`] : []));
      assert.deepEqual(won, [await store.load("a")]);
      if (other !== store) await other.close();
    },
  ],
  [
    `${GUESSES} guesses at once, through two connections, are looked at ${ATTEMPTS_MAX} times`,
    async ({ store, again }) => {
      const other = (await again?.()) ?? store;
      const vaults = [store, other].map((one) =>
        pinVault({
          ...{ app: "bank", keys: KEYS, store: one, cost: CHEAP, waitingMax: GUESSES },
          ...{ attemptsMax: ATTEMPTS_MAX, slots: 8 },
        }),
      );
      await vaults[0]!.set(SUBSCRIBER, "8305");
      const guesses = Array.from({ length: GUESSES }, (_, n) =>
        vaults[n % 2]!.verify(SUBSCRIBER, String(1_000 + n)),
      );
      const verdicts = await Promise.all(guesses);
      const looked = verdicts.filter(({ type }) => type === "wrong");
      assert.equal(looked.length, ATTEMPTS_MAX);
      assert.equal(verdicts.filter(({ type }) => type === "locked").length, GUESSES - ATTEMPTS_MAX);
      assert.equal((await vaults[1]!.verify(SUBSCRIBER, "8305")).type, "locked");
      if (other !== store) await other.close();
    },
  ],
];
