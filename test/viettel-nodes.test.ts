/** An application that knows one address of several nodes: each turn is another node's. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { until } from "./support/operator.ts";
import { networks, register } from "./support/phones.ts";
import { noPostgres, type PostgresServer, startPostgres } from "./support/postgres-server.ts";

const PASS = "s3cr3t-pass";
const SOAP = 'xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"';

describe("an application of Viettel's gateway and two nodes", { skip: noPostgres }, () => {
  let postgres: PostgresServer;
  let app: Server;
  const nodes: StartedGateway[] = [];
  const codes: string[] = [];
  const types: string[] = [];

  const fieldOf = (body: string, name: string): string =>
    new RegExp(`<${name}>(.*?)</${name}>`, "s").exec(body)?.[1] ?? "";
  const push = async (transaction: string, type: string, msg: string, pass = PASS) => {
    const body =
      `<e:Envelope ${SOAP}><e:Body><InsertMO><user>app</user><pass>${pass}</pass>` +
      `<msg>${msg}</msg><transactionid>${transaction}</transactionid>` +
      `<requestType>${type}</requestType></InsertMO></e:Body></e:Envelope>`;
    const url = `${nodes[0]?.url}/backends/viettel/push`;
    const response = await fetch(url, { method: "POST", body });
    return fieldOf(await response.text(), "errorCode");
  };
  before(async () => {
    postgres = await startPostgres();
    const DATABASE_URL = await postgres.newDatabase();
    const env = { DATABASE_URL, DIALYARD_SECRET_KEY: "0123456789abcdef".repeat(4) };
    for (let n = 0; n < 2; n += 1) nodes.push(await startGateway({ env }));
    app = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      request.on("end", () => {
        response.end(`<e:Envelope ${SOAP}><e:Body><errorCode>0</errorCode></e:Body></e:Envelope>`);
        const type = fieldOf(body, "requestType");
        types.push(type);
        if (type !== "100" && type !== "101") return;
        const msg = fieldOf(body, "msg");
        const [code, screen] = msg === "3" ? ["203", "Bye"] : ["202", "Again"];
        void push(fieldOf(body, "transactionid"), code, screen).then((said) => codes.push(said));
      });
    });
    await new Promise<void>((done) => app.listen(0, "127.0.0.1", done));
    const { port } = app.address() as AddressInfo;
    await register(nodes[0]?.url ?? "", {
      ...{ service_code: "*123#", callback_url: `http://127.0.0.1:${port}/mo` },
      ...{ protocol: "viettel", protocol_options: { user: "app", pass: PASS }, retries: 0 },
    });
  });
  after(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    app?.closeAllConnections();
    app?.close();
    await postgres?.stop();
  });

  test("its calls come to the first, whichever node's turn they answer", async () => {
    await until("the second knows of it", async () => {
      const listed = await fetch(`${nodes[1]?.url}/backends`);
      return (await listed.text()).includes("*123#");
    });
    const [first, second] = nodes.map(({ url }) =>
      networks["kairos"]!(url, "258840000009", "both"),
    );
    assert.ok(first && second);
    const seen = [await second.dial("*123#"), await first.type("1"), await second.type("2")];
    seen.push(await second.type("3"));
    assert.deepEqual(
      seen.map(({ screen, isEnd }) => [screen, isEnd]),
      [
        ["Again", false],
        ["Again", false],
        ["Again", false],
        ["Bye", true],
      ],
    );
    await until("all are told that they were shown", () => types.length >= 8);
    assert.deepEqual(types.toSorted(), ["100", "101", "101", "101", "103", "103", "103", "103"]);
    assert.deepEqual(codes, ["0", "0", "0", "0"]);
  });

  test("what no node waits for is late, and a wrong password is told at once", async () => {
    assert.equal(await push("W-unknown", "202", "Nobody's"), "2");
    const startMs = performance.now();
    assert.equal(await push("W-unknown", "202", "Forged", "guess"), "1");
    assert.ok(performance.now() - startMs < 500);
  });
});
