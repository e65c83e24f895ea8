/** Sessions, newest first, as they come; the address says which. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { t } from "../i18n/index.ts";
import { get, reasonOf } from "../lib/api.ts";
import { dateTime, msisdnShown, seconds } from "../lib/format.ts";
import { useLive } from "../lib/live.ts";
import type { ChannelShown, SessionPage, SessionRow } from "../lib/shapes.ts";
import { useLoad } from "../lib/use-load.ts";
import { useTitle } from "../lib/use-title.ts";
import { CsvButton, ImportButton } from "../session/files.tsx";
import {
  addressOf,
  type Filter,
  type Filters,
  filtersOf,
  queryOf,
  SINCE,
} from "../session/filters.ts";
import { OutcomeChip, OUTCOMES, outcomeWord } from "../session/outcome.tsx";
import { SavedViews } from "../session/views.tsx";
import { Button, Empty, Loading, PageHead, Problem } from "../ui/index.tsx";
import { LiveToggle } from "../ui/live.tsx";
import "../styles/sessions.css";

/** The first page is read again at most this often, however many turns there are. */
const REFRESH_MS = 1_000;
/** From here on it is said that rows come more slowly than turns. */
const RATE_SAID_MIN = 20;

export function SessionsPage() {
  useTitle(t("sessions"));
  const { query, route } = useLocation();
  const filters = filtersOf(query);
  const address = addressOf(filters);
  const [isPaused, setPaused] = useState(false);
  const list = useSessions(filters, isPaused);
  const change = (name: Filter, value: string) =>
    route(`/console/sessions${addressOf({ ...filters, [name]: value })}`, true);
  return (
    <div class="page">
      <PageHead title={t("sessions")} lead={t("sessionsLead")}>
        <CsvButton filters={filters} />
        <ImportButton />
        <LiveToggle state={list.live} rate={list.rate} onToggle={() => setPaused(!isPaused)} />
      </PageHead>
      <FilterBar key={address === "" ? "all" : "some"} filters={filters} onChange={change} />
      <SavedViews filters={filters} />
      <Problem text={list.problem} />
      {list.page === undefined ? (
        list.problem === undefined && <Loading />
      ) : list.page.sessions.length === 0 ? (
        <NoSessions isFiltered={address !== ""} />
      ) : (
        <SessionTable rows={list.page.sessions} />
      )}
      {typeof list.page?.next === "string" && (
        <div class="more">
          <Button onClick={list.more}>{t("older")}</Button>
        </div>
      )}
    </div>
  );
}

function useSessions(filters: Filters, isPaused: boolean) {
  const [page, setPage] = useState<SessionPage | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  const [rate, setRate] = useState<number | undefined>();
  const address = addressOf(filters);
  const state = useRef({ isDue: false, isLoading: false, isLong: false, turns: 0 });

  const load = useCallback(
    async (after?: string) => {
      state.current.isLoading = true;
      try {
        const query = queryOf(filters);
        query.set("limit", "50");
        if (after !== undefined) query.set("after", after);
        const found = await get<SessionPage>(`/api/v1/sessions?${query}`);
        setProblem(undefined);
        setPage((before) =>
          after === undefined
            ? found
            : { ...found, sessions: [...(before?.sessions ?? []), ...found.sessions] },
        );
      } catch (error) {
        setProblem(reasonOf(error));
      } finally {
        state.current.isLoading = false;
      }
    },
    [address],
  );
  useEffect(() => {
    state.current.isLong = false;
    void load();
  }, [load]);

  const live = useLive(isPaused, (events) => {
    state.current.isDue = true;
    state.current.turns += events.length;
  });
  useEffect(() => {
    const timer = setInterval(() => {
      const { turns, isDue, isLoading, isLong } = state.current;
      state.current.turns = 0;
      setRate(turns >= RATE_SAID_MIN ? turns : undefined);
      // Who reads older pages is not moved away from them.
      if (!isDue || isLoading || isLong || document.visibilityState !== "visible") return;
      state.current.isDue = false;
      void load();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, [load]);
  const more = () => {
    state.current.isLong = true;
    void load(page?.next ?? undefined);
  };
  return { page, problem, live, rate, more };
}

function FilterBar({
  filters,
  onChange,
}: {
  filters: Filters;
  onChange: (name: Filter, value: string) => void;
}) {
  const channels = useLoad<{ readonly channels: readonly ChannelShown[] }>("/api/v1/channels");
  const names = (channels.value?.channels ?? []).map(({ name }) => [name, name] as const);
  return (
    <form class="filters" aria-label={t("filters")} onSubmit={(event) => event.preventDefault()}>
      <input
        type="search"
        aria-label={t("msisdn")}
        placeholder={t("msisdn")}
        inputMode="tel"
        maxLength={20}
        value={filters.msisdn ?? ""}
        onChange={(event) => {
          const digits = event.currentTarget.value.replace(/[\s+()-]/g, "");
          if (digits === "" || /^[1-9]\d{6,14}$/.test(digits)) onChange("msisdn", digits);
        }}
      />
      <input
        type="search"
        aria-label={t("code")}
        placeholder={t("code")}
        maxLength={40}
        value={filters.service_code ?? ""}
        onChange={(event) => {
          const code = event.currentTarget.value.trim();
          if (code === "" || /^\*[1-9][\d*]*#$/.test(code)) onChange("service_code", code);
        }}
      />
      <Select
        label={t("channel")}
        all={t("allChannels")}
        value={filters.channel}
        options={names}
        onChange={(value) => onChange("channel", value)}
      />
      <Select
        label={t("outcome")}
        all={t("allOutcomes")}
        value={filters.outcome}
        options={OUTCOMES.map((outcome) => [outcome, outcomeWord(outcome)] as const)}
        onChange={(value) => onChange("outcome", value)}
      />
      <Select
        label={t("since")}
        all={t("anyTime")}
        value={filters.since}
        options={Object.keys(SINCE).map((name) => [name, t("last", { time: name })] as const)}
        onChange={(value) => onChange("since", value)}
      />
    </form>
  );
}

function Select({
  label,
  all,
  value = "",
  options,
  onChange,
}: {
  label: string;
  all: string;
  value?: string | undefined;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}) {
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      <option value="">{all}</option>
      {options.map(([name, text]) => (
        <option key={name} value={name}>
          {text}
        </option>
      ))}
    </select>
  );
}

export function SessionTable({ rows }: { rows: readonly SessionRow[] }) {
  return (
    <div class="table-box">
      <table class="table sessions-table">
        <thead>
          <tr>
            <th scope="col">{t("time")}</th>
            <th scope="col">{t("msisdn")}</th>
            <th scope="col">{t("code")}</th>
            <th scope="col">{t("network")}</th>
            <th scope="col" class="number">
              {t("turns")}
            </th>
            <th scope="col" class="number">
              {t("duration")}
            </th>
            <th scope="col">{t("outcome")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <td>
                <a class="row-link" href={`/console/sessions/${row.id}`}>
                  {dateTime(row.started_at)}
                </a>
              </td>
              <td class="mono">{msisdnShown(row.msisdn)}</td>
              <td class="mono">{row.service_code ?? "–"}</td>
              <td>
                {row.provider}
                {row.provider !== row.channel && <span class="soft"> · {row.channel}</span>}
              </td>
              <td class="number">{row.turns}</td>
              <td class="number">
                {seconds(Date.parse(row.last_at) - Date.parse(row.started_at))}
              </td>
              <td>
                <OutcomeChip outcome={row.outcome} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NoSessions({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <Empty title={t("noSuchSessions")}>
        <a href="/console/sessions">{t("allSessions")}</a>
      </Empty>
    );
  }
  return (
    <Empty title={t("noSessions")} command="npx dialyard dial '*365#'">
      {t("noSessionsHint")} <a href="/phone">{t("phone")}</a>
    </Empty>
  );
}
