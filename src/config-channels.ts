/** Channels as a configuration file describes them, and what is on without one. Pure. */
import { codecNames, createCodec } from "./codecs/index.ts";
import { isHttpUrl, isNetwork, isPrintable } from "./config-rules.ts";
import { parseSmpp, type SmppFile, type SmppLink } from "./config-smpp.ts";
import type { Codec } from "./types.ts";

export type Mode = "development" | "production";

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
  /** Whether that is of each node, the default, or of all nodes together. */
  readonly requestsPerMinuteScope?: "node" | "cluster";
  /** Lists live sessions and their state at GET PATH/sessions and PATH/debug/ID. */
  readonly debugPath?: string;
  /**
   * Where the network takes what we send of our own accord: screens, for protocols that acknowledge
   * first and push then, and dialogues that we open.
   */
  readonly pushUrl?: string;
  /** Where the SMSC is, for the protocols that are spoken over a link of our own. */
  readonly smpp?: SmppFile;
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
  readonly requestsPerMinuteScope: "node" | "cluster";
  readonly debugPath: string | undefined;
  readonly pushUrl: string | undefined;
  /** A link that we keep up, instead of doors on the HTTP server. */
  readonly smpp: SmppLink | undefined;
};
/** Channels that are on without any configuration. */
export const DEFAULT_CHANNELS: Readonly<Record<Mode, Readonly<Record<string, ChannelFile>>>> = {
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
/** Where the documents put a protocol's door; taken by the channel that is named after it. */
const DOCUMENTED: Readonly<Record<string, { readonly path: string; readonly debugPath?: string }>> =
  {
    africastalking: { path: "/api/v1/ussd" },
    ixo: { path: "/api/ussd", debugPath: "/api/ussd" },
  };

const TURN_BUDGET_MS = 20_000; // RELIABILITY 1: where the network's owner names no patience
const SCREEN_OCTETS = 160; // 3GPP TS 23.038 §6.1.2.3

const CHANNEL_NAME = /^[a-z][a-z0-9-]{0,31}$/;
const PATH = /^(\/[A-Za-z0-9._~-]{1,64}){1,8}$/;
/** Paths of the management API, operations and documentation. */
const OURS = new RegExp(
  "^/(?:backends|metrics|health|ready|docs|console|phone" +
    "|api/v1/(?:sessions|events|channels|codes|nodes|push|phone))(?:/|$)",
);
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
  "requestsPerMinuteScope",
  "debugPath",
  "pushUrl",
  "smpp",
] as const satisfies readonly (keyof ChannelFile)[];

export function parseChannels(
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
    for (const other of channels) {
      const path = doorsOf(channel).find((door) => doorsOf(other).includes(door));
      if (path === undefined) continue;
      problems.push(`channels.${name}: path ${path} is taken by channel ${other.name}`);
    }
    const isOpen =
      channel.paths.length > 0 &&
      !channel.allow &&
      !channel.secretHeader &&
      !channel.isPathSecret &&
      !channel.signingSecret;
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

/** Every path at which a channel answers. */
function doorsOf({ paths, debugPath }: ChannelConfig): readonly string[] {
  const debug = debugPath === undefined ? [] : [`${debugPath}/sessions`, `${debugPath}/debug`];
  return [...paths, ...paths.map((path) => `${path}/events`), ...debug];
}

/** What is wrong with the secrets of a channel: one that is empty or undefined is an open door. */
function checkSecrets(file: ChannelFile, problem: (text: string) => void): void {
  for (const key of ["secretPath", "secretHeader", "signingSecret"] as const) {
    if (key in file && file[key] === undefined) problem(`${key} is undefined`);
  }
  const { secretPath, secretHeader, signingSecret } = file;
  if (secretPath !== undefined && !/^[A-Za-z0-9_-]{16,128}$/.test(secretPath)) {
    problem("secretPath must be 16 to 128 letters, digits, _ or -");
  }
  if (secretHeader !== undefined) {
    if (!/^[A-Za-z0-9-]{1,64}$/.test(secretHeader.name))
      problem("secretHeader.name is no header name");
    if (!isPrintable(secretHeader.value, 16, 512)) {
      problem("secretHeader.value must be 16 to 512 printable characters without spaces");
    }
  }
  if (signingSecret !== undefined && !isPrintable(signingSecret, 22, 512)) {
    problem("signingSecret must be 22 to 512 printable characters without spaces");
  }
}

function inLowerCase({ name, value }: NonNullable<ChannelFile["secretHeader"]>) {
  return { name: name.toLowerCase(), value };
}

/** A protocol has doors on the HTTP server or a link of ours, and answers there or pushes. */
function checkLink(codec: Codec, file: ChannelFile, problem: (text: string) => void): void {
  const { smpp, paths, protocol, pushUrl } = file;
  const { overLink, pushes, initiate } = codec;
  if (pushes && pushUrl === undefined)
    problem("pushUrl is missing: where the network takes the screens that answer its requests");
  if (pushUrl !== undefined && !pushes && (!initiate || overLink))
    problem(`protocol ${protocol} answers in its response: pushUrl means nothing to it`);
  if (pushUrl !== undefined && !isHttpUrl(pushUrl)) problem("pushUrl is no http or https URL");
  if (overLink && smpp === undefined)
    problem("smpp is missing: host, port, systemId and password of the SMSC");
  if (overLink && paths !== undefined) problem("paths mean nothing to a channel on a link");
  if (!overLink && smpp !== undefined)
    problem(`protocol ${protocol} is spoken over HTTP: smpp means nothing to it`);
}

function scopeOf(file: ChannelFile, problem: (text: string) => void): "node" | "cluster" {
  const { requestsPerMinuteScope: scope = "node" } = file;
  if (!["node", "cluster"].includes(scope))
    problem("requestsPerMinuteScope must be node or cluster");
  return scope;
}

function parseChannel(
  name: string,
  file: ChannelFile,
  problem: (text: string) => void,
  mode: Mode,
): ChannelConfig | undefined {
  if (!CHANNEL_NAME.test(name))
    problem("a name is small letters, digits and hyphens, a letter first, at most 32");
  if (typeof file !== "object" || file === null) {
    problem("must be an object");
    return undefined;
  }
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
  checkLink(codec, file, problem);
  const bases = codec.overLink
    ? []
    : [`/ussd/${name}/callback`, ...(documented ? [documented.path] : []), ...(file.paths ?? [])];
  const debugPath = file.debugPath ?? documented?.debugPath;
  for (const path of [...bases, ...(debugPath === undefined ? [] : [debugPath])]) {
    if (!PATH.test(path)) problem(`path ${path} must be like /ussd/name`);
    if (OURS.test(path)) problem(`path ${path} is the gateway's own`);
  }
  checkSecrets(file, problem);
  for (const network of file.allow ?? [])
    if (!isNetwork(network)) problem(`allow: ${network} is not an address or CIDR block`);
  return {
    name,
    codec,
    options: file.options ?? {},
    provider: file.provider ?? name,
    paths: bases.map((path) =>
      file.secretPath === undefined ? path : `${path}/${file.secretPath}`,
    ),
    allow: file.allow,
    secretHeader: file.secretHeader && inLowerCase(file.secretHeader),
    isPathSecret: file.secretPath !== undefined,
    signingSecret: file.signingSecret,
    turnBudgetMs: within("turnBudgetMs", 1_000, 120_000, codec.patienceMs ?? TURN_BUDGET_MS),
    screenOctetsMax: within("screenOctetsMax", 40, 1_600, codec.screenOctetsMax ?? SCREEN_OCTETS),
    transliterate: file.transliterate ?? false,
    requestsPerMinuteMax: within(
      "requestsPerMinuteMax",
      0,
      1_000_000,
      codec.requestsPerMinuteMax ?? 0,
    ),
    requestsPerMinuteScope: scopeOf(file, problem),
    debugPath,
    pushUrl: file.pushUrl,
    smpp: file.smpp && parseSmpp(file.smpp, problem),
  };
}
