/** What a key or a cookie stands for. Both are random and long, so a plain hash finds them. */
import { createHash, randomBytes } from "node:crypto";
import type { ManagementStore } from "../stores/sql-management.ts";
import type { Actor, Credentials } from "./access.ts";
import { PERMISSIONS, type Permission, permissionsOf, type Role, ROLES } from "./roles.ts";

export const IDLE_MS_MAX = 60 * 60_000;
export const SIGNED_IN_MS_MAX = 12 * 60 * 60_000;
/** When something was used last is written down no more often. */
const NOTED_EVERY_MS = 60_000;

export function createCredentials(
  { users, keys }: Pick<ManagementStore, "users" | "keys">,
  wallMs: () => number,
): Credentials {
  return {
    async ofKey(token): Promise<Actor | undefined> {
      const key = await keys.byHash(hashOf(token));
      const now = wallMs();
      if (key === undefined || (key.expires_at !== null && key.expires_at <= now)) return undefined;
      if (now - (key.used_at ?? 0) > NOTED_EVERY_MS) await keys.used(key.id, now);
      const permissions = key.scopes.filter(isPermission);
      return { name: `key ${key.name}`, kind: "key", role: undefined, permissions };
    },
    async ofCookie(token): Promise<Actor | undefined> {
      const hash = hashOf(token);
      const found = await users.signInOf(hash);
      if (found === undefined) return undefined;
      const now = wallMs();
      const isOver = now - found.since > SIGNED_IN_MS_MAX || now - found.seenAt > IDLE_MS_MAX;
      const role = roleOf(found.role);
      if (isOver || role === undefined) {
        await users.signOut(hash);
        return undefined;
      }
      if (now - found.seenAt > NOTED_EVERY_MS) await users.seen(hash, now);
      const user = { id: found.id, signInHash: hash, csrf: csrfOf(token) };
      return { name: found.name, kind: "user", role, permissions: permissionsOf(role), user };
    },
  };
}

export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

export function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

/** Tied to the cookie, and says nothing of it. */
export function csrfOf(token: string): string {
  return hashOf(`csrf\n${token}`);
}

export function roleOf(text: string): Role | undefined {
  return ROLES.find((role) => role === text);
}

function isPermission(text: string): text is Permission {
  return (PERMISSIONS as readonly string[]).includes(text);
}
