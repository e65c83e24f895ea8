/** What became of registrations: every change kept, bounded, with who and when, and undone. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { Registry, UpdateResult } from "../registry.ts";
import type { ManagementStore } from "../stores/sql-management.ts";
import type { BackendRow } from "../types.ts";
import { nameOf } from "./access.ts";
import type { Audit } from "./audit.ts";
import { refuse, shown } from "./backends.ts";
import { BackendShown, ErrorBody, IdParams } from "./schemas.ts";

export type ChangeNoted = (
  request: FastifyRequest,
  action: "create" | "update" | "delete" | "revert" | "pause" | "resume",
  before: BackendRow | undefined,
  after: BackendRow | undefined,
) => Promise<void>;

export type HistoryOptions = {
  readonly registry: Registry;
  readonly changes: ManagementStore["changes"];
  readonly noted: ChangeNoted;
};

export function createChangeLog(
  changes: ManagementStore["changes"],
  audit: Audit,
  wallMs: () => number,
): ChangeNoted {
  return async (request, action, before, after) => {
    const row = after ?? before;
    if (row === undefined) return;
    await changes.add({ at: wallMs(), actor: nameOf(request), action, row });
    await audit.note(request, {
      action: `backend.${action}`,
      target: `${row.service_code} (${row.id})`,
      ...(before !== undefined && { before: withoutHeaders(before) }),
      ...(after !== undefined && { after: withoutHeaders(after) }),
    });
  };
}

/** Values of headers are often keys. */
function withoutHeaders(row: BackendRow) {
  const { headers: _, ...rest } = shown(row);
  return { ...rest, headers: Object.keys(row.headers) };
}

const HISTORY_MAX = 100;
const Revert = Type.Object(
  { version: Type.Integer({ minimum: 1, description: "`version` of the history" }) },
  { additionalProperties: false },
);
const History = Type.Object({
  changes: Type.Array(
    Type.Object({
      version: Type.Integer(),
      backend_id: Type.Integer(),
      at: Type.String(),
      actor: Type.String(),
      action: Type.String(),
      backend: Type.Unknown({ description: "As it was after the change, or before a deletion" }),
    }),
  ),
});
const errors = { 400: ErrorBody, 404: ErrorBody, 409: ErrorBody };

export function historyRoutes(app: FastifyInstance, options: HistoryOptions): void {
  const { registry, changes, noted } = options;
  const tags = ["backends"];
  const history = async (backendId?: number) => {
    const of = backendId === undefined ? {} : { backendId };
    const found = await changes.list({ ...of, limit: HISTORY_MAX });
    return {
      changes: found.map(({ n, at, row, ...change }) => ({
        ...change,
        version: n,
        at: new Date(at).toISOString(),
        backend: shown(row),
      })),
    };
  };

  app.get(
    "/api/v1/backends/history",
    {
      schema: {
        tags,
        summary: "Changes of all backends, newest first",
        response: { 200: History },
      },
    },
    () => history(),
  );
  app.get<{ Params: { id: string } }>(
    "/api/v1/backends/:id/history",
    {
      schema: {
        ...{ tags, params: IdParams, response: { 200: History } },
        summary: "Changes of one backend, newest first; of a deleted one too",
      },
    },
    ({ params }) => history(Number(params.id)),
  );

  app.post<{ Body: Type.Static<typeof Revert> }>(
    "/api/v1/backends/revert",
    {
      schema: {
        ...{ tags, body: Revert, response: { 200: BackendShown, ...errors } },
        summary: "Make a registration what it was; one that was deleted comes back with a new id",
      },
    },
    async (request, reply) => {
      const [change] = await changes.list({ n: request.body.version, limit: 1 });
      if (change === undefined) return refuse(reply, 404, "no such version is kept");
      const { id, created_at: _, updated_at: __, ...row } = change.row;
      const before = registry.row(id);
      const after =
        before === undefined
          ? await registry.create(row)
          : await registry.update(id, row, undefined);
      return sent(reply, after, (now) => noted(request, "revert", before, now));
    },
  );

  for (const [action, status] of [
    ["pause", "inactive"],
    ["resume", "active"],
  ] as const)
    app.post<{ Params: { id: string } }>(
      `/api/v1/backends/:id/${action}`,
      {
        schema: {
          ...{ tags, params: IdParams, response: { 200: BackendShown, ...errors } },
          summary: `Make a backend ${status}`,
        },
      },
      async (request, reply) => {
        const before = registry.row(Number(request.params.id));
        if (before === undefined)
          return refuse(reply, 404, `No backend with id ${request.params.id}`);
        const { id, created_at: _, updated_at: __, ...row } = before;
        const after = await registry.update(id, { ...row, status }, undefined);
        return sent(reply, after, (now) => noted(request, action, before, now));
      },
    );
}

async function sent(
  reply: FastifyReply,
  result: UpdateResult,
  note: (row: BackendRow) => Promise<void>,
): Promise<FastifyReply> {
  if (result === "not_found") return refuse(reply, 404, "no such backend");
  if (typeof result === "string") return refuse(reply, 409, "its service code is registered");
  await note(result);
  return reply.send(shown(result));
}
