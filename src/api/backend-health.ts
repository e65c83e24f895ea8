/** How backends are doing, beside how they are registered. */
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { BackendTimes } from "../observe/backend-times.ts";
import type { OwnNode } from "../observe/node.ts";
import type { Registry } from "../registry.ts";
import { nullable } from "./schemas.ts";

export const HealthList = Type.Object({
  backends: Type.Array(
    Type.Object({
      id: Type.Integer(),
      breaker_open: Type.Boolean({
        description: "It kept failing: at least one node does not call it for now",
      }),
      turns: Type.Integer({ description: "That p95_ms is of: this node's newest, at most 200" }),
      p95_ms: nullable(Type.Number({ description: "Attempts and the waits between them" })),
    }),
  ),
});

export function backendHealthRoutes(
  app: FastifyInstance,
  options: {
    readonly registry: Registry;
    readonly times: BackendTimes;
    readonly node: Pick<OwnNode, "list">;
  },
): void {
  const { registry, times, node } = options;
  app.get(
    "/api/v1/backends/health",
    {
      schema: {
        tags: ["operations"],
        summary: "Time of answers, and which breakers are open",
        response: { 200: HealthList },
      },
    },
    async () => {
      const open = new Set((await node.list()).flatMap(({ figures }) => figures.openBreakers));
      const backends = registry.rows().map(({ id }) => {
        const known = times.of(id);
        const p95_ms = known === undefined ? null : Math.round(known.p95Ms * 10) / 10;
        return { id, breaker_open: open.has(id), turns: known?.turns ?? 0, p95_ms };
      });
      return { backends };
    },
  );
}
