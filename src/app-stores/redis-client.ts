/** A connection to a Redis server that comes back by itself, and never keeps a turn waiting. */
import { Redis } from "ioredis";

export type RedisAppStoreOptions = {
  /** redis://user:password@host:port/0, or rediss:// over TLS. */
  readonly url: string;
  /** Before every key. */
  readonly prefix?: string;
  /** Told of connections that broke; by default they are printed. */
  readonly report?: (error: unknown) => void;
};

const CONNECT_MS_MAX = 2_000;
/** A turn does not wait longer, whether the server is slow or gone: it has to answer in 4 s. */
const COMMAND_MS_MAX = 2_000;
/** A server that owes an answer for so long is gone, though nobody said so: another connection. */
const SILENCE_MS_MAX = 2_500;
const RETRY_MS_MAX = 2_000;

/** Each script becomes a command: EVALSHA, and EVAL where the server does not know it. */
export async function openRedis(
  { url, report = console.error }: RedisAppStoreOptions,
  scripts: Readonly<Record<string, string>>,
): Promise<Redis> {
  const commands = Object.entries(scripts).map(([name, lua]) => [name, { lua, numberOfKeys: 1 }]);
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS_MAX,
    commandTimeout: COMMAND_MS_MAX,
    socketTimeout: SILENCE_MS_MAX,
    maxRetriesPerRequest: 2,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), RETRY_MS_MAX),
    scripts: Object.fromEntries(commands) as Record<string, { lua: string; numberOfKeys: number }>,
  });
  client.on("error", report);
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.disconnect();
    throw new Error(`Redis: ${(error as Error).message}`, { cause: error });
  }
}

export async function closeRedis(client: Redis): Promise<void> {
  await client.quit().catch(() => client.disconnect());
}
