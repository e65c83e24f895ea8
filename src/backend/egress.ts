/**
 * Which addresses the gateway may call (RELIABILITY 2.7). Backends are URLs typed by people, so
 * without this the gateway would fetch anything its network reaches. The string rules and the
 * ban on the gateway's own address always hold; port and address rules only under the guard.
 *
 * Three checks, because each alone is passed by some spelling of loopback: the URL at
 * registration, literal and lookup answers at connect, `socket.remoteAddress` once connected.
 */
import type { Socket, TcpNetConnectOpts } from "node:net";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";
import type { buildConnector as Undici } from "undici";
import { buildConnector, errors } from "undici";
import type { Lookup } from "./lookup.ts";
import { sharedLookup } from "./lookup.ts";

export type EgressOptions = {
  /** Always on in production. */
  readonly isGuarded: boolean;
  /** "10.20.0.0/16", or with the only ports allowed there: "10.20.0.0/16:8080,8443". */
  readonly allow?: readonly string[];
  /** host:port, as configured and as bound: "0.0.0.0:8080", "[::1]:8080", "ussd.example:443". */
  readonly ownAddresses?: readonly string[];
  readonly deniedPorts?: ReadonlySet<number>;
  readonly lookup?: Lookup;
};
export type EgressPolicy = {
  readonly isGuarded: boolean;
  readonly allow: readonly Range[];
  /** Grows once: a port that the system chose is known only when the gateway listens. */
  readonly own: HostPort[];
  readonly deniedPorts: ReadonlySet<number>;
  readonly lookup: Lookup;
};
type Ip = ipaddr.IPv4 | ipaddr.IPv6;
type Range = { readonly cidr: [Ip, number]; readonly ports: ReadonlySet<number> | undefined };
type HostPort = { readonly host: string; readonly port: number };

/** What the API answers and the audit says. */
export const REFUSALS = {
  too_long: "must be at most 2048 characters",
  bad_character: "must be printable ASCII without spaces, backslashes and quotes",
  bad_scheme: "must begin with http:// or https://",
  has_user_info: "must not contain a user name or password",
  has_fragment: "must not contain a fragment",
  bad_url: "is not a URL",
  bad_host: "does not name a host",
  bad_port: "has a port that cannot be called",
  denied_port: "has a port of a service that is not HTTP",
  denied_name: "names a host of the gateway's own network",
  denied_address: "is an address of a network that is not public and not allowed",
  own_address: "is the gateway itself",
} as const;
export type Refusal = keyof typeof REFUSALS;
export type UrlCheck =
  | { readonly type: "ok"; readonly url: URL }
  | { readonly type: "refused"; readonly reason: Refusal };
/** Not verified: the name does not resolve now. The check at connect time applies anyway. */
export type ResolveCheck =
  | { readonly type: "ok"; readonly isVerified: boolean }
  | { readonly type: "refused"; readonly reason: Refusal };

/** Raised by the connector; undici hands it to the request that waited for the connection. */
export class EgressError extends Error {
  override readonly name = "EgressError";
  readonly code = "EGRESS_REFUSED";
  readonly reason: Refusal;

  constructor(reason: Refusal) {
    super(`the address ${REFUSALS[reason]}`);
    this.reason = reason;
  }
}

const URL_CHARS_MAX = 2_048;
const REGISTRATION_LOOKUP_MS_MAX = 2_000;
/** F05: a host that swallows packets. */
const CONNECT_MS_MAX = 2_000;
// SMTP, NFS, Docker, etcd, MySQL, RDP, PostgreSQL, AMQP, VNC, X11, Redis, IRC, Elasticsearch,
// memcached, MongoDB, MS SQL, Oracle, SIP, XMPP, Kubernetes' kubelet.
// prettier-ignore
const DENIED_PORTS: ReadonlySet<number> = new Set([
  25, 1433, 1521, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 5060, 5061, 5222, 5432, 5672, 5900,
  6000, 6379, 6380, 6667, 9200, 9300, 10250, 11211, 27017,
]);

/** Throws where `allow` or `ownAddresses` is not what it should be: a fault of configuration. */
export function createEgressPolicy(options: EgressOptions): EgressPolicy {
  return {
    isGuarded: options.isGuarded,
    allow: (options.allow ?? []).map(parseRange),
    own: (options.ownAddresses ?? []).map(parseHostPort),
    deniedPorts: options.deniedPorts ?? DENIED_PORTS,
    lookup: options.lookup ?? sharedLookup(),
  };
}

/** host:port of every address a server bound so is reached at, for `ownAddresses`. */
export function listenAddresses(host: string, port: number): readonly string[] {
  const bound = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  if (parseIp(host)?.range() !== "unspecified") return [bound];
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return [bound, ...all.map(({ address }) => `[${address}]:${port}`)];
}

export function addOwnAddress({ own }: EgressPolicy, hostPort: string): void {
  own.push(parseHostPort(hostPort));
}

export function checkUrl(raw: string, policy: EgressPolicy): UrlCheck {
  const problem = stringProblem(raw);
  if (problem !== undefined) return { type: "refused", reason: problem };
  // WHATWG parsing turns every spelling of an IPv4 address into dotted decimals.
  const url = URL.parse(raw);
  if (url === null) return { type: "refused", reason: "bad_url" };
  const reason = urlProblem(url, policy);
  return reason === undefined ? { type: "ok", url } : { type: "refused", reason };
}

/** For registration: looks the name up and checks every address it has. */
export async function resolveUrl(url: URL, policy: EgressPolicy): Promise<ResolveCheck> {
  const host = hostOf(url);
  if (isIP(host) !== 0) return { type: "ok", isVerified: true }; // checkUrl has seen the literal
  const addresses = await withinMs(policy.lookup(host), REGISTRATION_LOOKUP_MS_MAX);
  if (addresses === undefined || addresses.length === 0) return { type: "ok", isVerified: false };
  for (const { address } of addresses) {
    const reason = addressProblem(address, portOf(url), policy);
    if (reason !== undefined) return { type: "refused", reason };
  }
  return { type: "ok", isVerified: true };
}

/** What undici connects with: one per pool, whose port never changes. */
export function createConnector(
  policy: EgressPolicy,
  port: number,
  connectMsMax: number = CONNECT_MS_MAX,
): Undici.connector {
  const connect = buildConnector({
    allowH2: false,
    timeout: 0, // undici's own fires up to half a second late
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    lookup: checkedLookup(policy, port),
  }) as (options: Undici.Options, callback: Undici.Callback) => Socket;

  return (options, callback) => {
    const reason = isIP(options.hostname)
      ? addressProblem(options.hostname, port, policy)
      : undefined;
    if (reason !== undefined) {
      queueMicrotask(() => callback(new EgressError(reason), null));
      return undefined;
    }
    const socket = connect(options, (error, connected) => {
      clearTimeout(timer);
      if (error !== null) return callback(error, null);
      const problem = addressProblem(connected.remoteAddress ?? "", port, policy);
      if (problem === undefined) return callback(null, connected);
      connected.destroy();
      callback(new EgressError(problem), null);
    });
    const timer = setTimeout(() => {
      socket.destroy(new errors.ConnectTimeoutError("no connection in time"));
    }, connectMsMax);
    socket.once("close", () => clearTimeout(timer)); // undici gave it up before it connected
    return socket;
  };
}

function stringProblem(raw: string): Refusal | undefined {
  if (raw.length > URL_CHARS_MAX) return "too_long";
  for (let index = 0; index < raw.length; index++) {
    const code = raw.charCodeAt(index);
    if (code <= 0x20 || code >= 0x7f || code === 0x5c || code === 0x22) return "bad_character";
  }
  if (raw.startsWith("'")) return "bad_character";
  const scheme = /^https?:\/\/(?!\/)/i.exec(raw)?.[0];
  if (scheme === undefined) return "bad_scheme";
  if (raw.includes("#")) return "has_fragment";
  const authority = raw.slice(scheme.length).split(/[/?]/, 1)[0] ?? "";
  return authority.includes("@") ? "has_user_info" : undefined;
}

function urlProblem(url: URL, policy: EgressPolicy): Refusal | undefined {
  const host = hostOf(url);
  const port = portOf(url);
  if (port === 0) return "bad_port";
  if (isIP(host) !== 0) return addressProblem(host, port, policy);
  // "https://{your-domain-or-public-ip}/…" parses; nothing is ever called so.
  if (!/^(?!-)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(host) || host.length > 253) return "bad_host";
  if (isOwnName(host, port, policy)) return "own_address";
  if (!policy.isGuarded) return undefined;
  if (isLocalName(host)) return "denied_name";
  // Where a name leads is not known yet, so an allowed range's own ports do not help it here,
  // unless some range names this very port.
  if (policy.allow.some(({ ports }) => ports?.has(port))) return undefined;
  return portProblem(port, policy);
}

/** For literals, lookup answers and the peer of a socket alike. */
function addressProblem(address: string, port: number, policy: EgressPolicy): Refusal | undefined {
  const ip = parseIp(address);
  if (ip === undefined) return "denied_address";
  if (isOwnIp(ip, port, policy)) return "own_address";
  if (!policy.isGuarded) return undefined;
  const range = policy.allow.find(
    ({ cidr, ports }) =>
      ip.kind() === cidr[0].kind() && ip.match(cidr) && (ports?.has(port) ?? true),
  );
  if (range?.ports !== undefined) return undefined;
  if (range === undefined && !isPublic(ip)) return "denied_address";
  return portProblem(port, policy);
}

function portProblem(port: number, policy: EgressPolicy): Refusal | undefined {
  if (port !== 80 && port !== 443 && port < 1_024) return "denied_port";
  return policy.deniedPorts.has(port) ? "denied_port" : undefined;
}

function isLocalName(host: string): boolean {
  return /(?:^|\.)(?:localhost|internal|local)$/.test(host);
}

function isOwnName(host: string, port: number, policy: EgressPolicy): boolean {
  const isLoopbackName = host === "localhost" || host.endsWith(".localhost");
  return policy.own.some((own) => {
    if (own.port !== port) return false;
    if (own.host === host) return true;
    return isLoopbackName && (own.host === "localhost" || isHere(parseIp(own.host)));
  });
}

function isOwnIp(ip: Ip, port: number, policy: EgressPolicy): boolean {
  return policy.own.some((own) => {
    if (own.port !== port) return false;
    const ownIp = own.host === "localhost" ? LOOPBACK : parseIp(own.host);
    if (ownIp === undefined) return false;
    // Whoever listens on loopback or on all addresses is reached by every spelling of either.
    return ownIp.toString() === ip.toString() || (isHere(ip) && isHere(ownIp));
  });
}

// What ipaddr.js knows no range for it calls unicast; of IPv6 only 2000::/3 is (RFC 4291 §2.4).
const GLOBAL_IPV6 = ipaddr.parseCIDR("2000::/3");

function isPublic(ip: Ip): boolean {
  if (ip.range() !== "unicast") return false;
  return ip.kind() === "ipv4" || ip.match(GLOBAL_IPV6);
}

const LOOPBACK = ipaddr.parse("127.0.0.1");

function isHere(ip: Ip | undefined): boolean {
  const range = ip?.range();
  return range === "loopback" || range === "unspecified";
}

/** v4-mapped addresses become IPv4; a zone ("fe80::1%eth0") is not looked at. */
function parseIp(text: string): Ip | undefined {
  const address = text.split("%", 1)[0] ?? "";
  return isIP(address) === 0 ? undefined : ipaddr.process(address);
}

function hostOf(url: URL): string {
  const host = url.hostname.toLowerCase();
  if (host.startsWith("[")) return host.slice(1, -1);
  return host.endsWith(".") ? host.slice(0, -1) : host;
}

/** Of a URL that names none, the scheme's. */
export function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

function parseRange(text: string): Range {
  const [, address = "", bits = "", ports] = /^([^/]+)\/([0-9]+)(?::([0-9,]+))?$/.exec(text) ?? [];
  if (!ipaddr.isValidCIDR(`${address}/${bits}`)) throw new RangeError(`not a CIDR: ${text}`);
  return {
    cidr: ipaddr.parseCIDR(`${address}/${bits}`),
    ports: ports === undefined ? undefined : new Set(ports.split(",").map(Number)),
  };
}

function parseHostPort(text: string): HostPort {
  const [, host = "", port = ""] = /^(.+):([0-9]+)$/.exec(text.toLowerCase()) ?? [];
  if (port === "") throw new RangeError(`not host:port: ${text}`);
  return { host: host.replace(/^\[|\]$/g, "").replace(/\.$/, ""), port: Number(port) };
}

type NetLookup = NonNullable<TcpNetConnectOpts["lookup"]>;

function checkedLookup(policy: EgressPolicy, port: number): NetLookup {
  return (name, options, callback) => {
    policy.lookup(name).then(
      (addresses) => {
        const [first] = addresses;
        for (const { address } of addresses) {
          const reason = addressProblem(address, port, policy);
          if (reason !== undefined) return callback(new EgressError(reason), "");
        }
        if (first === undefined) {
          const error: NodeJS.ErrnoException = new Error("the name has no address");
          error.code = "ENOTFOUND";
          return callback(error, "");
        }
        if (options.all) return callback(null, [...addresses]);
        return callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ""),
    );
  };
}

function withinMs<T>(promise: Promise<T>, msMax: number): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), msMax);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      () => {
        clearTimeout(timer);
        resolve(undefined);
      },
    );
  });
}
