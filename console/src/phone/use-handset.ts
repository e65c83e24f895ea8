/** A handset: what its keys do, through the gateway's phone API. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { PhoneAnswer } from "../../../src/api/phone-schemas.ts";
import { call as callApi, reasonOf } from "../lib/api.ts";
import type { Call, Chaos, HandsetState, Sim, StepKind } from "./model.ts";
import { addStep, CALM, MASK, nextCall } from "./model.ts";

export type WireEdit = {
  readonly method: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};
export type Handset = {
  readonly state: HandsetState;
  readonly submit: (text: string) => Promise<void>;
  readonly redial: () => void;
  readonly again: () => void;
  readonly hangUp: () => void;
  readonly drop: () => void;
  /** The state of now, where a caller has waited. */
  readonly now: () => HandsetState;
  readonly resend: (edit: WireEdit) => void;
  readonly set: (change: Partial<HandsetState>) => void;
};

export function useHandset(
  start: Pick<HandsetState, "channel" | "simId">,
  sims: readonly Sim[],
): Handset {
  const [state, setState] = useState<HandsetState>({ ...AT_REST, ...start });
  // The state of now, for what is pressed before the page is drawn anew.
  const now = useRef(state);
  const put = useCallback((next: HandsetState) => {
    now.current = next;
    setState(next);
  }, []);
  const set = useCallback(
    (change: Partial<HandsetState>) => put({ ...now.current, ...change }),
    [],
  );
  useEffect(() => {
    if (now.current.channel === "" && start.channel !== "") set({ channel: start.channel });
  }, [start.channel]);

  async function take(
    kind: StepKind,
    typed: string,
    ask: () => Promise<PhoneAnswer>,
  ): Promise<void> {
    const isSecret = kind === "send" && now.current.asksSecret;
    const step = { kind, typed: isSecret ? MASK : typed, isSecret };
    set({ isBusy: true });
    const done = await ask().then(
      (answer) => ({ ...step, answer, problem: undefined }),
      (error: unknown) => ({ ...step, answer: undefined, problem: reasonOf(error) }),
    );
    put(addStep(now.current, done));
  }
  const bodyOf = (call: Call) => {
    const sim = sims.find(({ id }) => id === now.current.simId);
    return {
      channel: now.current.channel,
      msisdn: sim?.msisdn ?? "",
      ...(sim?.network ? { network: sim.network } : {}),
      session_id: call.sessionId,
      ...{ dialled: call.dialled, inputs: call.inputs, number: call.number, memo: call.memo },
    };
  };
  const turn = (call: Call) =>
    callApi<PhoneAnswer>("POST", "/api/v1/phone/turns", {
      ...bodyOf(call),
      chaos: chaosBody(now.current.chaos),
    });

  async function submit(text: string): Promise<void> {
    if (now.current.isBusy) return;
    const isDial = now.current.call === undefined;
    const call = nextCall(now.current, text, newSessionId);
    set({ call, ...(isDial ? { lastDialled: call.dialled, steps: [], selected: 0 } : {}) });
    await take(isDial ? "dial" : "send", isDial ? call.dialled : text, () => turn(call));
  }
  function leave(kind: "hangup" | "drop"): void {
    const { call, memo } = now.current;
    if (call === undefined) return;
    if (kind === "hangup") {
      // Nobody waits for it: a handset that hangs up is free at once.
      void callApi("POST", "/api/v1/phone/hangups", bodyOf({ ...call, memo })).catch(
        () => undefined,
      );
    }
    const step = { kind, typed: "", isSecret: false, answer: undefined, problem: undefined };
    put(addStep(now.current, step));
  }
  return {
    ...{ state, set, submit },
    redial() {
      if (now.current.isBusy) return;
      set({ call: undefined, asksSecret: false });
      void submit(now.current.lastDialled);
    },
    again() {
      const { call } = now.current;
      if (call !== undefined) void take("again", "", () => turn(call));
    },
    hangUp: () => leave("hangup"),
    drop: () => leave("drop"),
    now: () => now.current,
    resend(request) {
      const { channel, chaos } = now.current;
      void take("edited", "", () =>
        callApi<PhoneAnswer>("POST", "/api/v1/phone/wire", {
          ...{ channel, request, chaos: chaosBody(chaos) },
        }),
      );
    },
  };
}

const AT_REST: HandsetState = {
  ...{ call: undefined, isBusy: false, asksSecret: false, memo: undefined, steps: [] },
  ...{ selected: 0, lastDialled: "", channel: "", simId: "", chaos: CALM },
};

function chaosBody(chaos: Chaos) {
  return {
    ...(chaos.latencyMs > 0 ? { latency_ms: chaos.latencyMs } : {}),
    ...(chaos.patienceMs > 0 ? { patience_ms: chaos.patienceMs } : {}),
    ...(chaos.losesReply ? { lose_reply: true } : {}),
    ...(chaos.sendsTwice ? { duplicate: true } : {}),
    ...(chaos.screenOctetsMax < 160 ? { screen_octets_max: chaos.screenOctetsMax } : {}),
  };
}

function newSessionId(): string {
  const octets = crypto.getRandomValues(new Uint8Array(16));
  return `sess_${[...octets].map((octet) => octet.toString(16).padStart(2, "0")).join("")}`;
}
