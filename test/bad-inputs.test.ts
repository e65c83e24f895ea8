/**
 * Every line of bad-inputs.jsonl over real sockets (RELIABILITY 9), on a gateway of the
 * configuration that the line asks for. A line fails for what it says, never for its neighbours:
 * requests run one after another, replies and raw bytes beside each other on backends of their own.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import {
  olaReply,
  startScriptedBackend,
  type ScriptedBackend,
} from "../src/testing/scripted-backend.ts";
import { checkAnswer, checkCalls, isOk } from "./support/bad-input-checks.ts";
import {
  badInputsMissing,
  dialOf,
  rawOf,
  readLines,
  requestOf,
  scriptOf,
  type Ask,
  type Line,
  type Profile,
  type Values,
} from "./support/bad-inputs.ts";
import { startGateway, type GatewayOptions, type StartedGateway } from "./support/gateway.ts";
import { converse, send, type Answer } from "./support/wire.ts";

const ADMIN_KEY = `dy_test_${randomBytes(24).toString("hex")}`;
const SECRETS = { own: "own-signing-secret-0123456789abcdef", other: "secret-of-another-tenant" };
const CODE = "*7000#";
const withKey = { DIALYARD_ADMIN_KEY: ADMIN_KEY };
/** Hundreds of lines from one address in a second are no IXO traffic. */
const channels = (ixo: string, more = "") =>
  `export const config = { channels: { ixo: { protocol: "ixo", ${ixo} }, ${more} } };`;
const unlimited = channels("requestsPerMinuteMax: 0");
const elsewhere = `allow: ["192.0.2.0/24"]`;

type Setup = {
  readonly title: string;
  readonly profiles: readonly (Profile | undefined)[];
  readonly gateway: (backendPort: number) => GatewayOptions;
};
const setups: readonly Setup[] = [
  {
    title: "development",
    profiles: [undefined, "etag"],
    gateway: () => ({ configFile: unlimited }),
  },
  {
    title: "development with an admin key",
    profiles: [undefined, "auth_on", "etag"],
    gateway: () => ({ configFile: unlimited, env: withKey }),
  },
  {
    title: "egress guard",
    profiles: ["egress_guard"],
    gateway: (port) => ({
      configFile: unlimited,
      env: {
        ...withKey,
        DIALYARD_EGRESS_GUARD: "true",
        DIALYARD_EGRESS_ALLOW: `127.0.0.1/32@${port}`,
      },
    }),
  },
  {
    title: "production",
    profiles: ["production"],
    gateway: (port) => ({
      command: "start",
      configFile: unlimited,
      env: { ...withKey, DIALYARD_EGRESS_ALLOW: `127.0.0.1/32@${port}` },
    }),
  },
  {
    title: "addresses listed, the runner's is not",
    profiles: ["ip_allowlist"],
    gateway: () => ({
      configFile: channels(
        elsewhere,
        `kairos: { protocol: "kairos", ${elsewhere} },
         africastalking: { protocol: "africastalking", ${elsewhere} },`,
      ),
      env: withKey,
    }),
  },
  {
    title: "signed webhooks",
    profiles: ["signed"],
    gateway: () => ({
      configFile: channels(
        "requestsPerMinuteMax: 0",
        `kairos: { protocol: "kairos", signingSecret: "${SECRETS.own}" },`,
      ),
      env: withKey,
    }),
  },
];

const lines = readLines();
const isWire = ({ method }: Line) => method === "RAW" || method === "REPLY";
const titleOf = ({ name, why }: Line) => `${name}: ${why}`;

test("bad-inputs.jsonl is there, and every line belongs to a configuration", (t) => {
  if (badInputsMissing !== false) return t.skip(badInputsMissing);
  assert.ok(lines.length >= 200, `${lines.length} lines`);
  const known = new Set(setups.flatMap(({ profiles }) => profiles));
  assert.deepEqual(
    lines.filter(({ profile }) => !known.has(profile)).map(({ name }) => name),
    [],
  );
});

for (const setup of setups) {
  const mine = lines.filter(({ profile }) => setup.profiles.includes(profile));
  if (mine.length > 0) describeSetup(setup, mine);
}

function describeSetup({ title, gateway: optionsOf }: Setup, mine: readonly Line[]): void {
  describe(title, () => {
    let place: Place;
    let healthy: ScriptedBackend | undefined;
    before(async () => {
      healthy = await startHealthyBackend();
      const gateway = await startGateway(optionsOf(healthy.port));
      place = { gateway, healthy, run: randomBytes(6).toString("hex") };
      const { status, body } = await ask(place, newValues(place), registration(healthy.url, CODE));
      assert.equal(status, 201, body);
    });
    after(async () => {
      // All is stopped before anything is asserted: what still runs would keep the test waiting.
      await healthy?.close();
      const codes = await codesOf(place).catch(String);
      const health = await send(place.gateway.port, get("/health"));
      const code = await place.gateway.stop();
      assert.deepEqual(codes, [CODE], "backends that lines made are deleted");
      assert.equal(health.status, 200);
      assert.doesNotMatch(place.gateway.stdout(), /unexpected_error|unhandled_rejection/);
      assert.equal(code, 0);
    });

    describe("requests", () => {
      for (const line of mine.filter((line) => !isWire(line))) {
        test(titleOf(line), () => checkRequest(place, line));
      }
    });
    test("one of twenty registrations of a code at once is taken", () => checkRace(place));
    describe("raw bytes and replies", { concurrency: 16 }, () => {
      mine.filter(isWire).forEach((line, index) => {
        test(titleOf(line), () =>
          line.method === "RAW" ? checkRaw(place, line) : checkReply(place, line, index),
        );
      });
    });
  });
}

type Place = {
  readonly gateway: StartedGateway;
  readonly healthy: ScriptedBackend;
  readonly run: string;
};

function newValues({ gateway, run }: Place): Values {
  return new Map([
    ["ADMIN_KEY", ADMIN_KEY],
    ["GATEWAY_HOST", `127.0.0.1:${gateway.port}`],
    ["NOW", String(Math.floor(Date.now() / 1_000))],
    ["RUN", run],
  ]);
}

const ask = ({ gateway }: Place, values: Values, wanted: Ask): Promise<Answer> =>
  send(gateway.port, requestOf(wanted, values, SECRETS));

const get = (target: string) => ({ method: "GET", target, headers: {}, body: undefined });
const MANAGE = { "content-type": "application/json", authorization: "Bearer {{ADMIN_KEY}}" };

function registration(url: string, serviceCode: string, changes: object = {}): Ask {
  const row = {
    callback_url: url,
    service_code: serviceCode,
    name: "Scripted",
    type: "http",
    timeout: 1,
    retries: 0,
    method: "POST",
    status: "active",
    ...changes,
  };
  return { method: "POST", endpoint: "/backends", headers: MANAGE, body: JSON.stringify(row) };
}

const idOf = (body: string) => String((JSON.parse(body) as { id: number }).id);

async function deleteBackend(place: Place, id: string): Promise<void> {
  const endpoint = `/backends?id=${id}`;
  const gone = { method: "DELETE", endpoint, headers: MANAGE };
  const { status, body } = await ask(place, newValues(place), gone);
  assert.ok(isOk(status) || status === 404, `deleting backend ${id}: ${status} ${body}`);
}

async function codesOf(place: Place): Promise<readonly string[]> {
  const everything = { method: "GET", endpoint: "/backends", headers: MANAGE };
  const { body } = await ask(place, newValues(place), everything);
  const page = JSON.parse(body) as { backends?: { service_code: string }[] };
  return (page.backends ?? (page as { service_code: string }[])).map((row) => row.service_code);
}

/** State by session_id alone, as the OLA integration examples keep it. */
async function startHealthyBackend(): Promise<ScriptedBackend> {
  const sessions = new Map<string, { readonly owner: string; turns: number }>();
  const backend = await startScriptedBackend();
  backend.answer(({ body }) => {
    const turn = JSON.parse(body) as { session_id: string; msisdn: string };
    const session = sessions.get(turn.session_id) ?? { owner: turn.msisdn.slice(-4), turns: 0 };
    session.turns += 1;
    sessions.set(turn.session_id, session);
    const ids = '"session_id":"{{SESSION_ID}}","transaction_id":"{{TRANSACTION_ID}}"';
    const output = ["Menu", "1. A", `owner ${session.owner}`, `turn ${session.turns}`];
    const screen = `{${ids},"output":${JSON.stringify(output)},"end_session":false}`;
    return {
      raw:
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" +
        `Content-Length: {{LEN}}\r\n\r\n${screen}`,
    };
  });
  return backend;
}

async function checkRequest(place: Place, line: Line): Promise<void> {
  const values = newValues(place);
  const made: string[] = [];
  const note = (wanted: Ask, { status, body }: Answer) => {
    if (wanted.endpoint !== "/backends" || status !== 201) return;
    made.push(idOf(body));
  };
  try {
    for (const wanted of line.pre ?? []) {
      const answer = await ask(place, values, wanted);
      note(wanted, answer);
      assert.ok(isOk(answer.status), `before it: ${answer.status} ${answer.body}`);
      for (const [name, field] of Object.entries(wanted.save ?? {})) {
        const value = (JSON.parse(answer.body) as Record<string, unknown>)[field];
        values.set(name, String(value));
        values.set(`${name}_HEX`, Number(value).toString(16));
      }
    }
    const before = place.healthy.requests.length;
    const answer = await ask(place, values, line);
    note(line, answer);
    checkAnswer(line, answer, values);
    checkCalls(line, answer, place.healthy.requests.slice(before));
  } finally {
    for (const id of made) await deleteBackend(place, id);
  }
}

/** What `backends.post.dup-code-inactive` asks for besides itself. */
async function checkRace(place: Place): Promise<void> {
  const register = registration(place.healthy.url, "*60999#", { status: "inactive" });
  const racers = Array.from({ length: 20 }, () => ask(place, newValues(place), register));
  const answers = await Promise.all(racers);
  const taken = answers.filter(({ status }) => status === 201);
  try {
    assert.equal(taken.length, 1);
    assert.equal(answers.filter(({ status }) => status === 409).length, 19);
  } finally {
    for (const { body } of taken) await deleteBackend(place, idOf(body));
  }
}

async function checkReply(place: Place, line: Line, index: number): Promise<void> {
  const values = newValues(place);
  const backend = await startScriptedBackend();
  backend.answer((asked) => scriptOf(line, asked));
  const serviceCode = `*${61_000 + index}#`;
  const register = registration(`${backend.url}/${index}`, serviceCode, line.backend);
  const registered = await ask(place, values, register);
  assert.equal(registered.status, 201, registered.body);
  const via = line.via ?? "test";
  const dial = (nth: number) => {
    const msisdn = `25882${String(1_000_000 + 10 * index + nth)}`;
    const sessionId = `reply-${index}-${nth}-${place.run}`;
    return ask(place, values, dialOf(via, { sessionId, msisdn, serviceCode }));
  };
  try {
    const answer = await dial(1);
    checkAnswer(line, answer, values);
    checkCalls(line, answer, backend.requests);
    if (line.follow_ok) {
      backend.answer({ raw: olaReply("Next") });
      const next = await dial(2);
      assert.equal(next.status, 200, next.body);
      assert.deepEqual((JSON.parse(next.body) as { output: unknown }).output, ["Next"]);
      assert.equal(backend.requests.length, 2);
      assert.equal(backend.requests[1]?.headers["cookie"], undefined);
    }
  } finally {
    await deleteBackend(place, idOf(registered.body));
    await backend.close();
  }
}

async function checkRaw(place: Place, line: Line): Promise<void> {
  const values = newValues(place);
  const { drip, every_ms: everyMs = 1_000, within_ms: withinMs = 3_000 } = line.behaviour ?? {};
  const seen = await converse(place.gateway.port, rawOf(line, values), {
    withinMs,
    untilClosed: line.expect_closed === true,
    ...(drip !== undefined && { drip: { text: drip, everyMs } }),
  });
  if (seen.status === 0) assert.ok(seen.isClosed, "neither answered nor closed");
  const body = seen.text.slice(Math.max(0, seen.text.indexOf("\r\n\r\n")));
  checkAnswer(line, { status: seen.status, headers: {}, body, tookMs: 0 }, values);
  if (line.expect_closed) assert.ok(seen.isClosed, `open after ${withinMs} ms`);
  if (line.expect_count !== undefined) assert.equal(seen.count, line.expect_count, seen.text);
}
