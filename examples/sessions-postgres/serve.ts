/** The bank with its sessions on PostgreSQL: node serve.ts, as often as there are machines. */
import { app, context } from "@dialyard/example-bank/app.ts";
import { serveApp } from "dialyard/app";
import { postgresAppStore } from "dialyard/stores/postgres";

const {
  PORT = "8081",
  DATABASE_URL = "postgresql://localhost:5432/postgres",
  APP_SECRET = "",
} = process.env;
const store = await postgresAppStore({ url: DATABASE_URL });
// Hashes in the store are made with it: the same on every machine, 32 characters or more.
const secret = APP_SECRET === "" ? {} : { secret: APP_SECRET };
const served = await serveApp(app, {
  ...{ protocol: "ola", port: Number(PORT), store, context },
  ...secret,
});
console.log(`bank, sessions on PostgreSQL: ${served.url}/ussd/callback`);

process.once("SIGTERM", () => void served.close().then(() => store.close()));
