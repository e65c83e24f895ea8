/** A Redis master, a replica and three Sentinels that watch them, for one test file. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./gateway.ts";
import { until } from "./operator.ts";
import { type RedisServer, startRedis, startServer } from "./redis-server.ts";

const NAME = "dialyard-test";
const READY_MS_MAX = 30_000;

export type RedisSentinels = {
  readonly url: string;
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinels: readonly RedisServer[];
  readonly stop: () => Promise<void>;
};

/** A master that says nothing for `downAfterMs` is down when two of three say so. */
export async function startRedisSentinels({
  downAfterMs = 500,
  failoverMs = 2_000,
} = {}): Promise<RedisSentinels> {
  const master = await startRedis({ "repl-diskless-sync-delay": "0" });
  const replica = await startRedis({ replicaof: `127.0.0.1 ${master.port}` });
  const startSentinel = async (): Promise<RedisServer> => {
    const folder = mkdtempSync(join(tmpdir(), "dialyard-sentinel-"));
    const [file, port] = [join(folder, "sentinel.conf"), await freePort()];
    // It writes what it learns into this file.
    const lines = [
      ...[`port ${port}`, "bind 127.0.0.1", `dir ${folder}`],
      `sentinel monitor ${NAME} 127.0.0.1 ${master.port} 2`,
      `sentinel down-after-milliseconds ${NAME} ${downAfterMs}`,
      `sentinel failover-timeout ${NAME} ${failoverMs}`,
    ];
    writeFileSync(file, `${lines.join("\n")}\n`);
    return startServer(folder, port, [file, "--sentinel"]);
  };
  const sentinels: RedisServer[] = [];
  for (let n = 0; n < 3; n += 1) sentinels.push(await startSentinel());
  const knowsAll = async (sentinel: RedisServer): Promise<boolean> =>
    /status=ok,address=\S+,slaves=1,sentinels=3/.test(await sentinel.say("INFO sentinel"));
  const all = async () => (await Promise.all(sentinels.map(knowsAll))).every(Boolean);
  await until("the Sentinels know each other", all, READY_MS_MAX);
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",");
  return {
    url: `redis-sentinel://${hosts}/${NAME}`,
    master,
    replica,
    sentinels,
    async stop() {
      await Promise.all([master, replica, ...sentinels].map((server) => server.stop()));
    },
  };
}
