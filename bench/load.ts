/**
 * The load, run as a child process: dialogues one after another on each of some kept-alive
 * connections, the next request when the last answer came. Bare sockets, so that the load costs
 * less than what it loads. An answer that is not the screen of its turn is an error, not a turn.
 */
import { connect, type Socket } from "node:net";
import { isEnd, requestBody, TURNS, type Dialogue, type Subscriber } from "./dialogues.ts";

export type Order = {
  readonly port: number;
  readonly path: string;
  readonly dialogue: Dialogue;
  readonly connections: number;
  readonly durationMs: number;
};
export type Outcome = {
  readonly turns: number;
  readonly errors: number;
  readonly firstError: string | undefined;
  readonly elapsedMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
};

/** Counts latencies up to 2 s in steps of 10 µs. */
const BUCKETS = 200_000;
const BUCKET_MS = 0.01;
const ANSWER_OCTETS_MAX = 16 * 1024;
/** A contender that answers nothing must not hold up the run. */
const PATIENCE_MS = 10_000;
const HEAD_END = "\r\n\r\n";

process.on("message", (order: Order) => {
  void run(order).then((outcome) => process.send?.(outcome));
});
process.on("disconnect", () => process.exit(0));

type Tally = {
  turns: number;
  errors: number;
  firstError: string | undefined;
  readonly latencies: Uint32Array;
};

async function run(order: Order): Promise<Outcome> {
  const latencies = new Uint32Array(BUCKETS);
  const tally: Tally = { turns: 0, errors: 0, firstError: undefined, latencies };
  const startMs = performance.now();
  const untilMs = startMs + order.durationMs;
  const callers = Array.from({ length: order.connections }, () => converse(order, untilMs, tally));
  await Promise.all(callers);
  const elapsedMs = performance.now() - startMs;
  const { turns, errors, firstError } = tally;
  const at = (share: number): number => percentile(latencies, turns, share);
  return { turns, errors, firstError, elapsedMs, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}

function percentile(latencies: Uint32Array, count: number, share: number): number {
  let seen = 0;
  for (let index = 0; index < BUCKETS; index += 1) {
    seen += latencies[index] ?? 0;
    if (seen >= count * share) return (index + 1) * BUCKET_MS;
  }
  return BUCKETS * BUCKET_MS;
}

/** One connection: whole dialogues until the time is over; the one under way is finished. */
function converse(order: Order, untilMs: number, tally: Tally): Promise<void> {
  const { port, path, dialogue } = order;
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: `;
  return new Promise((done) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let subscriber = newSubscriber();
    let turn = 0;
    let sentMs = 0;
    let pending = "";
    const send = (): void => {
      const { type, text } = requestBody(dialogue, subscriber, turn);
      sentMs = performance.now();
      socket.write(`${head}${type}\r\ncontent-length: ${text.length}${HEAD_END}${text}`, "latin1");
    };
    const fail = (reason: string): void => {
      tally.errors += 1;
      tally.firstError ??= reason;
      socket.destroy();
    };
    setUp(socket, done, fail);
    socket.on("connect", send);
    socket.on("data", (chunk: string) => {
      pending = pending === "" ? chunk : pending + chunk;
      const answer = readAnswer(pending);
      if (answer === undefined) {
        if (pending.length > ANSWER_OCTETS_MAX) fail("answer too long");
        return;
      }
      pending = "";
      const problem = findProblem(answer, dialogue, turn);
      if (problem !== undefined) return fail(problem);
      const nowMs = performance.now();
      const bucket = Math.min(BUCKETS - 1, Math.floor((nowMs - sentMs) / BUCKET_MS));
      tally.latencies[bucket] = (tally.latencies[bucket] ?? 0) + 1;
      tally.turns += 1;
      turn += 1;
      if (turn === TURNS) {
        if (nowMs >= untilMs) return void socket.destroy();
        turn = 0;
        subscriber = newSubscriber();
      }
      send();
    });
  });
}

function setUp(socket: Socket, done: () => void, fail: (reason: string) => void): void {
  socket.setEncoding("latin1");
  socket.setTimeout(PATIENCE_MS, () => fail("no answer"));
  socket.on("error", (error) => fail(error.message));
  socket.on("end", () => fail("connection closed"));
  socket.on("close", done);
}

type Answered = { readonly status: string; readonly body: string };

/** Undefined until all of it came. */
function readAnswer(text: string): Answered | undefined {
  const headEnd = text.indexOf(HEAD_END);
  if (headEnd === -1) return undefined;
  const lengthAt = /content-length: *(\d{1,6})/i.exec(text.slice(0, headEnd));
  if (lengthAt === null) return { status: "without a length", body: "" };
  const start = headEnd + HEAD_END.length;
  if (text.length < start + Number(lengthAt[1])) return undefined;
  return { status: text.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length), body: text.slice(start) };
}

function findProblem(answer: Answered, { channel }: Dialogue, turn: number): string | undefined {
  if (answer.status !== "200") return `status ${answer.status}: ${answer.body.slice(0, 120)}`;
  if (isEnd(channel, answer.body) === (turn === TURNS - 1)) return undefined;
  return `not the screen of turn ${turn}: ${answer.body.slice(0, 120)}`;
}

function newSubscriber(): Subscriber {
  const sessionId = Math.random().toString(36).slice(2) + Math.random().toString(36).slice(2);
  return { sessionId, digits: String(200_000_000 + Math.floor(Math.random() * 99_999_999)) };
}
