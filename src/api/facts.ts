/** What the settings page tells of this gateway: its system, its privacy rules, its texts. */
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { Config } from "../config.ts";
import { failureTexts } from "../core/failure.ts";
import { measureScreen } from "../core/screen.ts";
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
const Privacy = Type.Object({
  session_days: Type.Integer(),
  audit_days: Type.Integer(),
  secret_words: Type.Array(Type.String({ description: "Patterns beside those built in" })),
});
const Texts = Type.Object({
  language: Type.String({ description: "The one that subscribers read" }),
  texts: Type.Array(
    Type.Object({
      name: Type.String(),
      language: Type.String(),
      text: Type.String(),
      alphabet: Type.String(),
      units: Type.Integer(),
      fits: Type.Boolean({ description: "On one screen of 160 octets" }),
    }),
  ),
});
const SCREEN_UNITS = { gsm7: 182, ucs2: 80 } as const;

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

  app.get(
    "/api/v1/privacy",
    {
      schema: { tags, summary: "How long what is kept, and masked", response: { 200: Privacy } },
    },
    async () => ({
      session_days: config.retentionDays,
      audit_days: config.auditDays,
      secret_words: config.secretWords.map(String),
    }),
  );

  app.get(
    "/api/v1/texts",
    { schema: { tags, summary: "The gateway's own screens", response: { 200: Texts } } },
    async () => ({
      language: config.language,
      texts: failureTexts().map((one) => {
        const { alphabet, units } = measureScreen(one.text);
        return { ...one, alphabet, units, fits: units <= SCREEN_UNITS[alphabet] };
      }),
    }),
  );
}
