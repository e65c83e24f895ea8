/** What somebody has to look at: each line leads to where it is put right. */
import { t } from "../i18n/index.ts";
import { dateTime } from "../lib/format.ts";
import { may } from "../lib/me.ts";
import type { BackendShown, ChannelShown, HealthShown, SessionRow } from "../lib/shapes.ts";
import { useLoad } from "../lib/use-load.ts";
import { outcomeWord } from "../session/outcome.tsx";
import { Card } from "../ui/index.tsx";
import { codesOf, HOUR_MS } from "./stats.ts";

const REFRESH_MS = 10_000;
const SOON_MS = 72 * HOUR_MS;
type Keys = {
  readonly keys: readonly {
    readonly name: string;
    readonly expires_at: string | null;
    readonly is_valid: boolean;
  }[];
};
type Line = { readonly key: string; readonly to: string; readonly text: string };

export function Attention(props: {
  rows: readonly SessionRow[];
  backends: readonly BackendShown[];
  health: HealthShown | undefined;
}) {
  const { rows, backends, health } = props;
  const channels = useLoad<{ readonly channels: readonly ChannelShown[] }>(
    "/api/v1/channels",
    REFRESH_MS,
  );
  const keys = useLoad<Keys>(may("keys:write") ? "/api/v1/keys" : undefined, REFRESH_MS);
  const lines = [
    ...breakerLines(backends, health),
    ...failingLines(rows),
    ...backends.filter(({ status }) => status === "inactive").map(pausedLine),
    ...(channels.value?.channels ?? []).flatMap(rejectLines),
    ...(keys.value?.keys ?? []).flatMap(keyLines),
  ];
  return (
    <Card title={t("attention")}>
      {lines.length === 0 ? (
        <p class="soft">{t("nothingNeeded")}</p>
      ) : (
        <ul class="attention">
          {lines.map(({ key, to, text }) => (
            <li key={key}>
              <a href={to}>{text}</a>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function breakerLines(
  backends: readonly BackendShown[],
  health: HealthShown | undefined,
): readonly Line[] {
  const open = new Set(health?.backends.flatMap((one) => (one.breaker_open ? [one.id] : [])));
  return backends
    .filter(({ id }) => open.has(id))
    .map(({ id, name, service_code: code }) => ({
      ...{ key: `breaker ${id}`, to: "/console/backends" },
      text: t("attentionBreaker", { name, code }),
    }));
}

function failingLines(rows: readonly SessionRow[]): readonly Line[] {
  return codesOf(rows)
    .filter(({ failed }) => failed > 0)
    .map(({ code, failed, total, lastFailure = "" }) => ({
      key: `failing ${code}`,
      to: `/console/sessions?since=1h&service_code=${encodeURIComponent(code)}`,
      text: t("attentionFailing", { code, failed, total, what: outcomeWord(lastFailure) }),
    }));
}

function pausedLine({ id, name, service_code: code }: BackendShown): Line {
  const text = t("attentionPaused", { name, code });
  return { key: `paused ${id}`, to: "/console/backends", text };
}

/** Of the last hour: what was refused before has been seen, or is over. */
function rejectLines({ name, rejects }: ChannelShown): readonly Line[] {
  const late = rejects.filter(({ last_at }) => Date.now() - Date.parse(last_at) < HOUR_MS);
  const [newest] = late;
  if (newest === undefined) return [];
  const n = late.reduce((sum, { count }) => sum + count, 0);
  const text = t("attentionRejects", { name, n, reason: newest.reason });
  return [{ key: `rejects ${name}`, to: "/console/channels", text }];
}

/** A key that a rotation replaced expires too: whoever still uses it has to be told. */
function keyLines({ name, expires_at, is_valid }: Keys["keys"][number]): readonly Line[] {
  if (!is_valid || expires_at === null) return [];
  if (Date.parse(expires_at) - Date.now() > SOON_MS) return [];
  const text = t("attentionKey", { name, time: dateTime(expires_at) });
  return [{ key: `key ${name} ${expires_at}`, to: "/console/settings?part=keys", text }];
}
