/** IXO API docs, Errors: the one limit that a protocol's owner documents, and who it is for. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startGateway, type StartedGateway } from "./support/gateway.ts";

const JSON_TYPE = { "content-type": "application/json" };

describe("IXO, Rate limiting: 100 requests a minute and address", () => {
  const ask = async ({ url }: StartedGateway, path = "/api/ussd", forwarded?: string) => {
    const response = await fetch(url + path, {
      method: "POST",
      headers: { ...JSON_TYPE, ...(forwarded ? { "x-forwarded-for": forwarded } : {}) },
      body: "{}",
    });
    await response.text();
    return response.status;
  };
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
