/** Prometheus metrics. Labels come from closed lists: channels and outcomes, never a subscriber. */
import {
  Counter,
  Gauge,
  Registry,
  collectDefaultMetrics,
  type Metric,
  type MetricObjectWithValues,
  type MetricValue,
} from "prom-client";
import type { TurnEvent } from "../gateway.ts";
import type { DoorOutcome } from "../transports/door.ts";

export type Metrics = {
  readonly turn: (event: TurnEvent) => void;
  readonly request: (outcome: DoorOutcome) => void;
  readonly render: () => Promise<{ readonly type: string; readonly text: string }>;
};

/** As prom-client writes a registry for other processes. */
export type MetricsTold = readonly MetricObjectWithValues<MetricValue<string>>[];
/** Given what this process says, how all processes on its port say it together. */
export type ShareMetrics = (tell: () => Promise<MetricsTold>) => () => Promise<string>;

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

export function createMetrics(options: {
  readonly countLive: () => Promise<number>;
  readonly countOpenBreakers: () => number;
  readonly isReady: () => boolean;
  /** Where records wait in Redis for SQL. */
  readonly countUndrained?: () => Promise<number>;
  /** Where other workers share the port: given what this one says, how all of them say it. */
  readonly share?: ShareMetrics | undefined;
  readonly lostRecords?: { readonly dropped: number; readonly lost: number };
}): Metrics {
  const registry = new Registry();
  const render = options.share?.(() => registry.getMetricsAsJSON()) ?? (() => registry.metrics());
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const turns = createTally({
    name: "dialyard_turns_total",
    help: "Turns answered, by channel and outcome",
    labelNames: ["channel", "outcome"],
    registers,
  });
  const added = createTimes(
    registry,
    "dialyard_gateway_seconds",
    "Time of a turn that the gateway added: all but waiting for the backend",
  );
  const backend = createTimes(
    registry,
    "dialyard_backend_seconds",
    "Time of a turn spent on the backend: attempts and the waits between them",
  );
  const attempts = createTally({
    name: "dialyard_backend_attempts_total",
    help: "Calls of backends, by result",
    labelNames: ["result"],
    registers,
  });
  const requests = createTally({
    name: "dialyard_channel_requests_total",
    help: "Requests at channel doors, by channel and HTTP status",
    labelNames: ["channel", "status"],
    registers,
  });
  new Gauge({
    name: "dialyard_live_sessions",
    aggregator: "max",
    help: "Sessions that are neither ended nor expired",
    registers,
    async collect() {
      this.set(await options.countLive());
    },
  });
  new Gauge({
    name: "dialyard_open_breakers",
    aggregator: "max",
    help: "Backends that are not called because they keep failing",
    registers,
    collect() {
      this.set(options.countOpenBreakers());
    },
  });
  new Gauge({
    name: "dialyard_ready",
    aggregator: "min",
    help: "1 while /ready answers 200",
    registers,
    collect() {
      this.set(options.isReady() ? 1 : 0);
    },
  });
  new Gauge({
    name: "dialyard_workers",
    help: "Processes that these metrics are the sum of",
    registers,
    collect() {
      this.set(1);
    },
  });
  createDrainMetrics(registry, options);
  return {
    turn({ channel, outcome, record, tookMs }) {
      const { name } = channel;
      turns.add(name, outcome);
      const backendMs = record?.backendMs ?? 0;
      added.observe(name, Math.max(0, tookMs - backendMs) / 1000);
      if (record === undefined || record.attempts.length === 0) return;
      backend.observe(name, backendMs / 1000);
      for (const { failure } of record.attempts) attempts.add(failure ?? "ok");
    },
    request({ channel, status }) {
      requests.add(channel, String(status));
    },
    async render() {
      return { type: registry.contentType, text: await render() };
    },
  };
}

function createDrainMetrics(
  registry: Registry,
  { countUndrained, lostRecords }: Parameters<typeof createMetrics>[0],
): void {
  if (countUndrained === undefined || lostRecords === undefined) return;
  new Gauge({
    name: "dialyard_records_undrained",
    aggregator: "max",
    help: "Records in Redis that are not in SQL yet, of all nodes together",
    registers: [registry],
    async collect() {
      this.set(await countUndrained().catch(() => NaN));
    },
  });
  new Counter({
    name: "dialyard_records_lost_total",
    help: "Records that are gone: dropped from a full stream, or lost by Redis",
    labelNames: ["reason"],
    registers: [registry],
    collect() {
      this.reset();
      this.inc({ reason: "dropped" }, lostRecords.dropped);
      this.inc({ reason: "lost" }, lostRecords.lost);
    },
  });
}

/**
 * A counter that is counted up in a map and handed over when it is read: an `inc` with labels
 * costs half a microsecond, of which a turn would pay three.
 */
function createTally(config: {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly registers: Registry[];
}): { readonly add: (...labels: string[]) => void } {
  const counts = new Map<string, { readonly labels: Record<string, string>; count: number }>();
  new Counter({
    ...config,
    labelNames: [...config.labelNames],
    collect() {
      this.reset();
      for (const { labels, count } of counts.values()) this.inc(labels, count);
    },
  });
  return {
    add(...values) {
      const key = values.join(" ");
      const known = counts.get(key);
      if (known !== undefined) {
        known.count += 1;
        return;
      }
      const labels = config.labelNames.map((name, index) => [name, values[index] ?? ""]);
      counts.set(key, { labels: Object.fromEntries(labels) as Record<string, string>, count: 1 });
    },
  };
}

/** A histogram by channel that costs a turn a search of its buckets and nothing more. */
function createTimes(
  registry: Registry,
  name: string,
  help: string,
): { readonly observe: (channel: string, seconds: number) => void } {
  const channels = new Map<string, { readonly counts: number[]; count: number; sum: number }>();
  function get() {
    const values = [...channels].flatMap(([channel, { counts, count, sum }]) => {
      let below = 0;
      const buckets = SECONDS.map((le, index) => {
        below += counts[index] ?? 0;
        return { metricName: `${name}_bucket`, labels: { channel, le }, value: below };
      });
      return [
        ...buckets,
        { metricName: `${name}_bucket`, labels: { channel, le: "+Inf" }, value: count },
        { metricName: `${name}_sum`, labels: { channel }, value: sum },
        { metricName: `${name}_count`, labels: { channel }, value: count },
      ];
    });
    return Promise.resolve({ name, help, type: "histogram", values, aggregator: "sum" });
  }
  // What the registry asks of a metric is `get`; its types know only prom-client's own classes.
  registry.registerMetric({ name, help, get } as unknown as Metric);
  return {
    observe(channel, seconds) {
      let times = channels.get(channel);
      if (times === undefined) {
        times = { counts: SECONDS.map(() => 0), count: 0, sum: 0 };
        channels.set(channel, times);
      }
      times.count += 1;
      times.sum += seconds;
      for (let index = 0; index < SECONDS.length; index++) {
        if (seconds > (SECONDS[index] ?? 0)) continue;
        times.counts[index] = (times.counts[index] ?? 0) + 1;
        break;
      }
    },
  };
}
