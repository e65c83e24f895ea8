/** Prometheus metrics. Labels come from closed lists: channels and outcomes, never a subscriber. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { TurnEvent } from "../gateway.ts";
import type { DoorOutcome } from "../transports/door.ts";

export type Metrics = {
  readonly turn: (event: TurnEvent) => void;
  readonly request: (outcome: DoorOutcome) => void;
  readonly render: () => Promise<{ readonly type: string; readonly text: string }>;
};

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

export function createMetrics(options: {
  readonly countLive: () => Promise<number>;
  readonly countOpenBreakers: () => number;
  readonly isReady: () => boolean;
}): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const turns = createTally({
    name: "dialyard_turns_total",
    help: "Turns answered, by channel and outcome",
    labelNames: ["channel", "outcome"],
    registers,
  });
  const added = new Histogram({
    name: "dialyard_gateway_seconds",
    help: "Time of a turn that the gateway added: all but waiting for the backend",
    labelNames: ["channel"],
    buckets: SECONDS,
    registers,
  });
  const backend = new Histogram({
    name: "dialyard_backend_seconds",
    help: "Time of a turn spent on the backend: attempts and the waits between them",
    labelNames: ["channel"],
    buckets: SECONDS,
    registers,
  });
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
    help: "Sessions that are neither ended nor expired",
    registers,
    async collect() {
      this.set(await options.countLive());
    },
  });
  new Gauge({
    name: "dialyard_open_breakers",
    help: "Backends that are not called because they keep failing",
    registers,
    collect() {
      this.set(options.countOpenBreakers());
    },
  });
  new Gauge({
    name: "dialyard_ready",
    help: "1 while /ready answers 200",
    registers,
    collect() {
      this.set(options.isReady() ? 1 : 0);
    },
  });
  return {
    turn({ channel, outcome, record, tookMs }) {
      const { name } = channel;
      turns.add(name, outcome);
      const backendMs = record?.backendMs ?? 0;
      added.observe({ channel: name }, Math.max(0, tookMs - backendMs) / 1000);
      if (record === undefined || record.attempts.length === 0) return;
      backend.observe({ channel: name }, backendMs / 1000);
      for (const { failure } of record.attempts) attempts.add(failure ?? "ok");
    },
    request({ channel, status }) {
      requests.add(channel, String(status));
    },
    async render() {
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
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
