/** Real HTTP applications on loopback, so that `npm start` has somebody to dial. */
import { randomBytes } from "node:crypto";
import { PROTOCOL_DEFAULT } from "../config.ts";
import { serveBank } from "./bank.ts";
import { serveBiller } from "./biller.ts";
import { serveBills } from "./bills.ts";

export type DemoBackend = {
  readonly serviceCode: string;
  readonly name: string;
  readonly callbackUrl: string;
  /** The codec to register it with. */
  readonly protocol: string;
  /** What to try, in one line. */
  readonly hint: string;
};
export type Demo = { readonly backends: readonly DemoBackend[]; close(): Promise<void> };
export type DemoOptions = { readonly nowMs?: () => number; readonly billerTimeoutMs?: number };

export async function startDemo({
  nowMs = Date.now,
  billerTimeoutMs = 4_000,
}: DemoOptions = {}): Promise<Demo> {
  const key = randomBytes(16).toString("hex");
  const [bank, biller] = await Promise.all([serveBank({ nowMs }), serveBiller({ key })]);
  const bills = await serveBills({
    nowMs,
    biller: { url: biller.url, key, timeoutMs: billerTimeoutMs },
  });
  return {
    backends: [
      {
        serviceCode: "*365#",
        name: "Demo bank",
        callbackUrl: bank.callbackUrl,
        protocol: PROTOCOL_DEFAULT,
        hint: "2 sends money to 843456789; the PIN is 1234",
      },
      {
        serviceCode: "*105#",
        name: "Demo bills",
        callbackUrl: bills.callbackUrl,
        protocol: PROTOCOL_DEFAULT,
        hint: "1, then account 12345678 to pay, 12340000 for none, 12999999 for too much",
      },
    ],
    async close() {
      await Promise.all([bank.close(), bills.close(), biller.close()]);
    },
  };
}
