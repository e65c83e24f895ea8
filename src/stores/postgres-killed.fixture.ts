/** The node that postgres.test.ts kills or stops: one turn, settled, then it says so and waits. */
import { once } from "node:events";
import { askOf, sessionOf, settlementOf } from "./conformance.ts";
import { postgresStore } from "./postgres.ts";
import { createDigest, createSealer } from "./seal.ts";

const [url] = (await once(process, "message")) as [string];
const store = await postgresStore({
  url,
  sealer: createSealer([Buffer.alloc(32, 1)]),
  digest: createDigest(Buffer.alloc(32, 2)),
  connectionsMax: 2,
  report: () => undefined,
});
const nowMs = Date.now();
const held = await store.sessions.open(askOf({ nowMs }));
if (held.type !== "leased") throw new Error("the key is new");
const session = sessionOf({ id: held.lease.freshId });
const isStopping = process.argv[2] === "stop";
process.send?.(held.lease.key);
if (isStopping) await once(process, "message");
await store.sessions.settle(held.lease, settlementOf({ session, nowMs }));
if (isStopping) process.kill(process.pid, "SIGSTOP");
process.send?.(nowMs);
await once(process, "message");
await store.close();
process.disconnect();
