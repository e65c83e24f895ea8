/** The keyed hash that mounts hand to dialogues: four digits do not survive a plain one. */
import { hash, randomBytes } from "node:crypto";

const DIGEST_CHARS = 22; // 132 bits of base64url
const SECRET_OCTETS = 32;
/** SHA-256 (FIPS 180-4): octets of a block, and of a hash. */
const BLOCK_OCTETS = 64;
const HASH_OCTETS = 32;

/**
 * A keyed hash of a text. Without a secret the key is of this process alone, which is right for a
 * store that lives no longer.
 * @example
 * const digest = keyedDigest(process.env.APP_SECRET);
 */
export function keyedDigest(secret?: string): (text: string) => string {
  const octets = secret === undefined ? randomBytes(SECRET_OCTETS) : Buffer.from(secret, "utf8");
  if (octets.length < SECRET_OCTETS) throw new Error("an app's secret has at least 32 characters");
  // HMAC (RFC 2104) of two one-shot hashes: `createHmac` makes an object that costs more than they.
  const key = Buffer.alloc(BLOCK_OCTETS);
  (octets.length > BLOCK_OCTETS ? hash("sha256", octets, "buffer") : octets).copy(key);
  const inner = key.map((octet) => octet ^ 0x36);
  const outer = Buffer.concat([key.map((octet) => octet ^ 0x5c), Buffer.alloc(HASH_OCTETS)]);
  return (text) => {
    const said = Buffer.concat([inner, Buffer.from(text, "utf8")]);
    hash("sha256", said, "buffer").copy(outer, BLOCK_OCTETS);
    return hash("sha256", outer, "base64url").slice(0, DIGEST_CHARS);
  };
}
