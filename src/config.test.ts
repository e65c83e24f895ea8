import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeConfig, parseConfig, type Config, type ConfigFile, type Mode } from "./config.ts";

const KEY = "0123456789abcdef-key";
function ok(mode: Mode, env: Record<string, string> = {}, file: ConfigFile = {}): Config {
  const parsed = parseConfig(mode, env, file);
  assert.equal(parsed.type, "ok", JSON.stringify(parsed));
  if (parsed.type !== "ok") throw new Error("unreachable");
  return parsed.config;
}
function problems(mode: Mode, env: Record<string, string> = {}, file: ConfigFile = {}): string {
  const parsed = parseConfig(mode, env, file);
  return parsed.type === "invalid" ? parsed.problems.join("\n") : "";
}

describe("what is in force without any configuration", () => {
  test("development: the four channels, demo on, everything on loopback", () => {
    const config = ok("development");
    assert.deepEqual(
      config.channels.map(({ name }) => name),
      ["test", "africastalking", "ixo", "kairos"],
    );
    assert.equal(config.port, 8080);
    assert.equal(config.host, "127.0.0.1");
    assert.equal(config.demo, true);
    assert.equal(config.egressGuard, false);
  });
  test("production: no test door, no demo, the egress guard on", () => {
    const config = ok("production", { DIALYARD_ADMIN_KEY: KEY });
    assert.deepEqual(
      config.channels.map(({ name }) => name),
      ["africastalking", "ixo", "kairos"],
    );
    assert.equal(config.demo, false);
    assert.equal(config.egressGuard, true);
  });
  test("production does not start without an admin key", () => {
    assert.match(problems("production"), /DIALYARD_ADMIN_KEY.*needs a key/);
  });
  test("a turn budget is the network's patience where its owner says so, else 20 s", () => {
    const budgets = ok("development").channels.map(({ name, turnBudgetMs }) => [
      name,
      turnBudgetMs,
    ]);
    assert.deepEqual(Object.fromEntries(budgets), {
      test: 20_000,
      africastalking: 12_000,
      ixo: 20_000,
      kairos: 10_000,
    });
  });
  test("the IXO door takes 100 requests a minute and address, the others any number", () => {
    const limits = ok("development").channels.map(
      ({ requestsPerMinuteMax }) => requestsPerMinuteMax,
    );
    assert.deepEqual(limits, [0, 0, 100, 0]);
  });
});

describe("a limit of requests over all nodes", () => {
  const limited = (scope?: string): ConfigFile => ({
    channels: {
      ixo: { protocol: "ixo", ...(scope && { requestsPerMinuteScope: scope as "node" }) },
    },
  });
  const scopeOf = (config: Config) =>
    config.channels.find(({ name }) => name === "ixo")?.requestsPerMinuteScope;
  test("is asked for by channel; of each node without", () => {
    assert.equal(scopeOf(ok("development")), "node");
    assert.equal(scopeOf(ok("development", {}, limited())), "node");
    const config = ok("development", {}, limited("cluster"));
    assert.equal(scopeOf(config), "cluster");
    assert.match(describeConfig(config), /ixo.*100 requests a minute and address over all nodes/);
  });
  test("any other word is refused", () => {
    const found = problems("development", {}, limited("global"));
    assert.match(found, /channels\.ixo: requestsPerMinuteScope must be node or cluster/);
  });
  for (const [env, warned] of [
    [{}, 0],
    [{ DATABASE_URL: "postgresql://h/d", REDIS_URL: "redis://h" }, 0],
    [{ REDIS_URL: "redis://h" }, 1],
  ] as const) {
    test(`with ${Object.keys(env).join(" and ") || "SQLite"}: ${warned} warnings`, () => {
      const parsed = parseConfig("development", env, limited("cluster"));
      const warnings = parsed.type === "ok" ? parsed.warnings : assert.fail("invalid");
      assert.equal(warnings.length, warned);
      assert.match(warnings.join(), warned ? /ixo: requestsPerMinuteScope.*DATABASE_URL/ : /^$/);
    });
  }
});

test("an admin key that no header can carry is refused", () => {
  const found = problems("production", { DIALYARD_ADMIN_KEY: "correct horse battery staple" });
  assert.match(found, /printable characters without spaces/);
});

test("the egress guard stays on in production", () => {
  const env = { DIALYARD_ADMIN_KEY: KEY, DIALYARD_EGRESS_GUARD: "0" };
  assert.match(problems("production", env), /DIALYARD_EGRESS_GUARD.*stays on/);
});

for (const [value, isGood] of [
  ["10.1.2.3@443", true],
  ["10.1.0.0/16@8443,fd00::/8", true],
  ["10.1.2.3@99999", false],
  ["10.1.2.3.4", false],
] as const) {
  test(`DIALYARD_EGRESS_ALLOW=${value} is ${isGood ? "accepted" : "refused"}`, () => {
    assert.equal(problems("development", { DIALYARD_EGRESS_ALLOW: value }) === "", isGood);
  });
}

test("the environment wins over the file", () => {
  assert.equal(ok("development", { PORT: "9001" }, { port: 9000 }).port, 9001);
  assert.equal(ok("development", {}, { port: 9000 }).port, 9000);
});

test("all problems are reported at once, each with its rule", () => {
  const found = problems("development", { PORT: "99999", LOG_FORMAT: "xml", DIALYARD_DEMOS: "1" }, {
    stor: "redis",
    channels: { bad: { protocol: "morse" } },
  } as unknown as ConfigFile);
  assert.match(found, /port \(PORT\): must be a whole number from 0 to 65535/);
  assert.match(found, /logFormat \(LOG_FORMAT\): must be json \| pretty/);
  assert.match(found, /DIALYARD_DEMOS: unknown setting/);
  assert.match(found, /stor: unknown setting/);
  assert.match(found, /channels\.bad: protocol must be one of/);
});

describe("channels", () => {
  const channel = (file: Record<string, unknown>) =>
    problems("development", {}, { channels: { ghana: file } } as unknown as ConfigFile);
  const cases: readonly [title: string, file: Record<string, unknown>, problem: RegExp][] = [
    ["an unknown field", { protocol: "kairos", secert: "x" }, /secert is unknown; known: /],
    ["an unknown option", { protocol: "kairos", options: { endtype: "2" } }, /endtype/],
    ["a budget without bound", { protocol: "kairos", turnBudgetMs: 1e9 }, /turnBudgetMs must be/],
    ["a short secret path", { protocol: "kairos", secretPath: "abc" }, /secretPath must be 16/],
    ["a path that is taken", { protocol: "kairos", paths: ["/api/ussd"] }, /taken by channel/],
    [
      "an undefined secret",
      { protocol: "kairos", secretPath: undefined },
      /secretPath is undefined/,
    ],
    [
      "an empty secret header",
      { protocol: "kairos", secretHeader: { name: "x", value: "" } },
      /secretHeader.value must be 16/,
    ],
    ["an empty signing secret", { protocol: "kairos", signingSecret: "" }, /signingSecret must be/],
    ["a path of the gateway's own", { protocol: "kairos", paths: ["/backends"] }, /gateway's own/],
    ["a debug path that is taken", { protocol: "kairos", debugPath: "/api/ussd" }, /is taken by/],
    ["an address that is none", { protocol: "kairos", allow: ["999.1.1.1/99"] }, /not an address/],
    ["an allow list of names", { protocol: "kairos", allow: ["example.com"] }, /not an address/],
  ];
  for (const [title, file, problem] of cases) {
    test(`${title} is refused`, () => assert.match(channel(file), problem));
  }
  describe("on an SMPP link", () => {
    const smsc = { host: "smsc.example", port: 2775, systemId: "dialyard", password: "s3cr3t" };
    const smpp = (more: object) => channel({ protocol: "smpp", smpp: { ...smsc, ...more } });
    for (const [title, file, problem] of [
      ["no link", () => channel({ protocol: "smpp" }), /smpp is missing: host, port/],
      [
        "a link of a protocol on HTTP",
        () => channel({ protocol: "kairos", smpp: smsc }),
        /over HTTP/,
      ],
      [
        "doors",
        () => channel({ protocol: "smpp", smpp: smsc, paths: ["/x"] }),
        /paths mean nothing/,
      ],
      ["a misspelt field", () => smpp({ user: "x" }), /smpp\.user is unknown; known: host/],
      ["a port out of range", () => smpp({ port: 70_000 }), /smpp\.port must be/],
      [
        "a password of nine",
        () => smpp({ password: "123456789" }),
        /smpp\.password must be 1 to 8/,
      ],
      ["an alphabet unknown", () => smpp({ alphabet: "ebcdic" }), /smpp\.alphabet must be one of/],
    ] as const) {
      test(`${title} is refused`, () => assert.match(file(), problem));
    }
    test("it has no doors, and its address is printed without the password", () => {
      const { channels } = ok(
        "development",
        {},
        { channels: { link: { protocol: "smpp", smpp: smsc } } },
      );
      const link = channels.find(({ name }) => name === "link");
      assert.deepEqual(link?.paths, []);
      assert.equal(link.smpp?.address, "smpp://smsc.example:2775");
    });
  });
  test("a default channel is switched off by undefined", () => {
    const config = ok(
      "development",
      {},
      {
        channels: { ixo: undefined },
      },
    );
    assert.equal(
      config.channels.some(({ name }) => name === "ixo"),
      false,
    );
  });
  test("a secret path is the last segment of every path", () => {
    const secretPath = "0123456789abcdef";
    const config = ok(
      "development",
      {},
      {
        channels: { ghana: { protocol: "kairos", secretPath } },
      },
    );
    const ghana = config.channels.find(({ name }) => name === "ghana");
    assert.deepEqual(ghana?.paths, [`/ussd/ghana/callback/${secretPath}`]);
  });
  test("production warns of channels that take requests from anybody", () => {
    const parsed = parseConfig(
      "production",
      { DIALYARD_ADMIN_KEY: KEY },
      { channels: { kairos: { protocol: "kairos", allow: ["203.0.113.0/24"] } } },
    );
    assert.ok(parsed.type === "ok");
    assert.equal(parsed.warnings.length, 2);
    assert.match(parsed.warnings.join(), /africastalking.*ixo/);
  });
  test("the test door does not exist in production", () => {
    const file = { channels: { test: { protocol: "ola", options: { door: "true" } } } };
    assert.match(problems("production", { DIALYARD_ADMIN_KEY: KEY }, file), /test door/);
  });
});

test("what is in force is printed without secrets", () => {
  const secretPath = "fedcba9876543210";
  const config = ok(
    "production",
    { DIALYARD_ADMIN_KEY: KEY, DIALYARD_SECRET_KEY: "s".repeat(40) },
    { channels: { ghana: { protocol: "kairos", secretPath } } },
  );
  const printed = describeConfig(config);
  assert.match(printed, /DIALYARD_ADMIN_KEY +\(set\)/);
  assert.match(printed, /\/ussd\/ghana\/callback\/\*\*\*/);
  for (const secret of [KEY, secretPath, "s".repeat(40)]) {
    assert.equal(printed.includes(secret), false);
  }
});
