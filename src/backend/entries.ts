/**
 * Breaker and connections of each backend, shared with no other backend even at the same origin:
 * one that hangs stops no other (F22). Bounded, and connections close when unused.
 */
import { Pool } from "undici";
import type { Breaker, BreakerLimits } from "./breaker.ts";
import { createBreaker } from "./breaker.ts";
import type { Destination } from "./destination.ts";
import type { EgressPolicy } from "./egress.ts";
import { createConnector } from "./egress.ts";

export type Entry = {
  readonly breaker: Breaker;
  readonly pools: Map<string, Pool>;
  usedAtMs: number;
  alarmAtMs: number;
  noticesInFlight: number;
};
export type Entries = {
  /** Made where it is not there. */
  of(backendId: number): Entry;
  find(backendId: number): Entry | undefined;
  pool(entry: Entry, destination: Destination): Pool;
  forget(backendId: number): void;
  /** Resolves when the requests in flight are over. */
  close(): Promise<void>;
};
type EntriesOptions = {
  readonly policy: EgressPolicy;
  readonly nowMs: () => number;
  readonly breakerLimits?: Partial<BreakerLimits> | undefined;
  readonly connectMsMax?: number | undefined;
};

const CONNECTIONS_MAX = 256;
/** Below the 5 s after which Node's and many other servers close an idle connection (F16). */
const KEEP_ALIVE_MS = 4_000;
const HEADER_OCTETS_MAX = 16_384;
const ENTRIES_MAX = 4_096;
const POOLS_PER_BACKEND_MAX = 2; // where it is called and where it is notified
const POOL_IDLE_MS_MAX = 60_000;

export function createEntries(options: EntriesOptions): Entries {
  const { nowMs, breakerLimits } = options;
  const entries = new Map<number, Entry>();
  let sweptAtMs = -Infinity;

  function sweep(now: number): void {
    sweptAtMs = now;
    for (const entry of entries.values()) {
      if (now - entry.usedAtMs > POOL_IDLE_MS_MAX && isIdle(entry, now)) closePools(entry);
    }
  }

  function forget(backendId: number): void {
    const entry = entries.get(backendId);
    entries.delete(backendId);
    if (entry !== undefined) closePools(entry);
  }

  function forgetOldest(): void {
    let oldestId: number | undefined;
    let oldestMs = Infinity;
    for (const [id, { usedAtMs }] of entries) {
      if (usedAtMs >= oldestMs) continue;
      oldestId = id;
      oldestMs = usedAtMs;
    }
    if (oldestId !== undefined) forget(oldestId);
  }

  return {
    of(backendId) {
      const now = nowMs();
      if (now - sweptAtMs > POOL_IDLE_MS_MAX) sweep(now);
      const known = entries.get(backendId);
      if (known !== undefined) return known;
      if (entries.size >= ENTRIES_MAX) forgetOldest();
      const entry: Entry = {
        breaker: createBreaker(breakerLimits),
        pools: new Map(),
        usedAtMs: now,
        alarmAtMs: -Infinity,
        noticesInFlight: 0,
      };
      entries.set(backendId, entry);
      return entry;
    },
    find: (backendId) => entries.get(backendId),
    pool(entry, destination) {
      const known = entry.pools.get(destination.origin);
      if (known !== undefined) return known;
      for (const [oldest, pool] of entry.pools) {
        if (entry.pools.size < POOLS_PER_BACKEND_MAX) break;
        entry.pools.delete(oldest);
        void pool.close();
      }
      const pool = openPool(destination, options);
      entry.pools.set(destination.origin, pool);
      return pool;
    },
    forget,
    async close() {
      const pools = [...entries.values()].flatMap((entry) => [...entry.pools.values()]);
      entries.clear();
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}

function openPool({ origin, port }: Destination, { policy, connectMsMax }: EntriesOptions): Pool {
  return new Pool(origin, {
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS, // whatever the backend's Keep-Alive header promises
    headersTimeout: 0,
    bodyTimeout: 0, // the deadline ends an attempt, whatever state it is in
    maxHeaderSize: HEADER_OCTETS_MAX,
    allowH2: false,
    connect: createConnector(policy, port, connectMsMax),
  });
}

function isIdle(entry: Entry, nowMs: number): boolean {
  const { inFlight, retriesInFlight } = entry.breaker.state(nowMs);
  return inFlight === 0 && retriesInFlight === 0 && entry.noticesInFlight === 0;
}

function closePools(entry: Entry): void {
  for (const pool of entry.pools.values()) void pool.close();
  entry.pools.clear();
}
