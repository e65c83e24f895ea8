/**
 * Logs: one wide event for each turn and little else. Fields are allow-listed: what is not named
 * here cannot be logged, however deep it hides (RELIABILITY 2.8: redaction by path leaks).
 */
import pino, { type DestinationStream, type Logger } from "pino";
import { maskMsisdn } from "../core/address.ts";
import { FAILURES } from "../core/failure.ts";
import type { TurnEvent } from "../gateway.ts";

/** Everything a log line may say beside its event; numbers and words of our own, no payloads. */
export type LogFields = {
  readonly channel?: string;
  readonly backend_id?: number;
  readonly session?: string;
  readonly reason?: string;
  readonly status?: number;
  readonly count?: number;
  readonly port?: number;
  readonly mode?: string;
  readonly version?: string;
  readonly error_name?: string;
  readonly error_code?: string;
  /** Where an unexpected error came from: its stack without its message. */
  readonly error_at?: string;
};
const FIELDS = [
  "channel",
  "backend_id",
  "session",
  "reason",
  "status",
  "count",
  "port",
  "mode",
  "version",
  "error_name",
  "error_code",
  "error_at",
] as const satisfies readonly (keyof LogFields)[];

export type Log = {
  readonly info: (event: string, fields?: LogFields) => void;
  readonly warn: (event: string, fields?: LogFields) => void;
  readonly error: (event: string, fields?: LogFields) => void;
  readonly turn: (event: TurnEvent) => void;
};

const LEVELS = { info: 30, warn: 40, error: 50 } as const;

export function createLog(options: {
  readonly level: string;
  readonly destination: DestinationStream;
}): Log {
  const { destination } = options;
  const logger: Logger = pino({ level: options.level, base: null }, destination);
  const say =
    (level: "info" | "warn" | "error") =>
    (event: string, fields: LogFields = {}) => {
      const allowed: Record<string, unknown> = { event };
      for (const name of FIELDS) if (fields[name] !== undefined) allowed[name] = fields[name];
      logger[level](allowed);
    };
  // One write for all turns of a tick: a write costs more than a line.
  let lines = "";
  const writeLines = () => {
    const written = lines;
    lines = "";
    destination.write(written);
  };
  return {
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    turn(event) {
      const level = LEVELS[levelOf(event)];
      if (level < logger.levelVal) return;
      // Built by hand: a pino call costs ten times this line (DESIGN §8). Everything in it is a
      // number, a word of ours or of the configuration, or made of [A-Za-z0-9_*#].
      if (lines === "") setImmediate(writeLines);
      lines += turnLine(event, level);
    },
  };
}

function levelOf({ outcome }: TurnEvent): "info" | "warn" | "error" {
  return outcome in FAILURES ? FAILURES[outcome as keyof typeof FAILURES].level : "info";
}

function turnLine(
  { channel, inbound, outcome, session, record, tookMs }: TurnEvent,
  level: number,
): string {
  const msisdn = inbound.msisdn ?? session?.msisdn;
  let line = `{"level":${level},"time":${Date.now()},"event":"turn","channel":"${channel.name}"`;
  line += `,"outcome":"${outcome}","ms":${tookMs.toFixed(1)}`;
  if (msisdn !== undefined) line += `,"msisdn":"${maskMsisdn(msisdn)}"`;
  if (session !== undefined) {
    line += `,"session":"${session.id}","turn":${session.turns},"ended":${String(session.ended)}`;
    if (session.serviceCode !== undefined) line += `,"code":"${session.serviceCode}"`;
  }
  if (record !== undefined) {
    line += `,"backend_ms":${record.backendMs},"attempts":${record.attempts.length}`;
    if (record.flaw !== undefined) line += `,"flaw":"${record.flaw}"`;
  }
  return `${line}}\n`;
}

/** What an unexpected error may say of itself: never its message, which may quote an input. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error_name: typeof error };
  const at = (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));
  const code = (error as NodeJS.ErrnoException).code;
  return {
    error_name: error.name,
    ...(typeof code === "string" ? { error_code: code } : {}),
    error_at: at
      .slice(0, 4)
      .map((line) => line.trim())
      .join(" | "),
  };
}
