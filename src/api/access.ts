/** Who may use the management API: the admin key's holder, or loopback in development. */
import type { FastifyReply, FastifyRequest } from "fastify";
import ipaddr from "ipaddr.js";
import { isSameSecret } from "../transports/door.ts";

export type Access = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

const BEARER_CHARS_MAX = 512; // RELIABILITY 2.9: over-long tokens are refused before hashing

export function createAccess(options: {
  /** "" in development: then loopback needs no key, and everybody else is refused. */
  readonly adminKey: string;
  readonly clientAddress: (request: FastifyRequest["raw"]) => string;
}): Access {
  const { adminKey } = options;
  return async (request, reply) => {
    if (adminKey !== "") {
      const given = bearerOf(request.headers.authorization);
      // No key and a wrong key take the same path and time.
      if (!isSameSecret(given ?? "", adminKey)) {
        reply.header("www-authenticate", "Bearer");
        return reply
          .code(401)
          .send({ error: "unauthorized", message: "a valid admin key is needed" });
      }
      return;
    }
    // The peer too: a header that says 127.0.0.1 must not open anything.
    const { remoteAddress = "" } = request.raw.socket;
    const isNear = isLoopback(remoteAddress) && isLoopback(options.clientAddress(request.raw));
    if (!isNear || !isLocalHost(request.headers.host ?? "")) {
      const message = "without DIALYARD_ADMIN_KEY the management API is open on loopback only";
      return reply.code(403).send({ error: "forbidden", message });
    }
  };
}

function bearerOf(header: string | undefined): string | undefined {
  if (header === undefined || header.length > BEARER_CHARS_MAX) return undefined;
  return /^Bearer ([\x21-\x7e]+)$/i.exec(header)?.[1];
}

function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "loopback";
}

/** A web page that made its own name resolve to 127.0.0.1 still sends that name. */
function isLocalHost(host: string): boolean {
  return /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/.test(host);
}
