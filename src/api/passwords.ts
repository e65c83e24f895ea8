/** Passwords as scrypt keeps them: off the event loop, and no more at once than memory allows. */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

// OWASP Password Storage Cheat Sheet: N 2^15, r 8, p 3, which takes 32 MiB for as long as it runs.
const COST = { N: 2 ** 15, r: 8, p: 3 } as const;
const MEMORY_MAX = 64 * 1024 * 1024;
const KEY_OCTETS = 32;
const AT_ONCE_MAX = 2;
const WAITING_MAX = 32;

export type Passwords = {
  readonly hash: (password: string) => Promise<string>;
  /** Takes the same time whether or not there is a `kept` one. "busy": too many wait. */
  readonly verify: (password: string, kept: string | undefined) => Promise<boolean | "busy">;
};

export function createPasswords(): Passwords {
  const waiting: (() => void)[] = [];
  let running = 0;
  const nobodys = `scrypt$${COST.N}$${COST.r}$${COST.p}$${"A".repeat(22)}$${"A".repeat(43)}`;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= AT_ONCE_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return {
    hash: (password) =>
      inTurn(async () => {
        const salt = randomBytes(16);
        const key = await derive(password, salt, COST);
        const { N, r, p } = COST;
        return ["scrypt", N, r, p, salt.toString("base64url"), key.toString("base64url")].join("$");
      }),
    async verify(password, kept) {
      if (waiting.length >= WAITING_MAX) return "busy";
      return inTurn(async () => {
        const [, N, r, p, salt = "", key = ""] = (kept ?? nobodys).split("$");
        const cost = { N: Number(N), r: Number(r), p: Number(p) };
        const wanted = Buffer.from(key, "base64url");
        const given = await derive(password, Buffer.from(salt, "base64url"), cost);
        return timingSafeEqual(given, wanted) && kept !== undefined;
      });
    },
  };
}

function derive(
  password: string,
  salt: Buffer,
  cost: { readonly N: number; readonly r: number; readonly p: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // One form of a letter, so that a password is the same from every keyboard.
    const text = password.normalize("NFKC");
    scrypt(text, salt, KEY_OCTETS, { ...cost, maxmem: MEMORY_MAX }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
