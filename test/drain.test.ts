/** SIGTERM under load: nothing that was accepted is lost (RELIABILITY 2.11; fault matrix F60). */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { freePort, startGateway, type StartedGateway } from "./support/gateway.ts";
import { onlySessionOf, phoneOn, until } from "./support/operator.ts";
import { register, startApp, type Seen } from "./support/phones.ts";

const VIAS = ["africastalking", "ixo", "kairos"];
const configFile = `export const config = { channels: {
  ixo: { protocol: "ixo", requestsPerMinuteMax: 0 },
} };`;
const CODE = "*740#";

/** A gateway and a backend that takes its time; the folder outlives the gateway. */
async function open(context: TestContext, holdMs: number, env: Record<string, string> = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), "dialyard-drain-"));
  const app = await startApp("ola", async ({ said }, nth) => {
    await wait(holdMs, undefined, { ref: false });
    return { screen: `turn ${nth}: ${said}`, end: false };
  });
  context.after(async () => {
    await app.close();
    await rm(dataDir, { recursive: true });
  });
  const settings = { PORT: String(await freePort()), ...env };
  const start = async () => {
    const started = await startGateway({ dataDir, configFile, env: settings });
    context.after(() => started.kill("SIGKILL"));
    return started;
  };
  const gateway = await start();
  await register(gateway.url, {
    service_code: CODE,
    callback_url: app.url,
    timeout: 15,
    max_in_flight: 1_000,
  });
  return { gateway, app, start };
}

const readiness = async ({ url }: StartedGateway): Promise<number | undefined> => {
  const response = await fetch(`${url}/ready`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.status;
};
/** Well below the time that idle connections of networks are kept open. */
const EXIT_MS_MAX = 8_000;
const exitOf = ({ exited }: StartedGateway) =>
  Promise.race([exited, wait(EXIT_MS_MAX, "still running", { ref: false })]);

const msisdnOf = (index: number) => `2588500${String(10_000 + index)}`;

describe("SIGTERM", { concurrency: true }, () => {
  test("under load: /ready says 503 first, then every accepted turn is answered", async (context) => {
    const { gateway, app, start } = await open(context, 300, { PRE_STOP_MS: "2000" });
    const answered = new Map<string, number>();
    const lost: string[] = [];
    let isLeaving = false;
    const play = async (index: number): Promise<void> => {
      const msisdn = msisdnOf(index);
      const phone = phoneOn(VIAS[index % 3] ?? "", gateway.url, msisdn, `drain-${index}`);
      await wait(index * 5);
      // Like a load balancer: nothing is sent to a gateway that says it is not ready.
      for (let nth = 0; !isLeaving; nth++) {
        const sent = nth === 0 ? phone.dial(CODE) : phone.type(String(nth));
        const seen: Seen | Error = await sent.catch((error: unknown) => error as Error);
        if (seen instanceof Error || !seen.screen.startsWith(`turn ${nth}: `)) {
          lost.push(`${msisdn} turn ${nth}: ${JSON.stringify(seen)}`);
          return;
        }
        answered.set(msisdn, nth + 1);
      }
    };
    const playing = Array.from({ length: 60 }, (_, index) => play(index));
    await until("all are playing", () => answered.size === 60);
    gateway.kill("SIGTERM");
    await until("it says that it leaves", async () => (await readiness(gateway)) === 503, 1_800);
    isLeaving = true;
    await Promise.all(playing);
    assert.deepEqual(lost, []);
    assert.equal(await exitOf(gateway), 0);

    const total = [...answered.values()].reduce((sum, turns) => sum + turns, 0);
    assert.equal(app.heard.length, total, "no turn was asked twice");
    const again = await start();
    for (const [msisdn, turns] of answered) {
      const session = await onlySessionOf(again.url, msisdn);
      assert.deepEqual([session.turns, session.records.length], [turns, turns]);
    }
    const last = phoneOn("ixo", again.url, msisdnOf(60), "drain-after");
    assert.equal((await last.dial(CODE)).screen, "turn 0: ");
    assert.equal(await again.stop(), 0);
  });

  test("turns in flight get their screens after the door is shut", async (context) => {
    const { gateway, app } = await open(context, 1_500);
    const phones = Array.from({ length: 21 }, (_, index) =>
      phoneOn(VIAS[index % 3] ?? "", gateway.url, msisdnOf(100 + index), `flight-${index}`),
    );
    const dials = phones.map((phone) => phone.dial(CODE));
    await until("all are in flight", () => app.heard.length === phones.length);
    gateway.kill("SIGTERM");
    await until("it takes no new connection", async () => (await readiness(gateway)) === undefined);
    for (const seen of await Promise.all(dials)) {
      assert.deepEqual(seen, { status: 200, isEnd: false, screen: "turn 0: " });
    }
    assert.equal(await exitOf(gateway), 0);
  });

  test("a second SIGTERM ends it at once, with status 1", async (context) => {
    const { gateway, app } = await open(context, 8_000);
    const phone = phoneOn("kairos", gateway.url, msisdnOf(200), "twice-1");
    const dial = phone.dial(CODE).catch(() => "cut off");
    await until("a turn is in flight", () => app.heard.length === 1);
    gateway.kill("SIGTERM");
    await until("it takes no new connection", async () => (await readiness(gateway)) === undefined);
    const startedMs = performance.now();
    gateway.kill("SIGTERM");
    assert.equal(await exitOf(gateway), 1);
    assert.ok(performance.now() - startedMs < 1_500);
    assert.equal(await dial, "cut off");
  });

  test("turns that outlast DRAIN_SECONDS are left, with status 1", async (context) => {
    const { gateway, app } = await open(context, 8_000, { DRAIN_SECONDS: "1" });
    const phone = phoneOn("kairos", gateway.url, msisdnOf(300), "late-1");
    const dial = phone.dial(CODE).catch(() => "cut off");
    await until("a turn is in flight", () => app.heard.length === 1);
    const startedMs = performance.now();
    gateway.kill("SIGTERM");
    assert.equal(await exitOf(gateway), 1);
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs > 900 && tookMs < 3_000, `${tookMs} ms`);
    assert.equal(await dial, "cut off");
  });
});
