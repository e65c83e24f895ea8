/** The fastify application behind the doors: strict bodies, and errors as the OLA API has them. */
import { isUtf8 } from "node:buffer";
import fastify, { type FastifyError, type FastifyInstance } from "fastify";
import type { createHttpServer } from "../transports/http.ts";

export function createApp(
  serve: (handler: Parameters<typeof createHttpServer>[1]) => ReturnType<typeof createHttpServer>,
  report: (error: unknown) => void,
): FastifyInstance {
  const app = fastify({
    serverFactory: (handler) => serve(handler),
    bodyLimit: 16 * 1024, // RELIABILITY 2.6: a management body
    forceCloseConnections: "idle",
    exposeHeadRoutes: false,
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: false,
      },
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
  });
  // No browser may take an answer for a page that it is not.
  app.addHook("onSend", async (_, reply) => {
    reply.header("x-content-type-options", "nosniff");
    reply.header("x-frame-options", "DENY");
  });
  app.setSerializerCompiler(() => (body) => JSON.stringify(body));
  // The default parser turns invalid UTF-8 into U+FFFD without a word.
  const parseJson = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/json",
    { parseAs: "buffer" },
    (request, body: Buffer, done) => {
      if (!isUtf8(body)) return done(clientError("body is not valid UTF-8"));
      if (body.length === 0) return done(null, undefined);
      void parseJson(request, body.toString("utf8"), done);
    },
  );
  app.setErrorHandler((error: FastifyError, _, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) {
      report(error);
      return reply.code(500).send({ error: "internal_error", message: "Gateway internal error" });
    }
    if (status === 400) reply.header("connection", "close");
    return reply.code(status).send({ error: "invalid_request", message: messageOf(error) });
  });
  app.setNotFoundHandler((request, reply) => {
    return reply.code(404).send({ error: "not_found", message: `No ${request.method} here` });
  });
  return app;
}

function clientError(message: string): FastifyError {
  return Object.assign(new Error(message), {
    statusCode: 400,
    code: "DIALYARD_BAD_BODY",
  });
}

/** "body: unknown field admin" says more than ajv's own words, and quotes no value. */
function messageOf(error: FastifyError): string {
  const [first] = error.validation ?? [];
  if (first === undefined) return error.message;
  const place = `${error.validationContext ?? "request"}${first.instancePath.replaceAll("/", ".")}`;
  const extra = first.params["additionalProperty"];
  if (typeof extra === "string") return `${place}: unknown field ${extra.slice(0, 64)}`;
  const hint = place === "querystring.code" ? ' (in a URL write "#" as %23)' : "";
  return `${place} ${first.message ?? "is wrong"}${hint}`;
}
