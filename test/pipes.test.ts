/** What is printed into a pipe whose reader has gone: `dialyard dial '*365#' | head -1`. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { type App, register, startApp } from "./support/phones.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

describe("a pipe", () => {
  let gateway: StartedGateway;
  let app: App;
  before(async () => {
    gateway = await startGateway();
    app = await startApp("ola", (_, nth) => ({ screen: `turn ${nth}`, end: nth === 3 }));
    await register(gateway.url, { service_code: "*365#", callback_url: app.url });
  });
  after(async () => {
    await gateway.stop();
    await app.close();
  });

  test("a reader who has read enough is no error", async () => {
    const args = ["--disable-warning=ExperimentalWarning", MAIN, "dial", "*365#"];
    const child = spawn(process.execPath, [...args, "--url", gateway.url]);
    child.stdout.destroy();
    child.stdin.on("error", () => undefined);
    child.stdin.end("1\n2\n3\n");
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const [status] = (await once(child, "close")) as [number];
    assert.deepEqual([status, said], [0, ""]);
  });
});
