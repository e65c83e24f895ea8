/** Apps in this process, as a configuration file names them. Pure: the apps are values. */
import type { App, AppTurn, ContextOption } from "./app/index.ts";
import type { AppEvent } from "./app/index.ts";
import { asServiceCode } from "./core/address.ts";
import type { Inbound, ServiceCode } from "./types.ts";

/** What a mount in the gateway takes besides the app, with the types of one app forgotten. */
export type AppFile = {
  readonly service_code: string;
  /** The app, or the path of a module that exports it as `app`. */
  readonly app: AnyApp | string;
  /** As operators read it; default: the app's own name. */
  readonly name?: string;
  /** Seconds that a turn of it may take; 5 by default. */
  readonly timeout?: number;
  readonly context?: (turn: AppTurn) => unknown;
  readonly locale?: (said: Inbound) => string | undefined;
  readonly rememberLocale?: (turn: AppTurn, locale: string) => void | Promise<void>;
  readonly onEvent?: (event: AppEvent) => void;
};
/** An app whose routes and context are its own affair. */
export type AnyApp = { readonly name: string; readonly screens: Readonly<Record<string, unknown>> };
export type AppConfig = {
  readonly serviceCode: ServiceCode;
  readonly name: string;
  readonly timeoutSeconds: number;
  readonly app: App<never, never>;
  readonly mounted: Pick<AppFile, "context" | "locale" | "rememberLocale" | "onEvent">;
};

const TIMEOUT_SECONDS = 5;
const TIMEOUT_SECONDS_MAX = 60;
const KEYS = [
  "service_code",
  "app",
  "name",
  "timeout",
  "context",
  "locale",
  "rememberLocale",
  "onEvent",
] as const satisfies readonly (keyof AppFile)[];

/**
 * An app for `apps` of a configuration file, its context checked against what the app wants.
 * @example
 * export const config = defineConfig({
 *   apps: [inGateway(bank, { service_code: "*365#", context: (turn) => ({ user: turn.msisdn }) })],
 * });
 */
export function inGateway<R, C>(
  app: App<R, C>,
  options: ContextOption<C> & Omit<AppFile, "app" | "context">,
): AppFile {
  return { ...options, app };
}

export function parseApps(files: unknown, problems: string[]): readonly AppConfig[] {
  if (files === undefined) return [];
  if (!Array.isArray(files)) {
    problems.push("apps: must be a list");
    return [];
  }
  const configs: AppConfig[] = [];
  for (const [index, file] of (files as readonly AppFile[]).entries()) {
    const problem = (text: string) => problems.push(`apps[${index}]: ${text}`);
    const config = parseApp(file, problem);
    if (config === undefined) continue;
    if (configs.some(({ serviceCode }) => serviceCode === config.serviceCode))
      problem(`service_code ${config.serviceCode} is taken by another app`);
    if (configs.some(({ app }) => app.name === config.app.name && app !== config.app))
      problem(`another app has the name "${config.app.name}"`);
    configs.push(config);
  }
  return configs;
}

function parseApp(file: AppFile, problem: (text: string) => void): AppConfig | undefined {
  if (typeof file !== "object" || file === null) {
    problem("must be { service_code, app }");
    return undefined;
  }
  for (const key of Object.keys(file)) {
    if (!(KEYS as readonly string[]).includes(key))
      problem(`${key} is unknown; known: ${KEYS.join(", ")}`);
  }
  const { app, timeout = TIMEOUT_SECONDS, context, locale, rememberLocale, onEvent } = file;
  const serviceCode = asServiceCode(String(file.service_code));
  if (serviceCode === undefined) problem("service_code must be like *365#");
  if (!Number.isInteger(timeout) || timeout < 1 || timeout > TIMEOUT_SECONDS_MAX)
    problem(`timeout must be 1 to ${TIMEOUT_SECONDS_MAX} seconds`);
  if (typeof app !== "object" || app === null || typeof app.screens !== "object") {
    problem("app must be what u.app() gives, or the path of a module that exports it as `app`");
    return undefined;
  }
  if (serviceCode === undefined) return undefined;
  return {
    serviceCode,
    name: file.name ?? app.name,
    timeoutSeconds: timeout,
    // What it was made with it is given back; in between the types are not needed.
    app: app as unknown as App<never, never>,
    mounted: {
      ...(context && { context }),
      ...(locale && { locale }),
      ...(rememberLocale && { rememberLocale }),
      ...(onEvent && { onEvent }),
    },
  };
}
