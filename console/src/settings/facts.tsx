/** What this gateway is and keeps. */
import { t } from "../i18n/index.ts";
import { dateTime, octetsShown } from "../lib/format.ts";
import { useLoad } from "../lib/use-load.ts";
import { Card, Chip, Loading, Problem } from "../ui/index.tsx";

type System = {
  readonly version: string;
  readonly node: string;
  readonly mode: string;
  readonly started_at: string;
  readonly database: {
    readonly kind: string;
    readonly octets: number;
    readonly migrations: readonly string[];
  };
};
type Privacy = {
  readonly session_days: number;
  readonly audit_days: number;
  readonly secret_words: readonly string[];
};
type Texts = {
  readonly language: string;
  readonly texts: readonly {
    readonly name: string;
    readonly language: string;
    readonly text: string;
    readonly alphabet: string;
    readonly units: number;
    readonly fits: boolean;
  }[];
};

export function SystemPart() {
  const { value, problem } = useLoad<System>("/api/v1/system");
  if (value === undefined) return problem ? <Problem text={problem} /> : <Loading />;
  const { database } = value;
  return (
    <Card title={t("system")}>
      <Facts
        facts={[
          [t("version"), value.version],
          ["Node.js", value.node],
          [t("mode"), value.mode],
          [t("begun"), dateTime(value.started_at)],
          [t("database"), `${database.kind}, ${octetsShown(database.octets)}`],
          [t("migrations"), database.migrations.join(", ")],
        ]}
      />
    </Card>
  );
}

export function PrivacyPart() {
  const { value, problem } = useLoad<Privacy>("/api/v1/privacy");
  if (value === undefined) return problem ? <Problem text={problem} /> : <Loading />;
  return (
    <Card title={t("privacy")}>
      <Facts
        facts={[
          [t("sessionDays"), String(value.session_days)],
          [t("auditDays"), String(value.audit_days)],
          [t("secretWords"), value.secret_words.join(", ") || t("none")],
        ]}
      />
      <p class="soft">{t("fromSettings")}</p>
    </Card>
  );
}

export function TextsPart() {
  const { value, problem } = useLoad<Texts>("/api/v1/texts");
  if (value === undefined) return problem ? <Problem text={problem} /> : <Loading />;
  return (
    <Card title={t("texts")}>
      <ul class="texts">
        {value.texts.map(({ name, language, text, alphabet, units, fits }) => (
          <li key={`${name} ${language}`}>
            <Chip tone={language === value.language ? "accent" : "calm"}>{language}</Chip>
            <span lang={language}>{text}</span>
            <span class={fits ? "soft" : "problem"}>
              {units} {alphabet === "ucs2" ? "UCS-2" : "GSM-7"}
            </span>
          </li>
        ))}
      </ul>
      <p class="soft">{t("textsBuiltIn")}</p>
    </Card>
  );
}

function Facts({ facts }: { facts: readonly (readonly [string, string])[] }) {
  return (
    <dl class="setting-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="mono">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
