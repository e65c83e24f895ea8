/** The port of a gateway that stops: who was let in by the kernel is answered, nobody is reset. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createHttpServer, stopAccepting } from "./http.ts";

/** Connects every millisecond and asks at once; says how each ended. */
const CALLER = `
const { connect } = require("node:net");
const { parentPort, workerData } = require("node:worker_threads");
const ends = { answered: 0, refused: 0, reset: 0 };
const timer = setInterval(() => {
  let heard = "";
  let isSent = false;
  const socket = connect(workerData.port, "127.0.0.1");
  socket.on("connect", () => {
    isSent = true;
    socket.write("GET / HTTP/1.1\\r\\nhost: a\\r\\nconnection: close\\r\\n\\r\\n");
  });
  socket.on("data", (chunk) => (heard += chunk));
  socket.on("error", () => undefined);
  socket.on("close", () => (ends[heard !== "" ? "answered" : isSent ? "reset" : "refused"] += 1));
}, 1);
parentPort.on("message", () => {
  clearInterval(timer);
  setTimeout(() => parentPort.postMessage(ends), 200);
});
parentPort.postMessage("begun");
`;
/** As a turn of the event loop that took long: meanwhile the kernel lets callers in. */
const BUSY_MS = 60;

async function startServer() {
  const server = createHttpServer(
    {
      doors: { byPath: new Map(), trees: [] },
      ...{ isDraining: () => true, report: assert.ifError, cameAtMs: () => performance.now() },
    },
    (_, response) => void response.end("ok"),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

test("a port is closed when nobody waits in it, however busy the loop was", async () => {
  const { server, port } = await startServer();
  const caller = new Worker(CALLER, { eval: true, workerData: { port } });
  await once(caller, "message");
  await wait(100);
  const untilMs = performance.now() + BUSY_MS;
  while (performance.now() < untilMs);
  await stopAccepting(server);
  await wait(100);
  server.close();
  caller.postMessage("stop");
  const [ends] = (await once(caller, "message")) as [Record<string, number>];
  await caller.terminate();
  const { answered = 0, refused = 0, reset = 0 } = ends;
  assert.ok(answered > 50 && refused > 20, JSON.stringify(ends));
  // One may come in the twentieth of a millisecond before; closed at once, it is dozens.
  assert.ok(reset <= 2, JSON.stringify(ends));
});

test("the port goes first: an HTTP server's own close takes ten times as long as the look", async () => {
  const { server } = await startServer();
  const wasListening: boolean[] = [];
  server.closeIdleConnections = () => void wasListening.push(server.listening);
  await stopAccepting(server);
  server.close();
  assert.deepEqual(wasListening, [false]);
});
