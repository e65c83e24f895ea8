/** Applications that have their port in their source: one at a time, and only where it is free. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const PORT = 8081;
const READY_MS_MAX = 30_000;
const MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));

export const hasFlask = spawnSync("python3", ["-c", "import flask"]).status === 0;

/** Why nothing can be started there; false where it can. */
export async function whyTaken(): Promise<string | false> {
  const server = createServer();
  const isFree = await new Promise<boolean>((done) => {
    server.once("error", () => done(false));
    server.listen(PORT, () => done(true));
  });
  if (isFree) await new Promise((done) => server.close(done));
  return isFree ? false : `port ${PORT}, which the examples have in their source, is taken here`;
}

/** Runs a source as a user would who pasted it into a file; resolves with what stops it. */
export async function startSource(
  language: "node" | "python",
  source: string,
): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "dialyard-example-"));
  const file = join(folder, language === "node" ? "app.cjs" : "app.py");
  await writeFile(file, source);
  await symlink(MODULES, join(folder, "node_modules"));
  // A group of its own: Flask's debug mode starts a second process.
  const child = spawn(language === "node" ? process.execPath : "python3", [file], {
    cwd: folder,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: folder },
  });
  let printed = "";
  const keep = (chunk: Buffer) => {
    if (printed.length < 100_000) printed += chunk.toString("utf8");
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  let isOver = false;
  const over = new Promise<void>((done) => {
    child.on("close", () => {
      isOver = true;
      done();
    });
  });
  async function stop(): Promise<void> {
    if (child.pid !== undefined && !isOver) process.kill(-child.pid, "SIGKILL");
    await over;
    await rm(folder, { recursive: true, force: true });
  }
  const untilMs = Date.now() + READY_MS_MAX;
  while (!(await answers())) {
    if (isOver || Date.now() > untilMs) {
      await stop();
      throw new Error(`the example did not start:\n${printed}`);
    }
    await wait(50);
  }
  return stop;
}

async function answers(): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${PORT}/`, {
    signal: AbortSignal.timeout(2_000),
  }).catch(() => undefined);
  await response?.body?.cancel();
  return response !== undefined;
}
