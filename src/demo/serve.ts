/** HTTP on loopback, both ways: all that the demo backends and their biller need. */
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";

type Asked = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
};
export type TextRequest = Asked & { readonly text: string };
export type TextAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
};
export type JsonRequest = Asked & {
  /** Undefined where the body is no JSON object. */
  readonly body: JsonObject | undefined;
};
export type JsonObject = Readonly<Record<string, unknown>>;
export type JsonAnswer = { readonly status: number; readonly body: unknown };
export type Served = {
  /** "http://127.0.0.1:41234" */
  readonly url: string;
  readonly close: () => Promise<void>;
};

const BODY_OCTETS_MAX = 16_384;
// Longer than a menu is read, so that the gateway's pool does not dial anew at every turn.
const KEEP_ALIVE_MS = 65_000;

export function serveJson(
  answer: (request: JsonRequest) => JsonAnswer | Promise<JsonAnswer>,
): Promise<Served> {
  return serveText(async ({ text, ...asked }) =>
    inJson(await answer({ ...asked, body: parseObject(text) })),
  );
}

/** Serves `answer` on an ephemeral port of 127.0.0.1: nothing outside this machine reaches it. */
export async function serveText(
  answer: (request: TextRequest) => TextAnswer | Promise<TextAnswer>,
): Promise<Served> {
  const server = createServer((request, response) => {
    const reply = ({ status, contentType, text }: TextAnswer): void => {
      const length = Buffer.byteLength(text);
      response.writeHead(status, { "content-type": contentType, "content-length": length });
      response.end(text);
    };
    readBody(request)
      .then((text) => (text === undefined ? TOO_LARGE : answer(asTextRequest(request, text))))
      .catch(() => FAILED)
      .then(reply)
      .catch(() => response.destroy());
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("no TCP address"));
      else resolve(address.port);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function inJson({ status, body }: JsonAnswer): TextAnswer {
  return { status, contentType: "application/json", text: JSON.stringify(body) };
}
const TOO_LARGE = inJson({
  status: 413,
  body: { error: "invalid_request", message: `body must be at most ${BODY_OCTETS_MAX} octets` },
});
const FAILED = inJson({
  status: 500,
  body: { error: "internal_error", message: "the request could not be answered" },
});

/** Rejects when no complete answer came within `timeoutMs`. */
export function postJson(
  url: string,
  body: unknown,
  options: { readonly headers: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<{ readonly status: number; readonly body: JsonObject | undefined }> {
  const signal = AbortSignal.timeout(options.timeoutMs);
  return new Promise((resolve, reject) => {
    const headers = { ...options.headers, "content-type": "application/json" };
    const request = httpRequest(url, { method: "POST", headers, signal }, (response) => {
      readBody(response).then((text) => {
        if (text === undefined) reject(new Error("the answer is too large"));
        else resolve({ status: response.statusCode ?? 0, body: parseObject(text) });
      }, reject);
    });
    request.on("error", reject);
    request.end(JSON.stringify(body));
  });
}

/** The whole body, or undefined where it is too large; the rest is then read and dropped. */
async function readBody(message: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    octets += chunk.length;
    if (octets <= BODY_OCTETS_MAX) chunks.push(chunk);
  }
  return octets > BODY_OCTETS_MAX ? undefined : Buffer.concat(chunks).toString("utf8");
}

function asTextRequest(request: IncomingMessage, text: string): TextRequest {
  const [path = ""] = (request.url ?? "").split("?", 1);
  const { method = "", headers } = request;
  return { method, path, headers, text };
}

export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return value as JsonObject;
  } catch {
    return undefined;
  }
}
