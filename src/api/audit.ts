/** Who did what, and when: written down beside the change, without secrets, and kept bounded. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { ManagementStore } from "../stores/sql-management.ts";
import { nameOf } from "./access.ts";
import { ErrorBody, optional, pageLimit } from "./schemas.ts";

export type Note = {
  readonly action: string;
  readonly target: string;
  readonly reason?: string;
  readonly before?: unknown;
  readonly after?: unknown;
};
export type Audit = {
  readonly note: (by: FastifyRequest | string, note: Note) => Promise<void>;
};

const PRUNED_EVERY = 200;
const VALUE_CHARS_MAX = 8_000;

export function createAudit(options: {
  readonly store: ManagementStore["audit"];
  readonly keepMs: () => number;
  readonly wallMs: () => number;
}): Audit {
  const { store, keepMs, wallMs } = options;
  let count = 0;
  let prunedToMs = Infinity;
  return {
    async note(by, { action, target, reason, before, after }) {
      await store.add({
        at: wallMs(),
        actor: typeof by === "string" ? by : nameOf(by),
        action,
        target,
        reason: reason ?? null,
        before: textOf(before),
        after: textOf(after),
      });
      count += 1;
      // A shorter time is noted as every change: what is too old by it goes at once.
      if (count % PRUNED_EVERY !== 1 && keepMs() >= prunedToMs) return;
      prunedToMs = keepMs();
      await store.prune(wallMs() - prunedToMs);
    },
  };
}

function textOf(value: unknown): string | null {
  if (value === undefined) return null;
  const text = JSON.stringify(value);
  return text.length > VALUE_CHARS_MAX ? JSON.stringify("too long to keep") : text;
}

const AuditQuery = Type.Object(
  {
    after: optional(Type.String({ pattern: "^[1-9][0-9]{0,14}$" })),
    actor: optional(Type.String({ minLength: 1, maxLength: 100 })),
    action: optional(Type.String({ pattern: "^[a-z_.]{1,40}$" })),
    limit: optional(pageLimit),
  },
  { additionalProperties: false },
);
const AuditPage = Type.Object({
  entries: Type.Array(
    Type.Object({
      n: Type.Integer(),
      at: Type.String(),
      actor: Type.String(),
      action: Type.String(),
      target: Type.String(),
      reason: Type.Union([Type.String(), Type.Null()]),
      before: Type.Unknown(),
      after: Type.Unknown(),
    }),
  ),
  next: Type.Union([Type.String(), Type.Null()]),
});

export function auditRoutes(app: FastifyInstance, store: ManagementStore["audit"]): void {
  app.get<{ Querystring: Type.Static<typeof AuditQuery> }>(
    "/api/v1/audit",
    {
      schema: {
        tags: ["settings"],
        summary: "Who did what, newest first",
        querystring: AuditQuery,
        response: { 200: AuditPage, 400: ErrorBody },
      },
    },
    async ({ query }) => {
      const limit = Number(query.limit ?? 50);
      const rows = await store.list({
        limit,
        ...(query.after !== undefined && { before: Number(query.after) }),
        ...(query.actor !== undefined && { actor: query.actor }),
        ...(query.action !== undefined && { action: query.action }),
      });
      const entries = rows.map(({ before, after, at, ...entry }) => ({
        ...entry,
        at: new Date(at).toISOString(),
        before: before === null ? null : (JSON.parse(before) as unknown),
        after: after === null ? null : (JSON.parse(after) as unknown),
      }));
      return { entries, next: rows.length < limit ? null : String(rows.at(-1)?.n) };
    },
  );
}
