/** The JSON of the HTTP API: one set of schemas validates requests and makes the OpenAPI page. */
import { Type, type Static, type TSchema } from "typebox";
import { codecNames } from "../codecs/index.ts";
import { PROTOCOL_DEFAULT } from "../config.ts";

export const closed = { additionalProperties: false } as const;
/** Printable text: no control characters, bidirectional overrides or lone surrogates. */
export const NAME_PATTERN =
  "^[^\\u0000-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]+$";
/** RELIABILITY 2.6. */
export const SERVICE_CODE_PATTERN = "^\\*[1-9][0-9]{0,5}(\\*[0-9]{1,10}){0,4}#$";

export const optional = <T extends TSchema>(schema: T) => Type.Optional(schema);

const backendFields = {
  callback_url: Type.String({
    minLength: 1,
    maxLength: 2048,
    description: "URL of the application: http or https",
  }),
  service_code: Type.String({
    pattern: SERVICE_CODE_PATTERN,
    description: 'Code that reaches it, "*365#"',
  }),
  name: Type.String({ minLength: 1, maxLength: 128, pattern: NAME_PATTERN }),
  type: Type.Union([Type.Literal("http"), Type.Literal("app")]),
  timeout: Type.Integer({
    minimum: 1,
    maximum: 60,
    default: 5,
    description: "Seconds an attempt may take",
  }),
  retries: Type.Integer({
    minimum: 0,
    maximum: 5,
    default: 2,
    description: "Attempts after the first, after 1, 2, 4 s",
  }),
  method: Type.Union([Type.Literal("POST"), Type.Literal("GET"), Type.Literal("PUT")]),
  status: Type.Union([Type.Literal("active"), Type.Literal("inactive")]),
} as const;

const extraFields = {
  protocol: optional(
    Type.Union(
      codecNames.map((name) => Type.Literal(name)),
      { default: PROTOCOL_DEFAULT, description: "Wire protocol of the application" },
    ),
  ),
  protocol_options: optional(
    Type.Record(Type.String({ pattern: "^[A-Za-z_]{1,40}$" }), Type.String({ maxLength: 20_000 }), {
      maxProperties: 20,
      description: "Options of the protocol; texts, the description of a wire among them",
    }),
  ),
  idempotent: optional(
    Type.Boolean({
      default: true,
      description: "false: a call that may have arrived is never sent twice",
    }),
  ),
  headers: optional(
    Type.Record(
      Type.String({ pattern: "^[A-Za-z0-9-]{1,64}$" }),
      Type.String({ maxLength: 1024, pattern: "^[\\u0020-\\u007e]*$" }),
      { maxProperties: 20, description: "Sent with every call" },
    ),
  ),
  secret: optional(
    Type.String({
      minLength: 16,
      maxLength: 256,
      description: "Calls are signed with it (Standard Webhooks). Never shown again",
    }),
  ),
  max_in_flight: optional(
    Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 100,
      description: "Calls under way at once, from each node",
    }),
  ),
  events_url: optional(
    Type.String({
      minLength: 1,
      maxLength: 2048,
      description: "Told when a dialogue was hung up, where the protocol can",
    }),
  ),
} as const;

const { timeout, retries, callback_url, ...required } = backendFields;
const app = optional(
  Type.String({
    minLength: 1,
    maxLength: 64,
    description: "Of type app: the name of a configured app, instead of callback_url",
  }),
);
const registration = {
  ...required,
  callback_url: optional(callback_url),
  app,
  timeout: optional(timeout),
  retries: optional(retries),
  ...extraFields,
};

export const NewBackend = Type.Object(registration, closed);
export const ChangedBackend = Type.Object(
  { id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), ...registration },
  closed,
);
export const BackendShown = Type.Object({
  id: Type.Integer(),
  ...backendFields,
  callback_url: optional(callback_url),
  app,
  created_at: Type.String(),
  updated_at: Type.String(),
  ...extraFields,
  has_secret: optional(Type.Boolean()),
});
export const Deleted = Type.Object({ message: Type.String(), id: Type.Integer() });
export const ErrorBody = Type.Object({
  error: Type.String(),
  message: Type.String(),
  service_code: optional(Type.String()),
});
export type NewBackendBody = Static<typeof NewBackend>;
export type ChangedBackendBody = Static<typeof ChangedBackend>;

/** Decimal digits once, from 1: no 0x1, 1e0, +1, 1. */
const idPattern = "^[1-9][0-9]{0,14}$";
export const IdParams = Type.Object({ id: Type.String({ pattern: idPattern }) });
export const IdQuery = Type.Object({ id: Type.String({ pattern: idPattern }) });
export const CodeQuery = Type.Object({
  code: Type.String({ pattern: SERVICE_CODE_PATTERN, maxLength: 64 }),
});

export const pageLimit = Type.String({
  pattern: "^([1-9]|[1-9][0-9]|[1-4][0-9]{2}|500)$",
  description: "1 to 500; default 50",
});
export const isoTime = Type.String({
  pattern: "^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,3})?)?Z)?$",
  maxLength: 24,
  description: "2026-11-25 or 2026-11-25T10:00:00Z",
});
export const msisdn = Type.String({ pattern: "^\\+?[1-9][0-9]{6,14}$" });
export const reason = Type.String({
  minLength: 5,
  maxLength: 200,
  pattern: "\\S.{3,}\\S",
  description: "Why: it is kept in the audit log",
});
export const SessionQuery = Type.Object(
  {
    msisdn: optional(msisdn),
    service_code: optional(Type.String({ pattern: SERVICE_CODE_PATTERN, maxLength: 64 })),
    channel: optional(Type.String({ pattern: "^[a-z][a-z0-9-]{0,31}$" })),
    outcome: optional(Type.String({ pattern: "^[a-z_]{1,40}$" })),
    from: optional(isoTime),
    to: optional(isoTime),
    after: optional(
      Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$", description: "`next` of the page before" }),
    ),
    limit: optional(pageLimit),
  },
  closed,
);
export type SessionQueryValues = Static<typeof SessionQuery>;
export const SessionParams = Type.Object({ id: Type.String({ pattern: "^sess_[0-9a-f]{32}$" }) });

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const sessionShown = {
  id: Type.String(),
  channel: Type.String(),
  msisdn: Type.String({ description: "Masked" }),
  service_code: nullable(Type.String()),
  provider: Type.String(),
  started_at: Type.String(),
  last_at: Type.String(),
  turns: Type.Integer(),
  outcome: Type.String({
    description: "live, completed, cancelled, abandoned, unknown, replaced or a failure code",
  }),
};
export const SessionList = Type.Object({
  sessions: Type.Array(Type.Object(sessionShown)),
  next: nullable(Type.String()),
});
export const SessionShown = Type.Object({
  ...sessionShown,
  records: Type.Array(
    Type.Object({
      outcome: Type.String(),
      started_at: Type.String(),
      took_ms: Type.Number(),
      backend_ms: Type.Number(),
      input: Type.String({ description: "Masked where the screen asked for a secret" }),
      screen: Type.String(),
      action: nullable(Type.String()),
      request_octets: Type.Integer(),
      reply_octets: Type.Integer(),
      flaw: nullable(Type.String()),
      attempts: Type.Array(
        Type.Object({
          transaction_id: Type.String(),
          start_ms: Type.Number(),
          took_ms: Type.Number(),
          status: nullable(Type.Integer()),
          failure: nullable(Type.String()),
        }),
      ),
    }),
  ),
});
export const DialledQuery = Type.Object({
  dialled: Type.String({ pattern: "^\\*[0-9*]{1,120}#$" }),
});

export const PushBody = Type.Object(
  {
    channel: Type.String({ minLength: 1, maxLength: 32, description: "Channel that sends it" }),
    msisdn: Type.String({ minLength: 7, maxLength: 16, description: "E.164, with or without +" }),
    service_code: Type.String({
      pattern: SERVICE_CODE_PATTERN,
      description: "Whose backend is told the answer",
    }),
    text: Type.String({ minLength: 1, maxLength: 182, description: "The screen: one, no pages" }),
    type: optional(
      Type.Union([Type.Literal("request"), Type.Literal("notify")], {
        default: "request",
        description: "request waits for an answer, notify is only read",
      }),
    ),
  },
  closed,
);
export type PushBody = Static<typeof PushBody>;
export const Pushed = Type.Object({ session_id: Type.String() });
