/** The gateway's own screens to subscribers, and an operator's own wording of them. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { Type } from "typebox";
import type { Config } from "../config.ts";
import { measureScreen } from "../core/screen.ts";
import { findTextProblem, fitsOneScreen } from "../core/words.ts";
import type { OwnText, Settings } from "../settings.ts";
import type { Audit } from "./audit.ts";
import { ErrorBody } from "./schemas.ts";

export type TextsOptions = {
  readonly config: Config;
  readonly settings: Settings;
  readonly audit: Audit;
};

const Text = Type.Object({
  name: Type.String({ description: "What it is for; docs/errors.md has the table" }),
  language: Type.String(),
  text: Type.String({ description: "What subscribers read" }),
  built_in: Type.String(),
  changed: Type.Boolean({ description: "Whether `text` is an operator's own" }),
  alphabet: Type.String(),
  units: Type.Integer(),
  fits: Type.Boolean({ description: "On one screen of 160 octets" }),
});
const Texts = Type.Object({
  language: Type.String({ description: "The one that subscribers read" }),
  texts: Type.Array(Text),
});
const TextParams = Type.Object({
  name: Type.String({ maxLength: 40 }),
  language: Type.String({ maxLength: 10 }),
});
const TextBody = Type.Object(
  {
    text: Type.String({
      maxLength: 1_000,
      description: "One line that fits one screen: 182 GSM-7 septets, or 80 UCS-2 units",
    }),
  },
  { additionalProperties: false },
);
type Params = Type.Static<typeof TextParams>;
const PATH = "/api/v1/texts/:name/:language";

export function textRoutes(app: FastifyInstance, options: TextsOptions): void {
  const { config, settings, audit } = options;
  const tags = ["settings"];
  const response = { 200: Text, 400: ErrorBody, 404: ErrorBody };

  app.get(
    "/api/v1/texts",
    { schema: { tags, summary: "The gateway's own screens", response: { 200: Texts } } },
    async () => ({ language: config.language, texts: settings.texts().map(textShown) }),
  );

  app.put<{ Params: Params; Body: Type.Static<typeof TextBody> }>(
    PATH,
    {
      schema: {
        ...{ tags, params: TextParams, body: TextBody, response },
        summary: "Say it in words of one's own: in force at once, on all nodes",
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      const problem = findTextProblem(body.text);
      if (problem !== undefined)
        return reply.code(400).send({ error: "invalid_request", message: problem });
      const changed = await settings.changeText(params.name, params.language, body.text);
      if (changed === undefined) return refuse(reply, params);
      await audit.note(request, { action: "text.change", ...noteOf(params, changed) });
      return textShown(changed.after);
    },
  );

  app.delete<{ Params: Params }>(
    PATH,
    {
      schema: {
        ...{ tags, params: TextParams, response },
        summary: "Back to the built-in text",
      },
    },
    async (request, reply) => {
      const { params } = request;
      const changed = await settings.changeText(params.name, params.language, undefined);
      if (changed === undefined) return refuse(reply, params);
      if (changed.before.isChanged)
        await audit.note(request, { action: "text.reset", ...noteOf(params, changed) });
      return textShown(changed.after);
    },
  );
}

function noteOf(
  { name, language }: Params,
  { before, after }: { readonly before: OwnText; readonly after: OwnText },
) {
  const target = `${name} ${language}`;
  return { target, before: { text: before.text }, after: { text: after.text } };
}

function textShown({ name, language, text, builtIn, isChanged }: OwnText) {
  const { alphabet, units } = measureScreen(text);
  const shown = { name, language, text, built_in: builtIn, changed: isChanged };
  return { ...shown, alphabet, units, fits: fitsOneScreen(text) };
}

function refuse(reply: FastifyReply, { name, language }: Params): FastifyReply {
  const message = `there is no text ${name} in the language ${language}`;
  return reply.code(404).send({ error: "not_found", message });
}
