/** `dialyard users`, as an operator runs it: before the first start, and beside a running gateway. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { startGateway } from "./support/gateway.ts";
import { noPostgres, startPostgres } from "./support/postgres-server.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const PASSWORD = "correct horse battery";
const KEY = "test-admin-key-0123456789";
type Env = Readonly<Record<string, string>>;

/** The command in a pipe: its status, and what it says on both streams. */
async function users(env: Env, args: readonly string[], typed = "") {
  const child = spawn(process.execPath, [MAIN, "users", ...args], {
    env: { PATH: process.env["PATH"], ...env },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stdin.on("error", () => undefined).end(typed);
  const status = await new Promise<number | null>((done) => child.on("close", done));
  return { status, said };
}

async function signIn(url: string, name: string, password = PASSWORD) {
  const response = await fetch(`${url}/api/v1/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, password }),
  });
  return { status: response.status, body: (await response.json()) as { readonly role?: string } };
}

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "dialyard-users-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The first admin before the first start; then others, beside the gateway that runs. */
async function useIt(t: TestContext, dataDir: string, store: Env): Promise<void> {
  const offline = { DATA_DIR: dataDir, ...store };
  const first = await users(offline, ["add", "ana", "--role", "admin"], `${PASSWORD}\n`);
  assert.deepEqual(first, { status: 0, said: "ana may sign in, as admin\n" });

  const env = { DIALYARD_ADMIN_KEY: KEY, ...store };
  const gateway = await startGateway({ command: "start", dataDir, env });
  t.after(() => gateway.stop());
  assert.equal((await signIn(gateway.url, "ana")).body.role, "admin");

  const online = { ...offline, ...env, PORT: String(gateway.port) };
  const second = await users(online, ["add", "vera", "--role", "viewer"], `${PASSWORD}\n`);
  assert.deepEqual(second, { status: 0, said: "vera may sign in, as viewer\n" });
  assert.equal((await signIn(gateway.url, "vera")).body.role, "viewer");
  const listed = await users(online, ["list"]);
  assert.deepEqual(listed, { status: 0, said: "ana   admin\nvera  viewer\n" });

  const again = await users(online, ["add", "vera", "--role", "admin"], `${PASSWORD}\n`);
  assert.deepEqual(again, { status: 1, said: "dialyard users: there is a user vera\n" });
  const removed = await users(online, ["remove", "vera"]);
  assert.equal(removed.status, 0);
  assert.equal((await signIn(gateway.url, "vera")).status, 401);
  const last = await users(online, ["remove", "ana"]);
  assert.deepEqual(last, { status: 1, said: "dialyard users: ana is the only admin\n" });

  const headers = { authorization: `Bearer ${KEY}` };
  const log = await (await fetch(`${gateway.url}/api/v1/audit`, { headers })).text();
  assert.match(log, /"actor":"command line","action":"user.add","target":"ana"/);
  assert.equal(log.includes(PASSWORD), false);
}

describe("dialyard users", () => {
  test("on a file, which a running gateway has for itself", (t) => useIt(t, newFolder(t), {}));

  test("on PostgreSQL", { skip: noPostgres }, async (t) => {
    const server = await startPostgres();
    t.after(() => server.stop());
    await useIt(t, newFolder(t), { DATABASE_URL: await server.newDatabase() });
  });

  test("what cannot be right is refused with its reason, and nobody is added", async (t) => {
    const env = { DATA_DIR: newFolder(t) };
    const refused: readonly (readonly [string, readonly string[], string, number, RegExp])[] = [
      ["a short password", ["add", "ana", "--role", "admin"], "short\n", 1, /at least 12 charac/],
      ["no password", ["add", "ana", "--role", "admin"], "", 1, /no password was given/],
      ["an unknown role", ["add", "ana", "--role", "king"], "", 2, /role "king".*viewer, support/],
      ["no role", ["add", "ana"], "", 2, /--role is missing/],
      ["a name with a space", ["add", "a b", "--role", "admin"], "", 2, /a name has 1 to 64/],
      ["no name", ["add"], "", 2, /the name is missing/],
      ["another verb", ["change", "ana"], "", 2, /add, list or remove/],
      ["a user who is not there", ["remove", "eve"], "", 1, /there is no user eve/],
    ];
    for (const [what, args, typed, status, reason] of refused) {
      const answer = await users(env, args, typed);
      assert.equal(answer.status, status, what);
      assert.match(answer.said, reason, what);
    }
    assert.equal((await users(env, ["list"])).said, "no users yet\n");
  });

  const noScript = spawnSync("script", ["--version"]).status !== 0 && "no script(1) here";
  test(
    "on a terminal the password is asked for twice, and not shown",
    { skip: noScript },
    async (t) => {
      const env = { PATH: process.env["PATH"], DATA_DIR: newFolder(t) };
      const command = `'${process.execPath}' '${MAIN}' users add ana --role admin`;
      const terminal = spawn("script", ["-qec", command, "/dev/null"], { env });
      let shown = "";
      const answers = [`${PASSWORD}!\u007f\r`, `${PASSWORD}\r`];
      terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
        shown += text;
        if (/(?:Password|Once more): $/.test(shown)) terminal.stdin.write(answers.shift() ?? "");
      });
      await new Promise((done) => terminal.on("close", done));
      assert.match(shown, /Password: \s+Once more: \s+ana may sign in, as admin/);
      assert.equal(shown.includes(PASSWORD), false);
    },
  );
});
