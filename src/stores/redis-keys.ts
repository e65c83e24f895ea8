/**
 * Names of the keys in Redis. A session's keys are in a partition, and a partition's carry one hash
 * tag, so that a Cluster has them on one node. Numbers of partitions are for ever: with another one
 * nobody would find a session again.
 */
import type { Digest } from "./seal.ts";

/** Enough to spread over a Cluster, few enough to ask each for records all the time. */
const PARTITIONS = 16;

export type Partition = {
  readonly leases: string;
  readonly records: string;
  readonly dropped: string;
  readonly lock: string;
  readonly session: (key: string) => string;
  readonly lease: (key: string) => string;
};

/** Deployments with different secrets may share a server: neither can read the other's. */
export function createPartitions(digest: Digest): readonly Partition[] {
  const deployment = deploymentOf(digest);
  return Array.from({ length: PARTITIONS }, (_, n) => {
    const prefix = `dialyard:{${deployment}.${n}}:`;
    return {
      leases: `${prefix}leases`,
      records: `${prefix}records`,
      dropped: `${prefix}dropped`,
      lock: `${prefix}lock`,
      session: (key) => `${prefix}s:${key}`,
      lease: (key) => `${prefix}l:${key}`,
    };
  });
}

/** Of a process that lives (redis-runs.ts). */
export function runKeys(digest: Digest): (run: string) => string {
  const prefix = `dialyard:{${deploymentOf(digest)}}:run:`;
  return (run) => prefix + run;
}

const deploymentOf = (digest: Digest) => digest("dialyard redis").slice(0, 8);

export function partitionOf(partitions: readonly Partition[], key: string): Partition {
  // FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  }
  return partitions[(hash >>> 0) % partitions.length]!;
}
