/**
 * A backend that answers the bytes it is told to, for tests of what no HTTP server would send:
 * cut, dripped, endless, doubled and reset replies. The keys of a script are those of the
 * `backend-reply` lines of bad-inputs.jsonl (RELIABILITY 9).
 */
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer } from "node:net";

export type Script = {
  /** May contain {{SESSION_ID}}, {{TRANSACTION_ID}} (of the request) and {{LEN}} (of the body). */
  readonly raw?: string | Buffer;
  readonly encoding?: BufferEncoding;
  /** Wait before the first byte. */
  readonly delayMs?: number;
  /** One octet each. */
  readonly dripMs?: number;
  /** Sent after `raw` again and again, `everyMs` apart (0: as fast as it is read). */
  readonly repeat?: string;
  readonly everyMs?: number;
  /** What happens after the last byte; "keep" reads the next request. */
  readonly then?: "keep" | "hold" | "fin" | "rst";
};
/** What meets a connection before it has sent anything. */
export type Greeting = "read" | "fin" | "rst" | "ignore";
export type ScriptedRequest = {
  readonly atMs: number;
  readonly method: string;
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connection: number;
};
export type ScriptedBackend = {
  readonly port: number;
  readonly url: string;
  /** In the order in which they were read completely. */
  readonly requests: readonly ScriptedRequest[];
  connections(): number;
  openConnections(): number;
  octetsSent(): number;
  answer(script: Script | ((request: ScriptedRequest, count: number) => Script)): void;
  greet(greeting: Greeting): void;
  /** FIN on every idle connection, as a server's keep-alive timeout does. */
  closeIdle(): void;
  /** Nothing listens any more: ECONNREFUSED. */
  refuse(): Promise<void>;
  listenAgain(): Promise<void>;
  close(): Promise<void>;
};

const REQUESTS_MAX = 10_000;
const REQUEST_OCTETS_MAX = 1_048_576;

/** A complete reply with what `body` says, on a connection that stays open. */
export function httpReply(body: string, status = "200 OK", headers = ""): string {
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\n${headers}`;
  return `${head}Content-Length: {{LEN}}\r\n\r\n${body}`;
}

/** A screen in the OLA contract, for the session and transaction asked for. */
export function olaReply(line = "Welcome", isEnd = false, status = "200 OK", headers = ""): string {
  const ids = '"session_id":"{{SESSION_ID}}","transaction_id":"{{TRANSACTION_ID}}"';
  const output = JSON.stringify([line]);
  return httpReply(`{${ids},"output":${output},"end_session":${isEnd}}`, status, headers);
}

export async function startScriptedBackend(first: Script = { raw: olaReply() }) {
  const requests: ScriptedRequest[] = [];
  const open = new Set<Socket>();
  const idle = new Set<Socket>();
  let script: (request: ScriptedRequest, count: number) => Script = () => first;
  let greeting: Greeting = "read";
  let connections = 0;
  let octetsSent = 0;

  function accept(socket: Socket): void {
    const connection = ++connections;
    open.add(socket);
    socket.on("close", () => {
      open.delete(socket);
      idle.delete(socket);
    });
    socket.on("error", () => undefined);
    if (greeting === "fin") return void socket.end();
    if (greeting === "rst") return void socket.resetAndDestroy();
    if (greeting === "ignore") return void socket.pause();
    let unread = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      if (unread.length > REQUEST_OCTETS_MAX) return void socket.destroy();
      const parsed = parseRequest(unread, connection);
      if (parsed === undefined) return;
      unread = unread.subarray(parsed.octets);
      idle.delete(socket);
      requests.push(parsed.request);
      if (requests.length > REQUESTS_MAX) requests.shift();
      play(socket, script(parsed.request, requests.length), parsed.request);
    });
  }

  function write(socket: Socket, bytes: Buffer): void {
    if (socket.destroyed) return;
    octetsSent += bytes.length;
    socket.write(bytes);
  }

  function play(socket: Socket, step: Script, request: ScriptedRequest): void {
    const bytes = fill(step, request);
    const start = () => {
      if (step.dripMs !== undefined) return drip(socket, bytes, step);
      if (bytes.length > 0) write(socket, bytes);
      return step.repeat === undefined ? finish(socket, step) : repeat(socket, step);
    };
    if (step.delayMs === undefined) start();
    else setTimeout(start, step.delayMs).unref();
  }

  function drip(socket: Socket, bytes: Buffer, step: Script): void {
    let index = 0;
    const timer = setInterval(() => {
      write(socket, bytes.subarray(index, index + 1));
      index += 1;
      if (index < bytes.length && !socket.destroyed) return;
      clearInterval(timer);
      finish(socket, step);
    }, step.dripMs);
    timer.unref();
  }

  function repeat(socket: Socket, step: Script): void {
    const unit = Buffer.from(step.repeat ?? "", step.encoding ?? "utf8");
    const again = () => {
      while (!socket.destroyed && !socket.writableNeedDrain) {
        write(socket, unit);
        if (step.everyMs) return void setTimeout(again, step.everyMs).unref();
      }
    };
    socket.on("drain", again);
    again();
  }

  function finish(socket: Socket, step: Script): void {
    if (step.then === "fin") socket.end();
    else if (step.then === "rst") socket.resetAndDestroy();
    else if (step.then !== "hold") idle.add(socket);
  }

  let server = await listen(accept, 0);
  const { port } = server.address() as AddressInfo;

  function destroyAll(): void {
    for (const socket of open) socket.destroy();
  }
  async function refuse(): Promise<void> {
    destroyAll();
    await new Promise((resolve) => server.close(resolve));
  }
  const backend: ScriptedBackend = {
    port,
    url: `http://127.0.0.1:${port}/ussd`,
    requests,
    connections: () => connections,
    openConnections: () => open.size,
    octetsSent: () => octetsSent,
    answer(next) {
      script = typeof next === "function" ? next : () => next;
    },
    greet(next) {
      greeting = next;
    },
    closeIdle() {
      for (const socket of idle) socket.end();
    },
    refuse,
    async listenAgain() {
      server = await listen(accept, port);
    },
    close: refuse,
  };
  return backend;
}

function listen(accept: (socket: Socket) => void, port: number): Promise<Server> {
  const server = createServer({ noDelay: true }, accept);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

function parseRequest(bytes: Buffer, connection: number) {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const [line = "", ...fields] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const [method = "", target = ""] = line.split(" ");
  const headers: Record<string, string> = {};
  for (const field of fields) {
    const colon = field.indexOf(":");
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim();
  }
  const octets = headEnd + 4 + Number(headers["content-length"] ?? 0);
  if (bytes.length < octets) return undefined;
  const body = bytes.toString("utf8", headEnd + 4, octets);
  const atMs = performance.now();
  return { octets, request: { atMs, method, target, headers, body, connection } };
}

function fill({ raw = "", encoding = "utf8" }: Script, request: ScriptedRequest): Buffer {
  if (typeof raw !== "string") return raw;
  const text = raw
    .replaceAll("{{SESSION_ID}}", idOf(request, "session_id"))
    .replaceAll("{{TRANSACTION_ID}}", idOf(request, "transaction_id"));
  const bodyStart = text.indexOf("\r\n\r\n") + 4;
  // What follows as a second reply is surplus, and no part of the first one's body.
  const next = text.indexOf("HTTP/1.", bodyStart);
  const body = text.slice(bodyStart, next === -1 ? undefined : next);
  const bodyOctets = Buffer.byteLength(body, encoding);
  return Buffer.from(text.replace("{{LEN}}", String(bodyOctets)), encoding);
}

function idOf(request: ScriptedRequest, name: string): string {
  try {
    const value = (JSON.parse(request.body) as Record<string, unknown>)[name];
    return typeof value === "string" ? value : "";
  } catch {
    return new URLSearchParams(request.body).get(name) ?? "";
  }
}
