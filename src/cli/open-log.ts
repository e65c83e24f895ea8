/** The log of a process: lines for a collector, or text for people. */
import pino from "pino";
import pinoPretty from "pino-pretty";
import type { Config } from "../config.ts";
import { createLog, type Log } from "../observe/log.ts";

export function openLog(config: Config): { readonly log: Log; readonly flush: () => void } {
  if (config.logFormat === "pretty") {
    const destination = pinoPretty({
      colorize: process.stdout.isTTY,
      translateTime: "SYS:HH:MM:ss.l",
      messageFormat: "{event}",
      ignore: "event",
      singleLine: true,
      sync: true,
    });
    return { log: createLog({ level: config.logLevel, destination }), flush: () => undefined };
  }
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: 8_192,
    periodicFlush: 500,
  });
  const flush = () => {
    try {
      destination.flushSync();
    } catch {
      // Nothing was open yet, so nothing waits.
    }
  };
  return { log: createLog({ level: config.logLevel, destination }), flush };
}
