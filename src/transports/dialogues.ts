/**
 * Dialogues that we open by a call of ours, and that go on in the replies to our calls: what the
 * subscriber typed is the response, the next screen is the next call (PROTOCOLS 15, "Push").
 */
import { Pool } from "undici";
import { createDeadlines } from "../backend/deadlines.ts";
import { exchange } from "../backend/exchange.ts";
import { cookieOf } from "../core/cookie.ts";
import { WireError } from "../core/failure.ts";
import { type Gateway, handleTurn } from "../gateway.ts";
import type { Deliver, Delivered } from "../initiate.ts";
import type { Channel, Inbound, WireReply, WireRequest } from "../types.ts";
import type { DoorOutcome } from "./door.ts";

export type DialoguesOptions = {
  readonly url: string;
  readonly channel: Channel;
  readonly gateway: Gateway;
  readonly takeTurn?: typeof handleTurn | undefined;
  readonly onRequest: (outcome: DoorOutcome) => void;
};
export type Dialogues = {
  readonly deliver: Deliver;
  /** After the dialogues under way. */
  readonly close: () => Promise<void>;
};

/** Each holds a connection while the subscriber reads. */
const DIALOGUES_MAX = 256;
/** More turns than a session may have: a network that answers for ever ends here. */
const CALLS_MAX = 256;
/** A refusal comes at once, an answer when a person has read: who says nothing has taken it. */
const REFUSAL_MS_MAX = 1_000;
const OK = 200;
const REFUSED = 400;
const UNDELIVERED = 502;

export function createDialogues(options: DialoguesOptions): Dialogues {
  const { channel, gateway, takeTurn = handleTurn } = options;
  const { origin, pathname, search } = new URL(options.url);
  const pool = new Pool(origin, {
    connections: DIALOGUES_MAX,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0, // the deadline ends a call
    allowH2: false,
  });
  const deadlines = createDeadlines({ nowMs: gateway.nowMs });
  const open = new Set<Promise<void>>();
  const count = (status: number, reason?: string) =>
    options.onRequest({ channel: channel.name, status, reason });

  async function call(screen: WireReply, cookie: string | undefined): Promise<Called> {
    const headers = ["user-agent", "dialyard"];
    for (const [name, value] of Object.entries({ ...screen.headers, cookie })) {
      if (value !== undefined) headers.push(name, value);
    }
    const body = Buffer.from(screen.body);
    const request = { path: pathname + search, method: "POST", headers, body };
    // An answer that comes later finds no session.
    const untilMs = gateway.nowMs() + gateway.sessionTtlMs;
    const outcome = await exchange(pool, request, deadlines, untilMs);
    if (outcome.type === "failed") return { type: "failed", reason: outcome.code };
    const { response } = outcome;
    if (response.status !== OK) return { type: "failed", reason: `status ${response.status}` };
    return { type: "answered", response };
  }

  /** From the first screen to the last; `tell` hears once whether the first was taken. */
  async function converse(first: WireReply, tell: (delivered: Delivered) => void): Promise<void> {
    let screen = first;
    let cookie: string | undefined;
    let sessionId: string | undefined;
    for (let calls = 0; calls < CALLS_MAX; calls += 1) {
      const called = await call(screen, cookie);
      if (called.type === "failed") {
        tell(called);
        return count(UNDELIVERED, `push: ${called.reason}`);
      }
      if (sessionId !== undefined) gateway.onShown?.(sessionId);
      const { headers, body } = called.response;
      cookie = cookieOf(headers["set-cookie"]) ?? cookie;
      if (body.trim() === "") return tell({ type: "taken" });
      const answer = { method: "POST", path: "", query: "", headers, body };
      const phase = phaseOf(answer);
      const isRefused = phase instanceof WireError;
      if (isRefused) count(REFUSED, phase.message);
      if (isRefused) return tell({ type: "failed", reason: phase.message });
      const isOver = phase === "abort";
      tell(isOver ? { type: "failed", reason: "the network ended it" } : { type: "taken" });
      const taken = await takeTurn(gateway, channel, answer);
      count(OK);
      if (isOver) return;
      ({ wire: screen, sessionId } = taken);
    }
  }

  function phaseOf(answer: WireRequest): Inbound["phase"] | WireError {
    try {
      return channel.codec.decode(answer).phase;
    } catch (error) {
      if (error instanceof WireError) return error;
      throw error;
    }
  }

  return {
    async deliver(wire, deadlineMs) {
      if (open.size >= DIALOGUES_MAX)
        return { type: "failed", reason: `${DIALOGUES_MAX} dialogues are open` };
      return new Promise((resolve) => {
        const waitMs = Math.min(REFUSAL_MS_MAX, deadlineMs - gateway.nowMs());
        const patience = deadlines.add(gateway.nowMs() + waitMs, () => resolve({ type: "taken" }));
        const dialogue = converse(wire, (delivered) => {
          deadlines.cancel(patience);
          resolve(delivered);
        }).catch(gateway.report);
        open.add(dialogue);
        void dialogue.finally(() => open.delete(dialogue));
      });
    },
    async close() {
      await Promise.all(open);
      await pool.close();
      deadlines.close();
    },
  };
}

type Called =
  | { readonly type: "answered"; readonly response: WireReply }
  | { readonly type: "failed"; readonly reason: string };
