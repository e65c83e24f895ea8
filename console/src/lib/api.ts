/** Calls of the gateway's API. All that a page shows and does goes through here. */

/** What the gateway refused, in its own words. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Method = "GET" | "POST" | "PUT" | "DELETE" | "PATCH";

const listeners = new Set<() => void>();
let adminKey: string | undefined;
let csrfToken: string | undefined;

/** The key lives as long as the page: nothing of it is stored. */
export function setAdminKey(key: string | undefined): void {
  adminKey = key;
}
export function setCsrfToken(token: string | undefined): void {
  csrfToken = token;
}
/** Called when the gateway wants somebody to sign in. */
export function onSignedOut(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function authHeaders(): Record<string, string> {
  return {
    ...(adminKey === undefined ? {} : { authorization: `Bearer ${adminKey}` }),
    ...(csrfToken === undefined ? {} : { "x-csrf-token": csrfToken }),
  };
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return call<T>("GET", path, undefined, signal);
}

/** What is no JSON: a file. */
export async function getText(path: string): Promise<string> {
  const response = await fetch(path, { headers: authHeaders() });
  if (response.ok) return response.text();
  if (response.status === 401) for (const tell of listeners) tell();
  const { message } = (await response.json().catch(() => ({}))) as { readonly message?: string };
  throw new ApiError(response.status, message ?? `The gateway answered ${response.status}.`);
}

export async function call<T>(
  method: Method,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const hasBody = body !== undefined;
  const response = await fetch(path, {
    method,
    headers: { ...authHeaders(), ...(hasBody ? { "content-type": "application/json" } : {}) },
    ...(hasBody ? { body: JSON.stringify(body) } : {}),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    throw new ApiError(0, "The gateway does not answer.");
  });
  if (response.status === 204) return undefined as T;
  const answer = (await response.json().catch(() => ({}))) as T & { readonly message?: string };
  if (response.ok) return answer;
  if (response.status === 401) for (const tell of listeners) tell();
  throw new ApiError(response.status, answer.message ?? `The gateway answered ${response.status}.`);
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
