/** How it goes, and what needs somebody. */
import { useMemo, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { ms, percent } from "../lib/format.ts";
import { useLive } from "../lib/live.ts";
import type {
  BackendShown,
  ChannelShown,
  HealthShown,
  OverviewShown,
  SessionPage,
} from "../lib/shapes.ts";
import { useLoad } from "../lib/use-load.ts";
import { useTitle } from "../lib/use-title.ts";
import { Attention } from "../overview/attention.tsx";
import { createTally, HourChart, LiveChart, type Tally } from "../overview/live-chart.tsx";
import { Spark } from "../overview/spark.tsx";
import {
  codesOf,
  HOUR_MS,
  livingOf,
  statsOfMinutes,
  statsOfRows,
  type CodeRow,
  type Stats,
} from "../overview/stats.ts";
import { outcomeWord } from "../session/outcome.tsx";
import { Card, Chip, Loading, PageHead, Problem } from "../ui/index.tsx";
import { LiveToggle } from "../ui/live.tsx";
import "../styles/sessions.css";
import "../styles/overview.css";

const REFRESH_MS = 5_000;
const SESSIONS_MAX = 500;
/** Whoever has so few has just begun. */
const FIRST_SESSIONS_MAX = 2;

export function OverviewPage() {
  useTitle(t("overview"));
  const [isPaused, setPaused] = useState(false);
  const tally = useMemo(createTally, []);
  const live = useLive(isPaused, tally.add);
  // To the minute, so that the address changes, and is read anew, once a minute.
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  const from = new Date(minute - HOUR_MS).toISOString();
  const everyMs = isPaused ? undefined : REFRESH_MS;
  const recent = useLoad<SessionPage>(
    `/api/v1/sessions?from=${from}&limit=${SESSIONS_MAX}`,
    everyMs,
  );
  const counted = useLoad<OverviewShown>("/api/v1/overview", everyMs);
  const backends = useLoad<readonly BackendShown[]>("/backends", REFRESH_MS * 2);
  const health = useLoad<HealthShown>("/api/v1/backends/health", REFRESH_MS * 2);
  const rows = recent.value?.sessions;
  const isAll = recent.value?.next === null;
  const known = backends.value ?? [];
  return (
    <div class="page">
      <PageHead title={t("overview")} lead={t("overviewLead")}>
        <LiveToggle state={live} onToggle={() => setPaused(!isPaused)} />
      </PageHead>
      <Problem text={recent.problem ?? counted.problem ?? backends.problem} />
      {rows === undefined || counted.value === undefined ? (
        (recent.problem ?? counted.problem) === undefined && <Loading />
      ) : (
        <>
          <Tiles
            stats={isAll ? statsOfRows(rows, Date.now()) : statsOfMinutes(counted.value.minutes)}
            overview={counted.value}
          />
          {rows.length <= FIRST_SESSIONS_MAX && <FirstSteps backends={known} />}
          <div class="overview-columns">
            <Chart tally={tally} overview={counted.value} />
            <Attention rows={rows} backends={known} health={health.value} />
          </div>
          {rows.length > 0 && <Codes rows={codesOf(rows)} backends={known} health={health.value} />}
          {!isAll && <p class="soft">{t("newestOnly", { n: rows.length })}</p>}
        </>
      )}
    </div>
  );
}

function Chart({ tally, overview }: { tally: Tally; overview: OverviewShown }) {
  const [isLive, setLive] = useState(false);
  const choices = (
    <div class="segmented" role="group" aria-label={t("time")}>
      {[false, true].map((one) => (
        <button
          type="button"
          key={String(one)}
          aria-pressed={one === isLive}
          onClick={() => setLive(one)}
        >
          {t(one ? "chartLive" : "chartHour")}
        </button>
      ))}
    </div>
  );
  return (
    <Card title={t("liveChart")} aside={choices}>
      {isLive ? <LiveChart tally={tally} /> : <HourChart minutes={overview.minutes} />}
    </Card>
  );
}

function Tiles({ stats, overview }: { stats: Stats; overview: OverviewShown }) {
  const { total, ended, completed, failed, begun, completing, failing } = stats;
  const { minutes, live } = overview;
  const times = minutes.map(({ p95_ms }) => p95_ms);
  const newest = minutes.findLast(({ turns }) => turns > 0);
  const tiles = [
    {
      name: t("tileLive"),
      value: live === null ? "–" : String(live),
      to: "?outcome=live",
      values: live === null ? [] : livingOf(minutes, live),
    },
    { name: t("tileSessions"), value: String(total), to: "?since=1h", values: begun },
    {
      name: t("tileCompleted"),
      value: percent(completed, ended),
      ...{ to: "?since=1h&outcome=completed", values: completing },
    },
    {
      name: t("tileTime"),
      value: newest === undefined ? "–" : ms(newest.p95_ms),
      ...{ to: "?since=1h", values: times },
    },
    { name: t("tileFailed"), value: String(failed), to: "?since=1h", values: failing },
  ];
  return (
    <ul class="tiles">
      {tiles.map(({ name, value, to, values }) => (
        <li key={name}>
          <a class="tile" href={`/console/sessions${to}`}>
            <span class="tile-name">{name}</span>
            <b>{value}</b>
            <Spark values={values} />
          </a>
        </li>
      ))}
    </ul>
  );
}

/** Until somebody has dialled more than to see whether it works. Each step ticks itself. */
function FirstSteps({ backends }: { backends: readonly BackendShown[] }) {
  const ever = useLoad<SessionPage>(`/api/v1/sessions?limit=${FIRST_SESSIONS_MAX + 1}`, REFRESH_MS);
  const channels = useLoad<{ readonly channels: readonly ChannelShown[] }>(
    "/api/v1/channels",
    REFRESH_MS,
  );
  const stored = ever.value?.sessions.length;
  if (stored === undefined || stored > FIRST_SESSIONS_MAX) return null;
  const called = channels.value?.channels.some(({ last_request_at }) => last_request_at !== null);
  const steps = [
    { isDone: backends.length > 0, text: t("stepConnect"), to: "/console/backends" },
    { isDone: stored > 0, text: t("stepDial"), to: "/phone" },
    { isDone: called === true, text: t("stepProvider"), to: "/console/channels" },
  ];
  return (
    <Card title={t("firstSteps")}>
      <ol class="first-steps">
        {steps.map(({ isDone, text, to }, index) => (
          <li key={to} class={isDone ? "done" : ""}>
            <span class="step-mark">{isDone ? "✓" : index + 1}</span>
            <a href={to}>{text}</a>
            {isDone && <span class="sr">{t("done")}</span>}
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Codes({
  rows,
  backends,
  health,
}: {
  rows: readonly CodeRow[];
  backends: readonly BackendShown[];
  health: HealthShown | undefined;
}) {
  return (
    <div class="table-box">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t("code")}</th>
            <th scope="col">{t("backend")}</th>
            <th scope="col">{t("state")}</th>
            {(["tileSessions", "tileCompleted", "p95", "tileFailed"] as const).map((word) => (
              <th scope="col" class="number" key={word}>
                {t(word)}
              </th>
            ))}
            <th scope="col">{t("lastFailure")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const backend = backends.find(({ service_code }) => service_code === row.code);
            const known = health?.backends.find(({ id }) => id === backend?.id);
            return <CodeLine key={row.code} row={row} backend={backend} health={known} />;
          })}
        </tbody>
      </table>
    </div>
  );
}

function CodeLine({
  row,
  backend,
  health,
}: {
  row: CodeRow;
  backend: BackendShown | undefined;
  health: HealthShown["backends"][number] | undefined;
}) {
  const { code, total, ended, completed, failed, lastFailure } = row;
  const isActive = backend?.status === "active";
  return (
    <tr>
      <td class="mono">
        <a
          class="row-link"
          href={`/console/sessions?since=1h&service_code=${encodeURIComponent(code)}`}
        >
          {code}
        </a>
      </td>
      <td>{backend?.name ?? "–"}</td>
      <td>
        {health?.breaker_open ? (
          <Chip tone="bad">{t("breakerOpen")}</Chip>
        ) : (
          backend !== undefined && (
            <Chip tone={isActive ? "good" : "warn"}>
              {t(isActive ? "active" : "pausedBackend")}
            </Chip>
          )
        )}
      </td>
      <td class="number">{total}</td>
      <td class="number">{percent(completed, ended)}</td>
      <td class="number">{typeof health?.p95_ms === "number" ? ms(health.p95_ms) : "–"}</td>
      <td class="number">{failed}</td>
      <td>{lastFailure === undefined ? "–" : outcomeWord(lastFailure)}</td>
    </tr>
  );
}
