/** The key outside the database that seals what is in it. */
import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** DIALYARD_SECRET_KEY, or a key made on the first start and kept beside the database. */
export async function readSecretKey({ secretKey, dataDir }: KeyPlace): Promise<string> {
  if (secretKey !== "") return secretKey;
  const file = join(dataDir, "secret.key");
  try {
    await writeFile(file, `${randomBytes(32).toString("base64url")}\n`, {
      flag: "wx",
      mode: 0o600,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const key = (await readFile(file, "utf8")).trim();
  if (key.length < KEY_CHARACTERS_MIN) {
    throw new Error(`${file} is empty or cut: restore it, or the database cannot be read`);
  }
  return key;
}

const KEY_CHARACTERS_MIN = 32;

/** One key for each use, so that none says anything of another. */
export function deriveKeys(secret: string): {
  readonly seal: Buffer;
  readonly digest: Buffer;
  readonly lookup: Buffer;
} {
  const derive = (use: string) =>
    createHash("sha256").update(`dialyard ${use}\n${secret}`).digest();
  return { seal: derive("seal"), digest: derive("digest"), lookup: derive("lookup") };
}

type KeyPlace = { readonly secretKey: string; readonly dataDir: string };
