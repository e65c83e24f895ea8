/** Real HTTP applications on loopback, so that `npm start` has somebody to dial. */
import { randomBytes } from "node:crypto";
import { africastalking, ixo } from "../codecs/index.ts";
import { PROTOCOL_DEFAULT } from "../config.ts";
import { serveBank } from "./bank.ts";
import { serveBiller } from "./biller.ts";
import { serveBills } from "./bills.ts";
import { serveIxo } from "./ixo.ts";
import { serveVoicepact } from "./voicepact.ts";

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
  const [bank, biller, voicepact, ixoMenu] = await Promise.all([
    serveBank({ nowMs }),
    serveBiller({ key }),
    serveVoicepact(),
    serveIxo(),
  ]);
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
      {
        serviceCode: "*384*1234#",
        name: "Demo VoicePact",
        callbackUrl: voicepact.callbackUrl,
        protocol: africastalking.name,
        hint: "2, 1, 1 confirms the delivery of a contract",
      },
      {
        serviceCode: "*1234#",
        name: "Demo IXO",
        callbackUrl: ixoMenu.callbackUrl,
        protocol: ixo.name,
        hint: "1 is the information center, * leaves",
      },
    ],
    async close() {
      const served = [bank, bills, biller, voicepact, ixoMenu];
      await Promise.all(served.map((each) => each.close()));
    },
  };
}
