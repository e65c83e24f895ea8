/**
 * The process that sqlite.test.ts kills: turns on the file it is told, as fast as they go.
 * A line goes out for each session whose settle was acknowledged, and for each lease.
 */
import { once } from "node:events";
import { writeSync } from "node:fs";
import { askOf, recordOf, sessionId, sessionOf, settlementOf } from "./conformance.ts";
import { createDigest, createSealer } from "./seal.ts";
import { sqliteStore } from "./sqlite.ts";

const STDOUT = 1;
const [file] = (await once(process, "message")) as [string];
const { sessions } = await sqliteStore({
  file,
  sealer: createSealer([Buffer.alloc(32, 1)]),
  digest: createDigest(Buffer.alloc(32, 2)),
});

for (let n = 1; ; n += 8) {
  await Promise.all(Array.from({ length: 8 }, (_, lane) => takeTurn(n + lane)));
}

async function takeTurn(n: number): Promise<void> {
  const held = await sessions.open(askOf({ key: `key-${n}`, freshId: sessionId(n) }));
  if (held.type !== "leased") throw new Error("the key is new");
  say(`leased ${n}`);
  const session = sessionOf({ id: sessionId(n) });
  const record = recordOf({ screen: `screen ${n}` });
  await sessions.settle(held.lease, settlementOf({ session, record }));
  say(`settled ${n}`);
}

/** The pipe does not block: while it is full the one who kills has not read yet. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(STDOUT, `${line}\n`);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}
