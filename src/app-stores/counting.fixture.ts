/** A process that counts in the state of one session, turn by turn, beside others that do the same. */
import { setTimeout as wait } from "node:timers/promises";
import type { AppStore } from "../app/index.ts";
import { postgresAppStore } from "./postgres.ts";
import { redisAppStore } from "./redis.ts";
import { sqliteAppStore } from "./sqlite.ts";

const [kind = "", where = "", turns = "0"] = process.argv.slice(2);
const open: Readonly<Record<string, () => AppStore | Promise<AppStore>>> = {
  sqlite: () => sqliteAppStore({ file: where, synchronous: "normal" }),
  redis: () => redisAppStore({ url: where }),
  postgres: () => postgresAppStore({ url: where }),
};
const store = await open[kind]!();
for (let left = Number(turns); left > 0;) {
  const nowMs = Date.now();
  const held = await store.open({ key: "counter", nowMs, leaseMs: 60_000 });
  if (held.type === "busy") {
    await wait(Math.random() * 3);
    continue;
  }
  await wait(Math.random());
  const state = String(Number(held.state ?? 0) + 1);
  const isMine = await store.settle(held.lease, { state, nowMs, expiresAtMs: nowMs + 600_000 });
  if (!isMine) throw new Error("another process settled this turn");
  left -= 1;
}
await store.close();
