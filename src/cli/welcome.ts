/** What `dialyard dev` prints once it is ready: what to dial, and which page is where. */
import { existsSync } from "node:fs";
import type { Config } from "../config.ts";

export function welcome({ url, config, version }: Ready, demos: readonly DemoHint[]): string {
  const apps = config.apps.map(({ serviceCode, app: { name } }) => ({
    serviceCode,
    name,
    hint: "",
  }));
  const dialled = [...apps, ...demos];
  // In a checkout, and where the package is installed.
  const command = existsSync("bin/dialyard") ? "bin/dialyard" : "npx dialyard";
  const at = config.port === 8080 ? "" : ` --url ${url}`;
  const codes = dialled.map(({ serviceCode, name, hint }) =>
    `  ${serviceCode.padEnd(12)} ${name.padEnd(16)} ${hint}`.trimEnd(),
  );
  const channels = config.channels.map(
    ({ name, paths, smpp }) =>
      `  ${name.padEnd(16)} ${smpp?.address ?? `${url}${paths.at(-1) ?? ""}`}`,
  );
  return [
    "",
    `Dialyard ${version} is ready at ${url}`,
    "",
    ...(codes.length === 0 ? [] : ["Codes to dial", ...codes, ""]),
    "Channels: where a network's callback URL points",
    ...channels,
    "",
    `  ${"Phone".padEnd(16)} ${url}/phone`,
    `  ${"Console".padEnd(16)} ${url}/console`,
    `  ${"API docs".padEnd(16)} ${url}/docs`,
    `  ${"Backends".padEnd(16)} ${url}/backends`,
    `  ${"Sessions".padEnd(16)} ${url}/api/v1/sessions`,
    `  ${"Metrics".padEnd(16)} ${url}/metrics`,
    "",
    ...dialled
      .slice(0, 1)
      .flatMap(({ serviceCode }) => [
        `Dial from another terminal: ${command} dial '${serviceCode}'${at}`,
        "",
      ]),
  ].join("\n");
}
type DemoHint = { readonly serviceCode: string; readonly name: string; readonly hint: string };
type Ready = { readonly url: string; readonly config: Config; readonly version: string };
