/** The lines of bad-inputs.jsonl as RELIABILITY 9 describes them: what they say, and its octets. */
import { createHmac } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Script } from "../../src/testing/scripted-backend.ts";

const FILE = new URL("../../../shared/bad-inputs.jsonl", import.meta.url);

/** Why the lines are skipped; false where they are there. */
export const badInputsMissing = existsSync(fileURLToPath(FILE))
  ? false
  : "../shared/bad-inputs.jsonl is not there";

export type Profile =
  "auth_on" | "etag" | "egress_guard" | "production" | "ip_allowlist" | "signed";
type Repeat = {
  readonly head: string;
  readonly unit: string;
  readonly times: number;
  readonly tail: string;
};
export type Ask = {
  readonly method: string;
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly body_b64?: string;
  readonly body_repeat?: Repeat;
  readonly save?: Readonly<Record<string, string>>;
};
export type Line = Ask & {
  readonly name: string;
  readonly why: string;
  readonly raw?: string;
  readonly raw_b64?: string;
  readonly raw_repeat?: Repeat;
  readonly encoding?: BufferEncoding;
  readonly via?: "test" | "at" | "ixo" | "kairos";
  readonly backend?: Readonly<Record<string, unknown>>;
  readonly behaviour?: {
    readonly drip_ms?: number;
    readonly repeat?: string;
    readonly drip?: string;
    readonly every_ms?: number;
    readonly hold_ms?: number;
    readonly within_ms?: number;
    readonly then?: "fin" | "rst";
  };
  readonly pre?: readonly Ask[];
  readonly needs_backend?: boolean;
  readonly profile?: Profile;
  readonly expect_status: number;
  readonly expect_any?: readonly number[];
  readonly expect_error?: string;
  readonly expect_body?: string;
  readonly expect_body_not?: string;
  readonly expect_max_chars?: number;
  readonly expect_backend_calls?: number;
  readonly expect_backend?: Readonly<Record<string, unknown>>;
  readonly expect_same_txn?: boolean;
  readonly expect_ms?: readonly [min: number, max: number];
  readonly expect_count?: number;
  readonly expect_closed?: boolean;
  readonly follow_ok?: boolean;
};

/** A key that no runner knows would be an expectation that nobody checks. */
const KEYS = new Set(
  (
    "name endpoint method headers why body body_b64 body_repeat raw raw_b64 raw_repeat encoding " +
    "via backend behaviour pre needs_backend profile expect_status expect_any expect_error " +
    "expect_body expect_body_not expect_max_chars expect_backend_calls expect_backend " +
    "expect_same_txn expect_ms expect_count expect_closed follow_ok"
  ).split(" "),
);

export function readLines(): readonly Line[] {
  if (badInputsMissing !== false) return [];
  const text = readFileSync(FILE, "utf8").trimEnd();
  return text.split("\n").map((json) => {
    const line = JSON.parse(json) as Line;
    const unknown = Object.keys(line).filter((key) => !KEYS.has(key));
    if (unknown.length > 0) throw new Error(`${line.name}: unknown key ${unknown.join(", ")}`);
    return line;
  });
}

/** By name, what stands for {{NAME}}. */
export type Values = Map<string, string>;

export function fill(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\{\{([A-Z0-9_]+)\}\}/g, (whole, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`nothing is known for ${whole}`);
    return value;
  });
}

function octetsOf(
  text: string | undefined,
  base64: string | undefined,
  repeat: Repeat | undefined,
  values: ReadonlyMap<string, string>,
  encoding: BufferEncoding = "utf8",
): Buffer | undefined {
  if (base64 !== undefined) return Buffer.from(base64, "base64");
  const whole = text ?? (repeat && unroll(repeat));
  return whole === undefined ? undefined : Buffer.from(fill(whole, values), encoding);
}

function unroll({ head, unit, times, tail }: Repeat): string {
  return head + unit.repeat(times) + tail;
}

export type Octets = {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
};

export function requestOf(
  ask: Ask,
  values: ReadonlyMap<string, string>,
  secrets: { readonly own: string; readonly other: string },
): Octets {
  const body = octetsOf(ask.body, ask.body_b64, ask.body_repeat, values);
  const known = new Map(values);
  const id = fill(ask.headers["webhook-id"] ?? "", values);
  const timestamp = fill(ask.headers["webhook-timestamp"] ?? "", values);
  const signed = `${id}.${timestamp}.${body?.toString("utf8") ?? ""}`;
  const sign = (secret: string) =>
    `v1,${createHmac("sha256", secret).update(signed).digest("base64")}`;
  known.set("SIG", sign(secrets.own));
  known.set("SIG_OLD", sign(secrets.own));
  known.set("SIG_OTHER_TENANT", sign(secrets.other));
  const headers = Object.entries(ask.headers).map(([name, value]) => [name, fill(value, known)]);
  return {
    method: ask.method,
    target: fill(ask.endpoint, values),
    headers: Object.fromEntries(headers) as Record<string, string>,
    body,
  };
}

export function rawOf(line: Line, values: ReadonlyMap<string, string>): Buffer {
  const { raw, raw_b64, raw_repeat, encoding } = line;
  return octetsOf(raw, raw_b64, raw_repeat, values, encoding) ?? Buffer.alloc(0);
}

/** What the scripted backend does when it is asked. */
export function scriptOf(line: Line, asked: { readonly body: string }): Script {
  const { raw, raw_b64, raw_repeat, encoding, behaviour = {} } = line;
  const { drip_ms, repeat, every_ms, hold_ms, then } = behaviour;
  const text = raw ?? (raw_repeat && unroll(raw_repeat)) ?? "";
  return {
    raw:
      raw_b64 === undefined
        ? Buffer.from(fillReply(text, asked.body, encoding), encoding)
        : Buffer.from(raw_b64, "base64"),
    ...(drip_ms !== undefined && { dripMs: drip_ms }),
    ...(repeat !== undefined && { repeat, everyMs: every_ms ?? 0 }),
    then: then ?? (hold_ms === undefined ? "keep" : "hold"),
  };
}

function fillReply(text: string, askedBody: string, encoding?: BufferEncoding): string {
  const turn = JSON.parse(askedBody) as Readonly<Record<string, string>>;
  const known = text
    .replaceAll("{{SESSION_ID}}", turn["session_id"] ?? "")
    .replaceAll("{{TRANSACTION_ID}}", turn["transaction_id"] ?? "");
  // A second reply behind the first is no part of its body: it is the surplus.
  const [body = ""] = known.slice(known.indexOf("\r\n\r\n") + 4).split(/HTTP\/1\.[01] \d/);
  return known.replaceAll("{{LEN}}", String(Buffer.byteLength(body, encoding)));
}

/** The one dial that drives a REPLY line. */
export function dialOf(
  via: NonNullable<Line["via"]>,
  dial: { readonly sessionId: string; readonly msisdn: string; readonly serviceCode: string },
): Ask {
  const { sessionId, msisdn, serviceCode } = dial;
  const json = (endpoint: string, body: object): Ask => ({
    method: "POST",
    endpoint,
    headers: { "content-type": "application/json", authorization: "Bearer {{ADMIN_KEY}}" },
    body: JSON.stringify(body),
  });
  switch (via) {
    case "test":
      return json("/ussd/test/callback", {
        provider: "test",
        msisdn,
        session_id: sessionId,
        transaction_id: `${sessionId}-1`,
        service_code: serviceCode,
        input: "",
      });
    case "ixo":
      return json("/api/ussd", { sessionId, serviceCode, phoneNumber: `+${msisdn}`, text: "" });
    case "kairos":
      return json("/ussd/kairos/callback", {
        msisdn,
        sessionId,
        messageType: "0",
        ussdString: serviceCode,
      });
    case "at": {
      const phoneNumber = `+${msisdn}`;
      const form = new URLSearchParams({ sessionId, serviceCode, phoneNumber, text: "" });
      return {
        method: "POST",
        endpoint: "/api/v1/ussd/",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: form.toString(),
      };
    }
  }
}
