/** How it goes: the last hour by the minute, of all nodes, and how many sessions live. */
import { setTimeout as wait } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { OwnNode } from "../observe/node.ts";
import { addPulses } from "../observe/pulse.ts";
import type { RecordStore } from "../types.ts";

export const OverviewShown = Type.Object({
  since: Type.String({ description: "Minutes before the first node started are empty" }),
  live: Type.Union([Type.Integer(), Type.Null()], {
    description: "Sessions under way; null while many are counted for the first time",
  }),
  minutes: Type.Array(
    Type.Object({
      at: Type.String(),
      turns: Type.Integer(),
      p95_ms: Type.Number({ description: "Of whole turns; of the slowest node" }),
      begun: Type.Integer({ description: "Sessions" }),
      completed: Type.Integer(),
      failed: Type.Integer(),
      over: Type.Integer({ description: "Completed, failed, hung up or given up" }),
    }),
    { description: "Sixty, oldest first; the last is under way" },
  ),
});

/** Counting reads every live session: it takes a tenth of the time at most, however many look. */
const KEPT_TIMES_TOOK = 10;
const PATIENCE_MS = 150;
const MINUTE_MS = 60_000;

export function overviewRoutes(
  app: FastifyInstance,
  options: {
    readonly node: Pick<OwnNode, "list">;
    readonly records: Pick<RecordStore, "countLive">;
    readonly wallMs: () => number;
  },
): void {
  const { node, records, wallMs } = options;
  let counted: number | undefined;
  let counting: Promise<void> | undefined;
  let againFromMs = 0;
  /** What was counted last, where counting takes longer than anybody likes to wait. */
  const countLive = async (): Promise<number | null> => {
    if (counting === undefined && wallMs() >= againFromMs) {
      const startedMs = wallMs();
      counting = records
        .countLive(startedMs)
        .then((live) => void (counted = live))
        .finally(() => {
          counting = undefined;
          againFromMs = wallMs() + KEPT_TIMES_TOOK * (wallMs() - startedMs);
        });
      counting.catch(() => undefined); // who waits for it hears of it
    }
    try {
      await Promise.race([counting, wait(PATIENCE_MS, undefined, { ref: false })]);
    } catch (error) {
      if (counted === undefined) throw error;
    }
    return counted ?? null;
  };
  app.get(
    "/api/v1/overview",
    {
      schema: {
        tags: ["operations"],
        summary: "The last hour by the minute",
        response: { 200: OverviewShown },
      },
    },
    async () => {
      const nodes = await node.list();
      // A node of the version before tells none.
      const pulses = nodes.map(({ figures }) => figures.pulse ?? []);
      const minutes = addPulses(pulses, wallMs()).map(({ minute, p95Ms, ...counts }) => ({
        ...{ at: new Date(minute * MINUTE_MS).toISOString(), p95_ms: p95Ms },
        ...counts,
      }));
      const sinceMs = Math.min(...nodes.map(({ startedAtMs }) => startedAtMs));
      return { since: new Date(sinceMs).toISOString(), live: await countLive(), minutes };
    },
  );
}
