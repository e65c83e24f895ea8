/** What this gateway is. */
import { t } from "../i18n/index.ts";
import { dateTime, octetsShown } from "../lib/format.ts";
import { useLoad } from "../lib/use-load.ts";
import { Card, Loading, Problem } from "../ui/index.tsx";

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

export function Facts({ facts }: { facts: readonly (readonly [string, string])[] }) {
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
