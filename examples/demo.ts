/** The examples as `npm start` of the gateway has them: real HTTP applications on loopback. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryAppStore, serveApp, type ServedApp } from "dialyard/app";
import { postgresAppStore } from "dialyard/stores/postgres";
import { redisAppStore } from "dialyard/stores/redis";
import { app as bank, context } from "./bank/app.ts";
import { serveBills, startBiller } from "./bills/serve.ts";
import { serveIxo } from "./ixo/serve.ts";
import { serveVoicepact } from "./voicepact/serve.ts";

export type DemoBackend = {
  readonly serviceCode: string;
  readonly name: string;
  readonly callbackUrl: string;
  /** The protocol to register it with. */
  readonly protocol: string;
  /** What to try, in one line. */
  readonly hint: string;
};
export type Demo = {
  readonly backends: readonly DemoBackend[];
  readonly close: () => Promise<void>;
};

const BANK_HINT = "2 sends money to 843456789; the PIN is 1234";

/** Starts them all at once; the bank on Redis and PostgreSQL where their URLs are given. */
export async function startDemo(
  servers: { readonly redisUrl?: string; readonly databaseUrl?: string } = {},
): Promise<Demo> {
  const folder = await mkdtemp(join(tmpdir(), "dialyard-demo-"));
  const biller = await startBiller();
  const started: (DemoBackend & { readonly served: ServedApp })[] = await Promise.all([
    demo("*365#", "Demo bank", "ola", BANK_HINT, serveBank(memoryAppStore())),
    demo(
      ...(["*105#", "Demo bills", "ola"] as const),
      "1, then account 12345678 to pay, 12340000 for none, 12999999 for too much",
      serveBills(biller),
    ),
    demo(
      ...(["*384*1234#", "Demo VoicePact", "africastalking"] as const),
      "2, 1, 1 confirms the delivery of a contract",
      serveVoicepact(folder),
    ),
    demo("*1234#", "Demo IXO", "ixo", "1 is the information center, * leaves", serveIxo(undefined)),
    ...(servers.redisUrl === undefined
      ? []
      : [
          demo(
            ...(["*366#", "Demo bank, Redis", "ola", BANK_HINT] as const),
            redisAppStore({ url: servers.redisUrl }).then(serveBank),
          ),
        ]),
    ...(servers.databaseUrl === undefined
      ? []
      : [
          demo(
            ...(["*367#", "Demo bank, PostgreSQL", "ola", BANK_HINT] as const),
            postgresAppStore({ url: servers.databaseUrl }).then(serveBank),
          ),
        ]),
  ]);
  return {
    backends: started,
    async close() {
      biller.stop();
      await Promise.all(started.map(({ served }) => served.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function serveBank(store: Parameters<typeof serveApp>[1]["store"]): Promise<ServedApp> {
  return serveApp(bank, { protocol: "ola", store: store ?? memoryAppStore(), context });
}

const PATHS: Readonly<Record<string, string>> = {
  africastalking: "/api/v1/ussd/",
  ixo: "/api/ussd",
  ola: "/ussd/callback",
};

async function demo(
  serviceCode: string,
  name: string,
  protocol: string,
  hint: string,
  starting: Promise<ServedApp>,
) {
  const served = await starting;
  const callbackUrl = served.url + (PATHS[protocol] ?? "");
  return { serviceCode, name, callbackUrl, protocol, hint, served };
}
