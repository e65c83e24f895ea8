import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createCodec } from "../codecs/index.ts";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import { createSealer } from "../stores/seal.ts";
import type { Backend, Turn } from "../types.ts";
import { createAnswers, type Expected } from "./answers.ts";
import type { Outcome } from "./exchange.ts";
import { createPassing } from "./passing.ts";

const serviceCode = asServiceCode("*123#");
assert.ok(serviceCode);
const codec = createCodec("viettel", { user: "app", pass: "s3cr3t" });
const backend = { id: 7, serviceCode, codec, url: "http://app.example/mo" } as Backend;
const turn: Turn = {
  ...{ sessionId: "sess_9", transactionId: "txn_9_1", number: 1, serviceCode, provider: "halotel" },
  ...{ msisdn: parseMsisdn("255629099842"), input: "", inputs: [], dialledDigits: [] },
};
const nowMs = () => performance.now();
const key = Buffer.alloc(32, 7);

/** Nodes that hear what each of them says, themselves too. */
function startNodes(count: number, keyOf = (_: number) => key) {
  const said: string[] = [];
  const reported: unknown[] = [];
  let ids = 0;
  const nodes = Array.from({ length: count }, (_, nth) => {
    const backends = () => new Map([[backend.serviceCode, backend]]);
    const answers = createAnswers({ backends, tell: () => undefined, nowMs });
    const passing = createPassing({
      answers,
      codecOf: (protocol) => createCodec(protocol),
      say: () => async (text) => {
        said.push(text);
        await Promise.resolve();
        for (const node of nodes) node.passing.hear(text);
      },
      sealer: createSealer([keyOf(nth)]),
      newId: () => `id-${(ids += 1)}`,
      nowMs,
      report: (error) => reported.push(error),
    });
    return { answers, passing };
  });
  return { nodes, said, reported };
}

const callOf = (msg: string, pass = "s3cr3t") => ({
  ...{ method: "POST", path: "", query: "", headers: {} },
  body:
    `<e:Envelope><e:Body><InsertMO><user>app</user><pass>${pass}</pass><msg>${msg}</msg>` +
    "<transactionid>Wsess_9</transactionid><requestType>202</requestType></InsertMO>" +
    "</e:Body></e:Envelope>",
});
type Node = ReturnType<typeof startNodes>["nodes"][number];
function expectAt(node: Node | undefined): { expected: Expected; came: Promise<Outcome> } {
  const { answersLater } = codec;
  assert.ok(node && answersLater);
  const expected = node.answers.expect(backend, turn, answersLater);
  assert.ok(expected);
  const response = { status: 200, headers: {}, body: "<r><errorCode>0</errorCode></r>" };
  const ask = () => Promise.resolve({ type: "replied", response, octets: 31 } as const);
  return { expected, came: expected.attempt(ask, nowMs() + 5_000) };
}
const pushTo = async (node: Node | undefined, msg: string, pass?: string) => {
  assert.ok(node);
  return node.passing.take(createCodec("viettel"), callOf(msg, pass));
};

describe("an answer that comes to another node", () => {
  test("reaches the turn that waits, and is told what that node says", async () => {
    const { nodes, said } = startNodes(3);
    const { came } = expectAt(nodes[2]);
    const { verdict, reply } = await pushTo(nodes[0], "Balance 7351");
    assert.equal(verdict, "taken");
    assert.match(reply.body, /<errorCode>0</);
    const outcome = await came;
    assert.ok(outcome.type === "replied" && outcome.response.body.includes("Balance 7351"));
    assert.ok(!/s3cr3t|7351/.test(said.join("\n")), "what is said between nodes is sealed");
  });

  test("is late where no node waits, within a second or so", async () => {
    const { nodes } = startNodes(3);
    const startMs = nowMs();
    assert.equal((await pushTo(nodes[0], "Menu")).verdict, "late");
    assert.ok(nowMs() - startMs < 2_000);
  });

  test("is passed to nobody with credentials that no registration has", async () => {
    const { nodes, said } = startNodes(2);
    expectAt(nodes[1]);
    assert.equal((await pushTo(nodes[0], "Menu", "guess")).verdict, "refused");
    assert.deepEqual(said, []);
  });

  test("is not asked about where a turn of this node waits for it", async () => {
    const { nodes, said } = startNodes(2);
    const { came } = expectAt(nodes[0]);
    assert.equal((await pushTo(nodes[0], "Menu")).verdict, "taken");
    await came;
    assert.deepEqual(said, []);
  });

  test("says the same as the answer before: it is the next turn's, that waits elsewhere", async () => {
    const { nodes } = startNodes(2);
    const first = expectAt(nodes[0]);
    (await pushTo(nodes[0], "Wrong PIN")).heard();
    await first.came;
    first.expected.end(false);
    const second = expectAt(nodes[1]);
    assert.equal((await pushTo(nodes[0], "Wrong PIN")).verdict, "taken");
    assert.equal((await second.came).type, "replied");
  });

  test("whose reply was not written is a copy when it comes again; once written it is not", async () => {
    const { nodes } = startNodes(2);
    const first = expectAt(nodes[1]);
    const taken = await pushTo(nodes[0], "Menu");
    await first.came;
    first.expected.end(false);
    const second = expectAt(nodes[1]);
    assert.equal((await pushTo(nodes[0], "Menu")).verdict, "taken");
    const before = await Promise.race([second.came, Promise.resolve("waits")]);
    assert.equal(before, "waits");
    taken.heard();
    await Promise.resolve();
    assert.equal((await pushTo(nodes[0], "Menu")).verdict, "taken");
    assert.equal((await second.came).type, "replied");
  });

  test("from a node with another key is nobody's, and is reported", async () => {
    const { nodes, reported } = startNodes(2, (nth) => Buffer.alloc(32, nth + 1));
    expectAt(nodes[1]);
    assert.equal((await pushTo(nodes[0], "Menu")).verdict, "late");
    assert.equal(reported.length, 1);
  });

  test("too long for a notice stays where it came", async () => {
    const { nodes, said } = startNodes(2);
    assert.equal((await pushTo(nodes[0], "x".repeat(7_000))).verdict, "late");
    assert.deepEqual(said, []);
  });
});
