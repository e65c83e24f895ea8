/** `dialyard start --workers`: several processes of one machine on one port and one PostgreSQL. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { until } from "./support/operator.ts";
import { type App, networks, startApp } from "./support/phones.ts";
import { noPostgres, type PostgresServer, startPostgres } from "./support/postgres-server.ts";

const KEY = "a-key-of-the-workers-test";
const CODE = "*760#";
const authorization = `Bearer ${KEY}`;
const env = {
  DIALYARD_ADMIN_KEY: KEY,
  DIALYARD_SECRET_KEY: "0123456789abcdef".repeat(4),
  DIALYARD_EGRESS_ALLOW: "127.0.0.1",
};
const configFile = `export const config = { channels: { kairos: { protocol: "kairos" } } };`;

test("on SQLite it is refused, and the way out is said", async () => {
  const started = startGateway({
    command: "start",
    args: ["--workers", "2"],
    env: { ...env, DATABASE_URL: "" },
  });
  await assert.rejects(started, /one writing process[^]*Set DATABASE_URL, or leave out --workers/);
});

describe("two workers", { skip: noPostgres }, () => {
  let postgres: PostgresServer;
  let app: App;
  let gateway: StartedGateway;
  let database: Record<string, string>;
  before(async () => {
    postgres = await startPostgres();
    app = await startApp("ola", (_, nth) => ({ screen: `turn ${nth}`, end: nth === 3 }));
    database = { DATABASE_URL: await postgres.newDatabase() };
    const args = ["--workers", "2"];
    gateway = await startGateway({
      ...{ command: "start", args, configFile, env: { ...env, ...database } },
    });
    const response = await fetch(`${gateway.url}/backends`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({
        ...{ callback_url: app.url, service_code: CODE, name: "workers", type: "http" },
        ...{ method: "POST", status: "active" },
      }),
    });
    assert.equal(response.status, 201, await response.text());
    await until("both take turns", () => started() === 2, 20_000);
    assert.equal((await pids()).length, 2);
  });
  after(async () => {
    await gateway?.stop();
    await app?.close();
    await postgres?.stop();
  });
  const started = () => gateway.stdout().split('"event":"started"').length - 1;
  const pids = async (): Promise<readonly number[]> => {
    const response = await fetch(`${gateway.url}/api/v1/nodes`, { headers: { authorization } });
    const { nodes } = (await response.json()) as { nodes: readonly { pid: number }[] };
    return nodes.map(({ pid }) => pid);
  };

  const metrics = async () => {
    const headers = { authorization, connection: "close" };
    return (await fetch(`${gateway.url}/metrics`, { headers })).text();
  };
  const turns = async () => {
    const lines = (await metrics()).matchAll(/^dialyard_turns_total\{[^}]*outcome="ok"\} (\d+)$/gm);
    return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
  };

  test("a dialogue goes on when a worker is killed, and another worker comes", async () => {
    const before = await pids();
    for (let nth = 0; nth < 20; nth += 1)
      await networks["kairos"]!(gateway.url, `2588400002${10 + nth}`, `few-${nth}`).dial(CODE);
    const phone = networks["kairos"]!(gateway.url, "258840000001", "workers-1");
    assert.equal((await phone.dial(CODE)).screen, "turn 0");
    const counted = await turns();
    assert.ok(counted >= 21);
    process.kill(before[0]!, "SIGKILL");
    await until("its end is noticed", () => gateway.stdout().includes("worker_ended"));
    assert.equal((await phone.type("1")).screen, "turn 1");
    assert.equal((await phone.type("2")).screen, "turn 2");
    assert.equal((await phone.type("3")).screen, "turn 3");
    const isNew = (pid: number) => !before.includes(pid);
    await until("another takes turns", () => started() === 3, 20_000);
    assert.ok((await pids()).some(isNew));
    assert.equal(await turns(), counted + 3, "what the dead had counted counts");
    assert.match(await metrics(), /^dialyard_workers 2$/m);
  });

  test("each scrape says the same of all workers", async () => {
    const earlier = await turns();
    for (let nth = 0; nth < 10; nth += 1)
      await networks["kairos"]!(gateway.url, `2588400001${nth}0`, `many-${nth}`).dial(CODE);
    for (let nth = 0; nth < 4; nth += 1) assert.equal((await turns()) - earlier, 10);
  });

  test("SIGTERM leaves no process", async () => {
    const all = (await pids()).filter(isThere);
    assert.equal(all.length, 2);
    assert.equal(await gateway.stop(), 0);
    for (const pid of all) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  });

  test("a primary that is killed leaves no worker", async () => {
    const args = ["--workers", "2"];
    gateway = await startGateway({ command: "start", args, env: { ...env, ...database } });
    await until("both take turns", () => started() === 2, 20_000);
    const all = (await pids()).filter(isThere);
    assert.equal(all.length, 2);
    gateway.kill("SIGKILL");
    await until("the workers are gone", () => !all.some(isThere));
  });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
