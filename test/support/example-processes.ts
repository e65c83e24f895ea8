/** Examples as processes of their own. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { freePort } from "./gateway.ts";

const START_MS_MAX = 20_000;

/** Starts an example's serve.ts; resolves when it has printed its URL. */
export async function startExample(
  serve: URL,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const port = String(await freePort());
  const args = ["--disable-warning=ExperimentalWarning", fileURLToPath(serve)];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env["PATH"], PORT: port, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("the example did not start")), START_MS_MAX);
    child.once("exit", () => reject(new Error("the example ended")));
    child.stdout.on("data", (chunk: Buffer) => {
      const found = /https?:\/\/\S+/.exec(chunk.toString("utf8"))?.[0];
      if (found === undefined) return;
      clearTimeout(late);
      resolve(found);
    });
  });
  return { url, child };
}

/** A transfer begun on one process and finished on another, the first one killed in between. */
export async function survivesKill(
  serve: URL,
  stores: Readonly<Record<string, string>>,
): Promise<void> {
  const env = { ...stores, APP_SECRET: "a secret of thirty-two characters" };
  const [first, second] = await Promise.all([startExample(serve, env), startExample(serve, env)]);
  let turns = 0;
  const say = async (url: string, input: string): Promise<string> => {
    turns += 1;
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        ...{ provider: "test", msisdn: "258823456789", session_id: "sess_kill", input },
        transaction_id: `txn_${turns}`,
      }),
    });
    const { output } = (await response.json()) as { output: readonly string[] };
    return output.join("\n");
  };
  try {
    assert.match(await say(first.url, ""), /^Welcome John Doe/);
    await say(first.url, "2");
    assert.match(await say(second.url, "843456789"), /^To: Jane Smith/);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    assert.match(await say(second.url, "500"), /^Transfer Summary/);
    assert.match(await say(second.url, "1234"), /^Confirm Transfer/);
    assert.match(await say(second.url, "1"), /^Transfer Successful!/);
  } finally {
    for (const { child } of [first, second]) child.kill("SIGKILL");
  }
}
