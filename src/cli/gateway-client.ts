/** What the terminal phone asks a running gateway over HTTP. */
import { describeRefusal } from "../core/refusal.ts";
import { Agent, request } from "undici";
import type { WireReply, WireRequest } from "../types.ts";

/** One exchange with the gateway: rejects where no complete answer came. */
export type Send = (
  url: string,
  request: Pick<WireRequest, "method" | "headers" | "body">,
  timeoutMs: number,
) => Promise<WireReply>;

/** A channel as `GET /api/v1/channels` shows it. */
export type ChannelShown = {
  readonly name: string;
  readonly protocol: string;
  readonly protocolOptions: Readonly<Record<string, string>>;
  readonly provider: string;
  /** "" where no request is taken: a link that the gateway keeps up itself. */
  readonly path: string;
  readonly turnBudgetMs: number;
  readonly screenOctetsMax: number;
};
export type CodeShown = { readonly serviceCode: string; readonly digits: readonly string[] };
export type BackendShown = { readonly serviceCode: string; readonly name: string };

export type GatewayClient = {
  channels(): Promise<readonly ChannelShown[]>;
  /** What a dialled string reaches; undefined where it reaches nothing. */
  code(dialled: string): Promise<CodeShown | undefined>;
  /** Those that are active. */
  backends(): Promise<readonly BackendShown[]>;
};

/** The gateway answered, and not with what was asked for. The message is for people. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  /** Of an answer to a turn. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

const TIMEOUT_MS = 10_000;
const ANSWER_OCTETS_MAX = 4 * 1024 * 1024;

export function createSend({ connections = 1 } = {}): {
  readonly send: Send;
  readonly close: () => Promise<void>;
} {
  const dispatcher = new Agent({ maxResponseSize: ANSWER_OCTETS_MAX, connections });
  return {
    async send(url, { method, headers, body }, timeoutMs) {
      const signal = AbortSignal.timeout(timeoutMs);
      const hasBody = method !== "GET" && body !== "";
      const options = { method, headers, signal, dispatcher, ...(hasBody ? { body } : {}) };
      const response = await request(url, options);
      const text = await response.body.text();
      return { status: response.statusCode, headers: plainHeaders(response.headers), body: text };
    },
    close: () => dispatcher.destroy(),
  };
}

/** Nobody listens there, as far as an error tells. */
export function isUnreachable(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && UNREACHABLE.has(code);
}
const UNREACHABLE: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

export function createGatewayClient(
  send: Send,
  url: string,
  adminKey: string | undefined,
): GatewayClient {
  async function get(path: string): Promise<WireReply> {
    const authorization = adminKey === undefined ? {} : { authorization: `Bearer ${adminKey}` };
    const headers = { accept: "application/json", ...authorization };
    return send(`${url}${path}`, { method: "GET", headers, body: "" }, TIMEOUT_MS);
  }
  return {
    async channels() {
      const { channels } = fieldsOf(await get("/api/v1/channels"));
      return listOf(channels, asChannel, "channels");
    },
    async code(dialled) {
      const reply = await get(`/api/v1/codes?dialled=${encodeURIComponent(dialled)}`);
      if (reply.status === 404) return undefined;
      const { service_code: serviceCode, digits } = fieldsOf(reply);
      if (!isText(serviceCode) || !isTexts(digits)) throw notUnderstood("codes");
      return { serviceCode, digits };
    },
    async backends() {
      const reply = await get("/backends");
      if (reply.status !== 200) throw refused(reply);
      return listOf(parse(reply.body), asBackend, "backends").filter(({ isActive }) => isActive);
    },
  };
}

function fieldsOf(reply: WireReply): Fields {
  if (reply.status !== 200) throw refused(reply);
  const value = parse(reply.body);
  if (!isObject(value)) throw notUnderstood("an answer");
  return value;
}

function refused(reply: WireReply): GatewayError {
  const hint = reply.status === 401 || reply.status === 403 ? " (give its admin key by --key)" : "";
  return new GatewayError(`the gateway answered ${describeRefusal(reply)}${hint}`);
}

function notUnderstood(what: string): GatewayError {
  return new GatewayError(`the gateway answered ${what} in a form not known here`);
}

function asChannel(value: Fields): ChannelShown | undefined {
  const { name, protocol, provider, path = "", turn_budget_ms, screen_octets_max } = value;
  const { protocol_options: options = {} } = value;
  if (!isText(name) || !isText(protocol) || !isText(provider) || !isText(path)) return undefined;
  if (typeof turn_budget_ms !== "number" || typeof screen_octets_max !== "number") return undefined;
  if (!isObject(options) || !isTextRecord(options)) return undefined;
  return {
    name,
    protocol,
    protocolOptions: options,
    provider,
    path,
    turnBudgetMs: turn_budget_ms,
    screenOctetsMax: screen_octets_max,
  };
}

function asBackend(value: Fields): (BackendShown & { readonly isActive: boolean }) | undefined {
  const { service_code: serviceCode, name, status } = value;
  if (!isText(serviceCode) || !isText(name)) return undefined;
  return { serviceCode, name, isActive: status === "active" };
}

type Fields = Readonly<Record<string, unknown>>;

function listOf<T>(value: unknown, read: (row: Fields) => T | undefined, what: string): T[] {
  if (!Array.isArray(value)) throw notUnderstood(what);
  return value.map((row: unknown) => {
    const shown = isObject(row) ? read(row) : undefined;
    if (shown === undefined) throw notUnderstood(what);
    return shown;
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function isText(value: unknown): value is string {
  return typeof value === "string";
}
function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}
function isTextRecord(value: Fields): value is Readonly<Record<string, string>> {
  return Object.values(value).every(isText);
}

function plainHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): WireReply["headers"] {
  const entries = Object.entries(headers);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const separator = name === "set-cookie" ? "\n" : ", ";
      return [name, Array.isArray(value) ? value.join(separator) : value];
    }),
  );
}
