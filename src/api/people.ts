/** Signing in and out, and who may: users with a name, a password and a role. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { ManagementStore, UserRow } from "../stores/sql-management.ts";
import { actorOf, COOKIE } from "./access.ts";
import type { Audit } from "./audit.ts";
import { csrfOf, hashOf, IDLE_MS_MAX, newToken, SIGNED_IN_MS_MAX } from "./credentials.ts";
import type { Passwords } from "./passwords.ts";
import { ROLES, type Role } from "./roles.ts";
import { Deleted, ErrorBody, IdParams, nullable, optional } from "./schemas.ts";
import type { Throttle } from "./throttle.ts";

export type PeopleOptions = {
  readonly users: ManagementStore["users"];
  readonly audit: Audit;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  readonly clientAddress: (request: FastifyRequest["raw"]) => string;
  readonly wallMs: () => number;
};

const closed = { additionalProperties: false } as const;
export const USER_NAME = "^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$";
/** NIST SP 800-63B: a length, and no rules beyond. */
export const PASSWORD_CHARS_MIN = 12;
export const PASSWORD_CHARS_MAX = 256;
const name = Type.String({ pattern: USER_NAME });
const password = Type.String({ minLength: PASSWORD_CHARS_MIN, maxLength: PASSWORD_CHARS_MAX });
const role = Type.Union(ROLES.map((one) => Type.Literal(one)));
const SignIn = Type.Object(
  { name: Type.String({ maxLength: 64 }), password: Type.String({ maxLength: 256 }) },
  closed,
);
const Me = Type.Object({
  name: nullable(Type.String()),
  kind: nullable(Type.String({ description: "user, key, admin_key or loopback" })),
  role: nullable(Type.String()),
  permissions: Type.Array(Type.String()),
  csrf_token: nullable(Type.String({ description: "For x-csrf-token of all but GET" })),
});
const NewUser = Type.Object({ name, password, role }, closed);
const ChangedUser = Type.Object({ role: optional(role), password: optional(password) }, closed);
const ChangedPassword = Type.Object(
  { password: Type.String({ maxLength: 256 }), new_password: password },
  closed,
);
const User = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  role: Type.String(),
  created_at: Type.String(),
  signed_in_at: nullable(Type.String()),
});
const errors = { 400: ErrorBody, 401: ErrorBody, 404: ErrorBody, 409: ErrorBody, 429: ErrorBody };

export function signInRoutes(app: FastifyInstance, options: PeopleOptions): void {
  const { users, audit, passwords, throttle, wallMs } = options;
  const tags = ["sign-in"];

  app.get(
    "/api/v1/me",
    { schema: { tags, summary: "Who asks, and what they may do", response: { 200: Me } } },
    async (request) => {
      const actor = actorOf(request);
      return {
        name: actor?.name ?? null,
        kind: actor?.kind ?? null,
        role: actor?.role ?? null,
        permissions: actor?.permissions ?? [],
        csrf_token: actor?.user?.csrf ?? null,
      };
    },
  );

  app.post<{ Body: Type.Static<typeof SignIn> }>(
    "/api/v1/sign-in",
    {
      schema: {
        tags,
        summary: "Sign in: the answer sets a cookie",
        body: SignIn,
        response: { 200: Me, ...errors },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const address = options.clientAddress(request.raw);
      const waitMs = throttle.waitMs(body.name, address);
      if (waitMs > 0) return refuseForNow(reply, waitMs);
      // Counted before it is known: tries sent at once do not slip by.
      throttle.failed(body.name, address);
      const user = await users.byName(body.name);
      const isRight = await passwords.verify(body.password, user?.password);
      if (isRight === "busy") return refuseForNow(reply, 2_000);
      if (!isRight || user === undefined) {
        const target = user?.name ?? "unknown name";
        await audit.note("nobody", { action: "sign_in.refused", target });
        return reply
          .code(401)
          .send({ error: "unauthorized", message: "name or password is wrong" });
      }
      throttle.succeeded(body.name, address);
      const token = newToken();
      await users.forgetBefore(wallMs() - SIGNED_IN_MS_MAX, wallMs() - IDLE_MS_MAX);
      await users.signIn(user.id, hashOf(token), wallMs());
      await audit.note(user.name, { action: "sign_in", target: user.name });
      return signedIn(reply, user, token);
    },
  );

  app.post(
    "/api/v1/sign-out",
    { schema: { tags, summary: "Sign out" } },
    async (request, reply) => {
      const user = actorOf(request)?.user;
      if (user !== undefined) await users.signOut(user.signInHash);
      setCookie(reply, "", 0);
      return reply.code(204).send();
    },
  );
  passwordRoute(app, options);
}

function passwordRoute(app: FastifyInstance, options: PeopleOptions): void {
  const { users, audit, passwords, throttle, wallMs } = options;
  const tags = ["sign-in"];
  app.post<{ Body: Type.Static<typeof ChangedPassword> }>(
    "/api/v1/me/password",
    {
      schema: {
        tags,
        summary: "Change one's own password: signs out everywhere else, and sets a new cookie",
        body: ChangedPassword,
        response: { 200: Me, 403: ErrorBody, ...errors },
      },
    },
    async (request, reply) => {
      const id = actorOf(request)?.user?.id;
      const user = id === undefined ? undefined : await users.byId(id);
      if (user === undefined) return refuse(reply, 400, "a key has no password");
      const address = options.clientAddress(request.raw);
      const waitMs = throttle.waitMs(user.name, address);
      if (waitMs > 0) return refuseForNow(reply, waitMs);
      throttle.failed(user.name, address);
      const isRight = await passwords.verify(request.body.password, user.password);
      if (isRight === "busy") return refuseForNow(reply, 2_000);
      // Not 401: who asks is signed in, and stays so.
      if (!isRight) return refuse(reply, 403, "the password is wrong");
      throttle.succeeded(user.name, address);
      await users.update(user.id, { password: await passwords.hash(request.body.new_password) });
      await audit.note(request, { action: "user.password", target: user.name });
      const token = newToken();
      await users.signIn(user.id, hashOf(token), wallMs());
      return signedIn(reply, user, token);
    },
  );
}

function signedIn(reply: FastifyReply, { name, role }: UserRow, token: string): FastifyReply {
  setCookie(reply, token, SIGNED_IN_MS_MAX / 1000);
  return reply.send({ name, kind: "user", role, permissions: [], csrf_token: csrfOf(token) });
}

export function userRoutes(
  app: FastifyInstance,
  options: Pick<PeopleOptions, "users" | "audit" | "passwords" | "wallMs">,
): void {
  const { users, audit, passwords, wallMs } = options;
  const tags = ["settings"];
  const response = { 200: User, ...errors };

  app.get("/api/v1/users", { schema: { tags, summary: "Users" } }, async () => ({
    users: (await users.list()).map(shown),
  }));

  app.post<{ Body: Type.Static<typeof NewUser> }>(
    "/api/v1/users",
    { schema: { tags, summary: "Add a user", body: NewUser, response: { 201: User, ...errors } } },
    async (request, reply) => {
      const { name, role, password } = request.body;
      const kept = await passwords.hash(password);
      const user = await users.insert({ name, role, password: kept }, wallMs());
      if (user === undefined) return refuse(reply, 409, `there is a user ${name}`);
      await audit.note(request, { action: "user.add", target: name, after: { role } });
      return reply.code(201).send(shown(user));
    },
  );

  app.put<{ Params: { id: string }; Body: Type.Static<typeof ChangedUser> }>(
    "/api/v1/users/:id",
    {
      schema: {
        ...{ tags, params: IdParams, body: ChangedUser, response },
        summary: "Change a user's role or password; signs them out everywhere",
      },
    },
    async (request, reply) => {
      const { role, password } = request.body;
      const user = await users.byId(Number(request.params.id));
      if (user === undefined) return refuse(reply, 404, "no such user");
      if (role !== undefined && role !== "admin" && (await isLastAdmin(users, user)))
        return refuse(reply, 409, `${user.name} is the only admin`);
      const kept = password === undefined ? {} : { password: await passwords.hash(password) };
      const change = { ...(role !== undefined && { role }), ...kept };
      if (Object.keys(change).length === 0) return refuse(reply, 400, "nothing to change");
      await users.update(user.id, change);
      const after = { role: role ?? user.role, ...(password !== undefined && { password: "new" }) };
      const note = { action: "user.change", target: user.name, before: { role: user.role }, after };
      await audit.note(request, note);
      return shown({ ...user, ...change });
    },
  );

  app.delete<{ Params: { id: string } }>(
    "/api/v1/users/:id",
    {
      schema: {
        ...{ tags, summary: "Delete a user", params: IdParams },
        response: { 200: Deleted, ...errors },
      },
    },
    async (request, reply) => {
      const user = await users.byId(Number(request.params.id));
      if (user === undefined) return refuse(reply, 404, "no such user");
      if (await isLastAdmin(users, user))
        return refuse(reply, 409, `${user.name} is the only admin`);
      await users.remove(user.id);
      const before = { role: user.role };
      await audit.note(request, { action: "user.delete", target: user.name, before });
      return { message: "User deleted", id: user.id };
    },
  );
}

async function isLastAdmin(users: PeopleOptions["users"], { id, role }: UserRow): Promise<boolean> {
  if (role !== "admin") return false;
  return !(await users.list()).some((other) => other.role === "admin" && other.id !== id);
}

/** The first admin of a new gateway, named by its settings; never changes one that is there. */
export async function addFirstAdmin(
  users: PeopleOptions["users"],
  passwords: Passwords,
  first: { readonly name: string; readonly password: string; readonly role?: Role },
  atMs: number,
): Promise<boolean> {
  if ((await users.byName(first.name)) !== undefined) return false;
  const password = await passwords.hash(first.password);
  const role = first.role ?? "admin";
  return (await users.insert({ name: first.name, role, password }, atMs)) !== undefined;
}

function shown({ id, name, role, created_at, signed_in_at }: UserRow) {
  return {
    ...{ id, name, role },
    created_at: new Date(created_at).toISOString(),
    signed_in_at: signed_in_at === null ? null : new Date(signed_in_at).toISOString(),
  };
}

function setCookie(reply: FastifyReply, token: string, seconds: number): void {
  const attributes = `Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=Strict`;
  reply.header("set-cookie", `${COOKIE}=${token}; ${attributes}`);
}

function refuseForNow(reply: FastifyReply, waitMs: number): FastifyReply {
  reply.header("retry-after", String(Math.ceil(waitMs / 1000)));
  return refuse(reply, 429, `too many tries; wait ${Math.ceil(waitMs / 1000)} s`);
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ error: "invalid_request", message });
}
