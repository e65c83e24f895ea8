/** Who looks at this page, and what they may do. The gateway decides; pages only leave out. */
import { call, get, setCsrfToken } from "./api.ts";

export type Me = {
  readonly name: string | null;
  readonly kind: string | null;
  readonly role: string | null;
  readonly permissions: readonly string[];
  readonly csrf_token: string | null;
};
let me: Me | undefined;

/** Undefined where the gateway does not answer: pages say so themselves. */
export async function loadMe(): Promise<Me | undefined> {
  me = await get<Me>("/api/v1/me").catch(() => undefined);
  setCsrfToken(me?.csrf_token ?? undefined);
  return me;
}

export function currentMe(): Me | undefined {
  return me;
}

export function may(permission: string): boolean {
  return me?.permissions.includes(permission) ?? false;
}

export async function signOut(): Promise<void> {
  await call("POST", "/api/v1/sign-out").catch(() => undefined);
  location.assign("/console");
}
