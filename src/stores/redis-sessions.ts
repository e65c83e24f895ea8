/**
 * The turn path on Redis: two round trips a turn, each one script (redis-scripts.ts). What a lease
 * means to who asks is lease.ts, as everywhere.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Ask, Held, Lease, Msisdn, SessionStore } from "../types.ts";
import { takeOver, type Taking, UNSETTLED_KEPT_MS } from "./lease.ts";
import { createRecent } from "./recent.ts";
import type { RedisClient } from "./redis-client.ts";
import {
  findSession,
  type FoundSession,
  heldOf,
  leaseOf,
  readLease,
  type SealedMsisdn,
  type StoredLease,
  writeLease,
  writeRecord,
  writeSession,
  writeUnknown,
} from "./redis-entry.ts";
import { type Partition, partitionOf } from "./redis-keys.ts";
import type { Runs } from "./redis-runs.ts";
import type { LeasedReply } from "./redis-scripts.ts";
import type { Digest, Sealer } from "./seal.ts";
import { randomIds } from "./seal.ts";

export type TurnOptions = {
  readonly client: RedisClient;
  readonly partitions: readonly Partition[];
  readonly sealer: Sealer;
  readonly digest: Digest;
  /** Of one partition, undrained: the oldest go, and are counted. */
  readonly recordsMax: number;
  readonly settled: (recordId: string) => void;
  readonly runs: Pick<Runs, "id" | "isGone">;
};
export type TurnStore = Omit<SessionStore, "sweep" | "close">;

/** In a Cluster a command that timed out may be on its way for so long. */
const LATE_MS = 2_500;
/** Leases that change under our eyes: each time somebody else was faster. */
const TAKES_MAX = 5;
/** An unsettled turn is remembered so long where no node runs that could give it up. */
const LEFT_MS_MAX = 86_400_000;
/** A session goes by the clocks of the gateways; its key may stay a little longer. */
const SPARE_MS = 2_000;
const SEALED_REMEMBERED_MAX = 65_536;
/** A network asks again within this time, or the subscriber has typed something else. */
const DOUBT_MS = 60_000;

export function createTurnStore(options: TurnOptions): TurnStore {
  const { client, partitions, sealer, digest, recordsMax, runs } = options;
  const { newToken } = randomIds();
  const sealedBefore = createRecent<string, SealedMsisdn & { readonly msisdn: Msisdn }>(
    SEALED_REMEMBERED_MAX,
  );
  let calls = 0;

  /** Sealing costs more than all else that a turn does here, and a session comes back. */
  function sealFor(id: string, msisdn: Msisdn): SealedMsisdn {
    const before = sealedBefore.get(id);
    if (before?.msisdn === msisdn) return before;
    const sealed = { msisdn, text: sealer.seal(msisdn, id), hash: digest(msisdn) };
    sealedBefore.set(id, sealed);
    return sealed;
  }
  const sealFirst = ({ msisdn }: Ask, id: string): string | null =>
    msisdn === undefined ? null : sealFor(id, msisdn).text;

  async function open(ask: Ask): Promise<Held> {
    for (let takes = 0; takes < TAKES_MAX; takes += 1) {
      const token = newToken();
      try {
        const held = await take(ask, token);
        if (held !== undefined) return held;
      } catch (error) {
        void giveBack({ key: ask.key, token });
        throw error;
      }
    }
    return { type: "busy", twin: false };
  }

  /** Undefined where the lease in the way changed meanwhile. */
  async function take(ask: Ask, token: string): Promise<Held | undefined> {
    const { key, freshId, leaseMs } = ask;
    const { session, lease, leases } = partitionOf(partitions, key);
    const names = [session(key), lease(key), leases] as const;
    const untilMs = ask.nowMs + ask.leaseMs;
    const fresh = leaseOf(ask, { token, freshId }, FIRST_DRIVE, sealFirst(ask, freshId));
    const ttlMs = leaseMs + LEFT_MS_MAX;
    const text = writeLease(fresh);
    const reply = await client.dialyardOpen(...names, text, ttlMs, untilMs, token, key);
    if (reply[0] === 1) {
      const isDoubted = await doubt(findSession(reply[1]), ask);
      return leased(reply, ask, { key, token, freshId }, FIRST_DRIVE, isDoubted);
    }
    const seen = reply[2] ?? "";
    if (seen === "") return undefined;
    const found = findSession(reply[1]);
    const taking = takeOver(readLease(seen), ask, found?.expiresAtMs);
    if (taking.type === "busy") return taking;
    return takeLeft(ask, seen, taking, token, found !== undefined);
  }

  async function release({ key, token }: Pick<Lease, "key" | "token">): Promise<boolean> {
    const { lease, leases } = partitionOf(partitions, key);
    return (await client.dialyardRelease(lease(key), leases, token, key)) === 1;
  }

  /** A server may still take it, late: then nobody has to wait for it to lapse. */
  async function giveBack(lease: Pick<Lease, "key" | "token">): Promise<void> {
    if (await release(lease).catch(() => false)) return;
    await wait(LATE_MS, undefined, { ref: false });
    await release(lease).catch(() => undefined);
  }

  /**
   * The same words, and who settled them last is gone: its answer may not have been written. Noted,
   * in case this turn is cut off too; a lease found later says that the network went on.
   */
  async function doubt(found: FoundSession | undefined, ask: Ask): Promise<boolean> {
    if (found?.run === undefined || found.run === runs.id || found.isUndelivered) return false;
    if (found.seenDigest !== ask.digest || ask.nowMs - found.lastAtMs > DOUBT_MS) return false;
    if (!(await runs.isGone(found.run))) return false;
    await client.dialyardUndelivered(partitionOf(partitions, ask.key).session(ask.key), found.id);
    return true;
  }

  /** Undefined where the lease is not what it was when it was looked at. */
  async function takeLeft(
    ask: Ask,
    seen: string,
    taking: Exclude<Taking, { readonly type: "busy" }>,
    token: string,
    hasSession: boolean,
  ): Promise<Held | undefined> {
    const { key, leaseMs, nowMs } = ask;
    const { freshId } = taking;
    const { session, lease, leases, records } = partitionOf(partitions, key);
    const isOver = taking.type === "over";
    const isTold = taking.gaveUp || (isOver && hasSession);
    const left = readLease(seen);
    const reply = await client.dialyardTakeOver(
      ...[session(key), lease(key), leases, records],
      seen,
      writeLease(leaseOf(ask, { token, freshId }, taking, sealFirst(ask, freshId))),
      leaseMs + LEFT_MS_MAX,
      nowMs + leaseMs,
      token,
      key,
      isTold ? writeUnknown(left, hashOf(left, options), isOver) : "",
      isOver ? "1" : "",
    );
    return reply[0] === 1 ? leased(reply, ask, { key, token, freshId }, taking) : undefined;
  }

  function leased(
    [, session]: LeasedReply,
    ask: Ask,
    lease: Lease,
    taking: Pick<StoredLease, "redriven" | "lost">,
    isDoubted = false,
  ): Held {
    return heldOf(findSession(session), ask, lease, taking, sealer, isDoubted);
  }

  return {
    open,
    async settle(lease, settlement) {
      const { key, token } = lease;
      const { id, msisdn } = settlement.session;
      const of = partitionOf(partitions, key);
      calls += 1;
      const call = `${token}.${calls.toString(36)}`;
      const names = [of.session(key), of.lease(key), of.leases, of.records, of.dropped];
      const settled = await client.dialyardSettle(
        ...names,
        token,
        writeSession(settlement, sealFor(id, msisdn), { call, run: runs.id }, sealer),
        Math.max(1, settlement.expiresAtMs - settlement.nowMs) + SPARE_MS,
        key,
        writeRecord(lease, settlement),
        recordsMax,
        call,
      );
      if (settled === 1) options.settled(token);
      return settled === 1;
    },
    async release(lease) {
      await release(lease);
    },
    async undelivered(key, sessionId) {
      await client.dialyardUndelivered(partitionOf(partitions, key).session(key), sessionId);
    },
  };
}

const FIRST_DRIVE = { redriven: false, lost: 0 } as const;
const LAPSED_AT_ONCE = 200;

/** Gives up turns that nobody will drive again (RELIABILITY 2.3, the sweeper). */
export async function giveUpLapsed(options: TurnOptions, nowMs: number): Promise<void> {
  const { client, partitions } = options;
  for (const partition of partitions) {
    for (let slices = 0; slices < SLICES_MAX; slices += 1) {
      const until = nowMs - UNSETTLED_KEPT_MS;
      const range = [partition.leases, "-inf", until, "LIMIT", 0, LAPSED_AT_ONCE] as const;
      const keys = await client.zrangebyscore(...range);
      await Promise.all(keys.map((key) => giveUp(options, partition, key, nowMs)));
      if (keys.length < LAPSED_AT_ONCE) break;
    }
  }
}
/** The rest is the next sweep's. */
const SLICES_MAX = 100;

async function giveUp(
  options: TurnOptions,
  { session, lease, leases, records }: Partition,
  key: string,
  nowMs: number,
): Promise<void> {
  const { client } = options;
  const [seen, there] = await Promise.all([client.get(lease(key)), client.get(session(key))]);
  const left = seen === null ? undefined : readLease(seen);
  const found = findSession(there);
  if (left !== undefined && (found?.expiresAtMs ?? 0) > nowMs) {
    // Its session lives: looked at again when that is over.
    const againMs = (found?.expiresAtMs ?? 0) - UNSETTLED_KEPT_MS;
    await client.zadd(leases, "XX", "GT", againMs, key);
    return;
  }
  const hash = left === undefined ? null : hashOf(left, options);
  const entry = left === undefined ? "" : writeUnknown(left, hash, true);
  const names = [session(key), lease(key), leases, records];
  await client.dialyardGiveUp(...names, seen ?? "", key, entry);
}

/** Of these keys, those with a lease: a turn is under way, or unsettled. */
export async function leasedKeys(
  { client, partitions }: Pick<TurnOptions, "client" | "partitions">,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  const scores = await Promise.all(
    keys.map((key) => client.zscore(partitionOf(partitions, key).leases, key)),
  );
  return new Set(keys.filter((_, index) => scores[index] !== null));
}

function hashOf(
  { sealed, freshId }: StoredLease,
  { sealer, digest }: Pick<TurnOptions, "sealer" | "digest">,
): string | null {
  return sealed === null ? null : digest(sealer.open(sealed, freshId));
}
