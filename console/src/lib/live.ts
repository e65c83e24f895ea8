/** Turns as they happen: one stream a page, and what state it is in. */
import { useEffect, useRef, useState } from "preact/hooks";
import { authHeaders } from "./api.ts";

export type LiveState = "live" | "paused" | "reconnecting";
export type LiveEvent = {
  readonly type: "turn" | "session_ended";
  readonly at: string;
  readonly session_id: string | null;
  readonly channel: string;
  readonly service_code: string | null;
  readonly outcome: string;
  readonly took_ms: number | null;
};

const RETRY_MS_MAX = 15_000;

/** `onEvents` is told of all events of a piece of the stream at once. */
export function useLive(
  isPaused: boolean,
  onEvents: (events: readonly LiveEvent[]) => void,
): LiveState {
  const [state, setState] = useState<LiveState>("reconnecting");
  const tell = useRef(onEvents);
  tell.current = onEvents;
  useEffect(() => {
    if (isPaused) return setState("paused");
    setState("reconnecting");
    const controller = new AbortController();
    void listen(controller.signal, setState, (events) => tell.current(events));
    return () => controller.abort();
  }, [isPaused]);
  return state;
}

async function listen(
  signal: AbortSignal,
  setState: (state: LiveState) => void,
  tell: (events: readonly LiveEvent[]) => void,
): Promise<void> {
  for (let retryMs = 500; !signal.aborted; retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)) {
    try {
      const response = await fetch("/api/v1/events", { headers: authHeaders(), signal });
      if (response.ok && response.body !== null) {
        setState("live");
        retryMs = 500;
        await read(response.body, tell);
      }
    } catch {
      // Cut off: said by the state, and tried again.
    }
    if (signal.aborted) return;
    setState("reconnecting");
    await new Promise((done) => setTimeout(done, retryMs));
  }
}

async function read(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  tell: (events: readonly LiveEvent[]) => void,
): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop() ?? "";
    const events = blocks.flatMap(eventOf);
    if (events.length > 0) tell(events);
  }
}

function eventOf(block: string): readonly LiveEvent[] {
  const line = block.split("\n").find((one) => one.startsWith("data: "));
  return line === undefined ? [] : [JSON.parse(line.slice("data: ".length)) as LiveEvent];
}
