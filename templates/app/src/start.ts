/** `npm start`: the app, a gateway in front of it, and a code to dial. */
import { spawn } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { serveApp } from "dialyard/app";
import { app } from "./app.ts";

const CODE = "*123#";
const { PORT = "8080", APP_PORT = "8081" } = process.env;
const gatewayUrl = `http://127.0.0.1:${PORT}`;

const { url, close } = await serveApp(app, { protocol: "ola", port: Number(APP_PORT) });
const gateway = spawn("dialyard", ["dev"], { stdio: "inherit" });
gateway.once("exit", (status) => void close().then(() => process.exit(status ?? 1)));
// Ctrl-C reaches both; what is under way is answered before either ends.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => gateway.kill(signal));

await untilReady();
const backend = { callback_url: url, service_code: CODE, name: "my-ussd-app", protocol: "ola" };
const registered = await fetch(`${gatewayUrl}/backends`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ ...backend, type: "http", method: "POST", status: "active" }),
});
// 409: an earlier start did it.
if (!registered.ok && registered.status !== 409) throw new Error(await registered.text());
const at = PORT === "8080" ? "" : ` --url ${gatewayUrl}`;
console.log(`my-ussd-app is on ${CODE}: npx dialyard dial '${CODE}'${at}\n`);

async function untilReady() {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const isReady = await fetch(`${gatewayUrl}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await wait(100);
  }
  throw new Error(`no gateway at ${gatewayUrl}`);
}
