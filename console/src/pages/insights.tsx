/** Where dialogues go, where they are left, and how long people take. */
import { useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import type { Static } from "typebox";
import type { InsightsShown } from "../../../src/api/insight-schemas.ts";
import { t } from "../i18n/index.ts";
import { ms, percent, seconds } from "../lib/format.ts";
import {
  comparedRangeOf,
  COMPARISONS,
  localTime,
  OWN,
  type Range,
  rangeOf,
  RANGES,
} from "../lib/ranges.ts";
import { useLoad } from "../lib/use-load.ts";
import { useTitle } from "../lib/use-title.ts";
import { Card, Empty, Field, Loading, PageHead, Problem } from "../ui/index.tsx";
import "../styles/sessions.css";
import "../styles/overview.css";
import "../styles/insights.css";

type Shown = Static<typeof InsightsShown>;
export function InsightsPage() {
  useTitle(t("insights"));
  const { query, route } = useLocation();
  const code = query["service_code"] ?? "";
  const [nowMs] = useState(() => Math.ceil(Date.now() / 60_000) * 60_000);
  const range = rangeOf(query, nowMs);
  const compared = comparedRangeOf(query, range);
  const now = useLoad<Shown>(range && addressOf(range, code));
  const before = useLoad<Shown>(compared && addressOf(compared, code));
  const change = (next: Readonly<Record<string, string>>) => {
    const params = Object.entries({ ...query, ...next }).filter(([, value]) => value !== "");
    route(`/console/insights?${new URLSearchParams(params)}`, true);
  };
  const shown = now.value;
  return (
    <div class="page">
      <PageHead title={t("insights")} lead={t("insightsLead")} />
      <Filters query={query} range={range} compared={compared} change={change} />
      <Problem text={now.problem ?? before.problem} />
      {range === undefined && <Problem text={t("noSuchRange")} />}
      {range && shown === undefined && now.problem === undefined && <Loading />}
      {range && shown !== undefined && <Found now={shown} before={compared && before.value} />}
    </div>
  );
}

type Change = (next: Readonly<Record<string, string>>) => void;

function Filters(props: {
  query: Readonly<Record<string, string>>;
  range: Range | undefined;
  compared: Range | undefined;
  change: Change;
}) {
  const { query, range, compared, change } = props;
  const chosen = query["range"] ?? "24h";
  const compare = query["compare"] ?? "";
  /** Begins where one is, so that there is something to change. */
  const own = (prefix: string, from: Range | undefined) => ({
    [`${prefix}from`]: from ? localTime(from.fromMs) : "",
    [`${prefix}to`]: from ? localTime(from.toMs) : "",
  });
  const none = (prefix: string) => ({ [`${prefix}from`]: "", [`${prefix}to`]: "" });
  const pick = (name: string, prefix: string, value: string, from: Range | undefined) =>
    change({ [name]: value, ...(value === OWN ? own(prefix, from) : none(prefix)) });
  return (
    <form class="card insight-filters" onSubmit={(event) => event.preventDefault()}>
      <Field label={t("since")}>
        <select
          value={chosen}
          onChange={(event) => pick("range", "", event.currentTarget.value, range)}
        >
          {Object.entries(RANGES).map(([name, length]) => (
            <option key={name} value={name}>
              {t("last", { time: seconds(length) })}
            </option>
          ))}
          <option value={OWN}>{t("ownRange")}</option>
        </select>
      </Field>
      {chosen === OWN && <Moments prefix="" query={query} change={change} />}
      <Field label={t("code")}>
        <input
          value={query["service_code"] ?? ""}
          maxLength={64}
          placeholder="*365#"
          onChange={(event) => change({ service_code: event.currentTarget.value.trim() })}
        />
      </Field>
      <Field label={t("compareWith")}>
        <select
          value={compare}
          onChange={(event) =>
            pick("compare", "compare_", event.currentTarget.value, compared ?? range)
          }
        >
          <option value="">{t("none")}</option>
          {Object.entries(COMPARISONS).map(([name, { word }]) => (
            <option key={name} value={name}>
              {t(word)}
            </option>
          ))}
          <option value={OWN}>{t("ownRange")}</option>
        </select>
      </Field>
      {compare === OWN && <Moments prefix="compare_" query={query} change={change} />}
    </form>
  );
}

function Moments(props: {
  prefix: string;
  query: Readonly<Record<string, string>>;
  change: Change;
}) {
  const { prefix, query, change } = props;
  const moment = (name: string, label: string) => (
    <Field label={label}>
      <input
        type="datetime-local"
        value={query[name] ?? ""}
        onChange={(event) => change({ [name]: event.currentTarget.value })}
      />
    </Field>
  );
  return (
    <>
      {moment(`${prefix}from`, t("rangeFrom"))}
      {moment(`${prefix}to`, t("rangeTo"))}
    </>
  );
}

function addressOf({ fromMs, toMs }: Range, code: string): string {
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
