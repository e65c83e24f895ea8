/**
 * Any protocol in, any protocol out: each of the four in front of each of the four carries a
 * session with a typed "*", an empty answer, a screen of 200 characters and a "ê".
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { networks, register, startApp, type App, type AppTurn } from "./support/phones.ts";

const FIRST = "Olá, você\n1. Saldo";
const LONG = `Extract\n${Array.from({ length: 24 }, (_, line) => `${line + 10}. 1,00`).join("\n")}`
  .padEnd(200, "x")
  .slice(0, 200);
const LAST = "Até já";

const answers = [
  { screen: FIRST, end: false },
  { screen: LONG, end: false },
  { screen: LAST, end: true },
];

/** What an application of each protocol hears on the dial, on "a*ê" and on the empty answer. */
const heardBy: Readonly<Record<string, (code: string) => readonly string[]>> = {
  ola: () => ["", "a*ê", ""],
  kairos: (code) => [code, "a*ê", ""],
  africastalking: () => ["", "a*ê", "a*ê*"],
  ixo: () => ["", "a*ê", "a*ê*"],
};

describe("any protocol in, any protocol out", () => {
  let gateway: StartedGateway;
  const apps = new Map<string, { app: App; code: string }>();
  before(async () => {
    gateway = await startGateway({ env: { DIALYARD_DEMO: "0" } });
    for (const [index, protocol] of Object.keys(networks).entries()) {
      const app = await startApp(
        protocol,
        (_, nth) => answers[nth] ?? { screen: "too many", end: true },
      );
      const code = `*70${index}#`;
      await register(gateway.url, { service_code: code, callback_url: app.url, protocol });
      apps.set(protocol, { app, code });
    }
  });
  after(async () => {
    await gateway.stop();
    for (const { app } of apps.values()) await app.close();
  });

  for (const [inbound, network] of Object.entries(networks)) {
    for (const outbound of Object.keys(networks)) {
      test(`${inbound} in, ${outbound} out`, async () => {
        const target = apps.get(outbound);
        assert.ok(target);
        const { app, code } = target;
        const msisdn = "258823456789";
        const before = app.heard.length;
        const phone = network(gateway.url, msisdn, `pair-${inbound}-${outbound}`);

        assert.deepEqual(await phone.dial(code), { status: 200, screen: FIRST, isEnd: false });

        const page1 = await phone.type("a*ê");
        assert.equal(page1.isEnd, false);
        assert.ok(page1.screen.endsWith("98. More"), "a screen of 200 characters comes in pages");
        assert.ok(page1.screen.length <= 182);
        const page2 = await phone.type("98");
        assert.ok(page2.screen.endsWith("0. Back"));
        const shown =
          page1.screen.replace(/\n98\. More$/, "") + page2.screen.replace(/\n0\. Back$/, "");
        assert.equal(
          shown.replaceAll(/\s/g, ""),
          LONG.replaceAll(/\s/g, ""),
          "and nothing of it is lost",
        );

        assert.deepEqual(await phone.type(""), { status: 200, screen: LAST, isEnd: true });

        const heard: readonly AppTurn[] = app.heard.slice(before);
        assert.deepEqual(
          heard.map(({ said }) => said),
          heardBy[outbound]?.(code),
        );
        assert.deepEqual(new Set(heard.map((turn) => turn.msisdn)), new Set([msisdn]));
        assert.equal(
          new Set(heard.map(({ sessionId }) => sessionId)).size,
          1,
          "one session id for all turns",
        );
      });
    }
  }
});
