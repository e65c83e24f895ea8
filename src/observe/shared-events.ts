/**
 * Live events of all nodes for whoever watches on any of them. Free while nobody does: a node tells
 * its events while some other node has said, a moment ago, that it is watched. What comes faster
 * than it can be told is dropped and counted; a turn never waits for any of this.
 */
import type { Cluster } from "../types.ts";
import type { Events, LiveEvent } from "./events.ts";

export type SharedEvents = Events & { readonly dropped: () => number };
type Line = Awaited<ReturnType<Cluster["hear"]>>;
type Notice =
  | { readonly from: string; readonly type: "watched" }
  | { readonly from: string; readonly type: "events"; readonly events: readonly LiveEvent[] };

const TELL_EVERY_MS = 200;
/** Of one telling; 2,500 a second. */
const WAITING_MAX = 500;
/** PostgreSQL takes 7,999 octets in a notice; events are ASCII but for names of services. */
const NOTICE_CHARS_MAX = 7_000;
const SAY_WATCHED_MS = 3_000;
const WATCHED_MS = 10_000;

export async function shareEvents(
  local: Events,
  hear: Cluster["hear"],
  options: {
    readonly nodeId: string;
    readonly nowMs: () => number;
    readonly report: (error: unknown) => void;
  },
): Promise<SharedEvents> {
  const { nodeId, nowMs, report } = options;
  let waiting: LiveEvent[] = [];
  let dropped = 0;
  let watchedUntilMs = -Infinity;
  let saidWatchedMs = -Infinity;
  let isTelling = false;
  const isWatchedElsewhere = () => nowMs() < watchedUntilMs;

  const line: Line = await hear((text) => {
    const notice = JSON.parse(text) as Notice;
    if (notice.from === nodeId) return;
    if (notice.type === "watched") watchedUntilMs = nowMs() + WATCHED_MS;
    else for (const event of notice.events) local.publish(event);
  });

  async function tell(): Promise<void> {
    const notices = noticesOf(nodeId, waiting);
    waiting = [];
    if (local.isWatched() && nowMs() - saidWatchedMs >= SAY_WATCHED_MS) {
      saidWatchedMs = nowMs();
      notices.push(JSON.stringify({ from: nodeId, type: "watched" } satisfies Notice));
    }
    if (notices.length > 0) await line.say(notices);
  }
  function tellSoon(): void {
    if (isTelling) return;
    isTelling = true;
    void tell()
      .catch(report)
      .finally(() => {
        isTelling = false;
      });
  }
  const timer = setInterval(tellSoon, TELL_EVERY_MS);
  timer.unref();

  return {
    publish(event) {
      local.publish(event);
      if (!isWatchedElsewhere()) return;
      if (waiting.length < WAITING_MAX) waiting.push(event);
      else dropped += 1;
    },
    subscribe(listener) {
      const unsubscribe = local.subscribe(listener);
      if (unsubscribe !== undefined) tellSoon();
      return unsubscribe;
    },
    isWatched: () => local.isWatched() || isWatchedElsewhere(),
    dropped: () => dropped,
    async close() {
      clearInterval(timer);
      void local.close();
      await tell().catch(report);
      await line.close();
    },
  };
}

function noticesOf(from: string, events: readonly LiveEvent[]): string[] {
  const notices: string[] = [];
  let some: LiveEvent[] = [];
  let chars = 0;
  const close = () => {
    if (some.length === 0) return;
    notices.push(JSON.stringify({ from, type: "events", events: some } satisfies Notice));
    some = [];
    chars = 0;
  };
  for (const event of events) {
    const size = JSON.stringify(event).length + 1;
    if (chars + size > NOTICE_CHARS_MAX) close();
    some.push(event);
    chars += size;
  }
  close();
  return notices;
}
