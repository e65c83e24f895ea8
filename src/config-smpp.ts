/** The SMPP link of a channel, as a configuration file describes it. Pure. */
import { isPrintable } from "./config-rules.ts";
import { ALPHABETS, type Alphabet } from "./core/alphabets.ts";

export type SmppFile = {
  /** The SMSC's address. */
  readonly host: string;
  readonly port: number;
  readonly systemId: string;
  readonly password: string;
  readonly systemType?: string;
  readonly tls?: boolean;
  /** What the SMSC's default alphabet is. */
  readonly alphabet?: Alphabet;
  /** Submits at once without an answer. */
  readonly windowMax?: number;
  readonly submitsPerSecondMax?: number;
  /** Silence after which the SMSC is asked whether it is there. */
  readonly enquireSeconds?: number;
};
export type SmppLink = {
  /** "smpp://smsc.example:2775", for people. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
  readonly alphabet: Alphabet;
  readonly windowMax: number;
  readonly submitsPerSecondMax: number;
  readonly enquireMs: number;
};

const KEYS = [
  "host",
  "port",
  "systemId",
  "password",
  "systemType",
  "tls",
  "alphabet",
  "windowMax",
  "submitsPerSecondMax",
  "enquireSeconds",
] as const satisfies readonly (keyof SmppFile)[];

const HOST = /^[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?$/;
/** SMPP 3.4 §5.2.1-5.2.3: without the NUL at their end. */
const SYSTEM_ID_CHARS_MAX = 15;
const PASSWORD_CHARS_MAX = 8;
const SYSTEM_TYPE = /^[\x20-\x7e]{0,12}$/;

export function parseSmpp(file: SmppFile, problem: (text: string) => void): SmppLink {
  for (const key of Object.keys(file)) {
    if (!(KEYS as readonly string[]).includes(key))
      problem(`smpp.${key} is unknown; known: ${KEYS.join(", ")}`);
  }
  const { host, systemId, password, systemType = "", tls = false, alphabet = "gsm7" } = file;
  const within = (
    key: "port" | "windowMax" | "submitsPerSecondMax" | "enquireSeconds",
    max: number,
    fallback?: number,
  ): number => {
    const value = file[key] ?? fallback ?? 0;
    if (!Number.isInteger(value) || value < 1 || value > max)
      problem(`smpp.${key} must be a whole number from 1 to ${max}`);
    return value;
  };
  if (typeof host !== "string" || !HOST.test(host)) problem("smpp.host is no host name");
  if (!isPrintable(systemId, 1, SYSTEM_ID_CHARS_MAX))
    problem(`smpp.systemId must be 1 to ${SYSTEM_ID_CHARS_MAX} printable characters`);
  if (!isPrintable(password, 1, PASSWORD_CHARS_MAX))
    problem(`smpp.password must be 1 to ${PASSWORD_CHARS_MAX} printable characters`);
  if (!SYSTEM_TYPE.test(systemType)) problem("smpp.systemType must be at most 12 characters");
  if (!ALPHABETS.includes(alphabet))
    problem(`smpp.alphabet must be one of ${ALPHABETS.join(", ")}`);
  return {
    address: `${tls ? "smpps" : "smpp"}://${host}:${file.port}`,
    ...{ host, systemId, password, systemType, alphabet },
    port: within("port", 65_535),
    isTls: tls,
    windowMax: within("windowMax", 1_000, 10),
    submitsPerSecondMax: within("submitsPerSecondMax", 10_000, 100),
    enquireMs: within("enquireSeconds", 3_600, 30) * 1_000,
  };
}
