/**
 * The process of test/pin-canary.test.ts: an app that sets, verifies and mistreats PINs, on a store
 * named by its arguments, and prints whatever it is told. Speaks two protocols over the same state.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AppStore,
  memoryAppStore,
  memoryPinStore,
  newPin,
  ok,
  parsePinKeys,
  pinCheck,
  type PinStore,
  pinVault,
  samePin,
  serveApp,
  stop,
  ussd,
} from "../../src/app/index.ts";
import { postgresAppStore, postgresPinStore } from "../../src/app-stores/postgres.ts";
import { redisAppStore, redisPinStore } from "../../src/app-stores/redis.ts";
import { sqliteAppStore, sqlitePinStore } from "../../src/app-stores/sqlite.ts";

const [kind = "", folder = "", url = ""] = process.argv.slice(2);
const CHEAP = { n: 16, r: 1, p: 1 };

const open: Readonly<Record<string, () => Promise<readonly [AppStore, PinStore]>>> = {
  memory: async () => [memoryAppStore(), memoryPinStore()],
  sqlite: async () => {
    const options = { file: join(folder, "app.db"), synchronous: "normal" } as const;
    return [sqliteAppStore(options), sqlitePinStore(options)];
  },
  redis: async () => [await redisAppStore({ url }), await redisPinStore({ url })],
  postgres: async () => [await postgresAppStore({ url }), await postgresPinStore({ url })],
};
const [sessions, kept] = await open[kind]!();

/** Of memory there is no dump: what any store is given is written down for it. */
function noted(text: string): void {
  if (kind === "memory") appendFileSync(join(folder, "memory.txt"), `${text}\n`);
}
const store: AppStore = {
  ...sessions,
  settle(lease, settlement) {
    noted(`${lease.key} ${settlement.state}`);
    return sessions.settle(lease, settlement);
  },
};
const pinStore: PinStore = {
  ...kept,
  replace(key, before, after) {
    noted(`${key} ${after}`);
    return kept.replace(key, before, after);
  },
};

const pins = pinVault({
  app: "canary",
  keys: parsePinKeys(process.env["PIN_ENCRYPTION_KEY"]),
  store: pinStore,
  ...{ format: /^\d{14}$/, cost: CHEAP, waitingMax: 1_000 },
});

const u = ussd<{ main: object; set: object; pay: object; broken: object }>();
const set = u
  .flow()
  .secret("pin", "Choose a PIN:", newPin(pins))
  .secret("again", "Once more:", samePin(pins))
  .run(async (_v, _ctx, _key, { msisdn }) =>
    (await pins.commit(msisdn)) ? "Your PIN is set" : "It is not",
  );
const pay = u
  .flow()
  .ask("account", "Enter account:", (typed) => ok(typed))
  .secret("pin", "Enter PIN:", pinCheck(pins), { attempts: 5 })
  .confirm((v) => `Pay ${v.account}?`)
  .run((v) => `Paid ${v.account}`);
/** What somebody else's library does: the error says what was typed, and so does its cause. */
const broken = u
  .flow()
  .secret("pin", "Enter PIN:", (pin) => {
    throw new Error(`cannot verify ${pin}`, { cause: { pin } });
  })
  .run(() => stop("never").text);
const main = u.menu({
  title: "Canary",
  items: [
    { label: "Set PIN", to: "set" },
    { label: "Pay", to: "pay" },
    { label: "Broken", to: "broken" },
  ],
});
const screens = { main, set, pay, broken };
const app = u.app({ name: "canary", start: "main", screens });

const options = {
  store,
  secret: "a secret of thirty-two characters",
  onEvent: (event: unknown) => console.log(JSON.stringify(event, withErrors)),
  log: (message: string, fields?: object) =>
    console.error(message, fields, JSON.stringify(fields, withErrors)),
};
function withErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? { ...value, stack: value.stack, cause: value.cause } : value;
}

process.on("message", (message) => {
  if (message === "crash") setImmediate(() => crash());
});
function crash(): never {
  throw new Error("crashed while PINs were being verified");
}

const served = await Promise.all(
  ["africastalking", "ola"].map((protocol) => serveApp(app, { ...options, protocol })),
);
process.send?.(served.map((one) => one.url));
