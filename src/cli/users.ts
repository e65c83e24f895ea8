/**
 * `dialyard users`: who signs in to the console. The routes of the API do it, so that their rules
 * hold here too: in this process on the configured store, or, where a running gateway has the
 * database file for itself, at that gateway.
 */
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { Config } from "../config.ts";
import { createApp } from "../api/app.ts";
import { createAudit } from "../api/audit.ts";
import { createPasswords } from "../api/passwords.ts";
import { PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, USER_NAME, userRoutes } from "../api/people.ts";
import { ROLES } from "../api/roles.ts";
import { openSql } from "../open-store.ts";
import { createSettings } from "../settings.ts";
import { deriveKeys, readSecretKey } from "../stores/secret-key.ts";
import { DatabaseTaken } from "../stores/sqlite.ts";
import { defineCommand } from "./args.ts";
import { createSend, isUnreachable } from "./gateway-client.ts";

export const usersCommand = defineCommand({
  name: "dialyard users",
  summary:
    "People who sign in to the console. A password is asked for, or read from standard input.",
  positionals: [
    { name: "add|list|remove", help: "what to do" },
    { name: "NAME", help: "who is added or removed" },
  ],
  options: [
    { name: "role", type: "string", value: "ROLE", help: `of who is added: ${ROLES.join(", ")}` },
    { name: "config", type: "string", help: "configuration file, as of dialyard start" },
  ],
});

export type UsersIo = {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly isTty: boolean;
  /** One line that nobody sees. Undefined where there is none: the end, or Ctrl-C. */
  readonly readHidden: (prompt: string) => Promise<string | undefined>;
  readonly wallMs: () => number;
};
type Answer = { readonly status: number; readonly body: Record<string, unknown> };
type Ask = (method: "GET" | "POST" | "DELETE", path: string, body?: object) => Promise<Answer>;
type User = { readonly id: number; readonly name: string; readonly role: string };
type Wish =
  | { readonly type: "list" }
  | { readonly type: "add"; readonly name: string; readonly role: string }
  | { readonly type: "remove"; readonly name: string }
  | { readonly type: "wrong"; readonly problem: string };

const PATH = "/api/v1/users";
const TIMEOUT_MS = 15_000;

export async function runUsers(
  positionals: readonly string[],
  role: string | undefined,
  config: Config,
  io: UsersIo,
): Promise<number> {
  const complain = (problem: string, status: number) => {
    io.err(`dialyard users: ${problem}`);
    return status;
  };
  const wish = wishOf(positionals, role);
  if (wish.type === "wrong") return complain(wish.problem, 2);
  try {
    // Asked for first: while somebody types, the database is anybody's.
    const password = wish.type === "add" ? await askPassword(io) : undefined;
    const door = await openDoor(config, io);
    try {
      io.out(await fulfil(wish, password, door.ask));
    } finally {
      await door.close();
    }
    return 0;
  } catch (error) {
    return complain(error instanceof Error ? error.message : String(error), 1);
  }
}

function wishOf([what, name]: readonly string[], role: string | undefined): Wish {
  const wrong = (problem: string): Wish => ({ type: "wrong", problem });
  if (what === "list") {
    return name === undefined ? { type: "list" } : wrong(`unexpected argument "${name}"`);
  }
  if (what !== "add" && what !== "remove") {
    return wrong("what to do? add, list or remove; see dialyard users --help");
  }
  if (name === undefined) return wrong(`dialyard users ${what} NAME: the name is missing`);
  if (!new RegExp(USER_NAME).test(name)) {
    return wrong(
      "a name has 1 to 64 letters, digits and . _ @ -, and begins with one of the first",
    );
  }
  if (what === "remove") return { type: "remove", name };
  const roles = ROLES.join(", ");
  if (role === undefined) return wrong(`--role is missing: one of ${roles}`);
  if (!ROLES.some((one) => one === role)) {
    return wrong(`unknown role "${role}": it must be one of ${roles}`);
  }
  return { type: "add", name, role };
}

async function askPassword(io: UsersIo): Promise<string> {
  const password = await io.readHidden("Password: ");
  if (password === undefined || password === "") throw new Error("no password was given");
  if (password.length < PASSWORD_CHARS_MIN) {
    throw new Error(`the password is too short: at least ${PASSWORD_CHARS_MIN} characters`);
  }
  if (password.length > PASSWORD_CHARS_MAX) {
    throw new Error(`the password is too long: at most ${PASSWORD_CHARS_MAX} characters`);
  }
  if (io.isTty && (await io.readHidden("Once more: ")) !== password) {
    throw new Error("the two passwords differ; nothing was changed");
  }
  return password;
}

async function fulfil(
  wish: Exclude<Wish, { readonly type: "wrong" }>,
  password: string | undefined,
  ask: Ask,
): Promise<string> {
  if (wish.type === "add") {
    const { name, role } = wish;
    await asked(ask("POST", PATH, { name, role, password }));
    return `${name} may sign in, as ${role}`;
  }
  const { users } = (await asked(ask("GET", PATH))) as { readonly users: readonly User[] };
  if (wish.type === "list") return users.length === 0 ? "no users yet" : table(users);
  const user = users.find(({ name }) => name === wish.name);
  if (user === undefined) throw new Error(`there is no user ${wish.name}`);
  await asked(ask("DELETE", `${PATH}/${user.id}`));
  return `${user.name} is removed, and signed out everywhere`;
}

function table(users: readonly User[]): string {
  const width = Math.max(...users.map(({ name }) => name.length));
  return users.map(({ name, role }) => `${name.padEnd(width)}  ${role}`).join("\n");
}

async function asked(answer: Promise<Answer>): Promise<unknown> {
  const { status, body } = await answer;
  if (status < 300) return body;
  const { message } = body;
  throw new Error(typeof message === "string" ? message : `the gateway answered ${status}`);
}

type Door = { readonly ask: Ask; readonly close: () => Promise<void> };

async function openDoor(config: Config, io: UsersIo): Promise<Door> {
  try {
    return await storeDoor(config, io);
  } catch (error) {
    if (!(error instanceof DatabaseTaken)) throw error;
    return gatewayDoor(config, error.message);
  }
}

async function storeDoor(config: Config, { err, wallMs }: UsersIo): Promise<Door> {
  const report = (error: unknown) => err(`dialyard users: ${String(error)}`);
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const store = await openSql(config, deriveKeys(await readSecretKey(config)), report);
  const app = createApp((handler) => createServer(handler), report);
  const { users, audit: entries, settings: rows } = store.management;
  const settings = createSettings({ store: rows, config, wallMs });
  await settings.refresh();
  const keepMs = () => settings.privacy().auditDays * DAY_MS;
  const audit = createAudit({ store: entries, keepMs, wallMs });
  userRoutes(app, {
    ...{ users, passwords: createPasswords(), wallMs },
    audit: { note: (_, note) => audit.note("command line", note) },
  });
  return {
    async ask(method, url, body) {
      const answer = await app.inject({
        method,
        url,
        ...(body !== undefined && { payload: body }),
      });
      return { status: answer.statusCode, body: answer.json() };
    },
    async close() {
      await app.close();
      await store.close();
    },
  };
}
const DAY_MS = 86_400_000;

function gatewayDoor({ host, port, adminKey }: Config, why: string): Door {
  const near = ["0.0.0.0", "::"].includes(host) ? "127.0.0.1" : host;
  const gateway = `http://${near.includes(":") ? `[${near}]` : near}:${port}`;
  const { send, close } = createSend();
  return {
    async ask(method, path, body) {
      const headers = {
        ...(adminKey !== "" && { authorization: `Bearer ${adminKey}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      };
      const request = { method, headers, body: body === undefined ? "" : JSON.stringify(body) };
      const reply = await send(gateway + path, request, TIMEOUT_MS).catch((error: unknown) => {
        if (!isUnreachable(error)) throw error;
        const remedy = "HOST, PORT and DIALYARD_ADMIN_KEY must be those of the running gateway";
        throw new Error(`${why}, and ${gateway} does not answer: ${remedy}`, { cause: error });
      });
      return { status: reply.status, body: JSON.parse(reply.body) as Answer["body"] };
    },
    close,
  };
}
