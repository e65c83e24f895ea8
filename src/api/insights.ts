/** Figures of the newest sessions of a range: bounded, and read between turns. */
import { setImmediate as nextTick } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { type Static, Type } from "typebox";
import { insightsOf } from "../observe/insights.ts";
import type { RecordStore, SessionDetail, SessionFilter, SessionSummary } from "../types.ts";
import { ErrorBody, isoTime, nullable, optional, SessionQuery } from "./schemas.ts";

const SAMPLE_MAX = 1_000;
const PAGES_MAX = 20;
const PAGE = 500;

const InsightsQuery = Type.Object(
  {
    from: isoTime,
    to: optional(isoTime),
    service_code: SessionQuery.properties.service_code,
    channel: SessionQuery.properties.channel,
  },
  { additionalProperties: false },
);
const group = { sessions: Type.Integer(), completed: Type.Integer() };
const named = Type.Array(Type.Object({ name: Type.String(), ...group }));
export const InsightsShown = Type.Object({
  is_complete: Type.Boolean({ description: "false: the newest of the range alone were read" }),
  ...group,
  turns_per_completed: nullable(Type.Number()),
  nodes: Type.Array(
    Type.Object({
      parent: nullable(Type.Integer({ description: "Index of the screen before" })),
      screen: Type.String({ description: "With # for numbers" }),
      views: Type.Integer(),
      left: Type.Integer(),
      completed: Type.Integer(),
    }),
  ),
  by_code: named,
  by_network: named,
  by_hour: Type.Array(Type.Object(group), { description: "Of the day, UTC" }),
  answers: Type.Array(
    Type.Object({
      screen: Type.String(),
      answers: Type.Integer(),
      p50_ms: Type.Number(),
      p95_ms: Type.Number(),
    }),
  ),
  invalid: Type.Array(
    Type.Object({ screen: Type.String(), input: Type.String(), times: Type.Integer() }),
  ),
});

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
