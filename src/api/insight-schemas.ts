/** What insights are asked for, and what they say. */
import { Type } from "typebox";
import { isoTime, nullable, optional, SessionQuery } from "./schemas.ts";

export const InsightsQuery = Type.Object(
  {
    from: isoTime,
    to: optional(isoTime),
    service_code: SessionQuery.properties.service_code,
    channel: SessionQuery.properties.channel,
  },
  { additionalProperties: false },
);
const group = { sessions: Type.Integer(), completed: Type.Integer() };
const named = Type.Array(Type.Object({ name: Type.String(), ...group }));
export const InsightsShown = Type.Object({
  is_complete: Type.Boolean({ description: "false: the newest of the range alone were read" }),
  ...group,
  turns_per_completed: nullable(Type.Number()),
  nodes: Type.Array(
    Type.Object({
      parent: nullable(Type.Integer({ description: "Index of the screen before" })),
      screen: Type.String({ description: "With # for numbers" }),
      views: Type.Integer(),
      left: Type.Integer(),
      completed: Type.Integer(),
    }),
  ),
  by_code: named,
  by_network: named,
  by_hour: Type.Array(Type.Object(group), { description: "Of the day, UTC" }),
  answers: Type.Array(
    Type.Object({
      screen: Type.String(),
      answers: Type.Integer(),
      p50_ms: Type.Number(),
      p95_ms: Type.Number(),
    }),
  ),
  invalid: Type.Array(
    Type.Object({ screen: Type.String(), input: Type.String(), times: Type.Integer() }),
  ),
});
