/** What the settings page tells of the system. */
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { Config } from "../config.ts";
import type { ManagedStore } from "../stores/sql-management.ts";
import { nullable } from "./schemas.ts";

export type FactsOptions = {
  readonly config: Config;
  readonly version: string;
  readonly store: ManagedStore;
  readonly startedAtMs: number;
};

const System = Type.Object({
  version: Type.String(),
  node: Type.String(),
  mode: Type.String(),
  started_at: Type.String(),
  database: Type.Object({
    kind: Type.String(),
    octets: Type.Integer(),
    migrations: Type.Array(Type.String()),
  }),
  undrained: nullable(
    Type.Integer({ description: "Records on their way from Redis to SQL; null: they go at once" }),
  ),
});

export function factRoutes(app: FastifyInstance, options: FactsOptions): void {
  const { config, version, store } = options;
  const tags = ["settings"];

  app.get(
    "/api/v1/system",
    { schema: { tags, summary: "Versions and the database", response: { 200: System } } },
    async () => ({
      version,
      node: process.versions.node,
      mode: config.mode,
      started_at: new Date(options.startedAtMs).toISOString(),
      database: await store.management.facts(),
      undrained: (await store.undrained?.()) ?? null,
    }),
  );
}
