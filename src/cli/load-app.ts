/** Modules that export an application, as the command line and a configuration file name them. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { AppFile } from "../config.ts";

/** What a module exports: the app, and what its handlers are given where it says so. */
export type AppModule = Pick<AppFile, "context" | "locale" | "rememberLocale" | "onEvent"> & {
  readonly app: Exclude<AppFile["app"], string>;
};

/** `path` is seen from `folder`. Throws an Error for people. */
export async function loadApp(path: string, folder: string): Promise<AppModule> {
  const file = resolve(folder, path);
  if (!existsSync(file)) throw new Error(`no app at ${file}`);
  const loaded = (await import(pathToFileURL(file).href)) as Partial<AppModule>;
  const { app, context, locale, rememberLocale, onEvent } = loaded;
  if (typeof app !== "object" || app === null || typeof app.screens !== "object") {
    throw new Error(`${file} must export what u.app() gives: export const app = u.app({ … })`);
  }
  return {
    app,
    ...(context && { context }),
    ...(locale && { locale }),
    ...(rememberLocale && { rememberLocale }),
    ...(onEvent && { onEvent }),
  };
}

/** Apps named by their module become the apps themselves; what the file says of them wins. */
export async function loadApps(
  apps: readonly AppFile[],
  folder: string,
): Promise<readonly AppFile[]> {
  return Promise.all(
    apps.map(async (file) => {
      if (typeof file?.app !== "string") return file;
      const { app, ...exported } = await loadApp(file.app, folder);
      return { ...exported, ...file, app };
    }),
  );
}
