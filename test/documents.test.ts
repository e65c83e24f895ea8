/**
 * The documents' own requests, cut from the documents, get what the documents say. The gateway is
 * the one that `npm start` starts, demo applications and all.
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { register } from "./support/phones.ts";
import { cut, cutJson, cutPrinted, readSpec, shapeOf, specsMissing } from "./support/specs.ts";

type Row = Record<string, unknown> & { readonly id: number };
const OLA = readSpec("ola-gateway-api.txt");
const IXO = readSpec("ixo-ussd-gateway-api.txt");
const VOICEPACT = readSpec("voicepact-africastalking-webhook.txt");
const KAIROS = readSpec("kairos-afrika-webhook-request.txt");
const JSON_TYPE = { "content-type": "application/json" };
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;
const hasCurl = spawnSync("curl", ["--version"]).status === 0;
const curlMissing = hasCurl ? false : "no curl here";

describe("the documents' own requests", { skip: specsMissing }, () => {
  let gateway: StartedGateway;
  before(async () => {
    gateway = await startGateway({ env: { DIALYARD_DEMO: "1" } });
  });
  after(() => gateway.stop());

  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(gateway.url + path, {
      method,
      ...(body === undefined ? {} : { headers: JSON_TYPE, body: JSON.stringify(body) }),
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  /** A command of a document, as a shell runs it; only the server's address is this one's. */
  async function curl(command: string, documented: string): Promise<string> {
    assert.ok(command.startsWith(`curl -X POST ${documented}/`));
    const here = command.replace("curl", "curl --silent").replace(documented, gateway.url);
    const { stdout } = await promisify(execFile)("sh", ["-c", here], { timeout: 20_000 });
    return stdout;
  }

  describe("OLA, backend management", () => {
    const registration = () => cutJson(OLA, "Register Backend", 0);
    /** What is decided here and not by the document. */
    const fixed = ({ id: _id, created_at: _at, updated_at: _then, ...rest }: Row) => rest;
    let id = 0;

    test("Register Backend: 201 and the documented answer; the demo gives way", async () => {
      const demo = await ask("GET", "/backends/service?code=*365%23");
      assert.equal(demo.body.name, "Demo bank");
      const { status, body } = await ask("POST", "/backends", registration());
      const documented = cutJson(OLA, "Register Backend", 1);
      assert.equal(status, 201);
      assert.deepEqual(Object.keys(body), Object.keys(documented));
      assert.deepEqual(fixed(body), fixed(documented as Row));
      assert.match(body.created_at, TIME);
      assert.match(body.updated_at, TIME);
      ({ id } = body);
    });

    test("409 where the service code is registered", async () => {
      const { status, body } = await ask("POST", "/backends", registration());
      assert.equal(status, 409);
      assert.deepEqual(Object.keys(body), ["error", "message", "service_code"]);
      assert.equal(body.service_code, "*365#");
    });

    for (const field of ["callback_url", "service_code", "name", "type", "method", "status"]) {
      test(`400 without ${field}`, async () => {
        const { [field]: _, ...rest } = registration();
        const { status, body } = await ask("POST", "/backends", { ...rest });
        assert.equal(status, 400);
        assert.equal(body.error, "invalid_request");
        assert.match(body.message, new RegExp(field));
      });
    }

    for (const [field, value] of Object.entries({ timeout: 5, retries: 2 })) {
      test(`${field} is ${value} where it is left out`, async () => {
        const { [field]: _, ...rest } = registration();
        const created = await ask("POST", "/backends", { ...rest, service_code: "*366#" });
        assert.equal(created.body[field], value);
        await ask("DELETE", `/backends?id=${created.body.id}`);
      });
    }

    test("List All Backends: an array of the documented objects", async () => {
      const { status, body } = await ask("GET", "/backends");
      const [documented] = cutJson(OLA, "List All Backends", 0) as unknown as readonly Row[];
      assert.equal(status, 200);
      const mine = body.find((row: Row) => row.id === id);
      assert.deepEqual(Object.keys(mine), Object.keys(documented ?? {}));
      assert.deepEqual(fixed(mine), registration());
      assert.ok(body.length > 1, "the other demos stay");
    });

    test("Get Backend by ID, and by the service code as the document encodes it", async () => {
      const byId = await ask("GET", `/backends/${id}`);
      const path = /^GET (\/backends\/service\S+) /m.exec(OLA)?.[1] ?? "";
      assert.equal(path, "/backends/service?code=*365%23");
      const byCode = await ask("GET", path);
      assert.deepEqual([byId.status, byCode.status], [200, 200]);
      assert.deepEqual(byId.body, byCode.body);
      assert.equal((await ask("GET", "/backends/999999")).status, 404);
      assert.equal((await ask("GET", "/backends/service?code=*999%23")).status, 404);
    });

    test("Update Backend: the documented body changes it, created_at stays", async () => {
      const old = (await ask("GET", `/backends/${id}`)).body;
      const change = { ...cutJson(OLA, "Update Backend", 0), id };
      const { status, body } = await ask("PUT", "/backends", change);
      assert.equal(status, 200);
      assert.deepEqual(Object.keys(body), Object.keys(cutJson(OLA, "Update Backend", 1)));
      assert.deepEqual(fixed(body), fixed(cutJson(OLA, "Update Backend", 1) as Row));
      assert.equal(body.created_at, old.created_at);
      assert.equal((await ask("PUT", "/backends", { ...change, timeout: "ten" })).status, 400);
      assert.equal((await ask("PUT", "/backends", { ...change, id: 999_999 })).status, 404);
    });

    test("Delete Backend: the documented message, then 404", async () => {
      const { status, body } = await ask("DELETE", `/backends?id=${id}`);
      assert.equal(status, 200);
      assert.deepEqual(body, { ...cutJson(OLA, "Delete Backend", 0), id });
      assert.equal((await ask("DELETE", `/backends?id=${id}`)).status, 404);
      assert.equal((await ask("GET", `/backends/${id}`)).status, 404);
    });
  });

  describe("OLA, callbacks", () => {
    const door = "/ussd/test/callback";
    const request = () => cutJson(OLA, "Test USSD Flow", 0);
    const heard: Record<string, unknown>[] = [];
    let answer: { readonly status: number; readonly body: Record<string, unknown> };
    const server = createServer((incoming, response) => {
      let text = "";
      incoming.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      incoming.on("end", () => {
        const body = JSON.parse(text);
        heard.push(body);
        const { session_id, transaction_id } = body;
        response.writeHead(answer.status, JSON_TYPE);
        response.end(JSON.stringify({ ...answer.body, session_id, transaction_id }));
      });
    });
    before(() => new Promise<void>((done) => server.listen(0, "127.0.0.1", done)));
    after(() => void server.close());

    test("Test USSD Flow: the backend hears the documented fields, its screen comes back", async () => {
      const callback_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ussd`;
      const retries = 0;
      await register(gateway.url, { service_code: "*365#", callback_url, retries });
      answer = { status: 200, body: cutJson(OLA, "Example 1: Initial Dial", 1) };
      const { status, body } = await ask("POST", door, request());
      assert.equal(status, 200);
      const { session_id, transaction_id } = request();
      assert.deepEqual(body, { ...answer.body, session_id, transaction_id });
      assert.deepEqual(Object.keys(body), Object.keys(cutJson(OLA, "USSD Callback API", 1)));

      const [asked = {}] = heard;
      const documented = cutJson(OLA, "Example 1: Initial Dial", 0);
      assert.deepEqual(Object.keys(asked), Object.keys(documented));
      const ids = { session_id: asked["session_id"], transaction_id: asked["transaction_id"] };
      assert.deepEqual(asked, { ...documented, ...ids });
    });

    test("Examples 2 and 5: a menu selection, and a backend error that can be shown", async () => {
      answer = { status: 200, body: cutJson(OLA, "Example 3: Multi-Step Flow", 1) };
      const next = await ask("POST", door, { ...request(), transaction_id: "t2", input: "1" });
      assert.deepEqual(next.body.output, answer.body["output"]);
      assert.equal(heard.at(-1)?.["input"], "1");
      assert.equal(heard.at(-1)?.["session_id"], heard[0]?.["session_id"]);
      answer = { status: 500, body: cutJson(OLA, "Example 5: Backend Error", 0) };
      const { status, body } = await ask("POST", door, {
        ...request(),
        transaction_id: "t3",
        input: "2",
      });
      assert.equal(status, 200);
      assert.deepEqual([body.output, body.end_session], [answer.body["output"], true]);
    });

    test("Gateway Errors: the documented body where no backend is registered", async () => {
      const { body: backend } = await ask("GET", "/backends/service?code=*365%23");
      await ask("DELETE", `/backends?id=${backend.id}`);
      const { status, body } = await ask("POST", door, { ...request(), session_id: "unknown" });
      assert.equal(status, 404);
      assert.deepEqual(body, cutJson(OLA, "Gateway Errors", 0));
    });
  });

  describe("health", () => {
    test("GET /health has the fields of both documents, GET / exactly those of IXO's", async () => {
      const health = await ask("GET", "/health");
      const documented = {
        ...cutJson(OLA, "Health Check", 0),
        ...cutJson(IXO, "GET /health", 0),
      };
      assert.equal(health.status, 200);
      assert.deepEqual(shapeOf(health.body), shapeOf(documented));
      assert.deepEqual([health.body.status, health.body.database], ["ok", "connected"]);
      const root = await ask("GET", "/");
      assert.equal(root.status, 200);
      assert.deepEqual(shapeOf(root.body), shapeOf(cutJson(IXO, "GET /", 0)));
      assert.equal(root.body.status, "ok");
    });
  });

  test("Kairos, Example Request: five texts come back, the ids echoed", async () => {
    const request = cutJson(KAIROS, "Example Request", 0);
    const { status, body } = await ask("POST", "/ussd/kairos/callback", request);
    assert.equal(status, 200);
    const { timestamp, ...rest } = body;
    assert.match(timestamp, /^\d{13}$/);
    assert.deepEqual(rest, {
      sessionId: request["sessionId"],
      ussdString: "This code is not in service.",
      msisdn: request["msisdn"],
      messageType: rest.messageType,
    });
    assert.equal(typeof rest.messageType, "string");
    assert.equal(Object.keys(body).length, 5);
  });

  describe("IXO", () => {
    const initialDial = "Example — initial dial";
    const option1 = "Example — user selects option 1";

    test("Example — initial dial", { skip: curlMissing }, async () => {
      const screen = await curl(cut(IXO, initialDial, "Response:"), "http://localhost:3000");
      assert.equal(screen, cutPrinted(IXO, initialDial, "Response:", option1));
    });
    test("Example — user selects option 1", { skip: curlMissing }, async () => {
      const screen = await curl(cut(IXO, option1, "Response:"), "http://localhost:3000");
      assert.equal(screen, cutPrinted(IXO, option1, "Response:", "Debug endpoints"));
    });

    test("GET /api/ussd/sessions and /debug/{sessionId} tell of that session", async () => {
      const sessions = await ask("GET", "/api/ussd/sessions");
      assert.equal(sessions.status, 200);
      const documented = cutJson(IXO, "GET /api/ussd/sessions", 0);
      assert.deepEqual(shapeOf(sessions.body), shapeOf(documented));
      assert.equal(sessions.body.count, sessions.body.activeSessions.length);
      assert.ok(sessions.body.activeSessions.includes("session-001"));

      const debug = await ask("GET", "/api/ussd/debug/session-001");
      assert.equal(debug.status, 200);
      const shape = shapeOf(cutJson(IXO, "GET /api/ussd/debug/:sessionId", 0));
      assert.deepEqual(shapeOf(debug.body), shape);
      const { debugInfo, sessionId } = debug.body;
      assert.equal(sessionId, "session-001");
      assert.equal(debugInfo.status, "active");
      assert.equal(debugInfo.context.phoneNumber, "+260971234567");
      assert.match(debugInfo.context.message, /^Information Center\n/);
      assert.equal((await ask("GET", "/api/ussd/debug/nobody")).status, 404);
    });

    const valid = {
      sessionId: "rules",
      serviceCode: "*1234#",
      phoneNumber: "+260971234567",
      text: "",
    };
    const door = async (body: unknown) => {
      const response = await fetch(`${gateway.url}/api/ussd`, {
        method: "POST",
        headers: JSON_TYPE,
        body: JSON.stringify(body),
      });
      return { status: response.status, text: await response.text() };
    };
    const { sessionId: _, ...withoutSession } = valid;
    const wrong: readonly [title: string, body: unknown, reason: RegExp][] = [
      [
        "a phoneNumber without +",
        { ...valid, phoneNumber: "260971234567" },
        /phoneNumber .*E\.164/,
      ],
      ["a phoneNumber that begins with 0", { ...valid, phoneNumber: "+0971234567" }, /phoneNumber/],
      ["a serviceCode without #", { ...valid, serviceCode: "*1234" }, /serviceCode .*\*1234#/],
      ["a text of 183 characters", { ...valid, text: "1".repeat(183) }, /text .*182/],
      [
        "a sessionId of 101 characters",
        { ...valid, sessionId: "s".repeat(101) },
        /sessionId .*100/,
      ],
      ["no sessionId", withoutSession, /sessionId/],
      ["a text that is no text", { ...valid, text: 1 }, /text/],
    ];
    for (const [title, body, reason] of wrong) {
      test(`Validation rules: 400 and the reason for ${title}`, async () => {
        const { status, text } = await door(body);
        assert.equal(status, 400);
        assert.match(text, reason);
      });
    }
    test("Validation rules: the limits themselves are accepted", async () => {
      const longId = { ...valid, sessionId: "s".repeat(100), serviceCode: "*123*456#" };
      assert.equal((await door(longId)).status, 200);
      assert.equal((await door({ ...valid, text: "1".repeat(182) })).status, 200);
    });
    test("Errors: a session that expired or never started is over, in a screen", async () => {
      const { status, text } = await door({ ...valid, sessionId: "never", text: "1*2" });
      assert.equal(status, 200);
      assert.equal(text, "END Session ended. Please dial again.");
    });
  });

  describe("Africa's Talking, as VoicePact documents it", () => {
    test("Local Testing", { skip: curlMissing }, async () => {
      const command = cut(VOICEPACT, "# Simulate USSD request", "Expected Response (Main Menu)");
      const screen = await curl(command, "http://localhost:8000");
      const title = "Expected Response (Main Menu)";
      assert.equal(screen, cutPrinted(VOICEPACT, title, title, "Configuration"));
    });

    const form = (fields: Record<string, string>, path = "/api/v1/ussd/") =>
      fetch(gateway.url + path, { method: "POST", body: new URLSearchParams(fields) }).then(
        async (response) => ({ status: response.status, text: await response.text() }),
      );
    const payload = () => cutJson(VOICEPACT, "Initial Request (Main Menu)", 0);

    test("text may be left out of the first request", async () => {
      const { text: _, ...rest } = payload() as Record<string, string>;
      assert.match((await form(rest)).text, /^CON Welcome to VoicePact\n/);
    });

    for (const path of ["/api/v1/ussd/events", "/api/v1/ussd/"]) {
      test(`an events callback at ${path} closes the session`, async () => {
        const msisdn = path.endsWith("events") ? "254712345001" : "254712345002";
        const dial = { ...payload(), sessionId: `ATUid_${msisdn}`, phoneNumber: `+${msisdn}` };
        const outcome = async () => {
          const { body } = await ask("GET", `/api/v1/sessions?msisdn=${msisdn}`);
          return body.sessions.map((session: { outcome: string }) => session.outcome);
        };
        await form(dial);
        assert.deepEqual(await outcome(), ["live"]);
        const { text: _, ...ids } = dial as Record<string, string>;
        const ending = { date: "2026-01-01 10:00:00", networkCode: "63902", status: "Incomplete" };
        const figures = { cost: "KES 1.00", durationInMillis: "1200", hopsCount: "1", input: "" };
        const heard = await form({ ...ids, ...ending, ...figures, lastAppResponse: "CON" }, path);
        assert.equal(heard.status, 200);
        assert.deepEqual(await outcome(), ["cancelled"]);
        assert.match((await form({ ...dial, text: "1" })).text, /^END /);
      });
    }
  });
});
