/** Where dialogues go, where they are left, and how long people take. */
import { useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import type { Static } from "typebox";
import type { InsightsShown } from "../../../src/api/insight-schemas.ts";
import { t, type Word } from "../i18n/index.ts";
import { ms, percent, seconds } from "../lib/format.ts";
import { useLoad } from "../lib/use-load.ts";
import { useTitle } from "../lib/use-title.ts";
import { Card, Empty, Field, Loading, PageHead, Problem } from "../ui/index.tsx";
import "../styles/sessions.css";
import "../styles/overview.css";
import "../styles/insights.css";

type Shown = Static<typeof InsightsShown>;
const HOUR_MS = 3_600_000;
const RANGES: Readonly<Record<string, number>> = {
  "1h": HOUR_MS,
  "24h": 24 * HOUR_MS,
  "7d": 168 * HOUR_MS,
  "30d": 720 * HOUR_MS,
};

/** How long before: 0 is the range's own length, so that it ends where the range begins. */
const COMPARISONS: Readonly<Record<string, { readonly word: Word; readonly agoMs: number }>> = {
  "1": { word: "compareBefore", agoMs: 0 },
  "1d": { word: "compareDay", agoMs: 24 * HOUR_MS },
  "7d": { word: "compareWeek", agoMs: 168 * HOUR_MS },
  "28d": { word: "compareFourWeeks", agoMs: 672 * HOUR_MS },
};

export function InsightsPage() {
  useTitle(t("insights"));
  const { query, route } = useLocation();
  const range = query["range"] ?? "24h";
  const code = query["service_code"] ?? "";
  const compare = query["compare"] ?? "";
  const compared = COMPARISONS[compare];
  const [nowMs] = useState(() => Math.ceil(Date.now() / 60_000) * 60_000);
  const spanMs = RANGES[range] ?? 24 * HOUR_MS;
  const now = useLoad<Shown>(addressOf(nowMs - spanMs, nowMs, code));
  const thenMs = nowMs - (compared?.agoMs || spanMs);
  const before = useLoad<Shown>(compared && addressOf(thenMs - spanMs, thenMs, code));
  const change = (next: Readonly<Record<string, string>>) => {
    const kept = { range, service_code: code, compare, ...next };
    const params = Object.entries(kept).filter(([, value]) => value !== "");
    route(`/console/insights?${new URLSearchParams(params)}`, true);
  };
  const shown = now.value;
  return (
    <div class="page">
      <PageHead title={t("insights")} lead={t("insightsLead")} />
      <form class="card insight-filters" onSubmit={(event) => event.preventDefault()}>
        <Field label={t("since")}>
          <select value={range} onChange={(event) => change({ range: event.currentTarget.value })}>
            {Object.entries(RANGES).map(([name, length]) => (
              <option key={name} value={name}>
                {t("last", { time: seconds(length) })}
              </option>
            ))}
          </select>
        </Field>
        <Field label={t("code")}>
          <input
            value={code}
            maxLength={64}
            placeholder="*365#"
            onChange={(event) => change({ service_code: event.currentTarget.value.trim() })}
          />
        </Field>
        <Field label={t("compareWith")}>
          <select
            value={compared === undefined ? "" : compare}
            onChange={(event) => change({ compare: event.currentTarget.value })}
          >
            <option value="">{t("none")}</option>
            {Object.entries(COMPARISONS).map(([name, { word }]) => (
              <option key={name} value={name}>
                {t(word)}
              </option>
            ))}
          </select>
        </Field>
      </form>
      <Problem text={now.problem ?? before.problem} />
      {shown === undefined && now.problem === undefined && <Loading />}
      {shown !== undefined && <Found now={shown} before={compared && before.value} />}
    </div>
  );
}

function addressOf(fromMs: number, toMs: number, code: string): string {
  const iso = (atMs: number) => new Date(atMs).toISOString();
  const chosen = code === "" ? {} : { service_code: code };
  return `/api/v1/insights?${new URLSearchParams({ from: iso(fromMs), to: iso(toMs), ...chosen })}`;
}

function Found({ now, before }: { now: Shown; before: Shown | undefined }) {
  const tile = (name: string, say: (of: Shown) => string) => (
    <li class="card insight-tile">
      <span class="soft">{name}</span>
      <strong>{say(now)}</strong>
      {before !== undefined && <span class="soft">{t("before", { value: say(before) })}</span>}
    </li>
  );
  return (
    <>
      {!now.is_complete && <p class="soft">{t("sampleOnly", { n: now.sessions })}</p>}
      <ul class="insight-tiles">
        {tile(t("sessions"), (of) => String(of.sessions))}
        {tile(t("tileCompleted"), (of) => percent(of.completed, of.sessions))}
        {tile(t("turnsEach"), (of) => of.turns_per_completed?.toFixed(1) ?? "–")}
      </ul>
      {now.sessions === 0 ? (
        <Empty title={t("noSuchSessions")} />
      ) : (
        <>
          <Card title={t("dropOff")}>
            <Branches nodes={now.nodes} before={before?.nodes} parent={null} beforeParent={null} />
          </Card>
          <div class="insight-columns">
            <Groups title={t("byCode")} groups={now.by_code} before={before?.by_code} />
            <Groups title={t("byNetwork")} groups={now.by_network} before={before?.by_network} />
          </div>
          <Hours hours={now.by_hour} />
          <div class="insight-columns">
            <Answers now={now} />
            <Invalid now={now} />
          </div>
        </>
      )}
    </>
  );
}

/** Of a list, the beginning of a screen is enough to know it by. */
function inOneLine(screen: string): string {
  return screen.replaceAll(/\n+/g, " · ");
}

type Nodes = Shown["nodes"];

function Branches(props: {
  nodes: Nodes;
  before: Nodes | undefined;
  parent: number | null;
  beforeParent: number | null | undefined;
}) {
  const { nodes, before, parent, beforeParent } = props;
  const total = nodes.filter((one) => one.parent === null).reduce((sum, one) => sum + one.views, 0);
  const own = nodes
    .map((node, index) => ({ ...node, index }))
    .filter((node) => node.parent === parent)
    .toSorted((a, b) => b.views - a.views);
  if (own.length === 0) return null;
  return (
    <ul class="branches">
      {own.map((node) => {
        const at = before?.findIndex(
          (one) => one.screen === node.screen && one.parent === beforeParent,
        );
        const old = at === undefined || at < 0 ? undefined : before?.[at];
        return (
          <li key={node.index}>
            <div class="branch">
              <p class="branch-screen">{inOneLine(node.screen)}</p>
              <meter min={0} max={total} value={node.views} aria-label={node.screen} />
              <p class={node.left > 0 ? "branch-left" : "soft"}>
                {t("viewsOf", { n: node.views, left: percent(node.left, node.views) })}
                {old !== undefined && ` (${t("before", { value: percent(old.left, old.views) })})`}
              </p>
            </div>
            <Branches {...props} parent={node.index} beforeParent={old && at} />
          </li>
        );
      })}
    </ul>
  );
}

type Group = Shown["by_code"];

function Groups({
  title,
  groups,
  before,
}: {
  title: string;
  groups: Group;
  before: Group | undefined;
}) {
  return (
    <Card title={title}>
      <ul class="ranked">
        {groups.map(({ name, sessions, completed }) => {
          const old = before?.find((one) => one.name === name);
          return (
            <li key={name}>
              <span class="mono">{name}</span>
              <span class="number">
                {t("sessionsOf", { n: sessions, share: percent(completed, sessions) })}
                {old !== undefined && (
                  <span class="soft">
                    {" "}
                    {t("before", { value: percent(old.completed, old.sessions) })}
                  </span>
                )}
              </span>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

function Hours({ hours }: { hours: Shown["by_hour"] }) {
  const most = Math.max(1, ...hours.map(({ sessions }) => sessions));
  return (
    <Card title={t("byHour")}>
      <ol class="hours">
        {hours.map(({ sessions }, hour) => (
          <li key={hour} title={`${hour}:00 · ${sessions}`}>
            <meter min={0} max={most} value={sessions} aria-label={`${hour}:00`} />
            <span class="soft">{hour}</span>
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Answers({ now }: { now: Shown }) {
  return (
    <Card title={t("timeToAnswer")}>
      <ul class="ranked">
        {now.answers.map(({ screen, p50_ms, p95_ms }) => (
          <li key={screen}>
            <span class="branch-screen">{inOneLine(screen)}</span>
            <span class="number">p50 {ms(p50_ms)}</span>
            <span class="number">p95 {ms(p95_ms)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Invalid({ now }: { now: Shown }) {
  return (
    <Card title={t("topInvalid")}>
      {now.invalid.length === 0 && <p class="soft">{t("none")}</p>}
      <ul class="ranked">
        {now.invalid.map(({ screen, input, times }) => (
          <li key={`${screen}|${input}`}>
            <span class="branch-screen">{inOneLine(screen)}</span>
            <span class="mono">{input.replaceAll("****", "••••")}</span>
            <span class="number">{times}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
