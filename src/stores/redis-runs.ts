/**
 * Which processes live, where sessions are on Redis. A process that is killed between settling a
 * turn and writing the answer leaves a network that asks again, and on a wire without message ids
 * the same words may be an answer to the next screen (RELIABILITY F59). Redis does not tell when a
 * client is gone, so each process beats; who meets words said before, in a session that another
 * process settled last, waits for that one's next beat or for its end.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { RedisClient } from "./redis-client.ts";

export type Runs = {
  /** Of this process, written with what it settles. */
  readonly id: string;
  /** Killed, as far as anybody can tell: within half a second where it lives. */
  readonly isGone: (run: string) => Promise<boolean>;
  /** The good-bye: all that was settled has been answered. */
  readonly close: () => Promise<void>;
};

const BEAT_MS = 500;
/** Of a process that is busy beyond all measure, answers are in doubt: no harm. */
const SILENCE_MS = 2_000;
const POLL_MS = 50;
/** Longer than a session may be in doubt. */
const BYE_KEPT_MS = 10 * 60_000;
const BYE = "bye";

export async function startRun(
  client: RedisClient,
  keyOf: (run: string) => string,
  report: (error: unknown) => void,
): Promise<Runs> {
  const id = randomBytes(9).toString("base64url");
  let beats = 0;
  const beat = () => client.set(keyOf(id), String((beats += 1)), "PX", SILENCE_MS);
  await beat();
  const timer = setInterval(() => void beat().catch(report), BEAT_MS);
  timer.unref();
  return {
    id,
    async isGone(run) {
      const untilMs = performance.now() + SILENCE_MS + BEAT_MS;
      const first = await client.get(keyOf(run));
      let last = first;
      while (last === first) {
        if (last === null) return true;
        if (last === BYE) return false;
        if (performance.now() > untilMs) return true;
        await wait(POLL_MS);
        last = await client.get(keyOf(run));
      }
      return last === null;
    },
    async close() {
      clearInterval(timer);
      await client.set(keyOf(id), BYE, "PX", BYE_KEPT_MS).catch(report);
    },
  };
}
