/** Mounts on HTTP servers: node:http, Express, Fastify, and a server of our own. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { WireReply, WireRequest } from "../types.ts";
import type { App } from "./app.ts";
import type { ContextOption, HostOptions } from "./dialogue.ts";
import { BODY_OCTETS_MAX, createExchange, refuseInJson } from "./mount.ts";
import type { MountOptions, WireOption } from "./mount.ts";
import { type AppStore, memoryAppStore } from "./store.ts";

type NodeRequest = IncomingMessage & { readonly body?: unknown };
type NodeHandler = (request: NodeRequest, response: ServerResponse) => Promise<void>;

/**
 * An app as a request listener of node:http, and as a handler of Express, before or after its body
 * parsers; with `use` instead of `post` for networks that ask by other methods or at paths below.
 * @example
 * const express = Express();
 * express.post("/ussd", toNodeHandler(app, { protocol: "africastalking", store, context }));
 */
export function toNodeHandler<R, C>(app: App<R, C>, options: MountOptions<C>): NodeHandler {
  const exchange = createExchange(app, options);
  return async (request, response) => {
    const body = await readBody(request);
    if (body === undefined) return answer(response, refuseInJson(413, undefined));
    answer(response, await exchange(wireOf(request, body)));
  };
}

/** The part of a Fastify instance that the mount uses. */
type FastifyLike = {
  addContentTypeParser(
    type: string,
    options: { readonly parseAs: "string"; readonly bodyLimit: number },
    parser: (request: unknown, body: string, done: (error: null, body: string) => void) => void,
  ): unknown;
  removeAllContentTypeParsers(): void;
  all(
    path: string,
    handler: (
      request: { readonly raw: IncomingMessage; readonly body?: unknown },
      reply: FastifyReplyLike,
    ) => Promise<unknown>,
  ): unknown;
};
type FastifyReplyLike = {
  code(status: number): FastifyReplyLike;
  header(name: string, value: string): FastifyReplyLike;
  send(body: string): FastifyReplyLike;
};

/**
 * An app as a Fastify plugin with a body parser of its own; `prefix` says where.
 * @example
 * await fastify.register(toFastify(app, { protocol: "kairos", store }), { prefix: "/ussd" });
 */
export function toFastify<R, C>(app: App<R, C>, options: MountOptions<C>) {
  const exchange = createExchange(app, options);
  return async (fastify: FastifyLike): Promise<void> => {
    fastify.removeAllContentTypeParsers();
    const parseAs = { parseAs: "string", bodyLimit: BODY_OCTETS_MAX } as const;
    fastify.addContentTypeParser("*", parseAs, (_request, body, done) => done(null, body));
    // Some networks ask at paths below.
    for (const path of ["/", "/*"]) {
      fastify.all(path, async ({ raw, body }, reply) => {
        const text = typeof body === "string" ? body : "";
        const { status, headers, body: said } = await exchange(wireOf(raw, text));
        reply.code(status);
        for (const [name, value] of Object.entries(headers)) {
          if (value !== undefined) reply.header(name, value);
        }
        return reply.send(said);
      });
    }
  };
}

export type ServeOptions<C> = ContextOption<C> &
  HostOptions &
  WireOption & {
    /** 0, the default, takes a free one. */
    readonly port?: number;
    /** By default reachable from this machine alone. */
    readonly hostname?: string;
    /** Sessions in memory when absent. */
    readonly store?: AppStore;
    readonly secret?: string;
  };
export type ServedApp = { readonly url: string; readonly close: () => Promise<void> };

/**
 * Listens and answers in the protocol named, on every path.
 * @example
 * const { url } = await serveApp(app, { protocol: "africastalking", port: 8081, context });
 */
export async function serveApp<R, C>(app: App<R, C>, options: ServeOptions<C>): Promise<ServedApp> {
  const { port = 0, hostname = "127.0.0.1", store = memoryAppStore() } = options;
  const listener = toNodeHandler(app, { ...options, store });
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000 },
    (request, response) => void listener(request, response).catch(() => response.destroy()),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, () => resolve());
  });
  const address = server.address() as AddressInfo;
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    url: `http://${host}:${address.port}`,
    close: () =>
      new Promise<void>((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeIdleConnections();
      }),
  };
}

/** Undefined when it is too long. What a parser of the application's already read is used. */
async function readBody(request: NodeRequest): Promise<string | undefined> {
  const { body } = request;
  if (typeof body === "string") return body;
  if (Buffer.isBuffer(body)) return body.toString("utf8");
  if (typeof body === "object" && body !== null && request.readableEnded) {
    const type = request.headers["content-type"] ?? "";
    if (!type.startsWith("application/x-www-form-urlencoded")) return JSON.stringify(body);
    return new URLSearchParams(body as Record<string, string>).toString();
  }
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    octets += chunk.length;
    if (octets > BODY_OCTETS_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function wireOf({ method = "POST", url = "/", headers }: IncomingMessage, body: string) {
  const mark = url.indexOf("?");
  const plain: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers)) {
    plain[name] = typeof value === "object" ? value.join(", ") : value;
  }
  const path = mark === -1 ? url : url.slice(0, mark);
  const query = mark === -1 ? "" : url.slice(mark + 1);
  return { method, path, query, headers: plain, body } satisfies WireRequest;
}

function answer(response: ServerResponse, { status, headers, body }: WireReply): void {
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) response.setHeader(name, value);
  }
  response.writeHead(status).end(body);
}
