/** OpenAPI 3.1 at /openapi.json and a page for people at /docs, from the schemas that validate. */
import type { FastifyInstance } from "fastify";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { Config } from "../config.ts";
import { answering } from "../transports/answer-doors.ts";

export async function documentApi(
  app: FastifyInstance,
  config: Config,
  version: string,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Dialyard",
        version,
        description: "USSD gateway: management, operations and channel doors.",
      },
      components: { securitySchemes: { adminKey: { type: "http", scheme: "bearer" } } },
      security: config.adminKey === "" ? [] : [{ adminKey: [] }],
    },
    transformObject(document) {
      if (!("openapiObject" in document)) return document.swaggerObject;
      const { openapiObject } = document;
      // Channel doors are answered before fastify sees them, so they are described here.
      const doors = config.channels
        .filter((channel) => !channel.isPathSecret)
        .flatMap((channel) => {
          return channel.paths.map(
            (path) => [path, doorItem(channel.name, channel.codec.name)] as const,
          );
        });
      const answers = answering().map(({ path, codec }) => [path, answerItem(codec.name)] as const);
      const own = Object.fromEntries([...answers, ...doors]);
      return { ...openapiObject, paths: { ...openapiObject.paths, ...own } };
    },
  });
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    logo: { type: "image/svg+xml", content: Buffer.from(LOGO), href: "/docs" },
    theme: { title: "Dialyard API" },
  });
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
}

function doorItem(channel: string, protocol: string) {
  return {
    post: {
      tags: ["channels"],
      summary: `Channel ${channel}: the network calls here, speaking ${protocol}`,
      responses: { 200: { description: "The screen, in the channel's own protocol" } },
    },
  };
}

function answerItem(protocol: string) {
  return {
    post: {
      tags: ["backends"],
      summary: `Applications that speak ${protocol} bring their screens here`,
      responses: { 200: { description: "What became of it, in the application's own protocol" } },
    },
  };
}

const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 140 40" width="140" height="40">
<text y="29" font-family="sans-serif" font-size="28" font-weight="700" fill="#fff"
>Dialyard</text>
</svg>`;
