/**
 * What nodes on one PostgreSQL know of each other: beats in a table that a crash of the server may
 * empty, and notices on a connection of their own. Nothing here is on the path of a turn.
 */
import type { Pool } from "pg";
import type { Cluster, NodeBeat } from "../types.ts";
import type { Listening } from "./postgres-listen.ts";

/** Three beats: then a node is gone, or as good as that. */
export const SILENCE_SECONDS = 6;
const CHANNEL = "dialyard_live";

/** Migration 0005. */
export const NODE_TABLES = [
  `CREATE UNLOGGED TABLE nodes (id text PRIMARY KEY, seen_at timestamptz NOT NULL,
    about text NOT NULL)`,
];

// The server's clock alone, so that nodes need not agree about the time.
const BEAT = `
WITH gone AS (DELETE FROM nodes WHERE seen_at < now() - make_interval(secs => $3) AND id <> $1)
INSERT INTO nodes (id, seen_at, about) VALUES ($1, now(), $2)
ON CONFLICT (id) DO UPDATE SET seen_at = now(), about = excluded.about`;
const LIST = `
SELECT about, (extract(epoch FROM seen_at) * 1000)::bigint AS seen_at FROM nodes
WHERE seen_at > now() - make_interval(secs => $1) ORDER BY id`;

export function postgresCluster(
  pool: Pool,
  listen: (channel: string, told: (text: string) => void) => Promise<Listening>,
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
    async hear(told) {
      const { client, close } = await listen(CHANNEL, told);
      return {
        // On this connection and not from the pool: turns never wait for it.
        async say(texts) {
          const statement = "SELECT pg_notify($1, text) FROM unnest($2::text[]) AS text";
          await client()?.query(statement, [CHANNEL, texts]);
        },
        close,
      };
    },
  };
}
