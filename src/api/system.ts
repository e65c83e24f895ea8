/** Health, readiness, metrics, the root, and the IXO debug doors. */
import type { FastifyInstance } from "fastify";
import { maskMsisdn } from "../core/address.ts";
import type { ChannelConfig, Mode } from "../config.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { SessionDetail, Store } from "../types.ts";

export type SystemOptions = {
  readonly mode: Mode;
  readonly version: string;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly channels: readonly ChannelConfig[];
  readonly isReady: () => boolean;
  readonly wallMs: () => number;
  readonly startedAtMs: number;
};

export function systemRoutes(app: FastifyInstance, options: SystemOptions): void {
  const { mode, version, store, wallMs } = options;
  const tags = ["system"];

  // OLA's fields (status, service, version, uptime) and IXO's (environment, timestamp, database).
  app.get(
    "/health",
    { schema: { tags, summary: "Health, with the database" } },
    async (_, reply) => {
      const isUp = await store.ping().then(
        () => true,
        () => false,
      );
      return reply.code(isUp ? 200 : 503).send({
        status: isUp ? "ok" : "error",
        service: "dialyard",
        version,
        uptime: Math.floor((wallMs() - options.startedAtMs) / 1000),
        environment: mode,
        timestamp: new Date(wallMs()).toISOString(),
        database: isUp ? "connected" : "disconnected",
      });
    },
  );

  app.get(
    "/ready",
    { schema: { tags, summary: "503 while starting or draining" } },
    async (_, reply) => {
      const ready = options.isReady();
      return reply.code(ready ? 200 : 503).send({ status: ready ? "ready" : "not ready" });
    },
  );

  app.get(
    "/",
    { schema: { tags, summary: "For platform probes; a browser is sent on" } },
    async (request, reply) => {
      if (request.headers.accept?.includes("text/html"))
        return reply.redirect(mode === "development" ? "/phone" : "/console");
      return {
        status: "ok",
        message: "dialyard running",
        environment: mode,
        timestamp: new Date(wallMs()).toISOString(),
      };
    },
  );

  app.get("/metrics", { schema: { tags, summary: "Prometheus metrics" } }, async (_, reply) => {
    const { type, text } = await options.metrics.render();
    return reply.header("content-type", type).send(text);
  });

  for (const channel of options.channels) debugRoutes(app, options, channel);
}

/** IXO API docs, "Debug endpoints": they disclose numbers, so they need what management needs. */
function debugRoutes(
  app: FastifyInstance,
  { store, wallMs, mode }: SystemOptions,
  channel: ChannelConfig,
): void {
  const { debugPath } = channel;
  if (debugPath === undefined) return;
  const tags = ["debug"];
  const liveIds = async () => {
    const live = await store.records.findLive(channel.name, wallMs(), LIVE_MAX);
    return live.flatMap((session) =>
      session.networkSessionId === undefined ? [] : [session.networkSessionId],
    );
  };

  app.get(
    `${debugPath}/sessions`,
    { schema: { tags, summary: `Live sessions of channel ${channel.name}` } },
    async () => {
      const activeSessions = await liveIds();
      return { activeSessions, count: activeSessions.length };
    },
  );

  app.get<{ Params: { sessionId: string } }>(
    `${debugPath}/debug/:sessionId`,
    { schema: { tags, summary: `State of a session of channel ${channel.name}` } },
    async ({ params }, reply) => {
      const { sessionId } = params;
      const session = await store.records.findByNetworkId(channel.name, sessionId, wallMs());
      if (session === undefined)
        return reply.code(404).send({ error: "not_found", message: "No such session" });
      return {
        sessionId,
        debugInfo: debugInfo(session, sessionId, mode),
        activeSessions: await liveIds(),
      };
    },
  );
}
const LIVE_MAX = 1_000;

function debugInfo(session: SessionDetail, sessionId: string, mode: Mode) {
  const isLive = session.outcome === "live";
  return {
    state: isLive ? `turn ${session.turns}` : session.outcome,
    context: {
      sessionId,
      phoneNumber: mode === "development" ? `+${session.msisdn}` : `+${maskMsisdn(session.msisdn)}`,
      message: session.lastReply?.screen ?? "",
      // The gateway authenticates no subscriber: that is the application's.
      isAuthenticated: false,
    },
    status: isLive ? "active" : "ended",
  };
}
