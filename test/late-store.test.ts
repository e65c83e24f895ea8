/** A store that is there and says nothing: the subscriber reads something in time (F47, G5). */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startFaultProxy, type FaultProxy } from "../bench/chaos/fault-proxy.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { phoneOn, SCREENS } from "./support/operator.ts";
import { register, startApp, type App } from "./support/phones.ts";
import { noPostgres, startPostgres, type PostgresServer } from "./support/postgres-server.ts";

const BUDGET_MS = 2_000;
/** A statement gives up by itself after 5 s, and a client after 6: far beyond the budget. */
const LATE_MS = 4_500;

describe("a database that stalls", { skip: noPostgres }, () => {
  let server: PostgresServer | undefined;
  let proxy: FaultProxy | undefined;
  let gateway: StartedGateway | undefined;
  let app: App | undefined;
  let onCall: () => void = () => undefined;
  before(async () => {
    server = await startPostgres();
    const { port } = server;
    proxy = await startFaultProxy(() => port);
    const url = new URL(await server.newDatabase());
    url.port = String(proxy.port);
    app = await startApp("ola", ({ said }) => {
      onCall();
      return { screen: `heard ${said}`, end: false };
    });
    gateway = await startGateway({
      env: { DATABASE_URL: url.href },
      configFile: `export const config = { channels: {
        kairos: { protocol: "kairos", turnBudgetMs: ${BUDGET_MS} } } };`,
    });
    await register(gateway.url, { callback_url: app.url, service_code: "*730#" });
  });
  after(async () => {
    proxy?.flow();
    gateway?.kill("SIGKILL");
    await app?.close();
    await proxy?.close();
    await server?.stop();
  });

  test("before the turn is open, it is not sent, and the session goes on afterwards", async () => {
    const phone = phoneOn("kairos", gateway!.url, "258841000001", "late-1");
    assert.equal((await phone.dial("*730#")).screen, "heard ");
    proxy!.stall();
    const startMs = performance.now();
    const other = phoneOn("kairos", gateway!.url, "258841000003", "late-3");
    const [dialled, typed] = await Promise.all([other.dial("*730#"), phone.type("1")]);
    assert.ok(performance.now() - startMs < LATE_MS);
    assert.deepEqual([dialled.screen, dialled.isEnd], [SCREENS.notSent, true]);
    // It was not sent either, but nobody can know: it might have been heard before.
    assert.deepEqual([typed.screen, typed.isEnd], [SCREENS.maybeDone, true]);
    assert.deepEqual(
      app!.heard.map(({ said }) => said),
      [""],
    );
    proxy!.flow();
    // The lease that was taken after all is given back: nobody has to wait for it to lapse.
    await wait(300);
    assert.equal((await phone.type("2")).screen, "heard 2");
  });

  test("before the turn is settled, it is in doubt", async () => {
    const phone = phoneOn("kairos", gateway!.url, "258841000002", "late-2");
    await phone.dial("*730#");
    onCall = () => proxy!.stall();
    const startMs = performance.now();
    const seen = await phone.type("1");
    assert.ok(performance.now() - startMs < LATE_MS);
    assert.deepEqual([seen.screen, seen.isEnd], [SCREENS.maybeDone, true]);
    onCall = () => undefined;
    proxy!.flow();
  });
});
