/** A Redis Cluster of three masters for one test file, each with a replica where one is asked for. */
import { freePort } from "./gateway.ts";
import { until } from "./operator.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";

const SLOTS = 16_384;
const MASTERS = 3;
const READY_MS_MAX = 30_000;

export type RedisCluster = {
  readonly url: string;
  readonly masters: readonly RedisServer[];
  /** As many as masters, in their order, or none. */
  readonly replicas: readonly RedisServer[];
  readonly stop: () => Promise<void>;
};

export async function startRedisCluster({ replicated = false } = {}): Promise<RedisCluster> {
  // A failover begins after it, and is to take longer than a command of the store waits.
  const nodeTimeoutMs = replicated ? 2_000 : 1_000;
  const startNode = async (): Promise<RedisServer> =>
    startRedis({
      "cluster-enabled": "yes",
      "cluster-node-timeout": String(nodeTimeoutMs),
      // By default that of the port and 10,000, which may be none.
      "cluster-port": String(await freePort()),
      // A replica whose link has been down for long would not be promoted.
      "cluster-replica-validity-factor": "0",
      "repl-diskless-sync-delay": "0",
    });
  const nodes: RedisServer[] = [];
  for (let n = 0; n < MASTERS * (replicated ? 2 : 1); n += 1) nodes.push(await startNode());
  const [masters, replicas] = [nodes.slice(0, MASTERS), nodes.slice(MASTERS)];
  await join(nodes, masters);
  for (const [n, replica] of replicas.entries()) {
    const master = await idOf(masters[n]!);
    await until("the replica knows its master", async () =>
      (await replica.say(`CLUSTER REPLICATE ${master}`)).startsWith("+OK"),
    );
  }
  const isLinked = async (replica: RedisServer) =>
    /master_link_status:up/.test(await replica.say("INFO replication"));
  await until("all nodes know all slots", () => every(nodes, isOk), READY_MS_MAX);
  await until("replicas follow", () => every(replicas, isLinked), READY_MS_MAX);
  return {
    url: `redis-cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    masters,
    replicas,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

async function join(nodes: readonly RedisServer[], masters: readonly RedisServer[]): Promise<void> {
  for (const [n, master] of masters.entries()) {
    const [first, after] = [n, n + 1].map((end) => Math.floor((SLOTS * end) / MASTERS));
    await ask(master, `CLUSTER ADDSLOTSRANGE ${first} ${after! - 1}`);
  }
  for (const [n, node] of nodes.entries()) await ask(node, `CLUSTER SET-CONFIG-EPOCH ${n + 1}`);
  for (const node of nodes.slice(1)) {
    const busPort = /@(\d+)/.exec(await ask(node, "CLUSTER NODES"))?.[1];
    await ask(nodes[0]!, `CLUSTER MEET 127.0.0.1 ${node.port} ${busPort}`);
  }
}

/** A slot with all it holds to another master, as `redis-cli --cluster reshard` does it. */
export async function moveSlot(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
  const [fromId, toId] = [await idOf(from), await idOf(to)];
  await ask(to, `CLUSTER SETSLOT ${slot} IMPORTING ${fromId}`);
  await ask(from, `CLUSTER SETSLOT ${slot} MIGRATING ${toId}`);
  for (;;) {
    const keys = (await ask(from, `CLUSTER GETKEYSINSLOT ${slot} 100`)).match(/^dialyard:.*$/gm);
    if (keys === null) break;
    const names = keys.map((key) => key.trimEnd()).join(" ");
    await ask(from, `MIGRATE 127.0.0.1 ${to.port} "" 0 5000 KEYS ${names}`);
  }
  for (const node of [to, from]) await ask(node, `CLUSTER SETSLOT ${slot} NODE ${toId}`);
}

const isOk = async (node: RedisServer): Promise<boolean> =>
  (await node.say("CLUSTER INFO")).includes("cluster_state:ok");
const idOf = async (node: RedisServer): Promise<string> =>
  /\r\n(\w{40})\r\n/.exec(await ask(node, "CLUSTER MYID"))?.[1] ?? "";

async function ask(node: RedisServer, command: string): Promise<string> {
  const reply = await node.say(command);
  if (reply.startsWith("-")) throw new Error(`${command}: ${reply}`);
  return reply;
}

async function every(
  nodes: readonly RedisServer[],
  is: (node: RedisServer) => Promise<boolean>,
): Promise<boolean> {
  return (await Promise.all(nodes.map(is))).every(Boolean);
}
