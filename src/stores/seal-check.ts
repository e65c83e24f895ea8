/** Whether a database is sealed with the key that we have. */
import type { Kysely } from "kysely";
import type { Schema } from "./migrations.ts";
import type { Sealer } from "./seal.ts";

const KNOWN = "dialyard";

/** With another key every number would be unreadable, and new rows would be beyond the old one. */
export async function checkSealKey(
  db: Kysely<Schema>,
  sealer: Sealer,
  where: string,
): Promise<void> {
  const row = await db.selectFrom("key_check").selectAll().executeTakeFirst();
  if (row === undefined) {
    await db
      .insertInto("key_check")
      .values({ sealed: sealer.seal(KNOWN, KNOWN) })
      .execute();
    return;
  }
  try {
    sealer.open(row.sealed, KNOWN);
  } catch (error) {
    const remedy = "restore secret.key or DIALYARD_SECRET_KEY";
    throw new Error(`${where} was sealed with another key: ${remedy}`, { cause: error });
  }
}
