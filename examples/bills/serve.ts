/** Bills as a service of its own, and the biller it calls as another: node serve.ts */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { memoryAppStore, serveApp, type ServedApp } from "dialyard/app";
import { app, type Context } from "./app.ts";

const BILLER = import.meta.filename.replace("serve.", "biller.");
const TIMEOUT_MS = 3_500;

/** The biller as a process of its own, with a key that nobody else has. */
export async function startBiller(): Promise<Context["biller"] & { readonly stop: () => void }> {
  const key = randomBytes(16).toString("hex");
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", BILLER], {
    env: { ...process.env, BILLER_KEY: key },
    stdio: ["ignore", "pipe", "inherit"],
  });
  // Ends with us, however we end.
  process.once("exit", () => child.kill());
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const url = /http\S+/.exec(line.toString("utf8"))?.[0];
  if (url === undefined) throw new Error("the biller did not say where it is");
  return { url, key, timeoutMs: TIMEOUT_MS, stop: () => void child.kill() };
}

export function serveBills(biller: Context["biller"], port = 0): Promise<ServedApp> {
  const context = () => ({ biller });
  return serveApp(app, { protocol: "ola", port, store: memoryAppStore(), context });
}

if (import.meta.main) {
  const { url } = await serveBills(await startBiller(), Number(process.env["PORT"] ?? 8081));
  console.log(`bills: ${url}/ussd/callback`);
}
