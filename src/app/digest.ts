/** The keyed hash that mounts hand to dialogues: four digits do not survive a plain one. */
import { createHmac, createSecretKey, randomBytes } from "node:crypto";

const DIGEST_CHARS = 22; // 132 bits of base64url
const SECRET_OCTETS = 32;

/**
 * A keyed hash of a text. Without a secret the key is of this process alone, which is right for a
 * store that lives no longer.
 * @example
 * const digest = keyedDigest(process.env.APP_SECRET);
 */
export function keyedDigest(secret?: string): (text: string) => string {
  const octets = secret === undefined ? randomBytes(SECRET_OCTETS) : Buffer.from(secret, "utf8");
  if (octets.length < SECRET_OCTETS) throw new Error("an app's secret has at least 32 characters");
  const key = createSecretKey(octets);
  return (text) =>
    createHmac("sha256", key).update(text).digest("base64url").slice(0, DIGEST_CHARS);
}
