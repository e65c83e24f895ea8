/** What an operator asks of a running gateway: what did this subscriber see, and how is it doing? */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { networks, register, startApp, type App, type Phone } from "./support/phones.ts";

type Summary = { id: string; outcome: string; msisdn: string; turns: number; channel: string };
type Page = { sessions: readonly Summary[]; next: string | null };
type Detail = Summary & {
  records: readonly {
    outcome: string;
    input: string;
    screen: string;
    action: string;
    took_ms: number;
    attempts: readonly { transaction_id: string; status: number | null; failure: string | null }[];
  }[];
};

describe("operations", () => {
  let gateway: StartedGateway;
  let app: App;
  const phone = (protocol: string, msisdn: string, id: string): Phone => {
    const network = networks[protocol];
    assert.ok(network);
    return network(gateway.url, msisdn, id);
  };
  const find = async (query: Record<string, string> = {}): Promise<Page> => {
    const response = await fetch(
      `${gateway.url}/api/v1/sessions?${new URLSearchParams(query).toString()}`,
    );
    assert.equal(response.status, 200);
    return (await response.json()) as Page;
  };
  before(async () => {
    gateway = await startGateway();
    app = await startApp("ola", ({ said }) =>
      said === "9" ? { screen: "Bye", end: true } : { screen: "Menu\n1. Pay\n9. Exit", end: false },
    );
    await register(gateway.url, { service_code: "*700#", callback_url: app.url });
  });
  after(async () => {
    await gateway.stop();
    await app.close();
  });

  test("a session shows every turn: input, screen, times, attempts", async () => {
    const handset = phone("kairos", "258840000001", "ops-1");
    await handset.dial("*700#");
    await handset.type("1");
    await handset.type("9");
    const [summary] = (await find({ msisdn: "258840000001" })).sessions;
    assert.ok(summary);
    assert.equal(summary.outcome, "completed");
    assert.equal(summary.msisdn, "258******001", "numbers are masked");
    const detail = (await (
      await fetch(`${gateway.url}/api/v1/sessions/${summary.id}`)
    ).json()) as Detail;
    assert.deepEqual(
      detail.records.map(({ input, screen, action }) => [input, screen, action]),
      [
        ["*700#", "Menu\n1. Pay\n9. Exit", "continue"],
        ["1", "Menu\n1. Pay\n9. Exit", "continue"],
        ["9", "Bye", "end"],
      ],
    );
    for (const [index, record] of detail.records.entries()) {
      assert.ok(record.took_ms > 0);
      assert.equal(record.attempts.length, 1);
      const [attempt] = record.attempts;
      assert.equal(attempt?.transaction_id, `txn_${detail.id.slice(5)}_${index + 1}`);
      assert.equal(attempt?.status, 200);
    }
  });

  test("sessions are found by number, code, channel, outcome and time, page by page", async () => {
    for (let index = 0; index < 5; index++) {
      await phone("africastalking", "254711000002", `ops-at-${index}`).dial("*700#");
    }
    await phone("africastalking", "254711000002", "ops-at-lost").dial("*4999#");
    const mine = { msisdn: "254711000002" };
    assert.equal((await find(mine)).sessions.length, 6);
    assert.equal((await find({ ...mine, outcome: "backend_not_found" })).sessions.length, 1);
    assert.equal((await find({ ...mine, outcome: "live" })).sessions.length, 5);
    assert.equal((await find({ ...mine, service_code: "*700#" })).sessions.length, 5);
    assert.equal((await find({ ...mine, channel: "kairos" })).sessions.length, 0);
    assert.equal((await find({ ...mine, from: "2100-01-01" })).sessions.length, 0);
    assert.equal((await find({ ...mine, to: "2020-01-01T00:00:00Z" })).sessions.length, 0);
    const seen: string[] = [];
    let after: string | null = "";
    for (let page = 0; after !== null && page < 10; page++) {
      const found: Page = await find({ ...mine, limit: "2", ...(after ? { after } : {}) });
      seen.push(...found.sessions.map(({ id }) => id));
      after = found.next;
    }
    assert.equal(new Set(seen).size, 6);
    assert.equal(seen.length, 6);
  });

  for (const query of ["limit=0", "limit=9999", "msisdn=abc", "from=yesterday", "colour=red"]) {
    test(`a filter that makes no sense is refused: ${query}`, async () => {
      const response = await fetch(`${gateway.url}/api/v1/sessions?${query}`);
      assert.equal(response.status, 400);
      assert.equal(((await response.json()) as { error: string }).error, "invalid_request");
    });
  }

  test("turns appear live", async () => {
    const stop = new AbortController();
    const response = await fetch(`${gateway.url}/api/v1/events`, { signal: stop.signal });
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.ok(response.body);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    await reader.read();
    await phone("ixo", "260970000003", "ops-live").dial("*700#");
    let text = "";
    while (!text.includes("\n\n")) text += (await reader.read()).value ?? "";
    stop.abort();
    const event = JSON.parse(text.split("data: ")[1] ?? "") as Record<string, unknown>;
    assert.equal(event["type"], "turn");
    assert.equal(event["channel"], "ixo");
    assert.equal(event["msisdn"], "260******003");
    assert.equal(event["outcome"], "ok");
  });

  test("metrics count turns, time added and time at the backend, failures and live sessions", async () => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    assert.match(text, /dialyard_turns_total\{channel="kairos",outcome="ok"\} 3/);
    assert.match(
      text,
      /dialyard_turns_total\{channel="africastalking",outcome="backend_not_found"\} 1/,
    );
    assert.match(text, /dialyard_gateway_seconds_count\{channel="kairos"\} 3/);
    assert.match(text, /dialyard_backend_seconds_count\{channel="kairos"\} 3/);
    assert.match(text, /dialyard_backend_attempts_total\{result="ok"\} \d+/);
    assert.match(text, /dialyard_live_sessions 6/);
  });

  test("labels do not grow with subscribers", async () => {
    const series = async () =>
      (await (await fetch(`${gateway.url}/metrics`)).text())
        .split("\n")
        .filter((line) => line.startsWith("dialyard_")).length;
    const before = await series();
    for (let index = 0; index < 200; index++) {
      await phone("kairos", `2588400${String(10_000 + index)}`, `ops-many-${index}`).dial("*700#");
    }
    assert.equal(await series(), before);
  });

  test("the OpenAPI page describes every route and every channel's door", async () => {
    const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, object>;
    };
    assert.equal(document.openapi, "3.1.0");
    const described = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    );
    for (const route of [
      "post /backends",
      "get /backends",
      "put /backends",
      "delete /backends",
      "get /backends/{id}",
      "get /backends/service",
      "get /api/v1/sessions",
      "get /api/v1/sessions/{id}",
      "get /api/v1/events",
      "get /health",
      "get /ready",
      "get /metrics",
      "post /ussd/test/callback",
      "post /api/v1/ussd",
      "post /api/ussd",
      "post /ussd/kairos/callback",
    ]) {
      assert.ok(described.includes(route), `${route} of ${described.join(", ")}`);
    }
    assert.equal((await fetch(`${gateway.url}/docs`)).status, 200);
  });

  test("a browser at the root is sent on, a probe gets JSON", async () => {
    const browser = await fetch(gateway.url, {
      headers: { accept: "text/html" },
      redirect: "manual",
    });
    assert.equal(browser.status, 302);
    assert.equal(
      (await fetch(gateway.url)).headers.get("content-type")?.split(";")[0],
      "application/json",
    );
  });

  test("the sessions of a filter are a CSV: masked, with a head, from the newest on", async () => {
    for (const nth of [1, 2]) await phone("kairos", "258840000077", `ops-csv-${nth}`).dial("*700#");
    const csv = async (query: Record<string, string>) =>
      fetch(`${gateway.url}/api/v1/sessions/csv?${new URLSearchParams(query).toString()}`);
    const response = await csv({ msisdn: "258840000077", service_code: "*700#" });
    assert.equal(response.headers.get("content-type"), "text/csv; charset=utf-8");
    const [head, newest, older, end, ...rest] = (await response.text()).split("\r\n");
    const columns = "id,started_at,last_at,msisdn,service_code,channel,provider,turns,outcome";
    assert.equal(head, columns);
    const { sessions } = await find({ msisdn: "258840000077" });
    for (const [index, line] of [newest, older].entries()) {
      const wanted = sessions[index];
      assert.ok(wanted);
      assert.match(line ?? "", /^sess_[0-9a-f]{32},.*,258\*{6}077,\*700#,kairos,.*,1,live$/);
      assert.equal(line?.split(",")[0], wanted.id);
    }
    assert.deepEqual([end, ...rest], [""]);
    assert.equal((await csv({ channel: "no-such" })).status, 200);
    assert.equal((await csv({ from: "2026-02-40" })).status, 400);
    assert.equal((await csv({ limit: "5" })).status, 400);
    const log = await (await fetch(`${gateway.url}/api/v1/audit?action=sessions.export`)).text();
    assert.match(log, /"after":\{"service_code":"\*700#","msisdn":"258\*{6}077"\}/);
  });
});
