/** What changes in production, and what guards a channel's door. Real processes, real sockets. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startGateway, type StartedGateway } from "./support/gateway.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const KEY = "test-admin-key-0123456789";
const JSON_TYPE = { "content-type": "application/json" };
const registration = (url: string, code: string) =>
  JSON.stringify({
    callback_url: url,
    service_code: code,
    name: "n",
    type: "http",
    method: "POST",
    status: "active",
  });

describe("dialyard start", () => {
  let gateway: StartedGateway;
  before(async () => {
    gateway = await startGateway({
      command: "start",
      env: { DIALYARD_ADMIN_KEY: KEY, DIALYARD_EGRESS_ALLOW: "10.9.0.0/16@8443" },
    });
  });
  after(() => gateway.stop());
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(gateway.url + path, { headers });
  const register = (url: string, code = "*700#") =>
    fetch(`${gateway.url}/backends`, {
      method: "POST",
      headers: { ...JSON_TYPE, authorization: `Bearer ${KEY}` },
      body: registration(url, code),
    });

  test("has no test door", async () => {
    const response = await fetch(`${gateway.url}/ussd/test/callback`, {
      method: "POST",
      headers: JSON_TYPE,
      body: "{}",
    });
    assert.equal(response.status, 404);
  });

  for (const path of [
    "/backends",
    "/api/v1/sessions",
    "/api/v1/events",
    "/api/ussd/sessions",
    "/api/ussd/debug/s1",
  ]) {
    test(`${path} needs the admin key`, async () => {
      assert.equal((await get(path)).status, 401);
      assert.equal((await get(path, { authorization: "Bearer wrong" })).status, 401);
      const right = await get(path, { authorization: `Bearer ${KEY}` });
      assert.ok([200, 404].includes(right.status), `${right.status}`);
      await right.body?.cancel();
    });
  }

  test("health, readiness and metrics need none", async () => {
    for (const path of ["/health", "/ready", "/metrics", "/"]) {
      assert.equal((await get(path)).status, 200, path);
    }
  });

  const refused = ["http://127.0.0.1:9/", "http://10.9.1.1/", "http://[::1]/", "http://localhost/"];
  for (const url of refused) {
    test(`a callback URL cannot be ${url}`, async () => {
      const response = await register(url);
      assert.equal(response.status, 400);
      assert.match(((await response.json()) as { message: string }).message, /^callback_url /);
    });
  }
  test("but a private network that the configuration allows, on the port that it names", async () => {
    assert.equal((await register("https://10.9.1.1:8443/", "*701#")).status, 201);
  });

  test("warns of channels that take requests from anybody", () => {
    assert.match(gateway.stdout(), /channel kairos takes requests from anybody/);
  });
});

describe("the command line", () => {
  const dir = mkdtempSync(join(tmpdir(), "dialyard-"));
  after(() => rmSync(dir, { recursive: true }));
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
      cwd: dir,
      env: { PATH: process.env["PATH"], ...env },
      encoding: "utf8",
      timeout: 30_000,
    });

  test("start without an admin key says so and exits 1", () => {
    const { status, stderr } = run(["start"]);
    assert.equal(status, 1);
    assert.match(stderr, /DIALYARD_ADMIN_KEY/);
  });
  test("config prints what is in force, secrets masked", () => {
    const { status, stdout } = run(["config", "--production"], { DIALYARD_ADMIN_KEY: KEY });
    assert.equal(status, 0);
    assert.match(stdout, /DIALYARD_ADMIN_KEY +\(set\)/);
    assert.equal(stdout.includes(KEY), false);
  });
  test("a port that is taken is a clear error", async () => {
    const gateway = await startGateway();
    const { status, stderr } = run(["dev"], { PORT: String(gateway.port), DIALYARD_DEMO: "0" });
    await gateway.stop();
    assert.equal(status, 1);
    assert.match(stderr, /cannot start: .*EADDRINUSE/);
  });
  test("a second gateway on the same data is a clear error", async () => {
    const gateway = await startGateway();
    const env = { PORT: "0", DATA_DIR: gateway.dataDir, DIALYARD_DEMO: "0" };
    const { status, stderr } = run(["dev"], env);
    await gateway.stop();
    assert.equal(status, 1);
    assert.match(stderr, /another process has the database open/);
  });
  test("a lost secret key is a clear error, not a new key beside old data", async () => {
    const gateway = await startGateway();
    const kept = join(dir, "kept");
    gateway.kill("SIGTERM");
    await gateway.exited;
    cpSync(gateway.dataDir, kept, { recursive: true });
    await gateway.stop();
    const env = { PORT: "0", DATA_DIR: kept, DIALYARD_DEMO: "0" };
    writeFileSync(join(kept, "secret.key"), "");
    assert.match(run(["dev"], env).stderr, /secret\.key is empty or cut/);
    rmSync(join(kept, "secret.key"));
    assert.match(run(["dev"], env).stderr, /sealed with another key/);
  });
  test("CONNECT and a reset do not end the process", async () => {
    const gateway = await startGateway();
    for (let nth = 0; nth < 40; nth += 1) {
      const socket = connect(gateway.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n");
      setTimeout(() => socket.resetAndDestroy(), nth % 3);
      await wait(5);
    }
    assert.equal((await fetch(`${gateway.url}/health`)).status, 200);
    await gateway.stop();
  });
  test("X-Forwarded-For opens no management API", async () => {
    const gateway = await startGateway({ env: { TRUST_PROXY_ENABLED: "true" } });
    const ask = (forwarded: string) =>
      fetch(`${gateway.url}/backends`, { headers: { "x-forwarded-for": forwarded } });
    const far = await ask("203.0.113.9");
    const near = await ask("127.0.0.1");
    await gateway.stop();
    assert.deepEqual([far.status, near.status], [403, 200]);
  });
  test("a configuration file that is not there is a clear error", () => {
    const { status, stderr } = run(["config", "--config", "nowhere.ts"]);
    assert.equal(status, 1);
    assert.match(stderr, /no configuration file at/);
  });
  test("an unknown command or option exits 2", () => {
    assert.equal(run(["serve"]).status, 2);
    assert.equal(run(["dev", "--prot", "1"]).status, 2);
  });
  test("help names every command and setting", () => {
    const { status, stdout } = run(["--help"]);
    assert.equal(status, 0);
    for (const word of ["dev", "start", "dial", "config", "PORT", "RETENTION_DAYS"]) {
      assert.match(stdout, new RegExp(word));
    }
  });
});

describe("a channel's door", () => {
  const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  let gateway: StartedGateway;
  before(async () => {
    gateway = await startGateway({
      configFile: `export const config = { channels: {
        byheader: { protocol: "kairos", secretHeader: { name: "X-Secret", value: "right-right-right" } },
        bypath: { protocol: "kairos", secretPath: "0123456789abcdef" },
        byaddress: { protocol: "kairos", allow: ["203.0.113.0/24"] },
        bysignature: { protocol: "kairos", signingSecret: "${SECRET}" },
      } };`,
    });
  });
  after(() => gateway.stop());
  const body = JSON.stringify({
    msisdn: "233559400612",
    sessionId: "door-1",
    messageType: "0",
    ussdString: "*4042#",
  });
  const knock = (path: string, headers: Record<string, string> = {}, text = body) =>
    fetch(gateway.url + path, {
      method: "POST",
      headers: { ...JSON_TYPE, ...headers },
      body: text,
    });
  const signed = (id: string, timestamp: number, secret = SECRET) => {
    const key = Buffer.from(secret.slice("whsec_".length), "base64");
    const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
    return {
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": `v1,${mac}`,
    };
  };
  const now = () => Math.floor(Date.now() / 1000);

  for (const [channel, ...secret] of [
    ["byheader", "--header", "X-Secret: right-right-right"],
    ["bypath"],
    ["bysignature", "--signing-secret", SECRET],
  ] as const) {
    test(`opens to dialyard dial --channel ${channel} ${secret[0] ?? ""}`, () => {
      const args = [MAIN, "dial", "*4042#", "--url", gateway.url, "--channel", channel, ...secret];
      const flags = ["--disable-warning=ExperimentalWarning"];
      const dialled = spawnSync(process.execPath, [...flags, ...args], {
        encoding: "utf8",
        input: "",
      });
      assert.match(dialled.stdout, /This code is not in service/, dialled.stderr);
    });
  }

  const cases: readonly [title: string, knock: () => Promise<Response>, status: number][] = [
    [
      "opens to its secret header",
      () => knock("/ussd/byheader/callback", { "x-secret": "right-right-right" }),
      200,
    ],
    ["is shut without it", () => knock("/ussd/byheader/callback"), 401],
    [
      "is shut to a wrong one",
      () => knock("/ussd/byheader/callback", { "x-secret": "wrong" }),
      401,
    ],
    ["opens at its secret path", () => knock("/ussd/bypath/callback/0123456789abcdef"), 200],
    ["is not there without it", () => knock("/ussd/bypath/callback"), 404],
    ["is not there with another", () => knock("/ussd/bypath/callback/0123456789abcdeX"), 404],
    ["is shut to addresses not listed", () => knock("/ussd/byaddress/callback"), 403],
    ["opens to a signature", () => knock("/ussd/bysignature/callback", signed("m1", now())), 200],
    ["is shut without one", () => knock("/ussd/bysignature/callback"), 401],
    [
      "is shut to an old one",
      () => knock("/ussd/bysignature/callback", signed("m2", now() - 400)),
      401,
    ],
    [
      "is shut to one made with another secret",
      () => knock("/ussd/bysignature/callback", signed("m3", now(), "whsec_AAAABBBBCCCCDDDD")),
      401,
    ],
    ["takes at most 8 KiB", () => knock("/ussd/kairos/callback", {}, "x".repeat(8193)), 413],
    [
      "takes no encoded body",
      () => knock("/ussd/kairos/callback", { "content-encoding": "gzip" }),
      415,
    ],
  ];
  for (const [title, call, status] of cases) {
    test(title, async () => {
      const response = await call();
      await response.text();
      assert.equal(response.status, status);
    });
  }
});
