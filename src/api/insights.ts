/** Figures of the newest sessions of a range: bounded, and read between turns. */
import { setImmediate as nextTick } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { Static } from "typebox";
import { insightsOf } from "../observe/insights.ts";
import type { RecordStore, SessionDetail, SessionFilter, SessionSummary } from "../types.ts";
import { InsightsQuery, InsightsShown } from "./insight-schemas.ts";
import { ErrorBody } from "./schemas.ts";

const SAMPLE_MAX = 1_000;
const PAGES_MAX = 20;
const PAGE = 500;

export function insightRoutes(
  app: FastifyInstance,
  { records, wallMs }: { readonly records: RecordStore; readonly wallMs: () => number },
): void {
  // One after the other: two that are asked for at once take no more of the store than one.
  let before: Promise<unknown> = Promise.resolve();
  app.get<{ Querystring: Static<typeof InsightsQuery> }>(
    "/api/v1/insights",
    {
      schema: {
        tags: ["operations"],
        summary: `Drop-off, answers and outcomes of the newest ${SAMPLE_MAX} sessions of a range`,
        querystring: InsightsQuery,
        response: { 200: InsightsShown, 400: ErrorBody },
      },
    },
    async ({ query }, reply) => {
      const fromMs = Date.parse(query.from);
      const toMs = query.to === undefined ? wallMs() : Date.parse(query.to);
      if (!(fromMs < toMs)) {
        const message = "from and to: no such range";
        return reply.code(400).send({ error: "invalid_request", message });
      }
      const { service_code: serviceCode, channel } = query;
      const filter = {
        ...{ fromMs, toMs, nowMs: wallMs(), limit: PAGE },
        ...(serviceCode !== undefined && { serviceCode }),
        ...(channel !== undefined && { channel }),
      };
      const mine = before.catch(() => undefined).then(() => sample(records, filter));
      before = mine;
      const { sessions, isComplete } = await mine;
      return { is_complete: isComplete, ...insightsOf(sessions) };
    },
  );
}

async function sample(records: RecordStore, filter: SessionFilter) {
  const found: SessionSummary[] = [];
  let after: string | undefined;
  for (let page = 0; page < PAGES_MAX && found.length < SAMPLE_MAX; page += 1) {
    const { sessions, next } = await records.findSessions({
      ...filter,
      ...(after !== undefined && { after }),
    });
    found.push(...sessions);
    after = next;
    if (next === undefined) break;
    await nextTick();
  }
  const sessions: SessionDetail[] = [];
  for (const { id } of found.slice(0, SAMPLE_MAX)) {
    const session = await records.getSession(id);
    if (session !== undefined) sessions.push(session);
    await nextTick();
  }
  return { sessions, isComplete: after === undefined };
}
