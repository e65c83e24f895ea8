/**
 * The HTTP server: what Node lets through and should not is refused here, channel doors are
 * answered on node:http, all else is fastify's (RELIABILITY 2.12).
 */
import cluster from "node:cluster";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, type Socket, Server as TcpServer } from "node:net";
import { createAcceptQueue } from "./accept-queue.ts";
import type { Doors } from "./channels.ts";
import { refusal, writeReply } from "./reply.ts";

export type HttpOptions = {
  readonly doors: Pick<Doors, "byPath" | "trees">;
  readonly isDraining: () => boolean;
  /** When what is read now may have come (standstill.ts). */
  readonly cameAtMs: () => number;
  readonly report: (error: unknown) => void;
};
type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export function createHttpServer(options: HttpOptions, api: Handler): Server {
  const { doors, cameAtMs } = options;
  const queue = createAcceptQueue({
    nowMs: () => performance.now(),
    cameAtMs,
    stand: () => connectTo(server),
  });
  const server = createServer(
    {
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16 * 1024,
      requireHostHeader: true,
      noDelay: true,
    },
    (request, response) => {
      const problem = findProblem(request);
      if (problem !== undefined)
        return writeReply(response, refusal(problem.status, problem.message, true));
      if (options.isDraining()) response.shouldKeepAlive = false;
      const url = request.url ?? "/";
      const mark = url.indexOf("?");
      const whole = mark === -1 ? url : url.slice(0, mark);
      // With and without the slash at the end, never a redirect (RELIABILITY 2.6).
      const path = whole.length > 1 && whole.endsWith("/") ? whole.slice(0, -1) : whole;
      const door = doors.byPath.get(path);
      const tree = door === undefined ? doors.trees.find(isAbove(path)) : undefined;
      const taker = door ?? tree?.door;
      if (taker === undefined) return api(request, response);
      try {
        const below = tree === undefined ? "" : path.slice(tree.path.length);
        const query = mark === -1 ? "" : url.slice(mark + 1);
        taker(request, response, below, query, queue.cameAtMs(request.socket));
      } catch (error) {
        // One request, whatever it is, must not end the process (RELIABILITY F64).
        options.report(error);
        writeReply(response, refusal(500, "internal error", true));
      }
    },
  );
  server.on("connection", queue.accepted);
  server.maxConnections = 10_000;
  server.maxRequestsPerSocket = 0;
  // An upgrade that nobody asked for is an ordinary request without one; CONNECT opens nothing.
  server.on("connect", (_, socket) => {
    // Node has taken its own listener off: a reset would end the process.
    socket.on("error", () => undefined);
    const refusal = "HTTP/1.1 405 Method Not Allowed\r\nconnection: close\r\n\r\n";
    socket.end(refusal, () => socket.destroy());
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    const status = CLIENT_ERRORS[error.code ?? ""] ?? "400 Bad Request";
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  });
  return server;
}

/** A worker's port is its primary's: who connects to it may meet another one. */
function connectTo(server: Server): Socket | undefined {
  const address = server.address();
  if (cluster.isWorker || address === null || typeof address === "string") return undefined;
  const host = ANY.get(address.address) ?? address.address;
  return connect({ host, port: address.port });
}
const ANY: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "127.0.0.1"],
]);

/**
 * Closes the port; `server.close()` does the rest. A connection that the kernel has taken and we
 * have not is reset by that, and a proxy that had sent its request may not send it again: so it is
 * done in the moment after the event loop has looked and found none.
 */
export function stopAccepting(server: Server): Promise<void> {
  const startMs = performance.now();
  let lookedMs = 0;
  let isQuiet = true;
  const heard = (): void => void (isQuiet = false);
  server.on("connection", heard);
  // What runs for the first time is slow.
  new TcpServer().close();
  return new Promise((done) => {
    // Between two of these the loop looks at what has come, and waits for nothing.
    const look = (): void => {
      const nowMs = performance.now();
      const waitedMs = nowMs - startMs;
      // The shorter the look, the less can have come since; a busy loop has no short ones.
      const isShort = nowMs - lookedMs < LOOK_MS * 2 ** (waitedMs / DOUBLES_MS);
      if ((isQuiet && isShort) || waitedMs > STOPPING_MS_MAX) {
        // The port alone: what an HTTP server does before that takes ten times as long as the look.
        TcpServer.prototype.close.call(server);
        server.off("connection", heard);
        return done();
      }
      lookedMs = nowMs;
      isQuiet = true;
      setImmediate(look);
    };
    setImmediate(look);
  });
}
const LOOK_MS = 0.05;
const DOUBLES_MS = 200;
const STOPPING_MS_MAX = 3_000;

const isAbove = (path: string) => (tree: { readonly path: string }) =>
  path.startsWith(tree.path) && path[tree.path.length] === "/";

const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** What Node accepts and RFC 9112 §3.2 or good sense does not. */
function findProblem(
  request: IncomingMessage,
): { readonly status: number; readonly message: string } | undefined {
  const { rawHeaders, url, method } = request;
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name !== undefined && name.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  if (hosts > 1) return { status: 400, message: "more than one Host header" };
  if (request.httpVersionMajor !== 1) return { status: 505, message: "HTTP/1.1 only" };
  if (url?.charCodeAt(0) !== SLASH)
    return { status: 400, message: "the request target must be a path" };
  if (method === "TRACE") return { status: 405, message: "TRACE is off" };
  return undefined;
}
const SLASH = 0x2f;
