/** What leaves the process only sealed or hashed, and the random ids (RELIABILITY 2.8). */
import type { KeyObject } from "node:crypto";
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  randomFillSync,
} from "node:crypto";

import { createRecent } from "./recent.ts";

export type Sealer = {
  /** `aad` ties the text to its place: opened elsewhere it is refused. */
  seal(text: string, aad: string): string;
  /** Throws when key, aad or text are not those it was sealed with. */
  open(sealed: string, aad: string): string;
};
/** Keyed hash of a text: 22 characters of base64url. */
export type Digest = (text: string) => string;

const KEY_OCTETS = 32;
const NONCE_OCTETS = 12; // NIST SP 800-38D, 8.2.2: random 96 bits
const TAG_OCTETS = 16;
const KEYS_MAX = 16;
const DIGEST_CHARACTERS = 22; // 132 bits
const POOL_OCTETS = 8192;

/** AES-256-GCM. The first key seals, all of them open: rotation is a new key in front. */
export function createSealer(keys: readonly Buffer[]): Sealer {
  if (keys.length === 0 || keys.length > KEYS_MAX) {
    throw new Error(`a sealer needs 1 to ${KEYS_MAX} keys`);
  }
  const rings = keys.map(asRing);
  const byId = new Map(rings.map((ring) => [ring.id, ring.key]));
  const first = rings[0]!;
  const random = randomPool();

  return {
    seal(text, aad) {
      const nonce = random(NONCE_OCTETS);
      const cipher = createCipheriv("aes-256-gcm", first.key, nonce);
      cipher.setAAD(Buffer.from(aad, "utf8"));
      const body = cipher.update(text, "utf8");
      cipher.final();
      const envelope = Buffer.concat([nonce, cipher.getAuthTag(), body]);
      return `${first.id}.${envelope.toString("base64url")}`;
    },
    open(sealed, aad) {
      const dot = sealed.indexOf(".");
      const key = byId.get(sealed.slice(0, dot));
      if (key === undefined) throw new Error("sealed with a key that is not configured");
      const envelope = Buffer.from(sealed.slice(dot + 1), "base64url");
      const bodyStart = NONCE_OCTETS + TAG_OCTETS;
      if (envelope.length < bodyStart) throw new Error("a sealed text is too short");
      const nonce = envelope.subarray(0, NONCE_OCTETS);
      const options = { authTagLength: TAG_OCTETS };
      const decipher = createDecipheriv("aes-256-gcm", key, nonce, options);
      decipher.setAAD(Buffer.from(aad, "utf8"));
      decipher.setAuthTag(envelope.subarray(NONCE_OCTETS, bodyStart));
      return (
        decipher.update(envelope.subarray(bodyStart), undefined, "utf8") + decipher.final("utf8")
      );
    },
  };
}

/**
 * HMAC-SHA256 (RFC 2104), as two one-shot hashes: `createHmac` makes an object that costs more than
 * the hashing. What is typed most, a digit or two, is hashed once; a PIN is longer.
 */
export function createDigest(key: Buffer): Digest {
  if (key.length < KEY_OCTETS) throw new Error(`a digest key has at least ${KEY_OCTETS} octets`);
  const padded = Buffer.alloc(BLOCK_OCTETS);
  (key.length > BLOCK_OCTETS ? hash("sha256", key, "buffer") : key).copy(padded);
  const inner = Buffer.alloc(BLOCK_OCTETS + TEXT_OCTETS_MAX);
  const outer = Buffer.alloc(BLOCK_OCTETS + KEY_OCTETS);
  padded.forEach((octet, index) => {
    inner[index] = octet ^ 0x36;
    outer[index] = octet ^ 0x5c;
  });
  const secret = createSecretKey(key);
  const short = new Map<string, string>();

  function digest(text: string): string {
    // Three octets of UTF-8 are the most that one UTF-16 unit can need.
    if (text.length * 3 > TEXT_OCTETS_MAX) {
      return createHmac("sha256", secret).update(text).digest("base64url");
    }
    const end = BLOCK_OCTETS + inner.write(text, BLOCK_OCTETS, "utf8");
    hash("sha256", inner.subarray(0, end), "buffer").copy(outer, BLOCK_OCTETS);
    return hash("sha256", outer, "base64url");
  }
  return (text) => {
    if (text.length > SHORT_CHARACTERS_MAX) return digest(text).slice(0, DIGEST_CHARACTERS);
    const known = short.get(text);
    if (known !== undefined) return known;
    const made = digest(text).slice(0, DIGEST_CHARACTERS);
    if (short.size < SHORT_KEPT_MAX) short.set(text, made);
    return made;
  };
}
const BLOCK_OCTETS = 64; // FIPS 180-4: SHA-256's block
const TEXT_OCTETS_MAX = 1024;
const SHORT_CHARACTERS_MAX = 2;
const SHORT_KEPT_MAX = 1000;

/** Remembers the digests of names that were asked for lately. */
export function createKeys(digest: Digest): Digest {
  const known = createRecent<string, string>(KEYS_REMEMBERED_MAX);
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const key = digest(name);
    known.set(name, key);
    return key;
  };
}
const KEYS_REMEMBERED_MAX = 16_384;

/** Ids from a pool, because a call of the system's generator for each costs more than the id. */
export function randomIds(): { newSessionId(): string; newToken(): string } {
  const random = randomPool();
  return {
    newSessionId: () => `sess_${random(16).toString("hex")}`,
    newToken: () => random(12).toString("base64url"),
  };
}

/** What it returns is valid until the next call. */
function randomPool(): (octets: number) => Buffer {
  const pool = Buffer.allocUnsafeSlow(POOL_OCTETS);
  let used = POOL_OCTETS;
  return (octets) => {
    if (used + octets > POOL_OCTETS) {
      randomFillSync(pool);
      used = 0;
    }
    used += octets;
    return pool.subarray(used - octets, used);
  };
}

/** The id tells which key sealed a text and nothing about the key. */
function asRing(key: Buffer): { readonly id: string; readonly key: KeyObject } {
  if (key.length !== KEY_OCTETS) throw new Error(`a sealing key has ${KEY_OCTETS} octets`);
  const secret = createSecretKey(key);
  const id = createHmac("sha256", secret).update("dialyard key id").digest("base64url").slice(0, 8);
  return { id, key: secret };
}
