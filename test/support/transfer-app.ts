/**
 * An app in a process of its own, to be killed: a transfer behind a PIN, its sessions in the store
 * that the environment names, its effect a request to a ledger elsewhere.
 */
import { bad, memoryAppStore, ok, serveApp, ussd } from "../../src/app/index.ts";
import { postgresAppStore } from "../../src/app-stores/postgres.ts";
import { redisAppStore } from "../../src/app-stores/redis.ts";
import { sqliteAppStore } from "../../src/app-stores/sqlite.ts";

const env = process.env as Readonly<Record<string, string>>;
const store = await openStore();
const u = ussd<{ main: object; transfer: object }>();
const transfer = u
  .flow()
  .ask("amount", "Amount?", (raw) => (/^\d+$/.test(raw) ? ok(Number(raw)) : bad("Digits")))
  .secret("pin", "Enter PIN:", (pin) => (pin === "7391" ? ok(true) : bad("Incorrect PIN")))
  .confirm((v) => `Send ${v.amount}?`)
  .run(
    async (v, _ctx, effectKey, { msisdn }) => {
      const response = await fetch(env["LEDGER_URL"]!, {
        method: "POST",
        body: JSON.stringify({ effectKey, msisdn, amount: v.amount }),
      });
      return `Sent ${v.amount}. Ref ${await response.text()}`;
    },
    // The ledger de-duplicates on the key, so the effect may be asked for again, unless told not to.
    { idempotent: env["RUN_ONCE"] !== "yes" },
  );
const main = u.menu({ title: "Bank", items: [{ label: "Transfer", to: "transfer" }] });
const app = u.app({ name: "crash", start: "main", screens: { main, transfer } });

const { url } = await serveApp(app, {
  protocol: "ola",
  port: Number(env["PORT"]),
  store,
  // A dead holder's lease lapses a second later.
  deadlineMs: 1_500,
  secret: "a secret of thirty-two characters",
  onEvent: (event) => console.log(JSON.stringify(event)),
});
console.log(`ready ${url}`);

function openStore() {
  const url = env["STORE_URL"] ?? "";
  switch (env["STORE"] ?? "") {
    case "sqlite":
      // A killed process loses nothing that way; the power is not cut here.
      return sqliteAppStore({ file: url, synchronous: "normal" });
    case "redis":
      return redisAppStore({ url });
    case "postgres":
      return postgresAppStore({ url });
    default:
      return memoryAppStore();
  }
}
