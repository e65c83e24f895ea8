/** A subscriber's wish to be forgotten: what is kept of one number is deleted, and that is noted. */
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { maskMsisdn, parseMsisdn } from "../core/address.ts";
import type { ManagementStore } from "../stores/sql-management.ts";
import type { RecordStore } from "../types.ts";
import type { Audit } from "./audit.ts";
import { ErrorBody, msisdn, nullable, reason } from "./schemas.ts";

export type ErasureOptions = {
  readonly erase: ManagementStore["erase"];
  readonly records: RecordStore;
  readonly audit: Audit;
  readonly wallMs: () => number;
};

const ErasureBody = Type.Object({ msisdn, reason }, { additionalProperties: false });
const Erasure = Type.Object({
  msisdn: Type.String({ description: "Masked" }),
  sessions: Type.Integer({ description: "Deleted, with all their turns" }),
  turns: Type.Integer(),
  kept: Type.Integer({
    description: "Live, or the network may still ask about them: erase again when they are over",
  }),
  kept_until: nullable(
    Type.String({ description: "When the last of them is over, if nobody goes on" }),
  ),
});

export function erasureRoutes(app: FastifyInstance, options: ErasureOptions): void {
  const { erase, records, audit, wallMs } = options;
  app.post<{ Body: Type.Static<typeof ErasureBody> }>(
    "/api/v1/privacy/erasures",
    {
      schema: {
        tags: ["settings"],
        summary: "Delete what is kept of a number; noted in the audit log with the reason",
        body: ErasureBody,
        response: { 200: Erasure, 400: ErrorBody },
      },
    },
    async (request) => {
      const wanted = parseMsisdn(request.body.msisdn);
      const target = maskMsisdn(wanted);
      // First the note: what could not be written down is not done.
      const note = { action: "subscriber.erase", target, reason: request.body.reason.trim() };
      await audit.note(request, note);
      // Records are written behind their turns: whoever reads them has all of them written first.
      await records.findSessions({ msisdn: wanted, nowMs: wallMs(), limit: 1 });
      const { sessions, turns, kept, keptUntilMs } = await erase(wanted);
      const until = keptUntilMs === undefined ? null : new Date(keptUntilMs).toISOString();
      return { msisdn: target, sessions, turns, kept, kept_until: until };
    },
  );
}
