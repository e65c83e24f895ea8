/** A registration while it is edited, and what is sent of it. Pure. */
import type { BackendShown } from "../lib/shapes.ts";

export type Draft = {
  readonly name: string;
  readonly code: string;
  readonly url: string;
  readonly protocol: string;
  readonly method: "POST" | "GET" | "PUT";
  readonly timeout: number;
  readonly retries: number;
  readonly idempotent: boolean;
  /** Empty: as it was. */
  readonly secret: string;
};
type Body = Readonly<Record<string, unknown>>;

export function draftOf(backend: BackendShown | undefined): Draft {
  return {
    name: backend?.name ?? "",
    code: backend?.service_code ?? "",
    url: backend?.callback_url ?? "",
    protocol: String(backend?.protocol ?? "ola"),
    method: backend?.method ?? "POST",
    timeout: backend?.timeout ?? 5,
    retries: backend?.retries ?? 2,
    idempotent: backend?.idempotent ?? true,
    secret: "",
  };
}

/** What the form does not show goes back as it came. */
export function bodyOf(draft: Draft, backend: BackendShown | undefined): Body {
  const { name, code, url, timeout, retries, method, protocol, idempotent, secret } = draft;
  const isApp = backend?.type === "app";
  return {
    ...(backend === undefined ? { type: "http", status: "active" } : writable(backend)),
    ...{ name, service_code: code.trim(), timeout, retries, method },
    ...(isApp ? {} : { callback_url: url, protocol, idempotent }),
    ...(secret === "" ? {} : { secret }),
  };
}

/** The same body as it was registered with, with another status. */
export function withStatus(backend: BackendShown, status: BackendShown["status"]): Body {
  return { ...writable(backend), status };
}

function writable(backend: BackendShown): Body {
  const { created_at: _c, updated_at: _u, has_secret: _s, ...rest } = backend;
  return rest;
}

/** Attempts as the OLA API reference spaces them: at once, then after 1, 2, 4 s. */
export function scheduleOf({ timeout, retries }: Draft) {
  const seconds = Number.isFinite(timeout) ? timeout : 0;
  const attempts = 1 + (Number.isFinite(retries) ? retries : 0);
  const waits = 2 ** (attempts - 1) - 1;
  return { attempts, worstMs: (attempts * seconds + waits) * 1_000 };
}

export function curlOf(body: Body, origin: string): string {
  const { secret, ...shown } = body;
  const text = JSON.stringify(secret === undefined ? shown : { ...shown, secret: "…" });
  const method = "id" in body ? "PUT" : "POST";
  return [
    `curl -X ${method} ${origin}/backends`,
    "-H 'content-type: application/json'",
    `-d '${text.replaceAll("'", "'\\''")}'`,
  ].join(" \\\n  ");
}
