/**
 * A load balancer as small as one can be: round robin over the nodes that /ready says are there,
 * connections kept, nothing sent twice.
 */
import { Agent, createServer, request as send, type IncomingMessage } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Balancer = {
  readonly url: string;
  readonly port: number;
  /** Nodes that get requests now. */
  readonly ready: () => readonly number[];
  /** Requests that a node did not answer. */
  readonly failed: () => readonly string[];
  readonly close: () => Promise<void>;
};

const ASK_EVERY_MS = 100;

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const failed: string[] = [];
  let ready: readonly number[] = ports;
  let next = 0;
  let isClosed = false;

  const isReady = async (port: number): Promise<boolean> => {
    const signal = AbortSignal.timeout(1_000);
    const response = await fetch(`http://127.0.0.1:${port}/ready`, { signal }).catch(
      () => undefined,
    );
    await response?.body?.cancel();
    return response?.status === 200;
  };
  const ask = async (): Promise<void> => {
    const answers = await Promise.all(ports.map(isReady));
    ready = ports.filter((_, index) => answers[index]);
    if (!isClosed) setTimeout(() => void ask(), ASK_EVERY_MS).unref();
  };
  await ask();

  function forward(request: IncomingMessage, response: ServerResponse): void {
    next += 1;
    const port = ready[next % Math.max(1, ready.length)];
    const refuse = (reason: string): void => {
      failed.push(reason);
      if (!response.headersSent) response.writeHead(502);
      response.end();
    };
    if (port === undefined) return refuse("no node is ready");
    const { method = "GET", url: path = "/", headers } = request;
    const out = send({ agent, host: "127.0.0.1", port, method, path, headers }, (answer) => {
      const { connection: _, ...rest } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, rest);
      answer.pipe(response);
    });
    out.on("error", (error) => refuse(`${port}: ${error.message}`));
    request.pipe(out);
  }

  const server = createServer(forward);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    ready: () => ready,
    failed: () => failed,
    async close() {
      isClosed = true;
      agent.destroy();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
