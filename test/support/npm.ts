/** npm as a user runs it, in folders of its own; skips, or fails under CI, without a registry. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { writePackage } from "../../scripts/package.ts";

const START_MS_MAX = 30_000;

export type Ran = { readonly status: number | null; readonly out: string };

/** Nothing of this checkout on the PATH but the Node that runs the tests. */
export function cleanEnv(): NodeJS.ProcessEnv {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const outside = folders.filter((folder) => !folder.endsWith(join("node_modules", ".bin")));
  const PATH = [dirname(process.execPath), ...outside].join(delimiter);
  const kept = Object.entries(process.env).filter(
    // What `npm test` tells its scripts is about this package, not about the one made here.
    ([name]) => !/^npm_(?:package|lifecycle|command)|^(?:NODE_TEST_CONTEXT|INIT_CWD)$/.test(name),
  );
  return { ...Object.fromEntries(kept), PATH };
}

export function run(folder: string, command: string, ...args: readonly string[]): Ran {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    env: cleanEnv(),
    encoding: "utf8",
    timeout: 200_000,
  });
  return { status, out: `${stdout}${stderr}${error === undefined ? "" : String(error)}` };
}

/** `npm install`, from npm's cache where it can. False when the test was skipped. */
export function install(t: TestContext, folder: string, ...packages: readonly string[]): boolean {
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, out } = run(folder, "npm", "install", ...quiet, ...packages);
  if (status === 0) return true;
  const isUnreachable = /ENOTFOUND|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|EAI_AGAIN|ECONNRESET/.test(
    out,
  );
  if (!isUnreachable || process.env["CI"] !== undefined) throw new Error(`npm install: ${out}`);
  const reason = "NOT TESTED: npm's cache lacks a package, and no registry is reachable";
  t.diagnostic(reason);
  t.skip(reason);
  return false;
}

export function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "dialyard-npm-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The tarball that a registry would be given. */
export function pack(folder: string): string {
  const dist = join(folder, "dist");
  writePackage(dist);
  const { status, out } = run(folder, "npm", "pack", "./dist", "--loglevel=error");
  if (status !== 0) throw new Error(out);
  return join(folder, out.trim());
}

/** Runs until `stop`; resolves once its output contains `sign`. */
export async function startUntil(
  t: TestContext,
  folder: string,
  sign: RegExp,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly said: RegExpExecArray; readonly stop: () => Promise<void> }> {
  // A group of its own: npm passes no signal on to what it started.
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...cleanEnv(), ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null) {
      try {
        process.kill(-child.pid, "SIGTERM");
      } catch {
        // gone by itself
      }
    }
    await gone;
  };
  t.after(stop);
  let out = "";
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      out += chunk.toString();
      const said = sign.exec(out);
      if (said !== null) resolve({ said, stop });
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    const late = setTimeout(() => reject(new Error(`no ${sign} in: ${out}`)), START_MS_MAX);
    late.unref();
    void gone.then(() => reject(new Error(`${command} ended: ${out}`)));
  });
}
