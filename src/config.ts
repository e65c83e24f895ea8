/**
 * Configuration: one schema with default, rule and help; every problem reported at once. Pure:
 * main.ts hands in the environment and the configuration file's value.
 *
 * The environment wins over the file. Channels are described in the file only.
 */
import {
  type ChannelConfig,
  type ChannelFile,
  DEFAULT_CHANNELS,
  type Mode,
  parseChannels,
} from "./config-channels.ts";
import { type AppConfig, type AppFile, parseApps } from "./config-apps.ts";
import type { Language } from "./core/failure.ts";
import {
  EMPTY,
  flag,
  httpUrl,
  integer,
  networkPorts,
  networks,
  NONE,
  oneOf,
  postgresUrl,
  printable,
  text,
  words,
  type List,
  type Rule,
  type Text,
} from "./config-rules.ts";
import { redisUrl } from "./config-redis.ts";
export { inGateway, type AppConfig, type AppFile } from "./config-apps.ts";
export type { ChannelConfig, ChannelFile, Mode } from "./config-channels.ts";

type Setting<T> = {
  readonly env: string;
  readonly default: (mode: Mode) => T;
  readonly rule: Rule<T>;
  readonly help: string;
  /** Printed as "set", never with its value. */
  readonly isSecret?: true;
};

export const SETTINGS = {
  port: {
    env: "PORT",
    default: () => 8080,
    rule: integer(0, 65_535),
    help: "port the gateway listens on; 0 takes a free one",
  },
  host: {
    env: "HOST",
    default: () => ({ text: "127.0.0.1" }),
    rule: text(1, 255),
    help: "address the gateway listens on",
  },
  dataDir: {
    env: "DATA_DIR",
    default: () => ({ text: "./data" }),
    rule: text(1, 1024),
    help: "folder of the database and the secret key",
  },
  adminKey: {
    env: "DIALYARD_ADMIN_KEY",
    default: () => NONE,
    rule: printable(16, 256),
    help: "bearer key of the management API; needed in production",
    isSecret: true,
  },
  adminUser: {
    env: "DIALYARD_ADMIN_USER",
    default: () => NONE,
    rule: text(1, 64),
    help: "name of the first admin who signs in to the console, made where there is none of it",
  },
  adminPassword: {
    env: "DIALYARD_ADMIN_PASSWORD",
    default: () => NONE,
    rule: text(12, 256),
    help: "that admin's first password",
    isSecret: true,
  },
  publicUrl: {
    env: "PUBLIC_URL",
    default: () => NONE,
    rule: httpUrl,
    help: "where networks and browsers reach the gateway; default: the host they ask for",
  },
  auditDays: {
    env: "AUDIT_DAYS",
    default: () => 365,
    rule: integer(1, 3_650),
    help: "entries of the audit log are deleted after so many days",
  },
  secretKey: {
    env: "DIALYARD_SECRET_KEY",
    default: () => NONE,
    rule: text(32, 512),
    help: "seals numbers and histories in the database; default: DATA_DIR/secret.key, made once",
    isSecret: true,
  },
  demo: {
    env: "DIALYARD_DEMO",
    default: (mode) => mode === "development",
    rule: flag,
    help: "start the demo applications",
  },
  logLevel: {
    env: "LOG_LEVEL",
    default: () => "info",
    rule: oneOf(["debug", "info", "warn", "error", "silent"]),
    help: "least level that is logged",
  },
  logFormat: {
    env: "LOG_FORMAT",
    default: (mode) => (mode === "development" ? "pretty" : "json"),
    rule: oneOf(["json", "pretty"]),
    help: "one JSON object a line, or text for people",
  },
  language: {
    env: "DIALYARD_LANGUAGE",
    default: () => "en",
    rule: oneOf<Language>(["en", "fr", "pt", "sw"]),
    help: "language of the gateway's own screens",
  },
  sessionTtlSeconds: {
    env: "SESSION_TTL_SECONDS",
    default: () => 300,
    rule: integer(10, 86_400),
    help: "a session ends when nothing is heard for so long (sliding)",
  },
  sessionTurnsMax: {
    env: "SESSION_TURNS_MAX",
    default: () => 50,
    rule: integer(2, 1_000),
    help: "a session ends after so many turns",
  },
  secretWords: {
    env: "DIALYARD_SECRET_WORDS",
    default: () => EMPTY,
    rule: words,
    help: "more words of a screen that asks for a secret, besides PIN, password, OTP and the like",
  },
  retentionDays: {
    env: "RETENTION_DAYS",
    default: () => 30,
    rule: integer(1, 3_650),
    help: "sessions and their turns are deleted after so many days",
  },
  databaseUrl: {
    env: "DATABASE_URL",
    default: () => NONE,
    rule: postgresUrl,
    help: "PostgreSQL for everything instead of a file in DATA_DIR: for more than one node",
    isSecret: true,
  },
  databasePoolMax: {
    env: "DATABASE_POOL_MAX",
    default: () => 20,
    rule: integer(2, 500),
    help: "connections to PostgreSQL at once",
  },
  redisUrl: {
    env: "REDIS_URL",
    default: () => NONE,
    rule: redisUrl,
    help: "Redis or Valkey for live sessions; records and backends stay in SQL",
    isSecret: true,
  },
  redisBacklogMax: {
    env: "REDIS_BACKLOG_MAX",
    default: () => 1_000_000,
    rule: integer(1_000, 100_000_000),
    help: "records that may wait in Redis for SQL; beyond it the oldest go, and are counted",
  },
  sqliteSync: {
    env: "SQLITE_SYNC",
    default: () => "full",
    rule: oneOf<"full" | "normal">(["full", "normal"]),
    help: "full survives power loss, normal only a killed process",
  },
  egressGuard: {
    env: "DIALYARD_EGRESS_GUARD",
    default: (mode) => mode === "production",
    rule: flag,
    help: "callback URLs may not reach private addresses",
  },
  egressAllow: {
    env: "DIALYARD_EGRESS_ALLOW",
    default: () => EMPTY,
    rule: networkPorts,
    help: "private networks that callback URLs may reach, as 10.1.2.0/24@443,…",
  },
  trustProxyEnabled: {
    env: "TRUST_PROXY_ENABLED",
    default: () => false,
    rule: flag,
    help: "take the client's address from X-Forwarded-For of trusted proxies",
  },
  trustProxy: {
    env: "TRUST_PROXY",
    default: () => EMPTY,
    rule: networks,
    help: "the trusted proxies; without it loopback and private networks",
  },
  drainSeconds: {
    env: "DRAIN_SECONDS",
    default: () => 25,
    rule: integer(1, 300),
    help: "turns in flight may take so long after SIGTERM",
  },
  preStopMs: {
    env: "PRE_STOP_MS",
    default: (mode) => (mode === "production" ? 2_000 : 0),
    rule: integer(0, 60_000),
    help: "requests are accepted so long after /ready says 503, in milliseconds",
  },
} as const satisfies Record<
  string,
  | Setting<number>
  | Setting<boolean>
  | Setting<Text>
  | Setting<List>
  | Setting<never>
  | Setting<string>
>;
type SettingName = keyof typeof SETTINGS;

/** What a configuration file says; `defineConfig` gives it types. */
export type ConfigFile = {
  readonly [Name in SettingName]?: string | number | boolean | readonly string[];
} & {
  readonly channels?: Readonly<Record<string, ChannelFile | undefined>>;
  /** Applications in this process, by service code. */
  readonly apps?: readonly AppFile[];
};
export type Config = { readonly mode: Mode } & {
  readonly [Name in SettingName]: Plain<ReturnType<(typeof SETTINGS)[Name]["default"]>, Name>;
} & { readonly channels: readonly ChannelConfig[]; readonly apps: readonly AppConfig[] };
type Plain<T, Name extends SettingName> = T extends Text
  ? string
  : T extends List
    ? readonly string[]
    : T extends string
      ? (typeof SETTINGS)[Name]["rule"] extends Rule<infer Value>
        ? Value
        : T
      : T;

export type Parsed =
  | { readonly type: "ok"; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly type: "invalid"; readonly problems: readonly string[] };

/**
 * Gives a configuration file its types.
 *
 * @example
 * export const config = defineConfig({ port: 9000, channels: { ghana: { protocol: "kairos" } } });
 */
export function defineConfig(file: ConfigFile): ConfigFile {
  return file;
}

/** What a backend speaks unless its registration says otherwise (OLA management API). */
export const PROTOCOL_DEFAULT = "ola";

/** Reads environment and file; all that is wrong is said at once. */
export function parseConfig(
  mode: Mode,
  env: Readonly<Record<string, string | undefined>>,
  file: ConfigFile,
): Parsed {
  const problems: string[] = [];
  const warnings: string[] = [];
  const values: Record<string, unknown> = { mode };
  for (const [name, setting] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const given = readGiven(env[setting.env], file[name as SettingName]);
    if (given === undefined) {
      values[name] = plain(setting.default(mode));
      continue;
    }
    const value = setting.rule.read(given);
    if (value === setting.rule.expects)
      problems.push(`${name} (${setting.env}): must be ${setting.rule.expects}`);
    else values[name] = plain(value);
  }
  for (const name of Object.keys(file)) {
    if (!(name in SETTINGS) && name !== "channels" && name !== "apps")
      problems.push(`${name}: unknown setting in the configuration file`);
  }
  const known = new Set(Object.values(SETTINGS).map((setting) => setting.env as string));
  for (const name of Object.keys(env)) {
    if (name.startsWith("DIALYARD_") && !known.has(name))
      problems.push(`${name}: unknown setting in the environment`);
  }
  const channels = parseChannels(
    { ...DEFAULT_CHANNELS[mode], ...file.channels },
    problems,
    warnings,
    mode,
  );
  const apps = parseApps(file.apps, problems);
  if (mode === "production" && values["adminKey"] === "") {
    problems.push("adminKey (DIALYARD_ADMIN_KEY): production needs a key of 16 characters or more");
  }
  if (mode === "production" && values["egressGuard"] === false) {
    problems.push(
      "egressGuard (DIALYARD_EGRESS_GUARD): stays on in production; " +
        "DIALYARD_EGRESS_ALLOW names the networks that may be reached",
    );
  }
  if ((values["adminUser"] === "") !== (values["adminPassword"] === ""))
    problems.push("DIALYARD_ADMIN_USER and DIALYARD_ADMIN_PASSWORD go together");
  if (values["redisUrl"] !== "" && values["databaseUrl"] === "") warnOfScope(channels, warnings);
  if (problems.length > 0) return { type: "invalid", problems };
  return { type: "ok", config: { ...values, channels, apps } as unknown as Config, warnings };
}

/** Redis alone keeps no counts; SQLite alone is of one process, which is all the nodes. */
function warnOfScope(channels: readonly ChannelConfig[], warnings: string[]): void {
  for (const { name, requestsPerMinuteScope } of channels) {
    if (requestsPerMinuteScope !== "cluster") continue;
    warnings.push(
      `channel ${name}: requestsPerMinuteScope cluster needs DATABASE_URL; ` +
        "each node counts for itself",
    );
  }
}

/** As the environment would say it; a value of the wrong kind fails its rule as "?". */
function readGiven(env: string | undefined, file: unknown): string | undefined {
  if (env !== undefined && env !== "") return env;
  if (file === undefined) return undefined;
  if (Array.isArray(file)) return file.join(",");
  return ["string", "number", "boolean"].includes(typeof file) ? `${file as string}` : "?";
}

function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return "text" in value ? value.text : (value as List).items;
}

/** What is in force, one "name = value" a line, secrets masked. For `dialyard config`. */
export function describeConfig(config: Config): string {
  const lines = Object.entries<Setting<unknown>>(SETTINGS).map(([name, setting]) => {
    const value: unknown = config[name as SettingName];
    const shown = setting.isSecret
      ? value === ""
        ? "(not set)"
        : "(set)"
      : Array.isArray(value)
        ? value.join(",")
        : String(value);
    return `${setting.env.padEnd(24)} ${shown.padEnd(20)} ${setting.help}`;
  });
  const channels = config.channels.map((channel) => {
    const paths = channel.isPathSecret
      ? channel.paths.map((path) => path.replace(/[^/]+$/, "***"))
      : channel.paths;
    const perMinute = channel.requestsPerMinuteMax;
    const scope = channel.requestsPerMinuteScope === "cluster" ? " over all nodes" : "";
    const facts = [
      channel.codec.name,
      `${channel.turnBudgetMs} ms`,
      `${channel.screenOctetsMax} octets`,
      ...(perMinute === 0 ? [] : [`${perMinute} requests a minute and address${scope}`]),
    ];
    const where = channel.smpp?.address ?? paths.join(" ");
    return `channel ${channel.name.padEnd(16)} ${facts.join(", ")}: ${where}`;
  });
  const apps = config.apps.map(
    ({ serviceCode, app }) => `app ${serviceCode.padEnd(20)} ${app.name}`,
  );
  const all = [`mode                     ${config.mode}`, ...lines, "", ...channels, ...apps];
  return all.join("\n");
}

/** The settings as a reference: for `--help` and docs/configuration.md. */
export function describeSettings(): readonly {
  readonly env: string;
  readonly name: string;
  readonly expects: string;
  readonly development: string;
  readonly production: string;
  readonly help: string;
}[] {
  return Object.entries<Setting<unknown>>(SETTINGS).map(([name, setting]) => {
    const shown = (mode: Mode) => String(plain(setting.default(mode)));
    return {
      env: setting.env,
      name,
      expects: setting.rule.expects,
      development: shown("development"),
      production: shown("production"),
      help: setting.help,
    };
  });
}
