/** Who may do what: signing in, roles on every route, keys, the audit log, and changes undone. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ROLES, permissionsOf, ruleOf, type Role } from "../src/api/roles.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { networks } from "./support/phones.ts";

const ADMIN_KEY = "test-admin-key-0123456789";
const PASSWORD = "correct horse battery";
const NEW_BACKEND = {
  ...{ callback_url: "https://10.9.1.2:8443/ussd", service_code: "*711#", name: "Bank" },
  ...{ type: "http", method: "POST", status: "active", secret: "a-secret-of-24-characters" },
};
type Answer = { readonly status: number; readonly headers: Headers; readonly body: never };

describe("management in production", () => {
  let gateway: StartedGateway;
  before(async () => {
    gateway = await startGateway({
      command: "start",
      env: {
        DIALYARD_ADMIN_KEY: ADMIN_KEY,
        DIALYARD_EGRESS_ALLOW: "10.9.0.0/16@8443",
        DIALYARD_ADMIN_USER: "ana",
        DIALYARD_ADMIN_PASSWORD: PASSWORD,
      },
    });
  });
  after(() => gateway.stop());

  async function call(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: unknown,
  ): Promise<Answer> {
    const response = await fetch(gateway.url + path, {
      method,
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: "manual",
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    const { status, headers: given } = response;
    return { status, headers: given, body: (isJson ? JSON.parse(text) : text) as never };
  }
  const asAdmin = { authorization: `Bearer ${ADMIN_KEY}` };
  const signIn = async (name: string, password = PASSWORD) => {
    const answer = await call("POST", "/api/v1/sign-in", {}, { name, password });
    const [cookie = ""] = (answer.headers.get("set-cookie") ?? "").split(";");
    const { csrf_token: csrf } = answer.body as { csrf_token: string };
    return { answer, cookie: { cookie }, signed: { cookie, "x-csrf-token": csrf } };
  };

  test("the first admin of the settings signs in with a cookie that no script reads", async () => {
    const { answer, cookie } = await signIn("ana");
    assert.equal(answer.status, 200);
    const set = answer.headers.get("set-cookie") ?? "";
    assert.match(set, /^__Host-dialyard=[\w-]{43}; Path=\/; .*Secure; HttpOnly; SameSite=Strict/);
    const me = await call("GET", "/api/v1/me", cookie);
    assert.partialDeepStrictEqual(me.body, { name: "ana", kind: "user", role: "admin" });
    assert.equal((await call("GET", "/backends", cookie)).status, 200);
  });

  test("a cookie alone changes nothing, nor does a page of another site", async () => {
    const { cookie, signed } = await signIn("ana");
    const made = { name: "eve", password: PASSWORD, role: "viewer" };
    assert.equal((await call("POST", "/api/v1/users", cookie, made)).status, 403);
    const foreign = { ...signed, "sec-fetch-site": "cross-site" };
    assert.equal((await call("POST", "/api/v1/users", foreign, made)).status, 403);
    const origin = { ...signed, origin: "https://evil.example" };
    assert.equal((await call("POST", "/api/v1/users", origin, made)).status, 403);
    assert.equal((await call("POST", "/api/v1/users", signed, made)).status, 201);
  });

  test("signing out ends it, and so does a new role", async () => {
    const { signed, cookie } = await signIn("ana");
    assert.equal((await call("POST", "/api/v1/sign-out", signed)).status, 204);
    assert.equal((await call("GET", "/backends", cookie)).status, 401);
    const bea = { name: "bea", password: PASSWORD, role: "operator" };
    const added = await call("POST", "/api/v1/users", asAdmin, bea);
    const hers = await signIn("bea");
    const { id } = added.body as { id: number };
    assert.equal(
      (await call("PUT", `/api/v1/users/${id}`, asAdmin, { role: "viewer" })).status,
      200,
    );
    assert.equal((await call("GET", "/backends", hers.cookie)).status, 401);
  });

  test("the last admin stays one", async () => {
    const { users } = (await call("GET", "/api/v1/users", asAdmin)).body as {
      users: { id: number; name: string }[];
    };
    const ana = users.find(({ name }) => name === "ana");
    const refused = await call("PUT", `/api/v1/users/${ana?.id}`, asAdmin, { role: "viewer" });
    assert.equal(refused.status, 409);
    assert.equal((await call("DELETE", `/api/v1/users/${ana?.id}`, asAdmin)).status, 409);
  });

  test("who guesses waits, whether or not there is such a user", async () => {
    for (const name of ["bea", "nobody-here"]) {
      const statuses: number[] = [];
      for (let tries = 0; tries < 6; tries += 1)
        statuses.push((await signIn(name, "wrong password")).answer.status);
      assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429], name);
    }
  });

  test("an unknown name takes as long as a known one", async () => {
    const timed = async (name: string) => {
      const startMs = performance.now();
      await signIn(name, "wrong password");
      return performance.now() - startMs;
    };
    const known: number[] = [];
    const unknown: number[] = [];
    for (let index = 0; index < 4; index += 1) {
      known.push(await timed("eve"));
      unknown.push(await timed(`eve${index}`));
    }
    const middle = (times: number[]) => times.toSorted((a, b) => a - b)[1] ?? 0;
    assert.ok(
      Math.abs(middle(known) - middle(unknown)) < middle(known),
      `${known.join()} ${unknown.join()}`,
    );
  });

  test("every route, every role: the table decides, and nothing else", async () => {
    const { paths } = (await call("GET", "/openapi.json")).body as {
      paths: Record<string, Record<string, unknown>>;
    };
    // Doors of networks and applications come before the table: their protocols say who may.
    const doors = /^\/(?:ussd\/|api\/(?:v1\/)?ussd$|backends\/[\w-]+\/push$)/;
    const routes = Object.entries(paths)
      .filter(([path]) => !doors.test(path))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => [method, path] as const));
    assert.ok(routes.length > 30, `${routes.length} routes`);
    const signed = new Map<Role, Record<string, string>>();
    for (const role of ROLES) {
      const user = { name: `role-${role}`, password: PASSWORD, role };
      assert.equal((await call("POST", "/api/v1/users", asAdmin, user)).status, 201);
      signed.set(role, (await signIn(user.name)).signed);
    }
    for (const [method, path] of routes) {
      const rule = ruleOf(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ":$1"));
      const filled = path.replaceAll(/\{\w+\}/g, "999999");
      // An event stream does not end; signing out would end the test.
      if (filled === "/api/v1/events" || filled === "/api/v1/sign-out") continue;
      const send = (headers: Record<string, string>) =>
        // A body that no schema takes: what may be done is refused as wrong, not done.
        call(method.toUpperCase(), filled, headers, method === "get" ? undefined : { zzz: 1 });
      const stranger = await send({});
      if (rule === "public") assert.notEqual(stranger.status, 401, `${method} ${path}`);
      else assert.equal(stranger.status, 401, `${method} ${path} without a key`);
      for (const role of ROLES) {
        const { status } = await send(signed.get(role) ?? {});
        const isOpen = rule === "public" || rule === "signed_in";
        const may = isOpen || (rule !== undefined && permissionsOf(role).includes(rule));
        const what = `${method} ${path} as ${role}: ${status}`;
        if (may) assert.notEqual(status, 403, what);
        else assert.equal(status, 403, what);
        assert.ok(status < 500, what);
      }
    }
  });

  test("a key does what its scopes say, is shown once, and overlaps its successor", async () => {
    const wanted = { name: "billing", scopes: ["backends:read"] };
    const made = await call("POST", "/api/v1/keys", asAdmin, wanted);
    assert.equal(made.status, 201);
    const first = made.body as { id: number; key: string };
    const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
    assert.equal((await call("GET", "/backends", bearer(first.key))).status, 200);
    assert.equal((await call("POST", "/backends", bearer(first.key), NEW_BACKEND)).status, 403);
    const listed = await call("GET", "/api/v1/keys", asAdmin);
    assert.equal(JSON.stringify(listed.body).includes(first.key), false);
    const { keys } = listed.body as { keys: { id: number; used_at: string | null }[] };
    assert.notEqual(keys.find(({ id }) => id === first.id)?.used_at, null);
    const next = await call("POST", `/api/v1/keys/${first.id}/rotate`, asAdmin, {});
    const second = next.body as { id: number; key: string };
    for (const { key } of [first, second])
      assert.equal((await call("GET", "/backends", bearer(key))).status, 200);
    await call("POST", `/api/v1/keys/${second.id}/rotate`, asAdmin, { overlap_hours: 0 });
    assert.equal((await call("GET", "/backends", bearer(second.key))).status, 401);
    await call("DELETE", `/api/v1/keys/${first.id}`, asAdmin);
    assert.equal((await call("GET", "/backends", bearer(first.key))).status, 401);
  });

  test("a backend is paused, resumed, deleted, and comes back with its secret", async () => {
    const created = (await call("POST", "/backends", asAdmin, NEW_BACKEND)).body as { id: number };
    const paused = await call("POST", `/api/v1/backends/${created.id}/pause`, asAdmin);
    assert.partialDeepStrictEqual(paused.body, { status: "inactive", has_secret: true });
    await call("POST", `/api/v1/backends/${created.id}/resume`, asAdmin);
    await call("DELETE", `/backends?id=${created.id}`, asAdmin);
    const history = await call("GET", `/api/v1/backends/${created.id}/history`, asAdmin);
    const { changes } = history.body as {
      changes: { version: number; action: string; actor: string }[];
    };
    assert.deepEqual(
      changes.map(({ action, actor }) => `${action} ${actor}`),
      ["delete", "resume", "pause", "create"].map((action) => `${action} admin key`),
    );
    assert.equal(JSON.stringify(changes).includes(NEW_BACKEND.secret), false);
    const version = changes[0]?.version;
    const back = await call("POST", "/api/v1/backends/revert", asAdmin, { version });
    assert.equal(back.status, 200, JSON.stringify(back.body));
    assert.partialDeepStrictEqual(back.body, { service_code: "*711#", has_secret: true });
  });

  test("a number is revealed with a reason, and an export noted", async () => {
    const MSISDN = "258840000991";
    await networks["kairos"]?.(gateway.url, MSISDN, "reveal-1").dial("*999#");
    const found = await call("GET", `/api/v1/sessions?msisdn=${MSISDN}`, asAdmin);
    const { sessions } = found.body as { sessions: { id: string; msisdn: string }[] };
    const { id, msisdn } = sessions[0] ?? { id: "", msisdn: "" };
    assert.notEqual(msisdn, MSISDN);
    const reveal = `/api/v1/sessions/${id}/reveal`;
    for (const reason of ["", "    ", "no"])
      assert.equal((await call("POST", reveal, asAdmin, { reason })).status, 400);
    const told = await call("POST", reveal, asAdmin, { reason: "complaint 4711" });
    assert.deepEqual([told.status, told.body], [200, { msisdn: MSISDN }]);
    const file = await call("GET", `/api/v1/sessions/${id}/export`, asAdmin);
    assert.equal(file.status, 200);
    assert.equal(JSON.stringify(file.body).includes(MSISDN), false);
    const log = await call("GET", "/api/v1/audit?limit=2", asAdmin);
    const { entries } = log.body as { entries: Record<string, unknown>[] };
    assert.partialDeepStrictEqual(entries, [
      { action: "session.export", target: id },
      { action: "session.reveal", target: id, actor: "admin key", reason: "complaint 4711" },
    ]);
  });

  test("insights tell of a range, and of no other", async () => {
    await networks["kairos"]?.(gateway.url, "258840000992", "insight-1").dial("*998#");
    const told = async (query: string) =>
      (await call("GET", `/api/v1/insights?${query}`, asAdmin)) as {
        status: number;
        body: { sessions: number; by_code: { name: string }[]; is_complete: boolean };
      };
    const now = await told("from=2020-01-01");
    assert.deepEqual([now.status, now.body.is_complete], [200, true]);
    assert.ok(now.body.sessions >= 1);
    const then = await told("from=2020-01-01&to=2020-01-02");
    assert.equal(then.body.sessions, 0);
    assert.equal((await told("from=2020-01-02&to=2020-01-01")).status, 400);
  });

  test("the system, the privacy rules and the texts are told", async () => {
    const system = await call("GET", "/api/v1/system", asAdmin);
    assert.partialDeepStrictEqual(system.body, { mode: "production", undrained: null });
    const privacy = await call("GET", "/api/v1/privacy", asAdmin);
    assert.partialDeepStrictEqual(privacy.body, { secret_words: [] });
    const { texts } = (await call("GET", "/api/v1/texts", asAdmin)).body as {
      texts: { language: string; fits: boolean }[];
    };
    assert.deepEqual([...new Set(texts.map(({ language }) => language))], ["en", "fr", "pt", "sw"]);
    assert.ok(texts.every(({ fits }) => fits));
  });

  test("the audit log says who did what, without a secret", async () => {
    const page = await call("GET", "/api/v1/audit?limit=500", asAdmin);
    const { entries } = page.body as { entries: { actor: string; action: string }[] };
    const said = new Set(entries.map(({ action }) => action));
    for (const action of ["user.add", "sign_in", "sign_in.refused", "key.rotate", "backend.pause"])
      assert.ok(said.has(action), action);
    const text = JSON.stringify(entries);
    for (const secret of [PASSWORD, NEW_BACKEND.secret, ADMIN_KEY, "dy_".concat("x")])
      assert.equal(text.includes(secret), false);
  });
});
