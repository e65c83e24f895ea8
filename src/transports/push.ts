/**
 * Screens that go out as calls of their own, for networks that want their request acknowledged at
 * once (PROTOCOLS 3.3): attempts until one is taken, refused for good, or the turn's time is over.
 */
import { Pool } from "undici";
import { createDeadlines } from "../backend/deadlines.ts";
import { exchange } from "../backend/exchange.ts";
import type { Deliver } from "../initiate.ts";
import type { Pushes, WireReply } from "../types.ts";

export type Pusher = {
  /** Until `deadlineMs` of the gateway's monotonic clock. Never rejects. */
  readonly push: Deliver;
  readonly close: () => Promise<void>;
};
export type PusherOptions = {
  readonly url: string;
  readonly heard: Pushes["heard"];
  /** Monotonic. */
  readonly nowMs: () => number;
};

const CONNECTIONS_MAX = 64;
const ATTEMPT_MS_MAX = 3_000;
const ATTEMPT_MS_MIN = 50;
const ATTEMPTS_MAX = 5;
/** Before the second attempt; twice as long before each later one. */
const WAIT_MS = 250;

export function createPusher({ url, heard, nowMs }: PusherOptions): Pusher {
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, {
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0, // the deadline ends an attempt
    allowH2: false,
  });
  const deadlines = createDeadlines({ nowMs });
  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      deadlines.add(nowMs() + ms, resolve);
    });

  async function attempt(screen: WireReply, untilMs: number): Promise<Attempted> {
    const headers = ["user-agent", "dialyard"];
    for (const [name, value] of Object.entries(screen.headers)) {
      if (value !== undefined) headers.push(name, value);
    }
    const body = Buffer.from(screen.body);
    const request = { path: pathname + search, method: "POST", headers, body };
    const outcome = await exchange(pool, request, deadlines, untilMs);
    if (outcome.type === "failed") return { type: "again", reason: outcome.code };
    const { status } = outcome.response;
    if (status >= 500) return { type: "again", reason: `status ${status}` };
    return { type: heard(outcome.response), reason: "the network did not take it" };
  }

  return {
    async push(screen, deadlineMs) {
      let reason = "no time left";
      for (let attempts = 0; attempts < ATTEMPTS_MAX; attempts += 1) {
        if (attempts > 0) await wait(WAIT_MS * 2 ** (attempts - 1));
        const leftMs = deadlineMs - nowMs();
        if (leftMs < ATTEMPT_MS_MIN) break;
        const tried = await attempt(screen, nowMs() + Math.min(leftMs, ATTEMPT_MS_MAX));
        if (tried.type === "taken") return { type: "taken" };
        ({ reason } = tried);
        if (tried.type === "refused") break;
      }
      return { type: "failed", reason };
    },
    async close() {
      await pool.close();
      deadlines.close();
    },
  };
}

type Attempted = { readonly type: "taken" | "again" | "refused"; readonly reason: string };
