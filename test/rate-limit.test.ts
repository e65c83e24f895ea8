/** IXO API docs, Errors: the one limit that a protocol's owner documents, and who it is for. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { noPostgres, type PostgresServer, startPostgres } from "./support/postgres-server.ts";

const JSON_TYPE = { "content-type": "application/json" };

const ask = async ({ url }: StartedGateway, path = "/api/ussd", forwarded?: string) => {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { ...JSON_TYPE, ...(forwarded ? { "x-forwarded-for": forwarded } : {}) },
    body: "{}",
  });
  await response.text();
  return response.status;
};

describe("IXO, Rate limiting: 100 requests a minute and address", () => {
  const askTimes = async (times: number, gateway: StartedGateway, ...rest: [string?, string?]) => {
    const statuses: number[] = [];
    for (let nth = 0; nth < times; nth++) statuses.push(await ask(gateway, ...rest));
    return statuses;
  };
  const served = (statuses: readonly number[]) => statuses.filter((status) => status !== 429);

  test("then 429, on this door alone, whatever X-Forwarded-For says", async () => {
    const gateway = await startGateway();
    assert.equal(served(await askTimes(100, gateway)).length, 100);
    assert.equal(await ask(gateway), 429);
    assert.equal(await ask(gateway, "/api/ussd", "203.0.113.7"), 429);
    assert.equal(served(await askTimes(150, gateway, "/api/v1/ussd/")).length, 150);
    await gateway.stop();
  });

  test("TRUST_PROXY_ENABLED=true counts each address that the proxy names", async () => {
    const gateway = await startGateway({ env: { TRUST_PROXY_ENABLED: "true" } });
    const first = [undefined, "203.0.113.7"] as const;
    assert.equal(served(await askTimes(101, gateway, ...first)).length, 100);
    assert.notEqual(await ask(gateway, "/api/ussd", "203.0.113.8"), 429);
    // What the client wrote before the proxy is not believed.
    assert.equal(await ask(gateway, "/api/ussd", "203.0.113.9, 203.0.113.7"), 429);
    await gateway.stop();
  });

  test("no limit for addresses that the channel lists", async () => {
    const gateway = await startGateway({
      configFile: `export const config = {
        channels: { ixo: { protocol: "ixo", allow: ["127.0.0.0/8", "::1"] } },
      };`,
    });
    assert.equal(served(await askTimes(150, gateway)).length, 150);
    await gateway.stop();
  });
});

describe("40 requests a minute, on two nodes asked in turn", { skip: noPostgres }, () => {
  const MAX = 40;
  let postgres: PostgresServer;
  const started: StartedGateway[] = [];
  before(async () => {
    postgres = await startPostgres();
  });
  after(async () => {
    await Promise.all(started.map((node) => node.stop()));
    await postgres?.stop();
  });

  const start = async (DATABASE_URL: string, scope: string) => {
    const node = await startGateway({
      env: { DIALYARD_SECRET_KEY: "0123456789abcdef".repeat(4), DATABASE_URL },
      configFile: `export const config = { channels: { ixo: { protocol: "ixo",
        requestsPerMinuteMax: ${MAX}, requestsPerMinuteScope: "${scope}" } } };`,
    });
    started.push(node);
    return node;
  };
  /** How many were let in, of 120 in six seconds or more. */
  const letIn = async (nodes: readonly StartedGateway[]) => {
    let sum = 0;
    for (let nth = 0; nth < 3 * MAX; nth += 1) {
      if ((await ask(nodes[nth % 2]!)) !== 429) sum += 1;
      await wait(50);
    }
    return sum;
  };
  const minuteWith = async (leftMs: number) => {
    const left = 60_000 - (Date.now() % 60_000);
    if (left < leftMs) await wait(left + 10);
  };

  test("of each node: both let in 40", async () => {
    const url = await postgres.newDatabase();
    const nodes = await Promise.all([start(url, "node"), start(url, "node")]);
    assert.equal(await letIn(nodes), 2 * MAX);
  });

  test("over all nodes: 40 and what comes in half a second, on a node that is new too", async () => {
    const url = await postgres.newDatabase();
    const nodes = await Promise.all([start(url, "cluster"), start(url, "cluster")]);
    const late = await start(url, "cluster");
    await minuteWith(25_000);
    const sum = await letIn(nodes);
    // Half a second is 10 requests; twice that for a machine that is busy.
    assert.ok(sum >= MAX && sum <= MAX + 20, `${sum} were let in`);
    // The first is let in, as the node has heard nothing yet; then it hears.
    let lateIn = 0;
    while (lateIn < 10 && (await ask(late)) !== 429) {
      lateIn += 1;
      await wait(500);
    }
    assert.ok(lateIn < 10, "the node that is new hears that the limit is reached");
  });
});
