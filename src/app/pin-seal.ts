/**
 * A PIN at rest: a salted slow hash, peppered, inside an AES-256-GCM envelope that is tied to its
 * subscriber, app and key (IXO API docs, "Security"; RELIABILITY 2.8).
 *
 * Either alone is too little: a hash of ten thousand possible PINs falls in minutes to who has the
 * database, and encryption alone to who has the key.
 */
import type { KeyObject } from "node:crypto";
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  scrypt,
  timingSafeEqual,
} from "node:crypto";

/** Of scrypt (RFC 7914): memory is 128 · n · r octets. */
export type PinCost = { readonly n: number; readonly r: number; readonly p: number };
export type PinKey = {
  /** Tells which key sealed a PIN, and nothing about the key. */
  readonly id: string;
  readonly envelope: KeyObject;
  readonly pepper: KeyObject;
};
/** Whose PIN: it opens nowhere else. */
export type PinOwner = { readonly app: string; readonly subscriber: string };

const KEY_OCTETS = 32;
const KEYS_MAX = 16;
const NONCE_OCTETS = 12; // NIST SP 800-38D, 8.2.2: random 96 bits
const TAG_OCTETS = 16;
const SALT_OCTETS = 16;
const HASH_OCTETS = 32;
const COST_OCTETS = 6; // log2 n, r, p: an octet, an octet, four
const BODY_OCTETS = COST_OCTETS + SALT_OCTETS + HASH_OCTETS;
const MEMORY_OCTETS_MAX = 2 ** 28;
const KEY_FORMAT = /^(?:[0-9a-fA-F]{64}|[A-Za-z0-9+/_-]{43}=?)$/;

/**
 * The keys of a vault, from text: 32 octets each in base64 or hexadecimal, separated by commas. The
 * first seals, all of them open.
 * @example
 * // PIN_ENCRYPTION_KEY="$(openssl rand -base64 32)"
 * const keys = parsePinKeys(process.env.PIN_ENCRYPTION_KEY);
 */
export function parsePinKeys(text: string | undefined): readonly PinKey[] {
  const parts = (text ?? "").split(",").map((part) => part.trim());
  if (parts.length > KEYS_MAX || !parts.every((part) => KEY_FORMAT.test(part))) {
    // Never the text: it is the key.
    throw new Error(
      `PIN_ENCRYPTION_KEY is 1 to ${KEYS_MAX} keys of ${KEY_OCTETS} octets in base64 or ` +
        "hexadecimal, separated by commas (openssl rand -base64 32)",
    );
  }
  const keys = parts.map((part) =>
    keyOf(part.length === 2 * KEY_OCTETS ? Buffer.from(part, "hex") : Buffer.from(part, "base64")),
  );
  if (new Set(keys.map(({ id }) => id)).size < keys.length) {
    throw new Error("PIN_ENCRYPTION_KEY names the same key twice");
  }
  return keys;
}

/** RFC 5869: one secret to keep, three that have nothing to do with one another. */
function keyOf(secret: Buffer): PinKey {
  const derive = (use: string, octets: number) =>
    Buffer.from(hkdfSync("sha256", secret, "", `dialyard pin ${use}`, octets));
  return {
    id: derive("key id", 6).toString("base64url"),
    envelope: createSecretKey(derive("envelope", KEY_OCTETS)),
    pepper: createSecretKey(derive("pepper", KEY_OCTETS)),
  };
}

/** Sealed anew each time: equal PINs, even of one subscriber, never look alike. */
export async function sealPin(
  key: PinKey,
  owner: PinOwner,
  pin: string,
  cost: PinCost,
): Promise<string> {
  const salt = randomBytes(SALT_OCTETS);
  const head = Buffer.alloc(COST_OCTETS);
  head.writeUInt8(Math.log2(cost.n), 0);
  head.writeUInt8(cost.r, 1);
  head.writeUInt32BE(cost.p, 2);
  const hash = await slowHash(key, owner, pin, salt, cost);
  const nonce = randomBytes(NONCE_OCTETS);
  const cipher = createCipheriv("aes-256-gcm", key.envelope, nonce);
  cipher.setAAD(aadOf(key, owner));
  const body = Buffer.concat([cipher.update(Buffer.concat([head, salt, hash])), cipher.final()]);
  return `${key.id}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64url")}`;
}

/** Before a PIN is sealed at a cost that nobody can read back, or that no machine can pay. */
export function checkCost({ n, r, p }: PinCost): void {
  const isWhole = [n, r, p].every((one) => Number.isSafeInteger(one) && one >= 1);
  const isPower = n >= 2 && Number.isInteger(Math.log2(n));
  if (isWhole && isPower && r <= 255 && p <= 255 && 128 * n * r <= MEMORY_OCTETS_MAX) return;
  throw new Error(
    "the cost of a PIN is n a power of 2, r and p from 1 to 255, and 128 * n * r at most 256 MiB",
  );
}

export type OpenedPin = {
  /** Whether the key and the cost are those that one would seal with today. */
  readonly isCurrent: boolean;
  readonly matches: (pin: string) => Promise<boolean>;
};

/** Throws when the key is not there, or the text was changed or is another's. */
export function openPin(
  keys: readonly PinKey[],
  owner: PinOwner,
  sealed: string,
  today: PinCost,
): OpenedPin {
  const dot = sealed.indexOf(".");
  const key = keys.find(({ id }) => id === sealed.slice(0, dot));
  if (key === undefined) {
    throw new Error(`a PIN is sealed with key ${sealed.slice(0, dot)}, which is not configured`);
  }
  const body = unwrap(key, owner, Buffer.from(sealed.slice(dot + 1), "base64url"));
  const cost = { n: 2 ** body.readUInt8(0), r: body.readUInt8(1), p: body.readUInt32BE(2) };
  const salt = body.subarray(COST_OCTETS, COST_OCTETS + SALT_OCTETS);
  const hash = body.subarray(COST_OCTETS + SALT_OCTETS);
  const isSameCost = cost.n === today.n && cost.r === today.r && cost.p === today.p;
  return {
    isCurrent: key === keys[0] && isSameCost,
    async matches(pin) {
      return timingSafeEqual(await slowHash(key, owner, pin, salt, cost), hash);
    },
  };
}

function unwrap(key: PinKey, owner: PinOwner, envelope: Buffer): Buffer {
  if (envelope.length !== NONCE_OCTETS + TAG_OCTETS + BODY_OCTETS) {
    throw new Error("a sealed PIN has not the length of one");
  }
  const nonce = envelope.subarray(0, NONCE_OCTETS);
  const options = { authTagLength: TAG_OCTETS };
  const decipher = createDecipheriv("aes-256-gcm", key.envelope, nonce, options);
  decipher.setAAD(aadOf(key, owner));
  decipher.setAuthTag(envelope.subarray(NONCE_OCTETS, NONCE_OCTETS + TAG_OCTETS));
  const body = decipher.update(envelope.subarray(NONCE_OCTETS + TAG_OCTETS));
  try {
    return Buffer.concat([body, decipher.final()]);
  } catch {
    throw new Error("a sealed PIN was changed, or belongs to another subscriber or app");
  }
}

/** JSON, so that no two owners can be written the same. */
function aadOf({ id }: PinKey, { app, subscriber }: PinOwner): Buffer {
  return Buffer.from(JSON.stringify(["dialyard pin 1", app, subscriber, id]), "utf8");
}

/** On a thread of libuv's pool: turns go on meanwhile. */
function slowHash(
  { pepper }: PinKey,
  { app, subscriber }: PinOwner,
  pin: string,
  salt: Buffer,
  { n, r, p }: PinCost,
): Promise<Buffer> {
  const peppered = createHmac("sha256", pepper)
    .update(JSON.stringify([app, subscriber, pin]))
    .digest();
  const options = { N: n, r, p, maxmem: 256 * n * r + 1_048_576 };
  return new Promise((resolve, reject) => {
    scrypt(peppered, salt, HASH_OCTETS, options, (error, hash) =>
      error === null ? resolve(hash) : reject(error),
    );
  });
}
