/** How long a connection may have waited to be accepted. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, Socket, type AddressInfo } from "node:net";
import { test } from "node:test";
import { setImmediate as round, setTimeout as wait } from "node:timers/promises";
import { createAcceptQueue } from "./accept-queue.ts";

const open = (backlog?: number) => {
  const clock: { ms: number; foundFromMs?: number } = { ms: 1_000 };
  const queue = createAcceptQueue({
    nowMs: () => clock.ms,
    cameAtMs: () => clock.foundFromMs ?? clock.ms,
    ...(backlog && { backlog }),
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

test("however long that goes on, it waited behind no more than the queue holds", async () => {
  const { clock, accept } = open(2);
  for (let nth = 0; nth < 20; nth += 1) await accept(1_000);
  assert.equal((await accept(1_000)).cameAtMs, clock.ms - 3_000);
});

test("behind a real server that was busy", async (t) => {
  const queue = createAcceptQueue({
    nowMs: () => performance.now(),
    cameAtMs: () => performance.now(),
  });
  const came: (number | undefined)[] = [];
  const server = createServer((socket) => {
    queue.accepted(socket);
    came.push(queue.cameAtMs(socket));
    // As long as the turns of a busy process: what comes next waits for it.
    const untilMs = performance.now() + 20;
    while (performance.now() < untilMs);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const startMs = performance.now();
  const sockets = Array.from({ length: 40 }, () => connect(port, "127.0.0.1"));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  while (came.length < sockets.length) await wait(5);
  assert.ok(came.at(-1)! >= startMs && came.at(-1)! < startMs + 400, `${came.at(-1)}`);
  await wait(50);
  sockets.push(connect(port, "127.0.0.1"));
  while (came.length < sockets.length) await wait(5);
  assert.equal(came.at(-1), undefined);
});
