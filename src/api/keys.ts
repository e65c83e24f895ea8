/** API keys: shown once, kept as a hash, limited to scopes, and rotated with an overlap. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { Type } from "typebox";
import type { KeyRow, ManagementStore } from "../stores/sql-management.ts";
import { nameOf } from "./access.ts";
import type { Audit } from "./audit.ts";
import { hashOf, newToken } from "./credentials.ts";
import { PERMISSIONS } from "./roles.ts";
import { Deleted, ErrorBody, IdParams, NAME_PATTERN, nullable, optional } from "./schemas.ts";

export type KeysOptions = {
  readonly keys: ManagementStore["keys"];
  readonly audit: Audit;
  readonly wallMs: () => number;
};

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const OVERLAP_HOURS = 24;
const PREFIX_CHARS = 10;
const closed = { additionalProperties: false } as const;
const scope = Type.Union(PERMISSIONS.map((one) => Type.Literal(one)));
const NewKey = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64, pattern: NAME_PATTERN }),
    scopes: Type.Array(scope, { minItems: 1, maxItems: PERMISSIONS.length, uniqueItems: true }),
    expires_days: optional(Type.Integer({ minimum: 1, maximum: 3_650 })),
  },
  closed,
);
const Rotation = Type.Object(
  {
    overlap_hours: optional(Type.Integer({ minimum: 0, maximum: 720, default: OVERLAP_HOURS })),
  },
  closed,
);
const Key = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  prefix: Type.String({ description: "How the key begins" }),
  scopes: Type.Array(Type.String()),
  created_by: Type.String(),
  created_at: Type.String(),
  used_at: nullable(Type.String()),
  expires_at: nullable(Type.String()),
  is_valid: Type.Boolean(),
});
const NewKeyShown = Type.Object({
  ...Key.properties,
  key: Type.String({ description: "Never shown again" }),
});
const errors = { 400: ErrorBody, 404: ErrorBody };

export function keyRoutes(app: FastifyInstance, options: KeysOptions): void {
  const { keys, audit, wallMs } = options;
  const tags = ["settings"];
  const make = async (from: Pick<KeyRow, "name" | "scopes" | "expires_at">, by: string) => {
    const key = `dy_${newToken()}`;
    const prefix = key.slice(0, PREFIX_CHARS);
    const { name, scopes, expires_at } = from;
    const made = { name, scopes, expires_at, prefix, created_by: by };
    const row = await keys.insert(made, hashOf(key), wallMs());
    return { ...shown(row, wallMs()), key };
  };

  app.get("/api/v1/keys", { schema: { tags, summary: "API keys, newest first" } }, async () => ({
    keys: (await keys.list()).map((row) => shown(row, wallMs())),
    scopes: PERMISSIONS,
  }));

  app.post<{ Body: Type.Static<typeof NewKey> }>(
    "/api/v1/keys",
    {
      schema: {
        ...{ tags, summary: "Make a key; the answer alone shows it", body: NewKey },
        response: { 201: NewKeyShown, ...errors },
      },
    },
    async (request, reply) => {
      const { name, scopes, expires_days: days } = request.body;
      const expires_at = days === undefined ? null : wallMs() + days * DAY_MS;
      const made = await make({ name, scopes, expires_at }, nameOf(request));
      const note = { action: "key.add", target: `${name} (${made.prefix})`, after: { scopes } };
      await audit.note(request, note);
      return reply.code(201).send(made);
    },
  );

  app.post<{ Params: { id: string }; Body: Type.Static<typeof Rotation> }>(
    "/api/v1/keys/:id/rotate",
    {
      schema: {
        ...{ tags, params: IdParams, body: Rotation },
        summary: "Make its successor; both are valid during the overlap",
        response: { 201: NewKeyShown, ...errors },
      },
    },
    async (request, reply) => {
      const old = await keys.byId(Number(request.params.id));
      if (old === undefined || !shown(old, wallMs()).is_valid) return refuse(reply);
      const overlapMs = (request.body.overlap_hours ?? OVERLAP_HOURS) * HOUR_MS;
      const until = Math.min(old.expires_at ?? Infinity, wallMs() + overlapMs);
      const made = await make(old, nameOf(request));
      await keys.expire(old.id, until);
      const after = { prefix: made.prefix, old_until: new Date(until).toISOString() };
      const target = `${old.name} (${old.prefix})`;
      await audit.note(request, { action: "key.rotate", target, after });
      return reply.code(201).send(made);
    },
  );

  app.delete<{ Params: { id: string } }>(
    "/api/v1/keys/:id",
    {
      schema: {
        ...{ tags, summary: "Revoke a key at once", params: IdParams },
        response: { 200: Deleted, ...errors },
      },
    },
    async (request, reply) => {
      const key = await keys.byId(Number(request.params.id));
      if (key === undefined || !(await keys.remove(key.id))) return refuse(reply);
      await audit.note(request, { action: "key.revoke", target: `${key.name} (${key.prefix})` });
      return { message: "Key revoked", id: key.id };
    },
  );
}

function shown(row: KeyRow, nowMs: number) {
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    ...row,
    created_at: new Date(row.created_at).toISOString(),
    used_at: iso(row.used_at),
    expires_at: iso(row.expires_at),
    is_valid: row.expires_at === null || row.expires_at > nowMs,
  };
}

function refuse(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ error: "not_found", message: "no such key" });
}
