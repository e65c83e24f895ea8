/**
 * Who asks, and whether the route is theirs: one hook before every route, after the table of
 * roles.ts. A key or a signed-in user in production; in development loopback may do all.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import ipaddr from "ipaddr.js";
import { isSameSecret } from "../backend/signature.ts";
import { type Permission, permissionsOf, type Role, ruleOf } from "./roles.ts";

export type Actor = {
  /** As the audit log names it: "ana", "key billing", "admin key", "loopback". */
  readonly name: string;
  readonly kind: "user" | "key" | "admin_key" | "loopback";
  /** Undefined for keys, which have scopes. */
  readonly role: Role | undefined;
  readonly permissions: readonly Permission[];
  /** Of a signed-in user. */
  readonly user?: { readonly id: number; readonly signInHash: string; readonly csrf: string };
};
export type Credentials = {
  readonly ofKey: (token: string) => Promise<Actor | undefined>;
  readonly ofCookie: (token: string) => Promise<Actor | undefined>;
};
export type AccessOptions = {
  /** "" in development: then loopback needs no key, and everybody else is refused. */
  readonly adminKey: string;
  readonly clientAddress: (request: FastifyRequest["raw"]) => string;
  readonly credentials: Credentials;
  /** Where browsers reach this gateway, when not at the name that they ask for. */
  readonly publicUrl: string;
};

const BEARER_CHARS_MAX = 512; // RELIABILITY 2.9: over-long tokens are refused before hashing
export const COOKIE = "__Host-dialyard";
const SAFE = new Set(["GET", "HEAD"]);
const actors = new WeakMap<FastifyRequest, Actor>();

/** Who asks; undefined on public routes for who is not known. */
export function actorOf(request: FastifyRequest): Actor | undefined {
  return actors.get(request);
}

export function nameOf(request: FastifyRequest): string {
  return actors.get(request)?.name ?? "";
}

export function mayDo(request: FastifyRequest, permission: Permission): boolean {
  return actors.get(request)?.permissions.includes(permission) ?? false;
}

export function guardRoutes(app: FastifyInstance, options: AccessOptions): void {
  app.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) {
      if (ruleOf(one === "HEAD" ? "GET" : one, url) !== undefined) continue;
      throw new Error(`${one} ${url} is not in the table of api/roles.ts`);
    }
  });
  app.addHook("onRequest", async (request, reply) => {
    const { method, is404 } = request;
    if (is404) return;
    const rule = ruleOf(method === "HEAD" ? "GET" : method, request.routeOptions.url ?? "");
    if (rule === undefined) return refuse(reply, 403, "nobody may do this");
    if (!SAFE.has(method) && isForeign(request, options.publicUrl))
      return refuse(reply, 403, "a page of another site may not do this");
    const actor = await identify(request, options);
    if (actor !== undefined) actors.set(request, actor);
    if (rule === "public") return;
    if (actor === undefined) return refuseStranger(request, reply, options);
    if (actor.user !== undefined && !SAFE.has(method) && !hasCsrf(request, actor.user.csrf))
      return refuse(reply, 403, "x-csrf-token is missing or wrong; GET /api/v1/me tells it");
    if (rule !== "signed_in" && !actor.permissions.includes(rule))
      return refuse(reply, 403, `${actor.name} may not do this: it needs ${rule}`);
  });
}

async function identify(
  request: FastifyRequest,
  { adminKey, clientAddress, credentials }: AccessOptions,
): Promise<Actor | undefined> {
  const { authorization } = request.headers;
  const isOpen = () => adminKey === "" && isLocal(request, clientAddress);
  if (authorization !== undefined) {
    const token = bearerOf(authorization) ?? "";
    // The same steps for a known and an unknown key (RELIABILITY T47).
    const isAdmin = isSameSecret(token, adminKey) && adminKey !== "";
    const byKey = await credentials.ofKey(token);
    if (isAdmin) return ADMIN_KEY;
    if (byKey !== undefined) return byKey;
    // What is open to who sends no key is not closed to a client that always sends one.
    return isOpen() ? LOOPBACK : undefined;
  }
  const cookie = cookieOf(request.headers.cookie);
  const byCookie = cookie === undefined ? undefined : await credentials.ofCookie(cookie);
  if (byCookie !== undefined) return byCookie;
  return isOpen() ? LOOPBACK : undefined;
}

const EVERYTHING = permissionsOf("admin");
const ADMIN_KEY: Actor = {
  name: "admin key",
  kind: "admin_key",
  role: "admin",
  permissions: EVERYTHING,
};
const LOOPBACK: Actor = { ...ADMIN_KEY, name: "loopback", kind: "loopback" };

function refuseStranger(request: FastifyRequest, reply: FastifyReply, options: AccessOptions) {
  if (options.adminKey === "" && request.headers.authorization === undefined) {
    const message = "without DIALYARD_ADMIN_KEY the management API is open on loopback only";
    return refuse(reply, 403, message);
  }
  reply.header("www-authenticate", "Bearer");
  return reply
    .code(401)
    .send({ error: "unauthorized", message: "sign in, or send a valid key as a bearer" });
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ error: "forbidden", message });
}

function bearerOf(header: string): string | undefined {
  if (header.length > BEARER_CHARS_MAX) return undefined;
  return /^Bearer ([\x21-\x7e]+)$/i.exec(header)?.[1];
}

function cookieOf(header: string | undefined): string | undefined {
  for (const pair of header?.split(";") ?? []) {
    const [name = "", value = ""] = pair.split("=", 2);
    if (name.trim() === COOKIE && /^[\w-]{20,100}$/.test(value.trim())) return value.trim();
  }
  return undefined;
}

function hasCsrf({ headers }: FastifyRequest, wanted: string): boolean {
  const given = headers["x-csrf-token"];
  return typeof given === "string" && given.length <= 100 && isSameSecret(given, wanted);
}

/** Browsers say where a request comes from; what is no browser says nothing. */
function isForeign({ headers }: FastifyRequest, publicUrl: string): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const { origin } = headers;
  if (origin === undefined) return false;
  if (!URL.canParse(origin)) return true;
  if (publicUrl !== "" && origin === new URL(publicUrl).origin) return false;
  return new URL(origin).host !== headers.host;
}

/** The peer too: a header that says 127.0.0.1 must not open anything. */
function isLocal(
  { raw, headers }: FastifyRequest,
  clientAddress: AccessOptions["clientAddress"],
): boolean {
  const isNear = isLoopback(raw.socket.remoteAddress ?? "") && isLoopback(clientAddress(raw));
  return isNear && isLocalHost(headers.host ?? "");
}

function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "loopback";
}

/** A web page that made its own name resolve to 127.0.0.1 still sends that name. */
function isLocalHost(host: string): boolean {
  return /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/.test(host);
}
