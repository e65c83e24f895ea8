/** The management API of a gateway in production, asked by its admin key or as a user of a role. */
import assert from "node:assert/strict";
import type { Role } from "../../src/api/roles.ts";
import type { StartedGateway } from "./gateway.ts";

export type Answer<T> = { readonly status: number; readonly body: T };
export type Ask = <T = unknown>(method: string, path: string, body?: unknown) => Promise<Answer<T>>;

export const ADMIN_KEY = "test-admin-key-0123456789";
const PASSWORD = "correct horse battery";

export function askAs({ url }: StartedGateway, headers: Record<string, string>): Ask {
  return async <T>(method: string, path: string, body?: unknown) => {
    const response = await fetch(url + path, {
      method,
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T };
  };
}

export function askAsAdmin(gateway: StartedGateway): Ask {
  return askAs(gateway, { authorization: `Bearer ${ADMIN_KEY}` });
}

/** Makes a user of that role and signs in. */
export async function askAsRole(
  gateway: StartedGateway,
  role: Role,
  name = `a-${role}`,
): Promise<Ask> {
  const user = { name, password: PASSWORD, role };
  assert.equal((await askAsAdmin(gateway)("POST", "/api/v1/users", user)).status, 201);
  const response = await fetch(`${gateway.url}/api/v1/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: user.name, password: PASSWORD }),
  });
  const [cookie = ""] = (response.headers.get("set-cookie") ?? "").split(";");
  const { csrf_token: csrf } = (await response.json()) as { csrf_token: string };
  return askAs(gateway, { cookie, "x-csrf-token": csrf });
}
