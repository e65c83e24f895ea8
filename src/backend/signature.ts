/**
 * Standard Webhooks, both ways: calls to backends are signed, calls of channels verified.
 *
 *   webhook-id: txn_…
 *   webhook-timestamp: 1789990000            Unix seconds
 *   webhook-signature: v1,<base64 of HMAC-SHA256(secret, "id.timestamp.body")> [v1,… ]
 *
 * standard-webhooks/standard-webhooks, spec/standard-webhooks.md; RELIABILITY 2.9.
 */
import type { Hmac, KeyObject } from "node:crypto";
import { createHash, createHmac, createSecretKey, timingSafeEqual } from "node:crypto";

export type SignedHeaders = {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
};
export type SignatureProblem = "missing" | "bad_timestamp" | "stale" | "no_match";
/** `id` is for the caller to remember: a signature stays good for the whole tolerance. */
export type Verified =
  | { readonly type: "verified"; readonly id: string }
  | { readonly type: "refused"; readonly problem: SignatureProblem };

const PREFIX = "v1,";
const DIGEST_OCTETS = 32;
const TOLERANCE_MS = 300_000;
const SIGNATURES_MAX = 5;
const ID_CHARS_MAX = 256;
const SIGNATURE_CHARS_MAX = 2_048;
const KEYS_MAX = 1_024;

export function sign(secret: string, id: string, timestampMs: number, body: string): SignedHeaders {
  const timestamp = String(Math.floor(timestampMs / 1_000));
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": PREFIX + hmacOf(secret, id, timestamp, body).digest("base64"),
  };
}

export function verify(
  secret: string,
  headers: Readonly<Record<string, string | undefined>>,
  body: string,
  nowMs: number,
): Verified {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  const signatures = headers["webhook-signature"];
  if (!id || !timestamp || !signatures) return { type: "refused", problem: "missing" };
  if (id.length > ID_CHARS_MAX || signatures.length > SIGNATURE_CHARS_MAX) {
    return { type: "refused", problem: "no_match" };
  }
  if (!/^[0-9]{1,12}$/.test(timestamp)) return { type: "refused", problem: "bad_timestamp" };
  if (Math.abs(nowMs - Number(timestamp) * 1_000) > TOLERANCE_MS) {
    return { type: "refused", problem: "stale" };
  }
  // Senders that rotate a secret send one signature per secret; more than a few is an attack.
  const expected = hmacOf(secret, id, timestamp, body).digest();
  for (const candidate of signatures.split(" ", SIGNATURES_MAX)) {
    if (isSignature(candidate, expected)) return { type: "verified", id };
  }
  return { type: "refused", problem: "no_match" };
}

function isSignature(candidate: string, expected: Buffer): boolean {
  if (!candidate.startsWith(PREFIX)) return false;
  const given = Buffer.from(candidate.slice(PREFIX.length), "base64");
  return given.length === DIGEST_OCTETS && timingSafeEqual(given, expected);
}

function hmacOf(secret: string, id: string, timestamp: string, body: string): Hmac {
  return createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.${body}`);
}

// createHmac with a KeyObject costs a quarter of what it does with the raw secret.
const keys = new Map<string, KeyObject>();

function keyOf(secret: string): KeyObject {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  if (keys.size >= KEYS_MAX) keys.clear();
  const key = createSecretKey(secretOctets(secret));
  keys.set(secret, key);
  return key;
}

/** "whsec_" + base64, as the specification serialises secrets, or any other text as it stands. */
function secretOctets(secret: string): Buffer {
  if (!secret.startsWith("whsec_")) return Buffer.from(secret, "utf8");
  return Buffer.from(secret.slice("whsec_".length), "base64");
}

/** Hashes first, so that neither length nor content leaks through timing. */
export function isSameSecret(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
