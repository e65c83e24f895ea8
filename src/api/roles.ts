/**
 * Who may do what: one table of routes, one of roles. A route that is not in the table does not
 * start, so that none is open by having been forgotten (RELIABILITY T43).
 */
export type Permission =
  | "overview:read"
  | "sessions:read"
  | "sessions:export"
  | "sessions:reveal"
  | "backends:read"
  | "backends:check"
  | "backends:write"
  | "channels:read"
  | "phone:dial"
  | "push:send"
  | "settings:read"
  | "settings:write"
  | "privacy:write"
  | "privacy:erase"
  | "debug:read"
  | "keys:write"
  | "users:write"
  | "audit:read";
export type Role = (typeof ROLES)[number];
/** From the least to the most: each may do all that the one before it may. */
export const ROLES = ["viewer", "support", "operator", "admin"] as const;

const ADDED: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: ["overview:read", "sessions:read", "backends:read", "channels:read"],
  support: ["sessions:export", "sessions:reveal", "backends:check", "settings:read"],
  operator: ["backends:write", "phone:dial", "push:send", "settings:write", "debug:read"],
  admin: ["keys:write", "users:write", "audit:read", "privacy:write", "privacy:erase"],
};
export const PERMISSIONS: readonly Permission[] = ROLES.flatMap((role) => ADDED[role]);

export function permissionsOf(role: Role): readonly Permission[] {
  return ROLES.slice(0, ROLES.indexOf(role) + 1).flatMap((lower) => ADDED[lower]);
}

/** public: nothing of a subscriber or of the configuration is told. */
type Rule = Permission | "public" | "signed_in";

/** By method and path; debug routes of channels are found by their end. */
const ROUTES: Readonly<Record<string, Rule>> = {
  "GET /": "public",
  "GET /health": "public",
  "GET /ready": "public",
  "GET /metrics": "public",
  "GET /openapi.json": "public",
  "GET /api/v1/me": "public",
  "POST /api/v1/sign-in": "public",
  "POST /api/v1/sign-out": "signed_in",
  "POST /api/v1/me/password": "signed_in",

  "GET /backends": "backends:read",
  "GET /backends/service": "backends:read",
  "GET /backends/:id": "backends:read",
  "POST /backends": "backends:write",
  "PUT /backends": "backends:write",
  "DELETE /backends": "backends:write",
  "GET /api/v1/backends/health": "backends:read",
  "GET /api/v1/backends/history": "backends:read",
  "GET /api/v1/backends/:id/history": "backends:read",
  "POST /api/v1/backends/revert": "backends:write",
  "POST /api/v1/backends/:id/pause": "backends:write",
  "POST /api/v1/backends/:id/resume": "backends:write",
  "GET /api/v1/codes": "backends:read",
  "GET /api/v1/channels": "channels:read",
  "POST /api/v1/push": "push:send",

  "GET /api/v1/nodes": "overview:read",
  "GET /api/v1/overview": "overview:read",
  "GET /api/v1/insights": "overview:read",
  "GET /api/v1/system": "settings:read",
  "GET /api/v1/privacy": "settings:read",
  "PUT /api/v1/privacy": "privacy:write",
  "DELETE /api/v1/privacy": "privacy:write",
  "POST /api/v1/privacy/erasures": "privacy:erase",
  "GET /api/v1/texts": "settings:read",
  "PUT /api/v1/texts/:name/:language": "settings:write",
  "DELETE /api/v1/texts/:name/:language": "settings:write",

  "GET /api/v1/events": "sessions:read",
  "GET /api/v1/sessions": "sessions:read",
  "GET /api/v1/sessions/csv": "sessions:export",
  "GET /api/v1/sessions/:id": "sessions:read",
  "GET /api/v1/sessions/:id/export": "sessions:export",
  "POST /api/v1/sessions/:id/reveal": "sessions:reveal",
  "GET /api/v1/sessions/:id/exchanges": "debug:read",
  "POST /api/v1/phone/turns": "phone:dial",
  "POST /api/v1/phone/wire": "phone:dial",
  "POST /api/v1/phone/hangups": "phone:dial",

  "GET /api/v1/keys": "keys:write",
  "POST /api/v1/keys": "keys:write",
  "POST /api/v1/keys/:id/rotate": "keys:write",
  "DELETE /api/v1/keys/:id": "keys:write",
  "GET /api/v1/users": "users:write",
  "POST /api/v1/users": "users:write",
  "PUT /api/v1/users/:id": "users:write",
  "DELETE /api/v1/users/:id": "users:write",
  "GET /api/v1/audit": "audit:read",
};
/** Files of pages and of documentation: what they show, they ask the API for. */
const PAGES = /^\/(?:docs|console|phone)(?:\/|$)/;
/** IXO API docs, "Debug endpoints", at the path that a channel names. */
const DEBUG = /\/(?:sessions|debug\/:sessionId)$/;

/** Undefined where nobody may: a path below /api/v1 that has no row is never a debug route. */
export function ruleOf(method: string, path: string): Rule | undefined {
  const known = ROUTES[`${method} ${path}`];
  if (known !== undefined) return known;
  if (method === "GET" && PAGES.test(path)) return "public";
  return method === "GET" && !path.startsWith("/api/v1/") && DEBUG.test(path)
    ? "debug:read"
    : undefined;
}
