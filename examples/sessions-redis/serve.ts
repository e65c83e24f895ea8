/** The bank with its sessions on Redis: node serve.ts, as often as there are machines. */
import { app, context } from "@dialyard/example-bank/app.ts";
import { serveApp } from "dialyard/app";
import { redisAppStore } from "dialyard/stores/redis";

const { PORT = "8081", REDIS_URL = "redis://localhost:6379", APP_SECRET = "" } = process.env;
const store = await redisAppStore({ url: REDIS_URL });
// Hashes in the store are made with it: the same on every machine, 32 characters or more.
const secret = APP_SECRET === "" ? {} : { secret: APP_SECRET };
const served = await serveApp(app, {
  ...{ protocol: "ola", port: Number(PORT), store, context },
  ...secret,
});
console.log(`bank, sessions on Redis: ${served.url}/ussd/callback`);

process.once("SIGTERM", () => void served.close().then(() => store.close()));
