/** A link between two processes that can be severed, slowed and stalled. Loopback only. */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export type FaultProxy = {
  readonly port: number;
  /** Every connection breaks at once, both ways; new ones are taken. */
  readonly sever: () => void;
  /** From now on each piece waits so long, both ways, in order. 0 is as fast as it goes. */
  readonly slow: (ms: number) => void;
  /** Nothing passes and nothing is closed, until `flow`. */
  readonly stall: () => void;
  readonly flow: () => void;
  readonly close: () => Promise<void>;
};

export async function startFaultProxy(targetPort: () => number): Promise<FaultProxy> {
  const open = new Set<Socket>();
  let delayMs = 0;
  let isStalled = false;

  function forward(from: Socket, to: Socket): void {
    let last: Promise<unknown> = Promise.resolve();
    let waiting = 0;
    from.on("data", (chunk: Buffer) => {
      // As it comes where nothing is slowed, and never past a piece that waits.
      if (delayMs === 0 && waiting === 0) {
        if (!to.destroyed && !to.write(chunk)) from.pause();
        return;
      }
      const ms = delayMs;
      waiting += 1;
      last = last
        .then(() => new Promise((done) => setTimeout(done, ms)))
        .then(() => {
          waiting -= 1;
          if (!to.destroyed) to.write(chunk);
        });
    });
    to.on("drain", () => {
      if (!isStalled) from.resume();
    });
    from.on("end", () => void last.then(() => to.end()));
    from.on("close", () => to.destroy());
    from.on("error", () => to.destroy());
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect({ port: targetPort(), host: "127.0.0.1", noDelay: true });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
    }
    forward(client, upstream);
    forward(upstream, client);
    if (isStalled) for (const socket of [client, upstream]) socket.pause();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    sever() {
      for (const socket of open) socket.resetAndDestroy();
    },
    slow(ms) {
      delayMs = ms;
    },
    stall() {
      isStalled = true;
      for (const socket of open) socket.pause();
    },
    flow() {
      isStalled = false;
      for (const socket of open) socket.resume();
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
