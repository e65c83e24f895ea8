/** What is compared: each in a process of its own, all before the same stub. */
import { spawnSync } from "node:child_process";
import { mkdirSync, openSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ChannelName } from "./dialogues.ts";
import {
  freePort,
  nextMessage,
  pathTo,
  start,
  startModule,
  untilAnswers,
  type Running,
} from "./processes.ts";

export type Contender = {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly pathOf: (channel: ChannelName) => string;
  /** Does what was put off, so that it is counted with the turns that it is for. */
  readonly catchUp: () => Promise<void>;
  /** Between windows: what grew meanwhile is emptied, so that a run needs little disk. */
  readonly tidy: () => void;
  readonly stop: () => Promise<void>;
};

/** Backends that the gateway has registered, by protocol. */
export const SERVICE_CODES = {
  ola: "*701#",
  africastalking: "*702#",
  ixo: "*703#",
  kairos: "*704#",
} as const;
export type BackendProtocol = keyof typeof SERVICE_CODES;

const nothing = (): void => undefined;
const nothingPutOff = async (): Promise<void> => undefined;

export async function startStub(): Promise<{ readonly running: Running; readonly port: number }> {
  const running = startModule("stub.ts");
  const { port } = await nextMessage<{ readonly port: number }>(running);
  return { running, port };
}

/** `file` is one of contenders/, started with the URL of its backend. */
export async function startScript(
  name: string,
  file: string,
  stubPort: number,
  path: string,
): Promise<Contender> {
  const running = startModule(`contenders/${file}`, [`http://127.0.0.1:${stubPort}/ola`]);
  const { port } = await nextMessage<{ readonly port: number }>(running);
  const { pid, stop } = running;
  return { name, pid, port, pathOf: () => path, catchUp: nothingPutOff, tidy: nothing, stop };
}

/** Undefined, with the reason, where nginx is not installed. */
export async function startNginx(
  name: string,
  folder: string,
  stubPort: number,
): Promise<Contender | string> {
  const version = spawnSync("nginx", ["-v"], { encoding: "utf8" });
  if (version.status !== 0) return "nginx is not installed";
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "nginx.conf");
  writeFileSync(file, nginxConf(folder, port, stubPort));
  const args = ["-p", folder, "-c", file, "-e", join(folder, "error.log")];
  const running = start("nginx", args);
  await untilAnswers(`http://127.0.0.1:${port}/`, running);
  const { pid, stop } = running;
  return { name, pid, port, pathOf: () => "/kairos", catchUp: nothingPutOff, tidy: nothing, stop };
}

/** A plain proxy: one process, no access log, connections to the backend kept. */
function nginxConf(folder: string, port: number, stubPort: number): string {
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `  ${kind}_temp_path ${folder}/${kind};`)
    .join("\n");
  return `daemon off;
master_process off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
${places}
  keepalive_requests 100000000;
  upstream backend {
    server 127.0.0.1:${stubPort};
    keepalive 64;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;
}

export type GatewayOptions = {
  readonly name: string;
  /** Holds the database; made where it is not there. */
  readonly folder: string;
  readonly stubPort: number;
  /** Flags of node, for profiles. */
  readonly nodeArgs?: readonly string[];
  /** So many processes on one port, as in production. */
  readonly workers?: number;
  /** Settings other than the defaults. */
  readonly env?: Readonly<Record<string, string>>;
};

/** Of gateways that are started as in production. */
const ADMIN_KEY = "bench-bench-bench-bench-bench-bench";
const HEADERS = { authorization: `Bearer ${ADMIN_KEY}` };

/** The gateway as `npm start` runs it, without demo, its log in a file. */
export async function startGateway(options: GatewayOptions): Promise<Contender> {
  const { name, folder, stubPort, nodeArgs = [], workers, env = {} } = options;
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  const logFile = join(folder, "log.jsonl");
  const log = openSync(logFile, "a");
  const config = ["--config", pathTo("gateway.config.ts")];
  const command = workers === undefined ? ["dev"] : ["start", "--workers", String(workers)];
  const args = ["--no-warnings", ...nodeArgs, pathTo("../src/main.ts"), ...command, ...config];
  const running = start(process.execPath, args, {
    cwd: folder,
    stdio: ["ignore", log, "inherit"],
    env: {
      PATH: process.env["PATH"],
      PORT: String(port),
      DATA_DIR: folder,
      DIALYARD_DEMO: "0",
      LOG_FORMAT: "json",
      ...(workers !== undefined && {
        DIALYARD_ADMIN_KEY: ADMIN_KEY,
        DIALYARD_SECRET_KEY: "0123456789abcdef".repeat(4),
        // The stub is on loopback.
        DIALYARD_EGRESS_ALLOW: "127.0.0.0/8",
      }),
      ...env,
    },
  });
  await untilAnswers(`http://127.0.0.1:${port}/ready`, running);
  for (const protocol of Object.keys(SERVICE_CODES) as BackendProtocol[]) {
    await register(port, protocol, `http://127.0.0.1:${stubPort}/${protocol}`);
  }
  return {
    name,
    pid: running.pid,
    port,
    pathOf: (channel) => `/ussd/${channel}/callback`,
    // Rows are written behind their turns, and before anybody reads: here, what nobody dialled.
    catchUp: async () => {
      const url = `http://127.0.0.1:${port}/api/v1/sessions?msisdn=999999999999&limit=1`;
      const response = await fetch(url, { headers: HEADERS });
      if (response.status !== 200) throw new Error(`sessions: status ${response.status}`);
      await response.text();
    },
    tidy: () => truncateSync(logFile, 0),
    stop: running.stop,
  };
}

async function register(port: number, protocol: BackendProtocol, url: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/backends`, {
    method: "POST",
    headers: { ...HEADERS, "content-type": "application/json" },
    body: JSON.stringify({
      service_code: SERVICE_CODES[protocol],
      callback_url: url,
      name: protocol,
      type: "http",
      method: "POST",
      status: "active",
      protocol,
    }),
  });
  // A database that was filled and used before has them.
  if (response.status === 201 || response.status === 409) return;
  throw new Error(`backend ${protocol} was not registered: ${await response.text()}`);
}
