/** OLA management API, to the letter of its API reference, "Backend Management APIs". */
import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply } from "fastify";
import { isReserved } from "../backend/destination.ts";
import { PROTOCOL_DEFAULT } from "../config.ts";
import { appOf, appUrl, type Registry } from "../registry.ts";
import type { BackendRow, NewBackendRow } from "../types.ts";
import type { ChangeNoted } from "./history.ts";
import * as schemas from "./schemas.ts";
import type { ChangedBackendBody, NewBackendBody } from "./schemas.ts";

export type BackendsOptions = {
  readonly registry: Registry;
  /** Says why a URL may not be called; resolves its name. */
  readonly checkUrl: (url: string) => Promise<string | undefined>;
  readonly checkProtocol: (
    protocol: string,
    options: Readonly<Record<string, string>>,
  ) => string | undefined;
  /** Names of the apps in this process. */
  readonly appNames: readonly string[];
  /** What operators should know of an accepted registration. */
  readonly warningOf: (row: BackendRow) => string | undefined;
  readonly noted: ChangeNoted;
};

export function backendRoutes(app: FastifyInstance, options: BackendsOptions): void {
  const { registry, noted } = options;
  const tags = ["backends"];
  const errors = {
    400: schemas.ErrorBody,
    404: schemas.ErrorBody,
    409: schemas.ErrorBody,
    412: schemas.ErrorBody,
  };

  app.post<{ Body: NewBackendBody }>(
    "/backends",
    {
      schema: {
        tags,
        summary: "Register a backend",
        body: schemas.NewBackend,
        response: { 201: schemas.BackendShown, ...errors },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const problem = await findProblem(options, body);
      if (problem !== undefined) return refuse(reply, 400, problem, body.service_code);
      const created = await registry.create(rowOf(body));
      if (created === "code_taken")
        return refuse(
          reply,
          409,
          `service_code ${body.service_code} is already registered`,
          body.service_code,
        );
      await noted(request, "create", undefined, created);
      return sendRow(options, reply.code(201), created);
    },
  );

  app.get("/backends", { schema: { tags, summary: "All backends" } }, async () =>
    registry.rows().map(shown),
  );

  app.get<{ Querystring: { code: string } }>(
    "/backends/service",
    {
      schema: {
        tags,
        summary: "The backend of a service code",
        querystring: schemas.CodeQuery,
        response: { 200: schemas.BackendShown, ...errors },
      },
    },
    async ({ query }, reply) => {
      const row = registry.rowOfCode(query.code);
      if (row === undefined)
        return refuse(
          reply,
          404,
          `No backend registered for service code ${query.code}`,
          query.code,
        );
      return sendRow(options, reply, row);
    },
  );

  app.get<{ Params: { id: string } }>(
    "/backends/:id",
    {
      schema: {
        tags,
        summary: "One backend",
        params: schemas.IdParams,
        response: { 200: schemas.BackendShown, ...errors },
      },
    },
    async ({ params }, reply) => {
      const row = registry.row(Number(params.id));
      if (row === undefined) return refuse(reply, 404, `No backend with id ${params.id}`);
      return sendRow(options, reply, row);
    },
  );

  app.put<{ Body: ChangedBackendBody }>(
    "/backends",
    {
      schema: {
        tags,
        summary: "Change a backend: the same body as registering, with its id",
        body: schemas.ChangedBackend,
        response: { 200: schemas.BackendShown, ...errors },
      },
    },
    async (request, reply) => {
      const { body, headers } = request;
      const { id, ...rest } = body;
      const before = registry.row(id);
      if (before === undefined) return refuse(reply, 404, `No backend with id ${id}`);
      const problem = await findProblem(options, rest);
      if (problem !== undefined) return refuse(reply, 400, problem, rest.service_code);
      const updated = await registry.update(id, rowOf(rest), headers["if-match"]);
      switch (updated) {
        case "not_found":
          return refuse(reply, 404, `No backend with id ${id}`);
        case "code_taken":
          return refuse(
            reply,
            409,
            `service_code ${rest.service_code} is already registered`,
            rest.service_code,
          );
        case "stale":
          return refuse(reply, 412, "the backend was changed since it was read; read it again");
        default:
          await noted(request, "update", before, updated);
          return sendRow(options, reply, updated);
      }
    },
  );

  app.delete<{ Querystring: { id: string } }>(
    "/backends",
    {
      schema: {
        tags,
        summary: "Delete a backend",
        querystring: schemas.IdQuery,
        response: { 200: schemas.Deleted, ...errors },
      },
    },
    async (request, reply) => {
      const id = Number(request.query.id);
      const before = registry.row(id);
      if (!(await registry.remove(id))) return refuse(reply, 404, `No backend with id ${id}`);
      await noted(request, "delete", before, undefined);
      return { message: "Backend deleted successfully", id };
    },
  );
}

/** Changes whenever anything of the row does. */
export function tagOf(row: BackendRow): string {
  return `"${createHash("sha256").update(JSON.stringify(row)).digest("base64url").slice(0, 16)}"`;
}

function sendRow(
  { warningOf }: BackendsOptions,
  reply: FastifyReply,
  row: BackendRow,
): FastifyReply {
  const warning = warningOf(row);
  // In a header: the body of the documented answer has no place for it (RELIABILITY 1.4).
  if (warning !== undefined) reply.header("x-dialyard-warning", warning);
  return reply.header("etag", tagOf(row)).send(shown(row));
}

/** OLA API reference, "Register Backend", in its order. */
const DOCUMENTED = [
  "id",
  "callback_url",
  "service_code",
  "name",
  "type",
  "timeout",
  "retries",
  "method",
  "status",
  "created_at",
  "updated_at",
] as const satisfies readonly (keyof BackendRow)[];

/** The documented fields, and of ours those that are not at their default. */
export function shown(row: BackendRow): Record<string, unknown> {
  const { callback_url: _, ...documented } = Object.fromEntries(
    DOCUMENTED.map((name) => [name, row[name]]),
  );
  return {
    ...(row.type === "app"
      ? { ...documented, app: appOf(row) }
      : Object.fromEntries(DOCUMENTED.map((name) => [name, row[name]]))),
    ...(row.protocol === DEFAULTS.protocol ? {} : { protocol: row.protocol }),
    ...(Object.keys(row.protocol_options).length === 0
      ? {}
      : { protocol_options: row.protocol_options }),
    ...(row.idempotent ? {} : { idempotent: false }),
    ...(Object.keys(row.headers).length === 0 ? {} : { headers: row.headers }),
    ...(row.max_in_flight === DEFAULTS.max_in_flight ? {} : { max_in_flight: row.max_in_flight }),
    ...(row.events_url === undefined ? {} : { events_url: row.events_url }),
    ...(row.secret === undefined ? {} : { has_secret: true }),
  };
}
const DEFAULTS = {
  protocol: PROTOCOL_DEFAULT,
  max_in_flight: 100,
  timeout: 5,
  retries: 2,
} as const;

function rowOf(body: NewBackendBody): NewBackendRow {
  return {
    callback_url: body.type === "app" ? appUrl(body.app ?? "") : (body.callback_url ?? ""),
    service_code: body.service_code,
    name: body.name.trim(),
    type: body.type,
    timeout: body.timeout ?? DEFAULTS.timeout,
    retries: body.retries ?? DEFAULTS.retries,
    method: body.method,
    status: body.status,
    protocol: body.protocol ?? DEFAULTS.protocol,
    protocol_options: body.protocol_options ?? {},
    idempotent: body.idempotent ?? true,
    headers: lowerNames(body.headers ?? {}),
    secret: body.secret,
    max_in_flight: body.max_in_flight ?? DEFAULTS.max_in_flight,
    events_url: body.events_url,
  };
}

async function findProblem(
  options: BackendsOptions,
  body: NewBackendBody,
): Promise<string | undefined> {
  if (body.name.trim() === "") return "name must not be blank";
  if (body.type === "app") return findAppProblem(options, body);
  if (body.callback_url === undefined) return "body must have required property 'callback_url'";
  if (body.app !== undefined) return "app is for backends of type app";
  for (const [field, url] of [
    ["callback_url", body.callback_url],
    ["events_url", body.events_url],
  ] as const) {
    if (url === undefined) continue;
    const problem = await options.checkUrl(url);
    if (problem !== undefined) return `${field} ${problem}`;
  }
  for (const name of Object.keys(body.headers ?? {})) {
    if (name.toLowerCase() === "content-type" || isReserved(name.toLowerCase()))
      return `headers: ${name.toLowerCase()} is set by the gateway`;
  }
  return options.checkProtocol(body.protocol ?? DEFAULTS.protocol, body.protocol_options ?? {});
}

function findAppProblem(
  { appNames }: BackendsOptions,
  { app, callback_url }: NewBackendBody,
): string | undefined {
  if (callback_url !== undefined) return "callback_url is for backends of type http";
  if (app === undefined) return "body must have required property 'app'";
  if (appNames.includes(app)) return undefined;
  const known = appNames.length === 0 ? "none is configured" : `there are ${appNames.join(", ")}`;
  return `app: nothing here has that name; ${known}`;
}

function lowerNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

export function refuse(
  reply: FastifyReply,
  status: number,
  message: string,
  serviceCode?: string,
): FastifyReply {
  const error = status === 404 ? "backend_not_found" : "invalid_request";
  return reply
    .code(status)
    .send({ error, message, ...(serviceCode === undefined ? {} : { service_code: serviceCode }) });
}
