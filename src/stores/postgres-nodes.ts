/**
 * What nodes on one PostgreSQL know of each other: beats in a table that a crash of the server may
 * empty, and notices on a connection of their own. Nothing here is on the path of a turn.
 */
import type { Pool } from "pg";
import type { Cluster, NodeBeat, Topic } from "../types.ts";
import type { Listening } from "./postgres-listen.ts";
import type { Digest } from "./seal.ts";

/** Three beats: then a node is gone, or as good as that. */
export const SILENCE_SECONDS = 6;
const CHANNELS: ReadonlyMap<string, Topic> = new Map([
  ["dialyard_live", "live"],
  ["dialyard_answers", "answers"],
]);

/** Migration 0005. */
export const NODE_TABLES = [
  `CREATE UNLOGGED TABLE nodes (id text PRIMARY KEY, seen_at timestamptz NOT NULL,
    about text NOT NULL)`,
];
/**
 * Migration 0007. A row is its node's alone: none waits for another's, and what is told twice
 * counts once. Counts are in no index, so a change stays in its page.
 */
export const COUNT_TABLES = [
  `CREATE UNLOGGED TABLE request_counts (minute integer NOT NULL, key text NOT NULL,
    node text NOT NULL, count integer NOT NULL,
    PRIMARY KEY (minute, key, node)) WITH (fillfactor = 60)`,
];

// The server's clock alone, so that nodes need not agree about the time.
const BEAT = `
WITH gone AS (DELETE FROM nodes WHERE seen_at < now() - make_interval(secs => $3) AND id <> $1),
over AS (DELETE FROM request_counts WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM request_counts WHERE minute < extract(epoch FROM now())::bigint / 60 - 1
  LIMIT 10000 FOR UPDATE SKIP LOCKED)))
INSERT INTO nodes (id, seen_at, about) VALUES ($1, now(), $2)
ON CONFLICT (id) DO UPDATE SET seen_at = now(), about = excluded.about`;
const LIST = `
SELECT about, (extract(epoch FROM seen_at) * 1000)::bigint AS seen_at FROM nodes
WHERE seen_at > now() - make_interval(secs => $1) ORDER BY id`;

const COUNT = `
WITH taken AS (SELECT * FROM unnest($3::text[], $4::integer[]) AS t (key, count)),
told AS (
  INSERT INTO request_counts (minute, key, node, count)
  SELECT $1::integer, key, $2::text, count FROM taken ORDER BY key
  ON CONFLICT (minute, key, node) DO UPDATE SET count = excluded.count)
SELECT key, sum(count) AS count FROM request_counts
WHERE minute = $1 AND key = ANY ($3) AND node <> $2 GROUP BY key`;

export function postgresCluster(
  pool: Pool,
  digest: Digest,
  listen: (
    channels: readonly string[],
    told: (text: string, channel: string) => void,
  ) => Promise<Listening>,
): Cluster {
  return {
    async beat(node) {
      await pool.query(BEAT, [node.id, JSON.stringify(node), SILENCE_SECONDS]);
    },
    async list() {
      const { rows } = await pool.query<{ about: string; seen_at: number }>(LIST, [
        SILENCE_SECONDS,
      ]);
      return rows.map(({ about, seen_at }) => ({
        ...(JSON.parse(about) as NodeBeat),
        seenAtMs: seen_at,
      }));
    },
    async leave(id) {
      await pool.query("DELETE FROM nodes WHERE id = $1", [id]);
    },
    async count({ nodeId, channel, minute, counts }) {
      const addresses = new Map(
        [...counts.keys()].map((one) => [digest(`${channel} ${one}`), one]),
      );
      const values = [minute, nodeId, [...addresses.keys()], [...counts.values()]];
      const { rows } = await pool.query<{ key: string; count: number }>(COUNT, values);
      return new Map(rows.map(({ key, count }) => [addresses.get(key)!, count]));
    },
    async hear(told) {
      const { client, close } = await listen([...CHANNELS.keys()], (text, channel) =>
        told(text, CHANNELS.get(channel) ?? "live"),
      );
      return {
        // On this connection and not from the pool: turns never wait for it.
        async say(texts, topic = "live") {
          const statement = "SELECT pg_notify($1, text) FROM unnest($2::text[]) AS text";
          await client()?.query(statement, [`dialyard_${topic}`, texts]);
        },
        close,
      };
    },
  };
}
