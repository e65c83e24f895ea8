/** A network between a client and a server that can go silent: nothing is refused, nothing comes. */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

const LOST_MS = 200;

export type StallingProxy = {
  readonly port: number;
  /** From now on no octet passes, on these connections or new ones, and none is closed. */
  readonly stall: () => void;
  /** Connections made from now on pass; those that were there stay silent, as after a failover. */
  readonly failOver: () => void;
  /** Requests still arrive, their replies don't, and the connections break: what was done? */
  readonly loseReplies: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export async function startStallingProxy(serverPort: number): Promise<StallingProxy> {
  let isSilent = false;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(serverPort, "127.0.0.1");
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => open.delete(socket));
    }
    client.pipe(upstream).pipe(client);
    if (isSilent) silence(client, upstream);
    client.on("close", () => upstream.destroy());
  });
  const silence = (...sockets: readonly Socket[]): void => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    stall() {
      isSilent = true;
      silence(...open);
    },
    async loseReplies() {
      const upstreams = [...open].filter(({ remotePort }) => remotePort === serverPort);
      for (const socket of upstreams) silence(socket);
      await wait(LOST_MS);
      for (const socket of [...open]) socket.destroy();
    },
    failOver() {
      isSilent = false;
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
