/** A module as a configuration names it: the app, and what one turn of it needs. */
import { appendFileSync } from "node:fs";
import { createBank } from "../../src/app/bank.fixture.ts";
import type { AppTurn } from "../../src/app/index.ts";

export { bankApp as app } from "../../src/app/transfer.fixture.ts";

const bank = createBank();
const ledger = process.env["TEST_LEDGER"];
const transferMs = Number(process.env["TEST_TRANSFER_MS"] ?? 0);
const { transfer } = bank;
/** Each effect leaves a line before its reply can be lost. */
bank.transfer = async (user, to, amount, key) => {
  if (ledger !== undefined) appendFileSync(ledger, `${key} ${amount}\n`);
  await new Promise((done) => setTimeout(done, transferMs));
  return transfer(user, to, amount, key);
};

export function context({ msisdn }: AppTurn) {
  const user = bank.users.get("258823456789")!;
  return { bank, user: { ...user, msisdn } };
}
