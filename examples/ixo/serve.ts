/** IXO as a service of its own, on IXO's wire: PIN_ENCRYPTION_KEY=… node serve.ts */
import { randomBytes } from "node:crypto";
import {
  memoryAppStore,
  memoryPinStore,
  parsePinKeys,
  serveApp,
  type ServedApp,
} from "dialyard/app";
import { createAccounts, openPins } from "./accounts.ts";
import { app } from "./app.ts";

/** Without a key PINs live as long as the process: so do the accounts of this demo. */
export async function serveIxo(pinKey: string | undefined, port = 0): Promise<ServedApp> {
  const keys = parsePinKeys(pinKey ?? randomBytes(32).toString("base64"));
  const context = { accounts: createAccounts(), pins: openPins(keys, memoryPinStore()) };
  return serveApp(app, {
    ...{ protocol: "ixo", port, store: memoryAppStore() },
    context: () => context,
  });
}

if (import.meta.main) {
  const { PORT = "8081", PIN_ENCRYPTION_KEY } = process.env;
  const { url } = await serveIxo(PIN_ENCRYPTION_KEY, Number(PORT));
  console.log(`ixo: ${url}/api/ussd`);
}
