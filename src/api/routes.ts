/** All routes of the API: what each needs of the gateway, handed on. */
import type { FastifyInstance } from "fastify";
import type { EgressPolicy } from "../backend/egress.ts";
import type { Config } from "../config.ts";
import type { Gateway } from "../gateway.ts";
import type { BackendTimes } from "../observe/backend-times.ts";
import type { Calls } from "../observe/calls.ts";
import type { Exchanges } from "../observe/exchanges.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { OwnNode } from "../observe/node.ts";
import type { Rejects } from "../observe/rejects.ts";
import type { Registry } from "../registry.ts";
import type { Settings } from "../settings.ts";
import type { ManagedStore } from "../stores/sql-management.ts";
import { backendHealthRoutes } from "./backend-health.ts";
import { backendRoutes } from "./backends.ts";
import { channelRoutes } from "./channels.ts";
import { disclosureRoutes } from "./disclosure.ts";
import { erasureRoutes } from "./erasures.ts";
import { factRoutes } from "./facts.ts";
import { insightRoutes } from "./insights.ts";
import type { createManagement } from "./management.ts";
import { nodeRoutes } from "./nodes.ts";
import { pageRoutes } from "./pages.ts";
import { phoneRoutes } from "./phone.ts";
import { privacyRoutes } from "./privacy.ts";
import { overviewRoutes } from "./overview.ts";
import { type PushOptions, pushRoutes } from "./push.ts";
import { findProtocolProblem, findUrlProblem, findWarning } from "./registration.ts";
import { sessionCsvRoutes } from "./session-csv.ts";
import { sessionRoutes } from "./sessions.ts";
import { systemRoutes } from "./system.ts";
import { textRoutes } from "./texts.ts";

export type Parts = {
  readonly config: Config;
  readonly version: string;
  readonly registry: Registry;
  readonly settings: Settings;
  readonly store: ManagedStore;
  readonly management: Awaited<ReturnType<typeof createManagement>>;
  readonly policy: EgressPolicy;
  readonly node: OwnNode;
  readonly metrics: Metrics;
  readonly times: BackendTimes;
  readonly calls: Calls;
  readonly rejects: Rejects;
  readonly gateway: Gateway;
  readonly exchanges: Exchanges | undefined;
  readonly push: PushOptions["push"];
  readonly isReady: () => boolean;
  readonly wallMs: () => number;
};

export function apiRoutes(api: FastifyInstance, parts: Parts): void {
  const { config, version, registry, store, management, policy, node, metrics, wallMs } = parts;
  const { channels, mode } = config;
  backendRoutes(api, {
    ...{ registry, noted: management.noted, checkProtocol: findProtocolProblem },
    checkUrl: (url) => findUrlProblem(url, policy),
    appNames: config.apps.map(({ app: { name } }) => name),
    warningOf: (row) => findWarning(row, channels),
  });
  backendHealthRoutes(api, { registry, times: parts.times, node });
  management.routes(api, registry);
  const { routes } = registry;
  const { events } = node;
  sessionRoutes(api, { records: store.records, events, routes, wallMs });
  const { calls, rejects } = parts;
  channelRoutes(api, { channels, routes, calls, rejects });
  nodeRoutes(api, node);
  overviewRoutes(api, { node, records: store.records, wallMs });
  phoneRoutes(api, { channels, gateway: parts.gateway, exchanges: parts.exchanges });
  pageRoutes(api);
  pushRoutes(api, { channels, push: parts.push });
  const { isReady } = parts;
  const { audit } = management;
  disclosureRoutes(api, { records: store.records, audit });
  sessionCsvRoutes(api, { records: store.records, audit, wallMs });
  insightRoutes(api, { records: store.records, wallMs });
  factRoutes(api, { config, version, store, startedAtMs: wallMs() });
  const { settings } = parts;
  textRoutes(api, { config, settings, audit });
  privacyRoutes(api, { config, settings, audit });
  const { erase } = store.management;
  erasureRoutes(api, { erase, records: store.records, audit, wallMs });
  const system = { mode, version, store, metrics, channels, isReady, wallMs };
  systemRoutes(api, { ...system, startedAtMs: wallMs() });
}
