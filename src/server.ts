/** Puts the parts together: configuration in, a listening gateway out. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { randomBytes, createHash } from "node:crypto";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { isUtf8 } from "node:buffer";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import fastify, { type FastifyError, type FastifyInstance } from "fastify";
import ipaddr from "ipaddr.js";
import proxyAddr from "@fastify/proxy-addr";
import type { IncomingMessage } from "node:http";
import { createAccess } from "./api/access.ts";
import { backendRoutes, tagOf } from "./api/backends.ts";
import { documentDoors } from "./api/docs.ts";
import { sessionRoutes } from "./api/sessions.ts";
import { systemRoutes } from "./api/system.ts";
import { createBackendCaller } from "./backend/call.ts";
import { addOwnAddress, createEgressPolicy, type EgressPolicy } from "./backend/egress.ts";
import { checkUrl, REFUSALS, resolveUrl } from "./backend/egress.ts";
import { createCodec } from "./codecs/index.ts";
import type { ChannelConfig, Config } from "./config.ts";
import { planAttempts } from "./core/attempts.ts";
import type { Gateway } from "./gateway.ts";
import { createEvents, turnEvent } from "./observe/events.ts";
import { errorFields, type Log } from "./observe/log.ts";
import { createMetrics } from "./observe/metrics.ts";
import { createRegistry, type Registry } from "./registry.ts";
import { createDigest, createSealer, randomIds } from "./stores/seal.ts";
import { sqliteStore } from "./stores/sqlite.ts";
import { createDoor, type Door } from "./transports/door.ts";
import { createHttpServer } from "./transports/http.ts";
import { createRateLimit } from "./transports/rate-limit.ts";
import type { BackendRow, Channel, Store } from "./types.ts";

export type Running = {
  readonly url: string;
  readonly registry: Registry;
  readonly config: Config;
  /** Readiness 503, then no new connections, then the turns in flight. True when all finished. */
  readonly drain: () => Promise<boolean>;
};

export async function startServer(config: Config, log: Log, version: string): Promise<Running> {
  const wallMs = () => Date.now();
  const nowMs = () => performance.now();
  const startedAtMs = wallMs();
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const keys = deriveKeys(await readSecretKey(config));
  const store = await sqliteStore({
    file: join(config.dataDir, "dialyard.db"),
    sealer: createSealer([keys.seal]),
    digest: createDigest(keys.lookup),
    synchronous: config.sqliteSync,
  });
  const report = (error: unknown) => log.error("unexpected_error", errorFields(error));
  const state = { isReady: false, isDraining: false };
  const policy = createEgressPolicy({
    isGuarded: config.egressGuard,
    allow: config.egressAllow.map((range) => range.replace("@", ":")),
  });
  const events = createEvents();
  const openBreakers = new Set<number>();
  const caller = createBackendCaller({
    policy,
    nowMs,
    wallMs,
    hooks: {
      breaker: ({ id }, isOpen) => {
        openBreakers[isOpen ? "add" : "delete"](id);
        log.warn(isOpen ? "breaker_opened" : "breaker_closed", { backend_id: id });
      },
      alarm: ({ id }, code, errorCode) => {
        log.error("backend_needs_mending", { backend_id: id, reason: code, ...(errorCode === undefined ? {} : { error_code: errorCode }) });
      },
    },
  });
  const forget = (id: number) => {
    openBreakers.delete(id);
    caller.forget(id);
  };
  const registry = await createRegistry({ store: store.backends, wallMs, onChange: forget, tagOf });
  const metrics = createMetrics({
    countLive: () => store.records.countLive(wallMs()),
    countOpenBreakers: () => openBreakers.size,
    isReady: () => state.isReady,
  });
  const flawsTold = new Set<string>();
  const gateway: Gateway = {
    routes: registry.routes,
    backendById: registry.byId,
    store: store.sessions,
    callBackend: (backend, turn, budget) => caller.call(backend, turn, budget),
    notifyBackend: (backend, turn) => {
      const notice = backend.codec.notice?.(turn, backend);
      if (notice !== undefined) caller.notify(backend, notice).catch(report);
    },
    observe(event) {
      log.turn(event);
      metrics.turn(event);
      if (events.isWatched()) events.publish(turnEvent(event, new Date(wallMs()).toISOString()));
      const { record, session } = event;
      if (record?.flaw !== undefined) tellFlawOnce(log, flawsTold, record.flaw, session?.backendId);
    },
    report,
    nowMs,
    wallMs,
    waitMs: (ms) => wait(ms),
    newSessionId: randomIds().newSessionId,
    digest: createDigest(keys.digest),
    language: config.language,
    sessionTtlMs: config.sessionTtlSeconds * 1000,
    turnsMax: config.sessionTurnsMax,
    secretPatterns: [],
  };
  const clientAddress = createClientAddress(config);
  const doors = new Map<string, Door>();
  for (const channel of config.channels) {
    const door = createDoor(doorOptions(channel, gateway, clientAddress, metrics.request, nowMs));
    for (const path of channel.paths) {
      doors.set(path, door);
      doors.set(`${path}/events`, door);
    }
  }
  const app = createApp((handler) => createHttpServer({ doors, isDraining: () => state.isDraining }, handler), report);
  await documentDoors(app, { config, version, swagger, swaggerUi });
  const access = createAccess({ adminKey: config.adminKey, clientAddress });
  await app.register(async (api) => {
    backendRoutes(api, {
      registry,
      access,
      checkUrl: (url) => findUrlProblem(url, policy),
      checkProtocol,
      warningOf: (row) => warningOf(row, config.channels),
    });
    sessionRoutes(api, { records: store.records, access, events, channels: config.channels, routes: registry.routes, wallMs });
    systemRoutes(api, { mode: config.mode, version, store, metrics, access, channels: config.channels, isReady: () => state.isReady, wallMs, startedAtMs });
  });
  const url = await app.listen({ port: config.port, host: config.host });
  const { port } = app.server.address() as AddressInfo;
  addOwnAddress(policy, `${config.host.includes(":") ? `[${config.host}]` : config.host}:${port}`);
  const sweeper = startSweeper(store, config, { wallMs, report, log });
  state.isReady = true;
  log.info("started", { port, mode: config.mode, version });

  return {
    url,
    registry,
    config,
    async drain() {
      state.isReady = false;
      state.isDraining = true;
      await wait(config.preStopMs);
      const closed = app.close().then(() => true);
      const finished = await Promise.race([closed, wait(config.drainSeconds * 1000, false, { ref: false })]);
      sweeper.stop();
      await caller.close();
      await store.close();
      log.info("stopped", { reason: finished ? "drained" : "drain time over" });
      return finished;
    },
  };
}

function createApp(serve: (handler: Parameters<typeof createHttpServer>[1]) => ReturnType<typeof createHttpServer>, report: (error: unknown) => void): FastifyInstance {
  const app = fastify({
    serverFactory: (handler) => serve(handler),
    bodyLimit: 16 * 1024, // RELIABILITY 2.6: a management body
    forceCloseConnections: "idle",
    exposeHeadRoutes: false,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false } },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
  });
  app.setSerializerCompiler(() => (body) => JSON.stringify(body));
  // The default parser turns invalid UTF-8 into U+FFFD without a word.
  const parseJson = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    if (!isUtf8(body)) return done(clientError("body is not valid UTF-8"));
    if (body.length === 0) return done(null, undefined);
    parseJson(request, body.toString("utf8"), done);
  });
  app.setErrorHandler((error: FastifyError, _, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) {
      report(error);
      return reply.code(500).send({ error: "internal_error", message: "Gateway internal error" });
    }
    if (status === 400) reply.header("connection", "close");
    return reply.code(status).send({ error: "invalid_request", message: messageOf(error) });
  });
  app.setNotFoundHandler((request, reply) => {
    return reply.code(404).send({ error: "not_found", message: `No ${request.method} here` });
  });
  return app;
}

function clientError(message: string): FastifyError {
  return Object.assign(new Error(message), { statusCode: 400, code: "DIALYARD_BAD_BODY" }) as FastifyError;
}

/** "body: unknown field admin" says more than ajv's own words, and quotes no value. */
function messageOf(error: FastifyError): string {
  const [first] = error.validation ?? [];
  if (first === undefined) return error.message;
  const place = `${error.validationContext ?? "request"}${first.instancePath.replaceAll("/", ".")}`;
  const extra = first.params["additionalProperty"];
  if (typeof extra === "string") return `${place}: unknown field ${extra.slice(0, 64)}`;
  const hint = place === "querystring.code" ? ' (in a URL write "#" as %23)' : "";
  return `${place} ${first.message ?? "is wrong"}${hint}`;
}

function checkProtocol(protocol: string, options: Readonly<Record<string, string>>): string | undefined {
  try {
    createCodec(protocol, options);
    return undefined;
  } catch (error) {
    return error instanceof Error ? `protocol_options: ${error.message}` : "protocol_options";
  }
}

async function findUrlProblem(text: string, policy: EgressPolicy): Promise<string | undefined> {
  const checked = checkUrl(text, policy);
  if (checked.type === "refused") return REFUSALS[checked.reason];
  const resolved = await resolveUrl(checked.url, policy);
  return resolved.type === "refused" ? REFUSALS[resolved.reason] : undefined;
}

/** RELIABILITY 1.4: a schedule that a channel's budget will cut is accepted, and said. */
function warningOf(row: BackendRow, channels: readonly ChannelConfig[]): string | undefined {
  const wanted = { timeoutMs: row.timeout * 1000, retries: row.retries };
  const cut = channels.flatMap(({ name, turnBudgetMs }) => {
    const { isCut, attempts } = planAttempts(wanted, turnBudgetMs);
    const of = `${attempts.length} of ${wanted.retries + 1} attempts`;
    return isCut ? [`${name} (${turnBudgetMs / 1000} s, ${of})`] : [];
  });
  return cut.length === 0 ? undefined : `a silent backend's schedule is cut by the turn budget of ${cut.join(", ")}`;
}

function doorOptions(
  config: ChannelConfig,
  gateway: Gateway,
  clientAddress: (request: IncomingMessage) => string,
  onRequest: Parameters<typeof createDoor>[0]["onRequest"],
  nowMs: () => number,
): Parameters<typeof createDoor>[0] {
  const { name, codec, provider, turnBudgetMs, screenOctetsMax, transliterate, requestsPerMinuteMax } = config;
  const channel: Channel = { name, codec, provider, turnBudgetMs, screenOctetsMax, transliterate };
  return {
    channel,
    gateway,
    allow: config.allow?.map(parseNetwork),
    secretHeader: config.secretHeader,
    signingSecret: config.signingSecret,
    rateLimit: requestsPerMinuteMax === 0 ? undefined : createRateLimit({ perMinuteMax: requestsPerMinuteMax, nowMs }),
    clientAddress,
    onRequest,
  };
}

function parseNetwork(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (text.includes("/")) return ipaddr.parseCIDR(text);
  const address = ipaddr.process(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

const PRIVATE_NETWORKS = ["loopback", "linklocal", "uniquelocal"];

/** The peer, or the nearest hop that is no trusted proxy where proxies are trusted. */
function createClientAddress({ trustProxyEnabled, trustProxy }: Config): (request: IncomingMessage) => string {
  if (!trustProxyEnabled && trustProxy.length === 0) return (request) => request.socket.remoteAddress ?? "";
  const trust = proxyAddr.compile(trustProxy.length === 0 ? PRIVATE_NETWORKS : [...trustProxy]);
  return (request) => proxyAddr(request, trust);
}

/** DIALYARD_SECRET_KEY, or a key made on the first start and kept beside the database. */
async function readSecretKey({ secretKey, dataDir }: Config): Promise<string> {
  if (secretKey !== "") return secretKey;
  const file = join(dataDir, "secret.key");
  try {
    await writeFile(file, `${randomBytes(32).toString("base64url")}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return (await readFile(file, "utf8")).trim();
}

/** One key for each use, so that none says anything of another. */
function deriveKeys(secret: string): { readonly seal: Buffer; readonly digest: Buffer; readonly lookup: Buffer } {
  const derive = (use: string) => createHash("sha256").update(`dialyard ${use}\n${secret}`).digest();
  return { seal: derive("seal"), digest: derive("digest"), lookup: derive("lookup") };
}

function tellFlawOnce(log: Log, told: Set<string>, flaw: string, backendId: number | undefined): void {
  const key = `${flaw} ${backendId ?? ""}`;
  if (told.has(key) || told.size > 1_000) return;
  told.add(key);
  log.warn("backend_flaw", { reason: flaw, ...(backendId === undefined ? {} : { backend_id: backendId }) });
}

const SWEEP_EVERY_MS = 5_000;
const DAY_MS = 86_400_000;

function startSweeper(
  store: Store,
  config: Config,
  { wallMs, report, log }: { wallMs: () => number; report: (error: unknown) => void; log: Log },
): { readonly stop: () => void } {
  let isSweeping = false;
  const timer = setInterval(() => {
    if (isSweeping) return;
    isSweeping = true;
    store.sessions
      .sweep(wallMs(), wallMs() - config.retentionDays * DAY_MS)
      .then((finished) => {
        for (const { id, channel, outcome } of finished) {
          if (outcome === "unknown") log.warn("turn_of_unknown_outcome", { session: id, channel });
        }
      })
      .catch(report)
      .finally(() => {
        isSweeping = false;
      });
  }, SWEEP_EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
