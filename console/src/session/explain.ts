/** What became of a session, in one plain sentence. */
import { t, type Word } from "../i18n/index.ts";
import { ms, seconds } from "../lib/format.ts";
import type { SessionDetail, TurnShown } from "../lib/shapes.ts";

export function explain(session: SessionDetail): string {
  const { outcome, records } = session;
  const tookMs = Date.parse(session.last_at) - Date.parse(session.started_at);
  const shown = records.filter(({ screen }) => screen !== "");
  const last = shown.at(-1);
  const quoted = quote(last?.screen);
  switch (outcome) {
    case "completed":
      return t("saidCompleted", { n: session.turns, time: seconds(tookMs) });
    case "live":
      return t("saidLive", { screen: quoted });
    case "cancelled":
      return t("saidCancelled", { screen: quoted });
    case "abandoned":
      return t("saidAbandoned", { screen: quoted });
    case "replaced":
      return t("saidReplaced");
    case "unknown":
      return t("saidUnknown");
    default:
      return explainFailure(outcome, records, shown);
  }
}

const FAILURES: Readonly<Record<string, Word>> = {
  backend_timeout: "saidTimeout",
  backend_unreachable: "saidUnreachable",
  backend_failed: "saidFailed",
  backend_malformed: "saidMalformed",
  backend_disconnected: "saidDisconnected",
  backend_not_found: "saidNoBackend",
  backend_inactive: "saidInactive",
  backend_busy: "saidBusy",
};

function explainFailure(
  outcome: string,
  records: readonly TurnShown[],
  shown: readonly TurnShown[],
): string {
  const failed = records.findLast((record) => record.outcome === outcome);
  const before = shown[shown.length - 2];
  const where =
    before === undefined ? t("atDial") : t("afterScreen", { screen: quote(before.screen) });
  const attempts = failed?.attempts ?? [];
  const status = attempts.at(-1)?.status;
  const time = ms(failed?.backend_ms ?? 0);
  const word = FAILURES[outcome];
  const cause =
    word === undefined
      ? t("saidOther", { code: outcome })
      : t(word, { time, n: attempts.length, status: status ?? "–" });
  return `${cause} ${where}`;
}

/** The line that people remember of a screen. */
export function quote(screen: string | undefined): string {
  const line = screen?.split("\n").find((one) => one.trim() !== "") ?? "";
  return line.length > 48 ? `“${line.slice(0, 47).trimEnd()}…”` : `“${line}”`;
}
