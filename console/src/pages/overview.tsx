/** How it goes, and what needs somebody. */
import { useMemo, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { percent } from "../lib/format.ts";
import { useLive } from "../lib/live.ts";
import type { BackendShown, SessionPage, SessionRow } from "../lib/shapes.ts";
import { useLoad } from "../lib/use-load.ts";
import { useTitle } from "../lib/use-title.ts";
import { createTally, LiveChart } from "../overview/live-chart.tsx";
import { Spark } from "../overview/spark.tsx";
import { codesOf, HOUR_MS, statsOf, type CodeRow, type Stats } from "../overview/stats.ts";
import { outcomeWord } from "../session/outcome.tsx";
import { Card, Loading, PageHead, Problem } from "../ui/index.tsx";
import { LiveToggle } from "../ui/live.tsx";
import "../styles/sessions.css";
import "../styles/overview.css";

const REFRESH_MS = 5_000;
const SESSIONS_MAX = 500;

export function OverviewPage() {
  useTitle(t("overview"));
  const [isPaused, setPaused] = useState(false);
  const tally = useMemo(createTally, []);
  const live = useLive(isPaused, tally.add);
  // To the minute, so that the address changes, and is read anew, once a minute.
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  const from = new Date(minute - HOUR_MS).toISOString();
  const recent = useLoad<SessionPage>(
    `/api/v1/sessions?from=${from}&limit=${SESSIONS_MAX}`,
    isPaused ? undefined : REFRESH_MS,
  );
  const backends = useLoad<readonly BackendShown[]>("/backends", REFRESH_MS * 2);
  const rows = recent.value?.sessions;
  return (
    <div class="page">
      <PageHead title={t("overview")} lead={t("overviewLead")}>
        <LiveToggle state={live} onToggle={() => setPaused(!isPaused)} />
      </PageHead>
      <Problem text={recent.problem ?? backends.problem} />
      {rows === undefined ? (
        recent.problem === undefined && <Loading />
      ) : (
        <>
          <Tiles stats={statsOf(rows, Date.now())} isMore={recent.value?.next !== null} />
          {rows.length === 0 && <FirstSteps backends={backends.value ?? []} />}
          <div class="overview-columns">
            <Card title={t("liveChart")}>
              <LiveChart tally={tally} />
            </Card>
            <Attention rows={rows} backends={backends.value ?? []} />
          </div>
          {rows.length > 0 && <Codes rows={codesOf(rows)} backends={backends.value ?? []} />}
        </>
      )}
    </div>
  );
}

function Tiles({ stats, isMore }: { stats: Stats; isMore: boolean }) {
  const { total, live, completed, failed, begun, failing } = stats;
  const ended = total - live;
  const tiles = [
    { name: t("tileLive"), value: String(live), to: "?outcome=live", values: undefined },
    {
      name: t("tileSessions"),
      value: `${total}${isMore ? "+" : ""}`,
      ...{ to: "?since=1h", values: begun },
    },
    {
      name: t("tileCompleted"),
      value: percent(completed, ended),
      ...{ to: "?since=1h&outcome=completed", values: undefined },
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
            {values !== undefined && <Spark values={values} />}
          </a>
        </li>
      ))}
    </ul>
  );
}

function FirstSteps({ backends }: { backends: readonly BackendShown[] }) {
  const steps = [
    { isDone: backends.length > 0, text: t("stepConnect"), to: "/console/backends" },
    { isDone: false, text: t("stepDial"), to: "/phone" },
    { isDone: false, text: t("stepProvider"), to: "/console/channels" },
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

function Attention({
  rows,
  backends,
}: {
  rows: readonly SessionRow[];
  backends: readonly BackendShown[];
}) {
  const paused = backends.filter(({ status }) => status === "inactive");
  const failing = codesOf(rows).filter(({ failed }) => failed > 0);
  return (
    <Card title={t("attention")}>
      {paused.length + failing.length === 0 ? (
        <p class="soft">{t("nothingNeeded")}</p>
      ) : (
        <ul class="attention">
          {failing.map(({ code, failed, total, lastFailure = "" }) => (
            <li key={code}>
              <a href={`/console/sessions?since=1h&service_code=${encodeURIComponent(code)}`}>
                {t("attentionFailing", { code, failed, total, what: outcomeWord(lastFailure) })}
              </a>
            </li>
          ))}
          {paused.map(({ id, name, service_code }) => (
            <li key={id}>
              <a href="/console/backends">{t("attentionPaused", { name, code: service_code })}</a>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Codes({
  rows,
  backends,
}: {
  rows: readonly CodeRow[];
  backends: readonly BackendShown[];
}) {
  const nameOf = (code: string) => backends.find(({ service_code }) => service_code === code)?.name;
  return (
    <div class="table-box">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t("code")}</th>
            <th scope="col">{t("backend")}</th>
            <th scope="col" class="number">
              {t("tileSessions")}
            </th>
            <th scope="col" class="number">
              {t("tileCompleted")}
            </th>
            <th scope="col" class="number">
              {t("tileFailed")}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ code, total, ended, completed, failed }) => (
            <tr key={code}>
              <td class="mono">
                <a
                  class="row-link"
                  href={`/console/sessions?since=1h&service_code=${encodeURIComponent(code)}`}
                >
                  {code}
                </a>
              </td>
              <td>{nameOf(code) ?? "–"}</td>
              <td class="number">{total}</td>
              <td class="number">{percent(completed, ended)}</td>
              <td class="number">{failed}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
