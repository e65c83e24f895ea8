/** The node that redis.test.ts kills or stops: one turn, settled, then it says so and waits. */
import { once } from "node:events";
import { askOf, sessionOf, settlementOf } from "./conformance.ts";
import { redisStore } from "./redis.ts";
import { createDigest, createSealer } from "./seal.ts";
import { sqliteStore } from "./sqlite.ts";

type Place = { readonly url: string; readonly file: string; readonly secret: string };
const [{ url, file, secret }] = (await once(process, "message")) as [Place];
const keys = {
  sealer: createSealer([Buffer.alloc(32, 1)]),
  digest: createDigest(Buffer.alloc(32, secret)),
};
const silent = () => undefined;
const tell = { stalled: silent, resumed: silent, dropped: silent, lost: silent, mayEvict: silent };
const sql = await sqliteStore({ file, ...keys });
const store = await redisStore({ url, sql, ...keys, report: silent, tell });
const held = await store.sessions.open(askOf());
if (held.type !== "leased") throw new Error("the key is new");
const session = sessionOf({ id: held.lease.freshId });
await store.sessions.settle(held.lease, settlementOf({ session }));
process.send?.("settled");
await once(process, "message");
await store.close();
process.disconnect();
