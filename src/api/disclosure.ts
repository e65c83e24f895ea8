/** What leaves the gateway by somebody's wish, and is written down: exports, unmasked numbers. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { Type } from "typebox";
import type { RecordStore } from "../types.ts";
import type { Audit } from "./audit.ts";
import { ErrorBody, reason, SessionParams, SessionShown } from "./schemas.ts";
import { detailShown } from "./sessions.ts";

export type DisclosureOptions = { readonly records: RecordStore; readonly audit: Audit };

const RevealBody = Type.Object({ reason }, { additionalProperties: false });
const Revealed = Type.Object({
  msisdn: Type.String({ description: "In full. Masked inputs are not kept anywhere." }),
});
const errors = { 400: ErrorBody, 404: ErrorBody };

export function disclosureRoutes(app: FastifyInstance, options: DisclosureOptions): void {
  const { records, audit } = options;
  const tags = ["operations"];

  app.get<{ Params: { id: string } }>(
    "/api/v1/sessions/:id/export",
    {
      schema: {
        ...{ tags, params: SessionParams, response: { 200: SessionShown, ...errors } },
        summary: "One session as a file, masked as it is shown; noted in the audit log",
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const session = await records.getSession(id);
      if (session === undefined) return refuse(reply, id);
      await audit.note(request, { action: "session.export", target: id });
      reply.header("content-disposition", `attachment; filename="${id}.json"`);
      return detailShown(session);
    },
  );

  app.post<{ Params: { id: string }; Body: { reason: string } }>(
    "/api/v1/sessions/:id/reveal",
    {
      schema: {
        ...{ tags, params: SessionParams, body: RevealBody },
        summary: "The number of a session, unmasked; noted in the audit log with the reason",
        response: { 200: Revealed, ...errors },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const session = await records.getSession(id);
      if (session === undefined) return refuse(reply, id);
      const why = request.body.reason.trim();
      // First the note: what could not be written down is not told.
      await audit.note(request, { action: "session.reveal", target: id, reason: why });
      reply.header("cache-control", "no-store");
      return { msisdn: session.msisdn };
    },
  );
}

function refuse(reply: FastifyReply, id: string): FastifyReply {
  return reply.code(404).send({ error: "not_found", message: `No session ${id}` });
}
