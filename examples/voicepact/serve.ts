/** VoicePact as a service of its own, on Africa's Talking's wire: node serve.ts */
import { join } from "node:path";
import { serveApp, type ServedApp } from "dialyard/app";
import { sqliteAppStore } from "dialyard/stores/sqlite";
import { app } from "./app.ts";
import { openContracts } from "./contracts.ts";

/** Contracts and sessions lie side by side in `folder`. */
export async function serveVoicepact(folder: string, port = 0): Promise<ServedApp> {
  const contracts = openContracts(join(folder, "contracts.db"), true);
  const store = sqliteAppStore({ file: join(folder, "sessions.db"), synchronous: "normal" });
  const context = () => ({ contracts });
  const served = await serveApp(app, { protocol: "africastalking", port, store, context });
  return {
    ...served,
    async close() {
      await served.close();
      await store.close();
      contracts.close();
    },
  };
}

if (import.meta.main) {
  const { PORT = "8081", DATA_DIR = "./data" } = process.env;
  const { url } = await serveVoicepact(DATA_DIR, Number(PORT));
  console.log(`voicepact: ${url}/api/v1/ussd/`);
}
