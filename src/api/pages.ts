/**
 * The console and the phone: files that `npm run build -w console` leaves, from memory. The page
 * takes nothing from anywhere else and has no code in it.
 */
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

const FOLDER = new URL("../../console/dist/", import.meta.url);
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
  "img-src 'self' data:; manifest-src 'self'; form-action 'none'; base-uri 'none'; " +
  "frame-ancestors 'none'";
const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  html: "text/html; charset=utf-8",
};
const NOT_BUILT =
  "The console is not built. `npm start` and `npm run build -w console` build it.\n";

type Page = { readonly type: string; readonly plain: Buffer; readonly packed: Buffer };

export function pageRoutes(app: FastifyInstance): void {
  const hidden = { schema: { hide: true } };
  let loading: Promise<ReadonlyMap<string, Page>> | undefined;

  async function sendIndex(request: FastifyRequest, reply: FastifyReply) {
    const page = (await (loading ??= load())).get("index.html");
    if (page === undefined) {
      loading = undefined;
      return reply.code(503).type("text/plain; charset=utf-8").send(NOT_BUILT);
    }
    reply.header("content-security-policy", POLICY);
    reply.header("referrer-policy", "no-referrer");
    return send(request, reply.header("cache-control", "no-cache"), page);
  }
  for (const path of ["/phone", "/console", "/console/*"]) app.get(path, hidden, sendIndex);

  app.get<{ Params: { file: string } }>("/console/assets/:file", hidden, async (request, reply) => {
    const page = (await (loading ??= load())).get(`assets/${request.params.file}`);
    if (page === undefined) return reply.callNotFound();
    // Its name changes with its content.
    return send(
      request,
      reply.header("cache-control", "public, max-age=31536000, immutable"),
      page,
    );
  });
}

function send(request: FastifyRequest, reply: FastifyReply, { type, plain, packed }: Page) {
  reply.type(type).header("vary", "accept-encoding");
  const isPacked = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
  if (!isPacked) return reply.send(plain);
  return reply.header("content-encoding", "gzip").send(packed);
}

async function load(): Promise<ReadonlyMap<string, Page>> {
  const names = await readdir(FOLDER, { recursive: true }).catch(() => []);
  const pages = new Map<string, Page>();
  for (const name of names) {
    const type = TYPES[name.split(".").at(-1) ?? ""];
    if (type === undefined) continue;
    const plain = await readFile(fileURLToPath(new URL(name, FOLDER)));
    pages.set(name.replaceAll("\\", "/"), { type, plain, packed: await pack(plain) });
  }
  return pages;
}
const pack = promisify(gzip);
