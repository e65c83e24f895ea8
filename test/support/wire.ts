/** HTTP without a client's good manners: targets and headers go out as they are given. */
import { request } from "node:http";
import { connect } from "node:net";
import type { Octets } from "./bad-inputs.ts";

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly tookMs: number;
};

const ANSWER_MS_MAX = 30_000;

export function send(port: number, octets: Octets): Promise<Answer> {
  const { method, target, headers, body } = octets;
  const startedAtMs = performance.now();
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": body.length };
    const asked = request(
      {
        host: "127.0.0.1",
        port,
        method,
        path: target,
        headers: { ...length, ...headers },
        agent: false,
        timeout: ANSWER_MS_MAX,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        // A refused body leaves the connection reset: what was read until then is the answer.
        response.on("error", () => undefined);
        response.on("close", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString("utf8"),
            tookMs: performance.now() - startedAtMs,
          }),
        );
      },
    );
    asked.on("error", reject);
    asked.on("timeout", () => asked.destroy(new Error(`no answer in ${ANSWER_MS_MAX} ms`)));
    asked.end(body);
  });
}

export type Conversation = {
  /** Of the first response; 0: closed without one. */
  readonly status: number;
  readonly count: number;
  readonly text: string;
  /** The other side closed the connection. */
  readonly isClosed: boolean;
};
export type Drip = { readonly text: string; readonly everyMs: number };

/** A second response that nobody asked for would come right behind the first. */
const QUIET_MS = 400;

/** Writes the octets, and whatever `drip` says after them, and reads until close or quiet. */
export function converse(
  port: number,
  octets: Buffer,
  options: { readonly withinMs: number; readonly untilClosed: boolean; readonly drip?: Drip },
): Promise<Conversation> {
  const { withinMs, untilClosed, drip } = options;
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: false });
    const chunks: Buffer[] = [];
    let isClosed = false;
    let quiet: NodeJS.Timeout | undefined;
    const dripping =
      drip && setInterval(() => socket.writable && socket.write(drip.text), drip.everyMs);
    const done = () => {
      clearTimeout(late);
      clearTimeout(quiet);
      clearInterval(dripping);
      socket.destroy();
      const text = Buffer.concat(chunks).toString("latin1");
      const statuses = [...text.matchAll(/HTTP\/1\.[01] ([2-9]\d\d)\b/g)].map(([, code]) => code);
      resolve({ status: Number(statuses[0] ?? 0), count: statuses.length, text, isClosed });
    };
    const late = setTimeout(done, withinMs);
    const hungUp = () => {
      isClosed = true;
      done();
    };
    socket.on("end", hungUp);
    socket.on("close", hungUp);
    // A reset is a way to close.
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      clearTimeout(quiet);
      if (!untilClosed) quiet = setTimeout(done, QUIET_MS);
    });
    socket.write(octets);
  });
}
