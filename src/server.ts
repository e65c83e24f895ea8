/** Puts the parts together: configuration in, a listening gateway out. */
import { mkdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { AppStore } from "./app/index.ts";
import { sealedAppStore } from "./app-stores/sealed.ts";
import { createApp } from "./api/app.ts";
import { tagOf } from "./api/backends.ts";
import { documentApi } from "./api/docs.ts";
import { createManagement } from "./api/management.ts";
import type { PushOptions } from "./api/push.ts";
import { apiRoutes } from "./api/routes.ts";
import { type AppCaller, createAppCaller } from "./backend/apps.ts";
import { type Answers, createAnswers } from "./backend/answers.ts";
import { createBackendCaller, type BackendCaller } from "./backend/call.ts";
import { createPassing } from "./backend/passing.ts";
import { createDeadlines } from "./backend/deadlines.ts";
import {
  addOwnAddress,
  createEgressPolicy,
  listenAddresses,
  type EgressPolicy,
} from "./backend/egress.ts";
import { codecs } from "./codecs/index.ts";
import type { ChannelConfig, Config } from "./config.ts";
import type { Routes } from "./core/route.ts";
import type { Gateway } from "./gateway.ts";
import { type Deliver, initiate } from "./initiate.ts";
import { errorFields, type Log } from "./observe/log.ts";
import { createBackendTimes } from "./observe/backend-times.ts";
import { createCalls } from "./observe/calls.ts";
import { createExchanges, keepingTurns } from "./observe/exchanges.ts";
import { createMetrics, type ShareMetrics } from "./observe/metrics.ts";
import { type OwnNode, startNode } from "./observe/node.ts";
import { createObserver } from "./observe/observer.ts";
import { createRejects } from "./observe/rejects.ts";
import { createRegistry, type Registry } from "./registry.ts";
import { type Keys, openStore } from "./open-store.ts";
import { registerApps } from "./register-apps.ts";
import type { RedisTold } from "./stores/redis.ts";
import { createSettings, type Settings } from "./settings.ts";
import { createDigest, createKeys, createSealer, randomIds, type Digest } from "./stores/seal.ts";
import { deriveKeys, readSecretKey } from "./stores/secret-key.ts";
import type { ManagedStore } from "./stores/sql-management.ts";
import { startSweeper } from "./stores/sweeper.ts";
import { BACKLOG } from "./transports/accept-queue.ts";
import { channelOf, createClientAddress, createDoors } from "./transports/channels.ts";
import type { DoorOutcome } from "./transports/door.ts";
import { createHttpServer, stopAccepting } from "./transports/http.ts";
import { startLinks } from "./transports/links.ts";
import { watchStandstill } from "./transports/standstill.ts";
import type { Store, Turn } from "./types.ts";

export type Running = {
  readonly url: string;
  readonly registry: Registry;
  readonly config: Config;
  /** Readiness 503, then no new connections, then the turns in flight. True when all finished. */
  readonly drain: () => Promise<boolean>;
};

const wallMs = () => Date.now();
const nowMs = () => performance.now();

/** What a worker of several on one port leaves to others. */
export type Shared = {
  readonly ownsLinks: boolean;
  readonly shareMetrics: ShareMetrics;
};

export async function startServer(config: Config, log: Log, version: string, shared?: Shared) {
  const report = (error: unknown) => log.error("unexpected_error", errorFields(error));
  const state = { isReady: false, isDraining: false };
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const keys = deriveKeys(await readSecretKey(config));
  const digest = createDigest(keys.digest);
  const lostRecords = { dropped: 0, lost: 0 };
  const store = await openStore(config, keys, report, redisTold(log, lostRecords));
  const policy = createPolicy(config);
  const openBreakers = new Set<number>();
  const parties = { routes: () => registry.routes, caller: () => caller, pass: () => node.pass };
  const { answers, take, hear: onPassed } = createAnswering(keys, parties, report);
  const caller = createCaller(policy, answers, log, openBreakers);
  const registry = await createRegistry({
    store: store.backends,
    wallMs,
    tagOf,
    onChange(id) {
      openBreakers.delete(id);
      caller.forget(id);
    },
  });
  const { settings, unwatch } = await readSettings(store, registry, config, report);
  const node = await startNode({
    ...{ version, cluster: store.cluster, openBreakers, wallMs, nowMs, report, onPassed },
  });
  const { events } = node;
  const metrics = createMetrics({
    countLive: () => store.records.countLive(wallMs()),
    countOpenBreakers: () => openBreakers.size,
    ...(store.undrained !== undefined && { countUndrained: store.undrained, lostRecords }),
    isReady: () => state.isReady,
    share: shared?.shareMetrics,
  });
  const times = createBackendTimes();
  const { countTurn, countRequests, pulse } = node;
  const observe = createObserver({ log, metrics, events, times, pulse, countTurn, wallMs });
  const apps = createApps(config, keys, report);
  await registerApps(registry, config.apps);
  const { cameAtMs, close: endWatch } = watchStandstill({ nowMs });
  const parts = { config, settings, registry, store, caller, apps, digest, observe, report };
  const gateway = createGateway({ ...parts, onShown: answers.shown, cameAtMs });
  const clientAddress = createClientAddress(config);
  const { channels } = config;
  const isDraining = () => state.isDraining;
  const calls = createCalls(wallMs);
  const rejects = createRejects(wallMs);
  const onRequest = (outcome: DoorOutcome) => {
    metrics.request(outcome);
    calls.note(outcome);
    rejects.note(outcome);
  };
  const { exchanges, takeTurn } = watchIn(config);
  const doors = createDoors(channels, {
    ...{ gateway, takeTurn, clientAddress, onRequest, isDraining, countRequests },
    ...{ answers: { take }, log },
  });
  // An SMSC takes one bind: that of the worker that owns the links.
  const linked = shared?.ownsLinks === false ? [] : channels;
  const links = startLinks(linked, { gateway, onRequest, isDraining, log });
  const app = createApp(
    (handler) => createHttpServer({ doors, isDraining, report, cameAtMs }, handler),
    report,
  );
  const manage = { config, settings, store: store.management, clientAddress, wallMs };
  const management = await createManagement(app, manage);
  await documentApi(app, config, version);
  const push = createPush(gateway, channels, new Map([...links.deliver, ...doors.deliver]));
  const isReady = () => state.isReady;
  const api = { config, version, registry, store, management, policy, node, metrics, gateway };
  const recent = { settings, exchanges, times, calls, rejects };
  await app.register(async (scope) =>
    apiRoutes(scope, { ...api, ...recent, push, isReady, wallMs }),
  );
  const url = await app.listen({ port: config.port, host: config.host, backlog: BACKLOG });
  const { port } = app.server.address() as AddressInfo;
  for (const own of listenAddresses(config.host, port)) addOwnAddress(policy, own);
  const sweeper = startSweeper({
    sessions: store.sessions,
    keepMs: () => settings.privacy().sessionDays * DAY_MS,
    wallMs,
    report,
    onFinished({ id, channel, outcome }) {
      pulse.finished(outcome);
      if (outcome === "unknown") log.warn("turn_of_unknown_outcome", { session: id, channel });
    },
  });
  state.isReady = true;
  log.info("started", { port, mode: config.mode, version });

  /** RELIABILITY 2.11. */
  async function drain(): Promise<boolean> {
    state.isReady = false;
    state.isDraining = true;
    await node.drain();
    await wait(config.preStopMs);
    // What comes to other nodes for a turn of this one is passed on by the line that events use.
    await untilNone(answers.count);
    await events.close();
    // Connections that went idle after the server closed would hold it up for their keep-alive.
    const unbound = links.close();
    await stopAccepting(app.server);
    const idle = setInterval(() => app.server.closeIdleConnections(), IDLE_CLOSED_EVERY_MS);
    const closed = Promise.all([app.close(), unbound])
      .then(() => doors.close())
      .then(() => true);
    const late = wait(config.drainSeconds * 1000, false, { ref: false });
    const isDrained = await Promise.race([closed, late]);
    clearInterval(idle);
    await sweeper.stop();
    await unwatch?.();
    if (isDrained) await Promise.all([caller.close(), apps.close()]);
    await node.leave();
    await store.close();
    endWatch();
    log.info("stopped", { reason: isDrained ? "drained" : "drain time over" });
    return isDrained;
  }
  return { url, registry, config, drain } satisfies Running;
}
const DAY_MS = 86_400_000;
const IDLE_CLOSED_EVERY_MS = 50;

/** Turns that wait for an answer to come to this port; others come while it is open. */
async function untilNone(count: () => number): Promise<void> {
  for (let ms = 0; ms < ANSWERS_MS_MAX && count() > 0; ms += IDLE_CLOSED_EVERY_MS)
    await wait(IDLE_CLOSED_EVERY_MS);
}
const ANSWERS_MS_MAX = 5_000;

/** Settings in force; what other nodes change of them and of backends is read as it is changed. */
async function readSettings(
  store: ManagedStore,
  registry: Registry,
  config: Config,
  report: (error: unknown) => void,
) {
  const settings = createSettings({ store: store.management.settings, config, wallMs });
  const unwatch = await store.watchBackends?.(() => {
    for (const changed of [registry, settings]) changed.refresh().catch(report);
  });
  await settings.refresh();
  return { settings, unwatch };
}

/** Raw exchanges may hold a PIN: they are kept for who develops, and nowhere else. */
function watchIn({ mode, channels }: Config) {
  if (mode !== "development") return { exchanges: undefined, takeTurn: undefined };
  const exchanges = createExchanges();
  const pathOf = (wanted: string) => channels.find(({ name }) => name === wanted)?.paths[0] ?? "";
  return { exchanges, takeTurn: keepingTurns(exchanges, pathOf) };
}

function createPush(
  gateway: Gateway,
  channels: readonly ChannelConfig[],
  deliver: ReadonlyMap<string, Deliver>,
): PushOptions["push"] {
  const byName = new Map(channels.map((config) => [config.name, channelOf(config)]));
  return async (name, push) => {
    const channel = byName.get(name);
    if (channel === undefined) throw new Error(`no channel ${name}`);
    return initiate(gateway, channel, deliver.get(name), push);
  };
}

/** What operators have to know of the way from Redis to SQL. */
function redisTold(log: Log, counts: { dropped: number; lost: number }): RedisTold {
  return {
    stalled: (error) => log.error("records_wait_in_redis", errorFields(error)),
    resumed: () => log.info("records_drain_again"),
    dropped(count) {
      counts.dropped += count;
      log.error("records_dropped", { count });
    },
    lost(count) {
      counts.lost += count;
      log.error("redis_lost_records", { count });
    },
    mayEvict: (reason) => log.warn("redis_may_evict_sessions", { reason }),
  };
}

function createApps(config: Config, keys: Keys, report: (error: unknown) => void): AppCaller {
  return createAppCaller({
    apps: new Map(config.apps.map(({ app, mounted }) => [app.name, { app, ...mounted }])),
    openStore: async () => sealedAppStore(await openAppStore(config, report), [keys.seal]),
    digest: createDigest(keys.digest),
    nowMs,
    wallMs,
    sessionTtlMs: config.sessionTtlSeconds * 1000,
    report,
  });
}

/** Sessions that subscribers resume with another dial: found by number, so kept by themselves. */
async function openAppStore(
  { databaseUrl: url, dataDir }: Config,
  report: (error: unknown) => void,
): Promise<AppStore> {
  if (url === "") {
    const { sqliteAppStore } = await import("./app-stores/sqlite.ts");
    return sqliteAppStore({ file: join(dataDir, "apps.db") });
  }
  const { postgresAppStore } = await import("./app-stores/postgres.ts");
  return postgresAppStore({ url, report });
}

function createPolicy({ egressGuard: isGuarded, egressAllow }: Config): EgressPolicy {
  return createEgressPolicy({
    isGuarded,
    allow: egressAllow.map((range) => range.replace("@", ":")),
  });
}

function createCaller(
  policy: EgressPolicy,
  answers: Answers,
  log: Log,
  openBreakers: Set<number>,
): BackendCaller {
  return createBackendCaller({
    policy,
    answers,
    nowMs,
    wallMs,
    hooks: {
      breaker({ id }, isOpen) {
        openBreakers[isOpen ? "add" : "delete"](id);
        log.warn(isOpen ? "breaker_opened" : "breaker_closed", { backend_id: id });
      },
      alarm({ id }, code, errorCode) {
        const cause = errorCode === undefined ? {} : { error_code: errorCode };
        log.error("backend_needs_mending", { backend_id: id, reason: code, ...cause });
      },
    },
  });
}

/** Answers that come as calls; `parties` are made after them. */
function createAnswering(
  keys: Keys,
  parties: {
    readonly routes: () => Routes;
    readonly caller: () => BackendCaller;
    readonly pass: () => OwnNode["pass"];
  },
  report: (error: unknown) => void,
) {
  const answers = createAnswers({
    backends: parties.routes,
    tell: (backend, notice) => void parties.caller().notify(backend, notice).catch(report),
    nowMs,
  });
  const passing = createPassing({
    answers,
    codecOf: (protocol) => codecs.find(({ name }) => name === protocol)?.create({}),
    say: parties.pass,
    sealer: createSealer([keys.seal]),
    newId: randomIds().newToken,
    nowMs,
    report,
  });
  return { answers, ...passing };
}

/** What a backend asked to be told again. */
function withMemo(turn: Turn, memo: string | undefined): Turn {
  return memo === undefined ? turn : { ...turn, memo };
}

function createGateway(parts: {
  readonly config: Config;
  readonly settings: Settings;
  readonly registry: Registry;
  readonly store: Store;
  readonly caller: BackendCaller;
  readonly apps: AppCaller;
  readonly digest: Digest;
  readonly observe: Gateway["observe"];
  readonly report: Gateway["report"];
  readonly onShown: (sessionId: string) => void;
  readonly cameAtMs: Gateway["cameAtMs"];
}): Gateway {
  const { config, settings, registry, store, caller, apps, digest, observe, report } = parts;
  return {
    routes: registry.routes,
    backendById: registry.byId,
    store: store.sessions,
    callBackend: (backend, turn, budget, kept) =>
      backend.app === undefined
        ? caller.call(backend, withMemo(turn, kept.appState), budget)
        : apps.call(backend, turn, budget, kept),
    notifyBackend(backend, turn, appState) {
      if (backend.app !== undefined) return apps.notify(backend, turn, appState);
      const notice = backend.codec.notice?.(withMemo(turn, appState), backend);
      if (notice !== undefined) caller.notify(backend, notice).catch(report);
    },
    onShown: parts.onShown,
    observe,
    report,
    nowMs,
    cameAtMs: parts.cameAtMs,
    wallMs,
    waitMs: (ms) => wait(ms),
    deadlines: createDeadlines({ nowMs }),
    newSessionId: randomIds().newSessionId,
    digest,
    keyOf: createKeys(digest),
    words: settings.words,
    sessionTtlMs: config.sessionTtlSeconds * 1000,
    turnsMax: config.sessionTurnsMax,
    secretPatterns: settings.secretPatterns,
  };
}
