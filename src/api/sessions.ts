/** What operators read: sessions, their turns, live events, and who wins a code. */
import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { asDialled, maskMsisdn, parseMsisdn } from "../core/address.ts";
import { findRoute, type Routes } from "../core/route.ts";
import type { Events } from "../observe/events.ts";
import type {
  RecordStore,
  SessionDetail,
  SessionFilter,
  SessionSummary,
  TurnRecord,
} from "../types.ts";
import * as schemas from "./schemas.ts";
import type { SessionQueryValues } from "./schemas.ts";

export type SessionsOptions = {
  readonly records: RecordStore;
  readonly events: Events;
  readonly routes: Routes;
  readonly wallMs: () => number;
};

const PAGE_DEFAULT = 50;
const PAGE_MAX = 500;

export function sessionRoutes(app: FastifyInstance, options: SessionsOptions): void {
  const { records, wallMs } = options;
  const tags = ["operations"];

  app.get<{ Querystring: SessionQueryValues }>(
    "/api/v1/sessions",
    {
      schema: {
        tags,
        summary: "Sessions, newest first",
        querystring: schemas.SessionQuery,
        response: { 200: schemas.SessionList },
      },
    },
    async ({ query }, reply) => {
      const message = badTimeOf(query);
      if (message !== undefined) return reply.code(400).send({ error: "invalid_request", message });
      const found = await records.findSessions(filterOf(query, wallMs()));
      return { sessions: found.sessions.map(summaryShown), next: found.next ?? null };
    },
  );

  app.get<{ Params: { id: string } }>(
    "/api/v1/sessions/:id",
    {
      schema: {
        tags,
        summary: "One session with its turns",
        params: schemas.SessionParams,
        response: { 200: schemas.SessionShown, 404: schemas.ErrorBody },
      },
    },
    async ({ params }, reply) => {
      const session = await records.getSession(params.id);
      if (session === undefined)
        return reply.code(404).send({ error: "not_found", message: `No session ${params.id}` });
      return detailShown(session);
    },
  );

  app.get(
    "/api/v1/events",
    { schema: { tags, summary: "Turns as they happen (server-sent events)" } },
    (_, reply) => {
      reply.hijack();
      streamEvents(options.events, reply.raw);
    },
  );

  app.get<{ Querystring: { dialled: string } }>(
    "/api/v1/codes",
    {
      schema: {
        tags,
        summary: "Which backend a dialled string reaches",
        querystring: schemas.DialledQuery,
      },
    },
    async ({ query }, reply) => {
      const dialled = asDialled(query.dialled);
      const route = dialled && findRoute(options.routes, dialled);
      if (route === undefined) {
        const message = `No backend registered for service code ${query.dialled}`;
        return reply
          .code(404)
          .send({ error: "backend_not_found", message, service_code: query.dialled });
      }
      const { backend, digits } = route;
      return {
        dialled,
        service_code: backend.serviceCode,
        digits,
        backend: { id: backend.id, name: backend.name },
      };
    },
  );
}

/** A time that looks like one and is none, as 2026-02-40. */
export function badTimeOf(query: SessionQueryValues): string | undefined {
  const isBad = (time: string | undefined) => time !== undefined && Number.isNaN(Date.parse(time));
  const name = (["from", "to"] as const).find((one) => isBad(query[one]));
  return name && `${name}: no such time`;
}

export function filterOf(query: SessionQueryValues, nowMs: number): SessionFilter {
  const limit = Math.min(PAGE_MAX, query.limit === undefined ? PAGE_DEFAULT : Number(query.limit));
  return {
    nowMs,
    limit,
    ...(query.msisdn === undefined ? {} : { msisdn: parseMsisdn(query.msisdn) }),
    ...(query.service_code === undefined ? {} : { serviceCode: query.service_code }),
    ...(query.channel === undefined ? {} : { channel: query.channel }),
    ...(query.outcome === undefined ? {} : { outcome: query.outcome }),
    ...(query.from === undefined ? {} : { fromMs: Date.parse(query.from) }),
    ...(query.to === undefined ? {} : { toMs: Date.parse(query.to) }),
    ...(query.after === undefined ? {} : { after: query.after }),
  };
}

export function summaryShown(session: SessionSummary) {
  return {
    id: session.id,
    channel: session.channel,
    msisdn: maskMsisdn(session.msisdn),
    service_code: session.serviceCode ?? null,
    provider: session.provider,
    started_at: new Date(session.startedAtMs).toISOString(),
    last_at: new Date(session.lastAtMs).toISOString(),
    turns: session.turns,
    outcome: session.outcome,
  };
}

export function detailShown(session: SessionDetail) {
  return { ...summaryShown(session), records: session.records.map(recordShown) };
}

function recordShown(record: TurnRecord) {
  return {
    outcome: record.outcome,
    started_at: new Date(record.startedAtMs).toISOString(),
    took_ms: record.tookMs,
    backend_ms: record.backendMs,
    input: record.input,
    screen: record.screen,
    action: record.action ?? null,
    request_octets: record.requestOctets,
    reply_octets: record.replyOctets,
    flaw: record.flaw ?? null,
    attempts: record.attempts.map((attempt) => ({
      transaction_id: attempt.transactionId,
      start_ms: attempt.startMs,
      took_ms: attempt.tookMs,
      status: attempt.status ?? null,
      failure: attempt.failure ?? null,
    })),
  };
}

/** A reader this far behind is cut off: what waits for it is memory. */
const UNREAD_OCTETS_MAX = 1_000_000;
const KEEP_ALIVE_MS = 15_000;

function streamEvents(events: Events, response: ServerResponse): void {
  const send = (text: string) => {
    if (response.writableLength > UNREAD_OCTETS_MAX) response.destroy();
    else response.write(text);
  };
  const unsubscribe = events.subscribe({
    onEvent: (event) => send(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
    onClose: () => response.end(),
  });
  if (unsubscribe === undefined) {
    response.writeHead(503, { "retry-after": "10" }).end();
    return;
  }
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  send(": live\n\n");
  const beat = setInterval(() => send(": still here\n\n"), KEEP_ALIVE_MS);
  beat.unref();
  response.on("close", () => {
    clearInterval(beat);
    unsubscribe();
  });
}
