/** How long what is kept and what is masked, changed without a restart. */
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { Config } from "../config.ts";
import { type Privacy, privacyOf, readPrivacy, type Settings } from "../settings.ts";
import type { Audit } from "./audit.ts";
import { ErrorBody } from "./schemas.ts";

export type PrivacyOptions = {
  readonly config: Config;
  readonly settings: Settings;
  readonly audit: Audit;
};

const WORDS_MAX = 100;
const rules = {
  session_days: Type.Integer({ description: "Sessions and their turns are deleted after so many" }),
  audit_days: Type.Integer({ description: "Entries of the audit log are deleted after so many" }),
  secret_words: Type.Array(Type.String({ maxLength: 40, pattern: "^[^,]*$" }), {
    maxItems: WORDS_MAX,
    description: "Of screens that ask for a secret, beside those built in",
  }),
};
const Rules = Type.Object(rules, { additionalProperties: false });
type Rules = Type.Static<typeof Rules>;
const PrivacyShown = Type.Object({
  ...rules,
  changed: Type.Boolean({ description: "Whether these stand for the configuration's" }),
  configured: Type.Object(rules),
});
const PATH = "/api/v1/privacy";

export function privacyRoutes(app: FastifyInstance, options: PrivacyOptions): void {
  const { config, settings, audit } = options;
  const tags = ["settings"];
  const response = { 200: PrivacyShown, 400: ErrorBody };
  const shown = () => {
    const inForce = settings.privacy();
    const configured = rulesShown(privacyOf(config));
    return { ...rulesShown(inForce), changed: inForce.isChanged, configured };
  };

  app.get(
    PATH,
    { schema: { tags, summary: "How long what is kept, and masked", response } },
    async () => shown(),
  );

  app.put<{ Body: Rules }>(
    PATH,
    {
      schema: {
        ...{ tags, body: Rules, response },
        summary: "Other rules than the configuration's: in force at once, on all nodes",
      },
    },
    async (request, reply) => {
      const { session_days: sessionDays, audit_days: auditDays, secret_words } = request.body;
      const read = readPrivacy({ sessionDays, auditDays, secretWords: secret_words });
      if (typeof read === "string")
        return reply.code(400).send({ error: "invalid_request", message: read });
      const { before, after } = await settings.changePrivacy(read);
      const noted = { before: rulesShown(before), after: rulesShown(after) };
      await audit.note(request, { action: "privacy.change", target: "privacy", ...noted });
      return shown();
    },
  );

  app.delete(
    PATH,
    { schema: { tags, summary: "The configuration's rules again", response } },
    async (request) => {
      const { before, after } = await settings.changePrivacy(undefined);
      const noted = { before: rulesShown(before), after: rulesShown(after) };
      if (before.isChanged)
        await audit.note(request, { action: "privacy.reset", target: "privacy", ...noted });
      return shown();
    },
  );
}

function rulesShown({ sessionDays, auditDays, secretWords }: Privacy): Rules {
  return { session_days: sessionDays, audit_days: auditDays, secret_words: [...secretWords] };
}
