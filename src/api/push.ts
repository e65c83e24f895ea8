/** Dialogues that begin on our side (network-initiated USSD): one screen, and what is answered. */
import type { FastifyInstance } from "fastify";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Initiated, Push } from "../initiate.ts";
import type { Channel } from "../types.ts";
import * as schemas from "./schemas.ts";
import type { PushBody } from "./schemas.ts";

export type PushOptions = {
  readonly channels: readonly Pick<Channel, "name">[];
  readonly push: (channel: string, push: Push) => Promise<Initiated>;
};

const STATUS: Readonly<Record<Extract<Initiated, { type: "refused" }>["reason"], number>> = {
  cannot_push: 400,
  no_backend: 404,
  too_long: 400,
  busy: 409,
  not_taken: 502,
};

export function pushRoutes(app: FastifyInstance, options: PushOptions): void {
  const errors = Object.fromEntries(
    [400, 404, 409, 502].map((status) => [status, schemas.ErrorBody]),
  );
  app.post<{ Body: PushBody }>(
    "/api/v1/push",
    {
      schema: {
        tags: ["sessions"],
        summary: "Send a screen to a subscriber; the answer opens a session with the backend",
        body: schemas.PushBody,
        response: { 201: schemas.Pushed, ...errors },
      },
    },
    async ({ body }, reply) => {
      const { channel, service_code: code, text, type } = body;
      const refuse = (status: number, error: string, message: string) =>
        reply.code(status).send({ error, message, service_code: code });
      if (!options.channels.some(({ name }) => name === channel))
        return refuse(404, "invalid_request", `there is no channel ${channel}`);
      const serviceCode = asServiceCode(code);
      if (serviceCode === undefined)
        return refuse(400, "invalid_request", "service_code must be like *365#");
      try {
        const msisdn = parseMsisdn(body.msisdn);
        const action = type === "notify" ? "end" : "continue";
        const pushed = await options.push(channel, {
          msisdn,
          serviceCode,
          reply: { action, screen: text },
        });
        if (pushed.type === "sent")
          return await reply.code(201).send({ session_id: pushed.sessionId });
        const { reason, detail } = pushed;
        const error = reason === "no_backend" ? "backend_not_found" : reason;
        return await refuse(STATUS[reason], error, detail);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        return refuse(400, "invalid_request", `msisdn ${error.message}`);
      }
    },
  );
}
