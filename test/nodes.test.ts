/** Several nodes on one PostgreSQL: each knows of the others, and shows what all of them answer. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startBalancer } from "./support/balancer.ts";
import { freePort, startGateway, type StartedGateway } from "./support/gateway.ts";
import { until } from "./support/operator.ts";
import { type App, networks, register, startApp } from "./support/phones.ts";
import { noPostgres, type PostgresServer, startPostgres } from "./support/postgres-server.ts";

type Node = { id: string; this_node: boolean; draining: boolean; pid: number; turns: number };
const CODE = "*750#";

describe("three nodes", { skip: noPostgres }, () => {
  let postgres: PostgresServer;
  let app: App;
  const env: Record<string, string> = { DIALYARD_SECRET_KEY: "0123456789abcdef".repeat(4) };
  const nodes: StartedGateway[] = [];
  const start = (port?: number) =>
    startGateway({
      env: { ...env, PRE_STOP_MS: "1500", ...(port && { PORT: String(port) }) },
    });
  before(async () => {
    postgres = await startPostgres();
    env["DATABASE_URL"] = await postgres.newDatabase();
    app = await startApp("ola", (_, nth) => ({ screen: `turn ${nth}`, end: nth === 3 }));
    for (let n = 0; n < 3; n += 1) nodes.push(await start(await freePort()));
    await register(nodes[0]!.url, { service_code: CODE, callback_url: app.url });
  });
  after(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await app?.close();
    await postgres?.stop();
  });
  const listOf = async ({ url }: StartedGateway): Promise<readonly Node[]> => {
    const response = await fetch(`${url}/api/v1/nodes`);
    assert.equal(response.status, 200);
    return ((await response.json()) as { nodes: readonly Node[] }).nodes;
  };

  test("each lists all, itself first", async () => {
    for (const node of nodes) {
      const list = await listOf(node);
      assert.deepEqual(list.map(({ pid }) => pid).sort(), nodes.map(({ pid }) => pid).sort());
      assert.deepEqual([list[0]?.pid, list[0]?.this_node], [node.pid, true]);
    }
  });

  test("a turn on one is a live event on another", async () => {
    const stop = new AbortController();
    const { signal } = stop;
    const response = await fetch(`${nodes[0]!.url}/api/v1/events`, { signal });
    let heard = "";
    const reading = (async () => {
      for await (const chunk of response.body!) heard += Buffer.from(chunk).toString("utf8");
    })().catch(() => undefined);
    let dials = 0;
    await until("it is heard of", async () => {
      dials += 1;
      await networks["kairos"]!(nodes[1]!.url, "258840000001", `live-${dials}`).dial(CODE);
      return heard.includes('"type":"turn"');
    });
    assert.match(heard, /"msisdn":"258\*+001"/);
    stop.abort();
    await reading;
  });

  test("a text that one was told is what subscribers of another read, within a second", async () => {
    const path = "/api/v1/texts/unknown_code/en";
    const change = async (method: string, text?: string) => {
      const response = await fetch(nodes[0]!.url + path, {
        method,
        headers: { "content-type": "application/json" },
        ...(text !== undefined && { body: JSON.stringify({ text }) }),
      });
      assert.equal(response.status, 200);
    };
    let dials = 0;
    const readThere = async () => {
      dials += 1;
      const phone = networks["kairos"]!(nodes[1]!.url, "258840000002", `text-${dials}`);
      return (await phone.dial("*999#")).screen;
    };
    const builtIn = await readThere();
    await change("PUT", "Nothing is here.");
    await until("it is told", async () => (await readThere()) === "Nothing is here.", 1_000);
    await change("DELETE");
    await until("it is told", async () => (await readThere()) === builtIn, 1_000);
  });

  test("one after another is stopped and started again, and no turn fails", async () => {
    const balancer = await startBalancer(nodes.map(({ port }) => port));
    let isOver = false;
    let turns = 0;
    const wrong: string[] = [];
    const play = async (caller: number): Promise<void> => {
      for (let nth = 0; !isOver; nth += 1) {
        const msisdn = `2588500${String(10_000 + caller)}`;
        const phone = networks["kairos"]!(balancer.url, msisdn, `roll-${caller}-${nth}`);
        for (let turn = 0; turn < 4; turn += 1) {
          const seen = await (turn === 0 ? phone.dial(CODE) : phone.type(String(turn))).catch(
            (error: unknown) => ({ screen: String(error), isEnd: false }),
          );
          if (seen.screen !== `turn ${turn}`) wrong.push(`${turn}: ${seen.screen}`);
          turns += 1;
          await new Promise((done) => setTimeout(done, 50));
        }
      }
    };
    const playing = Array.from({ length: 10 }, (_, caller) => play(caller));
    for (const [index, node] of nodes.entries()) {
      await until("all are ready", () => balancer.ready().length === 3, 30_000);
      assert.equal(await node.stop(), 0);
      nodes[index] = await start(node.port);
    }
    isOver = true;
    await Promise.all(playing);
    assert.deepEqual([wrong, balancer.failed()], [[], []]);
    assert.ok(turns > 100, `${turns} turns`);
    await balancer.close();
  });

  test("one that is killed drops out of the list", async () => {
    const [first, , last] = nodes;
    last!.kill("SIGKILL");
    await last!.exited;
    const isThere = async () => (await listOf(first!)).some(({ pid }) => pid === last!.pid);
    await until("it is gone", async () => !(await isThere()), 30_000);
    assert.equal((await listOf(first!)).length, 2);
  });
});
