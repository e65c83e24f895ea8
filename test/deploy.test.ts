/** What deploy/ says is held to what the gateway has, and to the tools that will read it. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { tmpdir } from "node:os";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { describeSettings } from "../src/config.ts";
import { FAILURES } from "../src/core/failure.ts";
import { createMetrics } from "../src/observe/metrics.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DEPLOY = join(ROOT, "deploy");
const read = (file: string): string => readFileSync(join(DEPLOY, file), "utf8");
const run = promisify(execFile);

/** Why a test that needs this program is skipped, or false. */
function missing(program: string, debian: string): string | false {
  const { error } = spawnSync(program, ["--version"], { stdio: "ignore" });
  return error !== undefined && `no ${program} is installed (Debian: ${debian})`;
}

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "dialyard-deploy-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

type Yaml = Readonly<Record<string, unknown>>;
function yamlOf(file: string): readonly Yaml[] {
  return parseAllDocuments(read(file)).map((document) => {
    assert.deepEqual(document.errors, [], file);
    return document.toJS({ merge: true }) as Yaml;
  });
}
/** Every string of a value, however deep. */
function stringsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}
/** Every value under that name, however deep. */
function under(value: unknown, name: string): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key === name ? [inner] : []),
    ...under(inner, name),
  ]);
}

const rules = yamlOf("prometheus/dialyard.rules.yml");
const dashboard = JSON.parse(read("grafana/dialyard.json")) as Yaml;
const expressions = [...under(rules, "expr"), ...under(dashboard, "expr")] as readonly string[];

test("YAML and JSON are well formed", () => {
  const files = globSync("**/*.{yml,yaml}", { cwd: DEPLOY });
  assert.ok(files.length >= 5);
  for (const file of files) assert.ok(yamlOf(file).length > 0, file);
  assert.equal(under(dashboard, "expr").length > 10, true);
});

test("every metric that is asked for is one that a gateway has", async () => {
  const metrics = createMetrics({
    ...{ countLive: async () => 1, countOpenBreakers: () => 0, isReady: () => true },
    ...{ countUndrained: async () => 0, lostRecords: { dropped: 0, lost: 0 } },
  });
  const { text } = await metrics.render();
  const declared = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  const names = declared.flatMap(([, name = "", type]) =>
    type === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => name + end) : [name],
  );
  const known = new Set([...names, "up"]);
  const asked = expressions.flatMap((expression) => {
    // What is in braces are labels, what is in brackets times.
    const bare = expression.replace(/\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)/g, "");
    return bare.match(/\b(?:dialyard|process|nodejs)_[a-z0-9_]+\b|\bup\b/g) ?? [];
  });
  assert.ok(asked.length >= expressions.length);
  assert.deepEqual(
    [...new Set(asked)].filter((name) => !known.has(name)),
    [],
  );
});

test("every outcome that an expression names is one of a turn", () => {
  const outcomes = new Set([
    ...Object.keys(FAILURES),
    ...["ok", "page", "push", "repeat", "abort", "unknown"],
  ]);
  const named = expressions.flatMap((expression) =>
    [...expression.matchAll(/outcome!?[=~]+"([^"]+)"/g)].flatMap(([, list = ""]) =>
      list.split("|"),
    ),
  );
  assert.ok(named.length > 0);
  assert.deepEqual(
    named.filter((name) => !outcomes.has(name)),
    [],
  );
});

test("every setting that is set is a setting", () => {
  const known = new Set(describeSettings().map(({ env }) => env));
  const others = /^(?:NODE_ENV|POSTGRES_\w+)$/;
  const compose = yamlOf("compose/compose.yaml");
  const pods = under(yamlOf("kubernetes/dialyard.yaml"), "env").flat() as { name: string }[];
  const set = [
    ...under(compose, "environment").flatMap((set) => Object.keys(set as object)),
    ...pods.map(({ name }) => name),
    ...[...read("kubernetes/dialyard.yaml").matchAll(/from-literal=(\w+)/g)].map(
      ([, name]) => name,
    ),
    ...[...read("Dockerfile").matchAll(/^ENV (.*)$/gm)].flatMap(([, line = ""]) =>
      [...line.matchAll(/(\w+)=/g)].map(([, name]) => name),
    ),
    ...[...read("systemd/dialyard@.service").matchAll(/^Environment=(.*)$/gm)].flatMap(
      ([, line = ""]) => [...line.matchAll(/(\w+)=/g)].map(([, name]) => name),
    ),
  ] as readonly string[];
  assert.ok(set.length > 15);
  assert.deepEqual(
    set.filter((name) => !known.has(name) && !others.test(name)),
    [],
  );
});

test("what the image copies is in the repository, and what it starts is in the package", () => {
  const lines = read("Dockerfile").replaceAll("\\\n", " ").split("\n");
  const copied = lines
    .filter((line) => line.startsWith("COPY ") && !line.includes("--from"))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));
  assert.ok(copied.length >= 4);
  for (const file of copied) assert.ok(existsSync(join(ROOT, file)), file);
  const allowed: readonly string[] = read("Dockerfile.dockerignore").match(/(?<=^!).+$/gm) ?? [];
  for (const file of allowed)
    assert.ok(existsSync(join(ROOT, file)), `${file} is kept for the build`);
  const needed = ["scripts", "src", "console", "tsconfig.json", "package-lock.json", ".npmrc"];
  for (const file of needed) assert.ok(allowed.includes(file), `${file} is not left out`);
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    readonly files: readonly string[];
    readonly scripts: Readonly<Record<string, string>>;
  };
  for (const file of manifest.files) assert.ok(allowed.includes(file), `${file} is packaged`);
  const scripts = lines.flatMap((line) => line.match(/(?<=npm run )\w+/g) ?? []);
  for (const name of scripts) assert.ok(name in manifest.scripts, `npm run ${name}`);
  const [, started = ""] = /node_modules\/dialyard\/(\S+\.js)/.exec(read("Dockerfile")) ?? [];
  assert.ok(existsSync(join(ROOT, started.replace(/\.js$/, ".ts"))), started);
  assert.match(read("Dockerfile"), /^USER node$/m);
  assert.match(read("Dockerfile"), /^HEALTHCHECK /m);
});

test("what compose, systemd and pages name is there", () => {
  const mounts = stringsIn(under(yamlOf("compose/compose.yaml"), "volumes"))
    .map((mount) => mount.split(":")[0] ?? "")
    .filter((path) => path.startsWith("."));
  assert.ok(mounts.length >= 2);
  for (const path of mounts) assert.ok(existsSync(join(DEPLOY, "compose", path)), path);
  const unit = read("systemd/dialyard@.service");
  for (const [, path = ""] of unit.matchAll(/\/opt\/dialyard\/(\S+)/g))
    assert.ok(existsSync(join(ROOT, path)), path);
  const pages = read("README.md") + readFileSync(join(ROOT, "docs/operations.md"), "utf8");
  const named = [...pages.matchAll(/\bdeploy\/([\w@./-]*[\w])/g)].map(([, path = ""]) => path);
  assert.ok(named.length > 5);
  // Who runs it makes compose/.env, with secrets of their own.
  for (const path of named.filter((path) => !path.endsWith(".env")))
    assert.ok(existsSync(join(DEPLOY, path)), `deploy/${path}`);
});

test("stopping takes longer than draining, wherever a limit is set", () => {
  const settings = describeSettings();
  assert.ok(settings.some(({ env }) => env === "DRAIN_SECONDS"));
  const DRAIN_S = 25;
  const [grace] = under(yamlOf("compose/compose.yaml"), "stop_grace_period") as [string];
  const [, unit] = /^TimeoutStopSec=(\d+)$/m.exec(read("systemd/dialyard@.service")) ?? [];
  const kubernetes = yamlOf("kubernetes/dialyard.yaml");
  const [pod] = under(kubernetes, "terminationGracePeriodSeconds") as [number];
  assert.ok(Number.parseInt(grace) > DRAIN_S + 2);
  assert.ok(Number(unit) > DRAIN_S + 2);
  assert.ok(pod > DRAIN_S + 8, "its PRE_STOP_MS is longer");
});

test(
  "promtool accepts the configuration, and alerts fire when they should",
  { skip: missing("promtool", "prometheus") },
  async () => {
    const cwd = join(DEPLOY, "prometheus");
    await run("promtool", ["check", "config", "prometheus.yml"], { cwd });
    await run("promtool", ["check", "rules", "dialyard.rules.yml"], { cwd });
    await run("promtool", ["test", "rules", "dialyard.rules.test.yml"], { cwd });
  },
);

test("nginx accepts its files", { skip: missing("nginx", "nginx") }, async (t) => {
  const folder = scratch(t);
  for (const upstream of ["upstream-local.conf", "upstream-compose.conf"]) {
    // Names of compose are known in compose alone.
    const servers = read(`nginx/${upstream}`).replace(/gateway-\d/g, "127.0.0.1");
    const logs = `error_log ${folder}/error.log; pid ${folder}/pid;`;
    const site = read("nginx/dialyard.conf");
    const http = `http { access_log off; ${temporary(folder)} ${servers} ${site} }`;
    writeFileSync(join(folder, "nginx.conf"), `${logs} events {} ${http}`);
    await run("nginx", ["-t", "-q", "-p", folder, "-c", join(folder, "nginx.conf")]);
  }
});
function temporary(folder: string): string {
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(" ");
}

test("HAProxy accepts its file", { skip: missing("haproxy", "haproxy") }, async () => {
  await run("haproxy", ["-c", "-f", join(DEPLOY, "haproxy/haproxy.cfg")]);
});

test("systemd accepts the unit", { skip: missing("systemd-analyze", "systemd") }, async (t) => {
  const folder = scratch(t);
  const unit = "dialyard@.service";
  const here = read(`systemd/${unit}`)
    .replaceAll("/opt/dialyard", ROOT.replace(/\/$/, ""))
    .replace("User=dialyard", "User=root");
  writeFileSync(join(folder, unit.replace("@", "@8081")), here);
  const file = join(folder, basename(unit).replace("@", "@8081"));
  const { stderr } = await run("systemd-analyze", ["verify", "--man=no", file]).catch(
    (error: { stderr: string }) => error,
  );
  assert.doesNotMatch(stderr, /dialyard@/);
});
