/** Which nodes serve this deployment, and how each of them is doing. */
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { NodeSeen } from "../types.ts";

const NodeList = Type.Object({
  nodes: Type.Array(
    Type.Object({
      id: Type.String(),
      this_node: Type.Boolean({ description: "the one that answered this request" }),
      host: Type.String(),
      pid: Type.Integer(),
      version: Type.String(),
      started_at: Type.String(),
      last_seen_at: Type.String(),
      draining: Type.Boolean({ description: "finishes its turns and takes no new ones" }),
      turns: Type.Integer({ description: "answered since it started" }),
      turns_per_second: Type.Number({ description: "of the last two seconds" }),
      cpu_share: Type.Number({ description: "1 is one core" }),
      rss_octets: Type.Integer(),
      loop_delay_ms: Type.Number({ description: "p99 of the last two seconds" }),
      open_breakers: Type.Array(Type.Integer(), {
        description:
          "backends that this node does not call for now. Breakers and max_in_flight are of each " +
          "node: another node may still call them",
      }),
      events_dropped: Type.Integer({
        description: "live events that were too many to be told to other nodes",
      }),
    }),
  ),
});

export function nodeRoutes(
  app: FastifyInstance,
  { list }: { readonly list: () => Promise<readonly NodeSeen[]> },
): void {
  app.get(
    "/api/v1/nodes",
    {
      schema: {
        tags: ["operations"],
        summary: "Nodes that were heard of in the last six seconds, this one first",
        response: { 200: NodeList },
      },
    },
    async () => ({ nodes: (await list()).map(nodeShown) }),
  );
}

function nodeShown({ figures, ...node }: NodeSeen, index: number) {
  return {
    id: node.id,
    this_node: index === 0,
    host: node.host,
    pid: node.pid,
    version: node.version,
    started_at: new Date(node.startedAtMs).toISOString(),
    last_seen_at: new Date(node.seenAtMs).toISOString(),
    draining: node.isDraining,
    turns: figures.turns,
    turns_per_second: figures.turnsPerSecond,
    cpu_share: figures.cpuShare,
    rss_octets: figures.rssOctets,
    loop_delay_ms: figures.loopDelayMs,
    open_breakers: figures.openBreakers,
    events_dropped: figures.eventsDropped,
  };
}
