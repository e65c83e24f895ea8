/** The JSON of the phone, and of turns as they were on the wires. */
import { Type, type Static } from "typebox";
import { closed, NAME_PATTERN, nullable, optional } from "./schemas.ts";

const sessionId = Type.String({ pattern: "^sess_[0-9a-f]{32}$" });
const phoneTurn = {
  channel: Type.String({ minLength: 1, maxLength: 32 }),
  msisdn: Type.String({ minLength: 7, maxLength: 16 }),
  network: optional(
    Type.String({ minLength: 1, maxLength: 32, pattern: NAME_PATTERN, description: "Of the SIM" }),
  ),
  session_id: sessionId,
  dialled: Type.String({ minLength: 3, maxLength: 182 }),
  inputs: Type.Array(Type.String({ maxLength: 182 }), {
    maxItems: 100,
    description: "All that was typed after the dial, the latest last",
  }),
  number: Type.Integer({ minimum: 1, maximum: 101, description: "Of the turn; 1 is the dial" }),
  memo: optional(Type.String({ maxLength: 2048, description: "That of the answer before" })),
} as const;
const chaos = optional(
  Type.Object(
    {
      latency_ms: optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
      lose_reply: optional(Type.Boolean({ description: "The answer does not reach the network" })),
      duplicate: optional(Type.Boolean({ description: "The network sends the request twice" })),
      patience_ms: optional(
        Type.Integer({ minimum: 1, maximum: 60_000, description: "Then the network hangs up" }),
      ),
      screen_octets_max: optional(Type.Integer({ minimum: 40, maximum: 160 })),
    },
    { ...closed, description: "What networks do to a turn" },
  ),
);
export const PhoneTurnBody = Type.Object({ ...phoneTurn, chaos }, closed);
export type PhoneTurnBody = Static<typeof PhoneTurnBody>;
export const PhoneHangUpBody = Type.Object(phoneTurn, closed);
export type PhoneHangUpBody = Static<typeof PhoneHangUpBody>;
export const PhoneHungUp = Type.Object({
  told: Type.Boolean({ description: "false: the protocol has no such notice; the TTL ends it" }),
});
const wireHeaders = Type.Record(
  Type.String({ pattern: "^[A-Za-z0-9-]{1,64}$" }),
  Type.String({ maxLength: 1024 }),
  { maxProperties: 30 },
);
export const PhoneWireBody = Type.Object(
  {
    channel: phoneTurn.channel,
    request: Type.Object(
      {
        method: Type.Union([Type.Literal("POST"), Type.Literal("GET"), Type.Literal("PUT")]),
        query: Type.String({ maxLength: 2048 }),
        headers: wireHeaders,
        body: Type.String({ maxLength: 8192 }),
      },
      closed,
    ),
    chaos,
  },
  closed,
);
export type PhoneWireBody = Static<typeof PhoneWireBody>;
const wireReply = Type.Object({
  status: Type.Integer(),
  headers: Type.Record(Type.String(), Type.String()),
  body: Type.String(),
});
const wireRequest = Type.Object({
  method: Type.String(),
  path: optional(Type.String()),
  query: optional(Type.String()),
  headers: Type.Record(Type.String(), Type.String()),
  body: Type.String(),
});
const hop = Type.Object({
  from: Type.Union([Type.Literal("network"), Type.Literal("gateway")]),
  to: Type.Union([Type.Literal("gateway"), Type.Literal("backend")]),
  name: Type.String({ description: "Channel or backend" }),
  start_ms: Type.Number(),
  took_ms: Type.Number(),
  request: Type.Object({
    method: Type.String(),
    target: Type.String(),
    headers: Type.Record(Type.String(), Type.String()),
    body: Type.String(),
  }),
  response: nullable(wireReply),
  failure: nullable(Type.String()),
});
const TurnOnWire = Type.Object({
  hops: Type.Array(hop),
  normalised: nullable(Type.Record(Type.String(), Type.Unknown())),
  page: nullable(Type.Object({ number: Type.Integer(), of: Type.Integer() })),
});
export const ExchangeList = Type.Object({
  kept: Type.Boolean({ description: "false: not in development, so no bytes are kept" }),
  turns: Type.Array(TurnOnWire),
});
export const PhoneAnswer = Type.Object({
  outcome: Type.Union([
    Type.Literal("screen"),
    Type.Literal("refused"),
    Type.Literal("reply_lost"),
    Type.Literal("operator_timeout"),
  ]),
  took_ms: Type.Number(),
  session_id: optional(nullable(Type.String())),
  failure: nullable(Type.String({ description: "Code of what failed: docs/errors.md" })),
  reason: optional(Type.String({ description: "refused: what was answered, which is no screen" })),
  screen: optional(Type.String()),
  action: optional(Type.Union([Type.Literal("continue"), Type.Literal("end")])),
  memo: optional(Type.String({ description: "Give it back with the next turn" })),
  alphabet: optional(Type.Union([Type.Literal("gsm7"), Type.Literal("ucs2")])),
  units: optional(Type.Integer()),
  units_max: optional(Type.Integer()),
  octets: optional(Type.Integer()),
  asks_secret: optional(Type.Boolean()),
  ...TurnOnWire.properties,
  request: nullable(wireRequest),
});
export type PhoneAnswer = Static<typeof PhoneAnswer>;
export type ExchangeList = Static<typeof ExchangeList>;
