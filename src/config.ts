/**
 * Configuration: one schema with default, rule and help; every problem reported at once. Pure:
 * main.ts hands in the environment and the configuration file's value.
 *
 * The environment wins over the file. Channels are described in the file only.
 */
import { codecNames, createCodec } from "./codecs/index.ts";
import type { Language } from "./core/failure.ts";
import {
  EMPTY,
  flag,
  integer,
  NETWORK,
  networkPorts,
  networks,
  NONE,
  oneOf,
  text,
  type List,
  type Rule,
  type Text,
} from "./config-rules.ts";
import type { Codec } from "./types.ts";

export type Mode = "development" | "production";

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
    rule: text(16, 256),
    help: "bearer key of the management API; needed in production",
    isSecret: true,
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
  retentionDays: {
    env: "RETENTION_DAYS",
    default: () => 30,
    rule: integer(1, 3_650),
    help: "sessions and their turns are deleted after so many days",
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
} & { readonly channels?: Readonly<Record<string, ChannelFile>> };
export type ChannelFile = {
  /** Codec: "kairos", "africastalking", … */
  readonly protocol: string;
  /** What OLA backends are told as `provider`; default: the channel's name. */
  readonly provider?: string;
  /** Further paths besides /ussd/NAME/callback. */
  readonly paths?: readonly string[];
  /** Options of the codec, as its documentation lists them. */
  readonly options?: Readonly<Record<string, string>>;
  /** Networks that may call. */
  readonly allow?: readonly string[];
  /** The last segment of every path of the channel. */
  readonly secretPath?: string;
  /** Wanted in this header. */
  readonly secretHeader?: { readonly name: string; readonly value: string };
  /** Requests carry a Standard Webhooks signature made with this secret. */
  readonly signingSecret?: string;
  readonly turnBudgetMs?: number;
  readonly screenOctetsMax?: number;
  readonly transliterate?: boolean;
  /** Requests a minute and client address; 0 is no limit. */
  readonly requestsPerMinuteMax?: number;
  /** Lists live sessions and their state at GET PATH/sessions and PATH/debug/ID. */
  readonly debugPath?: string;
};

export type ChannelConfig = {
  readonly name: string;
  readonly codec: Codec;
  readonly options: Readonly<Record<string, string>>;
  readonly provider: string;
  readonly paths: readonly string[];
  readonly allow: readonly string[] | undefined;
  readonly secretHeader: ChannelFile["secretHeader"];
  readonly isPathSecret: boolean;
  readonly signingSecret: string | undefined;
  readonly turnBudgetMs: number;
  readonly screenOctetsMax: number;
  readonly transliterate: boolean;
  readonly requestsPerMinuteMax: number;
  readonly debugPath: string | undefined;
};
export type Config = { readonly mode: Mode } & {
  readonly [Name in SettingName]: Plain<ReturnType<(typeof SETTINGS)[Name]["default"]>, Name>;
} & { readonly channels: readonly ChannelConfig[] };
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

/** Channels that are on without any configuration. */
const DEFAULT_CHANNELS: Readonly<Record<Mode, Readonly<Record<string, ChannelFile>>>> = {
  development: {
    test: { protocol: "ola", options: { door: "true" } },
    africastalking: { protocol: "africastalking" },
    ixo: { protocol: "ixo" },
    kairos: { protocol: "kairos" },
  },
  production: {
    africastalking: { protocol: "africastalking" },
    ixo: { protocol: "ixo" },
    kairos: { protocol: "kairos" },
  },
};
/** What a backend speaks unless its registration says otherwise (OLA management API). */
export const PROTOCOL_DEFAULT = "ola";
/** Where the documents put a protocol's door; taken by the channel that is named after it. */
const DOCUMENTED: Readonly<Record<string, { readonly path: string; readonly debugPath?: string }>> =
  {
    africastalking: { path: "/api/v1/ussd" },
    ixo: { path: "/api/ussd", debugPath: "/api/ussd" },
  };

const TURN_BUDGET_MS = 20_000; // RELIABILITY 1: where the network's owner names no patience
const SCREEN_OCTETS = 160; // 3GPP TS 23.038 §6.1.2.3

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
    if (!(name in SETTINGS) && name !== "channels")
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
  if (mode === "production" && values["adminKey"] === "") {
    problems.push("adminKey (DIALYARD_ADMIN_KEY): production needs a key of 16 characters or more");
  }
  if (problems.length > 0) return { type: "invalid", problems };
  return { type: "ok", config: { ...values, channels } as unknown as Config, warnings };
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

const CHANNEL_NAME = /^[a-z][a-z0-9-]{0,31}$/;
const PATH = /^(\/[A-Za-z0-9._~-]{1,64}){1,8}$/;
const CHANNEL_KEYS = [
  "protocol",
  "provider",
  "paths",
  "options",
  "allow",
  "secretPath",
  "secretHeader",
  "signingSecret",
  "turnBudgetMs",
  "screenOctetsMax",
  "transliterate",
  "requestsPerMinuteMax",
  "debugPath",
] as const satisfies readonly (keyof ChannelFile)[];

function parseChannels(
  files: Readonly<Record<string, ChannelFile | undefined>>,
  problems: string[],
  warnings: string[],
  mode: Mode,
): readonly ChannelConfig[] {
  const channels: ChannelConfig[] = [];
  for (const [name, file] of Object.entries(files)) {
    if (file === undefined) continue; // `test: undefined` in a file switches a default channel off
    const channel = parseChannel(
      name,
      file,
      (problem) => problems.push(`channels.${name}: ${problem}`),
      mode,
    );
    if (channel === undefined) continue;
    for (const path of channel.paths) {
      const taken = channels.find((other) => other.paths.includes(path));
      if (taken) problems.push(`channels.${name}: path ${path} is taken by channel ${taken.name}`);
    }
    const isOpen =
      !channel.allow && !channel.secretHeader && !channel.isPathSecret && !channel.signingSecret;
    if (mode === "production" && isOpen) {
      warnings.push(
        `channel ${name} takes requests from anybody: ` +
          "set allow, secretPath, secretHeader or signingSecret",
      );
    }
    channels.push(channel);
  }
  return channels;
}

function parseChannel(
  name: string,
  file: ChannelFile,
  problem: (text: string) => void,
  mode: Mode,
): ChannelConfig | undefined {
  if (!CHANNEL_NAME.test(name))
    problem("a name is small letters, digits and hyphens, a letter first, at most 32");
  for (const key of Object.keys(file)) {
    if (!(CHANNEL_KEYS as readonly string[]).includes(key))
      problem(`${key} is unknown; known: ${CHANNEL_KEYS.join(", ")}`);
  }
  if (!codecNames.includes(file.protocol)) {
    problem(`protocol must be one of ${codecNames.join(", ")}`);
    return undefined;
  }
  let codec: Codec;
  try {
    codec = createCodec(file.protocol, file.options ?? {});
  } catch (error) {
    problem(error instanceof Error ? error.message : String(error));
    return undefined;
  }
  if (mode === "production" && file.options?.["door"] === "true")
    problem("the test door does not exist in production");
  const within = (
    key: "turnBudgetMs" | "screenOctetsMax" | "requestsPerMinuteMax",
    min: number,
    max: number,
    fallback: number,
  ) => {
    const value = file[key] ?? fallback;
    if (!Number.isInteger(value) || value < min || value > max)
      problem(`${key} must be a whole number from ${min} to ${max}`);
    return value;
  };
  const documented = DOCUMENTED[name];
  const bases = [
    `/ussd/${name}/callback`,
    ...(documented ? [documented.path] : []),
    ...(file.paths ?? []),
  ];
  for (const path of bases) if (!PATH.test(path)) problem(`path ${path} must be like /ussd/name`);
  if (file.secretPath !== undefined && !/^[A-Za-z0-9_-]{16,128}$/.test(file.secretPath)) {
    problem("secretPath must be 16 to 128 letters, digits, _ or -");
  }
  for (const network of file.allow ?? [])
    if (!NETWORK.test(network)) problem(`allow: ${network} is not an address or CIDR block`);
  if (file.secretHeader !== undefined && !/^[A-Za-z0-9-]{1,64}$/.test(file.secretHeader.name))
    problem("secretHeader.name is no header name");
  return {
    name,
    codec,
    options: file.options ?? {},
    provider: file.provider ?? name,
    paths: bases.map((path) =>
      file.secretPath === undefined ? path : `${path}/${file.secretPath}`,
    ),
    allow: file.allow,
    secretHeader: file.secretHeader && {
      name: file.secretHeader.name.toLowerCase(),
      value: file.secretHeader.value,
    },
    isPathSecret: file.secretPath !== undefined,
    signingSecret: file.signingSecret,
    turnBudgetMs: within("turnBudgetMs", 1_000, 120_000, codec.patienceMs ?? TURN_BUDGET_MS),
    screenOctetsMax: within("screenOctetsMax", 40, 1_600, SCREEN_OCTETS),
    transliterate: file.transliterate ?? false,
    requestsPerMinuteMax: within(
      "requestsPerMinuteMax",
      0,
      1_000_000,
      codec.requestsPerMinuteMax ?? 0,
    ),
    debugPath: file.debugPath ?? documented?.debugPath,
  };
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
    const facts = [
      channel.codec.name,
      `${channel.turnBudgetMs} ms`,
      `${channel.screenOctetsMax} octets`,
      ...(perMinute === 0 ? [] : [`${perMinute} requests a minute and address`]),
    ];
    return `channel ${channel.name.padEnd(16)} ${facts.join(", ")}: ${paths.join(" ")}`;
  });
  return [`mode                     ${config.mode}`, ...lines, "", ...channels].join("\n");
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
