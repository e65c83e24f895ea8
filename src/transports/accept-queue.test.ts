/** How long a connection may have waited to be accepted. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, Socket, type AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { setImmediate as round, setTimeout as wait } from "node:timers/promises";
import { BACKLOG, createAcceptQueue } from "./accept-queue.ts";

const open = () => {
  const clock: { ms: number; foundFromMs?: number } = { ms: 1_000 };
  const queue = createAcceptQueue({
    nowMs: () => clock.ms,
    cameAtMs: () => clock.foundFromMs ?? clock.ms,
    stand: () => undefined,
  });
  /** One connection, accepted after a round of so long; when a request on it may have come. */
  const accept = async (roundMs: number) => {
    await round();
    clock.ms += roundMs;
    const socket = new Socket();
    queue.accepted(socket);
    return { socket, cameAtMs: queue.cameAtMs(socket) };
  };
  return { clock, queue, accept };
};

test("one that finds the queue empty did not wait", async () => {
  const { accept } = open();
  for (let nth = 0; nth < 5; nth += 1) {
    assert.equal((await accept(500)).cameAtMs, undefined);
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
  }
});

test("one in each round: each may have come with the first", async () => {
  const { accept } = open();
  await accept(0);
  assert.equal((await accept(150)).cameAtMs, undefined);
  assert.equal((await accept(150)).cameAtMs, 1_000);
  assert.equal((await accept(4_000)).cameAtMs, 1_000);
});

test("a request that is read rounds later came after that", async () => {
  const { queue, accept } = open();
  await accept(0);
  const { socket, cameAtMs } = await accept(4_000);
  assert.equal(cameAtMs, 1_000);
  await round();
  assert.equal(queue.cameAtMs(socket), 1_000);
  for (let rounds = 0; rounds < 4; rounds += 1) await round();
  assert.equal(queue.cameAtMs(socket), undefined);
});

test("after a standstill they may have come before it, also those that are accepted late", async () => {
  const { clock, accept } = open();
  Object.assign(clock, { foundFromMs: 1_000, ms: 10_000 });
  await accept(0);
  delete clock.foundFromMs;
  assert.equal((await accept(400)).cameAtMs, 1_000);
  assert.equal((await accept(400)).cameAtMs, 1_000);
});

/** A server that works so long for each connection, and closes it. */
async function serve(t: TestContext, workMs: number, heard: (socket: Socket, ms?: number) => void) {
  const server = createServer((socket) => {
    queue.accepted(socket);
    const untilMs = performance.now() + workMs;
    if (!socket.destroyed) heard(socket, queue.cameAtMs(socket));
    while (performance.now() < untilMs);
    socket.on("error", () => undefined).end();
  });
  const nowMs = () => performance.now();
  const queue = createAcceptQueue({ nowMs, cameAtMs: nowMs, stand: () => connect(port, HOST) });
  server.listen(0, HOST, BACKLOG);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  t.after(() => server.close());
  return port;
}
const HOST = "127.0.0.1";
/** A busy machine may let a process wait between a call and the loop's first look. */
const SPARE_MS = 100;

test("behind a burst each may have come when it did, and the next one did not wait", async (t) => {
  const came: (number | undefined)[] = [];
  const port = await serve(t, 20, (_, cameAtMs) => came.push(cameAtMs));
  const startMs = performance.now();
  for (let nth = 0; nth < 40; nth += 1)
    connect(port, HOST)
      .on("error", () => undefined)
      .resume();
  while (came.length < 40) await wait(5);
  assert.ok(came.at(-1)! >= startMs && came.at(-1)! < startMs + 400, `${came.at(-1)}`);
  await wait(100);
  connect(port, HOST)
    .on("error", () => undefined)
    .resume();
  while (came.length < 41) await wait(5);
  assert.equal(came.at(-1), undefined);
});

test("of a server that is never idle nobody is thought to have waited much longer", async (t) => {
  const begun = new Map<number, number>();
  const charged: number[] = [];
  const tooLittle: number[] = [];
  const port = await serve(t, 3, (socket, cameAtMs) => {
    const nowMs = performance.now();
    const beganMs = begun.get(socket.remotePort ?? 0) ?? nowMs;
    if (cameAtMs === undefined) return;
    charged.push(beganMs - cameAtMs);
    if (cameAtMs > beganMs + SPARE_MS) tooLittle.push(cameAtMs - beganMs);
  });
  const untilMs = performance.now() + 2_500;
  const call = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const beganMs = performance.now();
      const socket = connect(port, HOST)
        .on("error", () => undefined)
        .resume();
      await once(socket, "connect");
      begun.set(socket.localPort ?? 0, beganMs);
      await once(socket, "close");
    }
  };
  await Promise.all(Array.from({ length: 64 }, call));
  assert.ok(charged.length > 100, `${charged.length} waited`);
  assert.deepEqual(tooLittle, []);
  assert.ok(Math.max(...charged) < 700, `${Math.max(...charged)} ms too much`);
});
