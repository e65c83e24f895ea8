/** The turn that callbacks are told of. A class: every turn makes one, and as a literal it is slow. */
import type { Inbound } from "../types.ts";
import type { AppState } from "./state.ts";
import { say, type Text } from "./text.ts";
import type { AppTurn } from "./turn.ts";

/** Whether the turn is over, and what says so to whoever asked for its signal. */
export type Life = { isOver: boolean; controller: AbortController | undefined };
type Held = {
  readonly state: AppState;
  readonly dialled: string | undefined;
  readonly locale: string;
  readonly nowMs: number;
  readonly deadlineMs: number;
};

export class OwnTurn implements AppTurn {
  readonly sessionId: string;
  readonly transactionId: string;
  readonly msisdn: string;
  readonly dialled: string | undefined;
  readonly network: string | undefined;
  readonly locale: string;
  readonly nowMs: number;
  readonly deadlineMs: number;
  readonly random: AppTurn["random"];
  readonly log: AppTurn["log"];
  readonly say: AppTurn["say"];
  readonly life: Life;

  constructor(
    said: Inbound,
    { state, dialled, locale, nowMs, deadlineMs }: Held,
    { random, log }: Pick<AppTurn, "random" | "log">,
    life: Life,
  ) {
    this.sessionId = state.sid;
    this.transactionId = state.turn;
    this.msisdn = said.msisdn ?? "";
    this.dialled = dialled ?? said.dialled;
    this.network = said.network;
    this.locale = locale;
    this.nowMs = nowMs;
    this.deadlineMs = deadlineMs;
    this.random = random;
    this.log = log;
    this.say = (text: Text) => say(text, locale);
    this.life = life;
  }

  /** Made when somebody asks: most turns need none. */
  get signal(): AbortSignal {
    const { life } = this;
    life.controller ??= new AbortController();
    if (life.isOver) life.controller.abort();
    return life.controller.signal;
  }
}
