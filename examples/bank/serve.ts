/** The bank as a service of its own, as any gateway calls one: node serve.ts */
import { memoryAppStore, serveApp } from "dialyard/app";
import { app, context } from "./app.ts";

const port = Number(process.env["PORT"] ?? 8081);
const { url } = await serveApp(app, { protocol: "ola", port, store: memoryAppStore(), context });
console.log(`bank: ${url}/ussd/callback`);
