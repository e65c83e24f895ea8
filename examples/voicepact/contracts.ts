/** Contracts in a database of the application's own: SQLite, as Node brings it. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

export type Status = "active" | "completed" | "disputed";
export type Contract = {
  readonly id: string;
  readonly product: string;
  readonly total_amount: number;
  readonly currency: string;
  readonly status: Status;
};
export type Contracts = ReturnType<typeof openContracts>;

const TABLES = `
CREATE TABLE IF NOT EXISTS contracts (
  id TEXT PRIMARY KEY NOT NULL,
  phone_number TEXT NOT NULL,
  product TEXT NOT NULL,
  total_amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  status TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS contracts_phone ON contracts (phone_number);`;
const SAMPLES = [
  { id: "VP-MAIZE-001", product: "Maize, 50 bags", total_amount: 175_000, status: "active" },
  { id: "VP-BEANS-002", product: "Beans, 20 bags", total_amount: 120_000, status: "active" },
  { id: "VP-HONEY-003", product: "Honey, 80 kg", total_amount: 64_000, status: "completed" },
] as const;
/** Samples for whoever dials are a demo's: they are dropped when there are too many. */
const SAMPLES_MAX = 30_000;

/** `file`: where it is; ":memory:" for a test. `samples`: gives each new number some contracts. */
export function openContracts(file: string, samples = false) {
  if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 1000; ${TABLES}`);
  const insert = database.prepare(`
    INSERT OR IGNORE INTO contracts VALUES (?, ?, ?, ?, ?, ?, datetime('now'))`);
  const ofNumber = database.prepare(
    "SELECT * FROM contracts WHERE phone_number = ? ORDER BY rowid",
  );
  const one = database.prepare("SELECT * FROM contracts WHERE phone_number = ? AND id = ?");
  const change = database.prepare(`
    UPDATE contracts SET status = ?, updated_at = datetime('now')
    WHERE phone_number = ? AND id = ? AND status IN (?, ?)`);
  const prune = database.prepare(`
    DELETE FROM contracts WHERE rowid <= (SELECT max(rowid) - ${SAMPLES_MAX} FROM contracts)`);

  return {
    add(phone: string, { id, product, total_amount, currency, status }: Contract): void {
      insert.run(id, phone, product, total_amount, currency, status);
    },
    list(phone: string): readonly Contract[] {
      const known = ofNumber.all(phone) as unknown as readonly Contract[];
      if (known.length > 0 || !samples) return known;
      for (const { id, product, total_amount, status } of SAMPLES)
        insert.run(`${id}-${phone}`, phone, product, total_amount, "KES", status);
      prune.run();
      return ofNumber.all(phone) as unknown as readonly Contract[];
    },
    find: (phone: string, id: string) => one.get(phone, id) as unknown as Contract | undefined,
    /**
     * An active contract is completed or disputed, a completed one disputed; what is settled stays
     * settled. Asked for twice it is the same, so a turn that is tried again does no harm.
     */
    settle(phone: string, id: string, to: "completed" | "disputed"): boolean {
      const from = to === "completed" ? "active" : "completed";
      change.run(to, phone, id, "active", from);
      return (one.get(phone, id) as unknown as Contract | undefined)?.status === to;
    },
    close: () => database.close(),
  };
}
