/** One session: what the subscriber saw, who was slow, why it ended. */
import { useState } from "preact/hooks";
import { useRoute } from "preact-iso";
import type { ExchangeList } from "../../../src/api/phone-schemas.ts";
import { t } from "../i18n/index.ts";
import { get } from "../lib/api.ts";
import { download } from "../lib/download.ts";
import { dateTime, ms, msisdnShown } from "../lib/format.ts";
import { importedSession } from "../lib/imported.ts";
import { may } from "../lib/me.ts";
import { useLive } from "../lib/live.ts";
import { scenarioText } from "../lib/scenario.ts";
import type { SessionDetail } from "../lib/shapes.ts";
import { useLoad } from "../lib/use-load.ts";
import { useTitle } from "../lib/use-title.ts";
import { Hops } from "../phone/inspector.tsx";
import { ScenarioDialog } from "../phone/record.tsx";
import { explain } from "../session/explain.ts";
import { OutcomeChip } from "../session/outcome.tsx";
import { Reveal } from "../session/reveal.tsx";
import { Transcript } from "../session/transcript.tsx";
import { Waterfall } from "../session/waterfall.tsx";
import { Button, Card, Copy, Empty, Loading, Problem } from "../ui/index.tsx";
import "../styles/sessions.css";
import "../styles/phone.css";

export function SessionPage() {
  const { params } = useRoute();
  const id = params["id"] ?? "";
  const isFile = id === "imported";
  useTitle(t("session"));
  const loaded = useLoad<SessionDetail>(isFile ? undefined : `/api/v1/sessions/${id}`);
  const wires = useLoad<ExchangeList>(isFile ? undefined : `/api/v1/sessions/${id}/exchanges`);
  const session = isFile ? importedSession() : loaded.value;
  useLive(isFile || session === undefined || session.outcome !== "live", (events) => {
    if (!events.some(({ session_id }) => session_id === id)) return;
    loaded.reload();
    wires.reload();
  });
  if (session === undefined) {
    if (isFile || loaded.status === 404)
      return (
        <div class="page">
          <Empty title={t("noSession")}>
            <a href="/console/sessions">{t("allSessions")}</a>
          </Empty>
        </div>
      );
    return (
      <div class="page">{loaded.problem ? <Problem text={loaded.problem} /> : <Loading />}</div>
    );
  }
  return (
    <div class="page session-page">
      <Head session={session} isFile={isFile} />
      <div class="session-columns">
        <Card title={t("transcript")}>
          <Transcript session={session} />
        </Card>
        <div class="session-side">
          <Card title={t("timings")}>
            <Waterfall turns={session.records} />
          </Card>
          {wires.value?.kept === true && wires.value.turns.length > 0 && (
            <Wires turns={wires.value.turns} />
          )}
          {wires.value?.kept === false && (
            <Card title={t("inspector")}>
              <p class="soft">{t("noBytes")}</p>
            </Card>
          )}
        </div>
      </div>
    </div>
  );
}

function Head({ session, isFile }: { session: SessionDetail; isFile: boolean }) {
  const [isSaving, setSaving] = useState(false);
  const slowest = Math.max(0, ...session.records.map(({ took_ms }) => took_ms));
  return (
    <header class="session-head">
      <p>
        <a href="/console/sessions">{t("sessions")}</a>
        {isFile && <span class="soft"> · {t("fromFile")}</span>}
      </p>
      <div class="session-title">
        <h1>{msisdnShown(session.msisdn)}</h1>
        <OutcomeChip outcome={session.outcome} />
      </div>
      <p class="verdict">{explain(session)}</p>
      <dl class="facts">
        <Fact name={t("code")} value={session.service_code ?? "–"} isMono />
        <Fact name={t("network")} value={session.provider} />
        <Fact name={t("channel")} value={session.channel} />
        <Fact name={t("begun")} value={dateTime(session.started_at)} />
        <Fact name={t("turns")} value={String(session.turns)} />
        <Fact name={t("slowest")} value={ms(slowest)} />
        <Fact name={t("sessionId")} value={session.id} isMono />
      </dl>
      <div class="actions">
        {!isFile && may("phone:dial") && (
          <a class="button primary" href={`/phone?replay=${session.id}`}>
            {t("replay")}
          </a>
        )}
        <Button onClick={() => setSaving(true)}>{t("saveScenario")}</Button>
        {may("sessions:export") && (
          <Button onClick={() => void exportSession(session, isFile)}>{t("exportJson")}</Button>
        )}
        {!isFile && <Reveal id={session.id} />}
        <Copy text={curlOf(session)} label={t("copyCurl")} />
      </div>
      {isSaving && (
        <ScenarioDialog
          onClose={() => setSaving(false)}
          text={(name) => scenarioOf(session, name)}
        />
      )}
    </header>
  );
}

/** Asked for anew where it is the gateway's: exports are noted. */
async function exportSession(session: SessionDetail, isFile: boolean): Promise<void> {
  const { id } = session;
  const file = isFile ? session : await get(`/api/v1/sessions/${id}/export`).catch(() => undefined);
  if (file !== undefined)
    download(`${id}.json`, JSON.stringify(file, undefined, 2), "application/json");
}

function Fact({ name, value, isMono = false }: { name: string; value: string; isMono?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={isMono ? "mono" : ""}>{value}</dd>
    </div>
  );
}

function Wires({ turns }: { turns: ExchangeList["turns"] }) {
  const [at, setAt] = useState(0);
  const turn = turns[Math.min(at, turns.length - 1)];
  return (
    <Card title={t("inspector")}>
      <div class="segmented turn-tabs" role="group" aria-label={t("turns")}>
        {turns.map((_, index) => (
          <button
            type="button"
            key={index}
            aria-pressed={index === at}
            onClick={() => setAt(index)}
          >
            {index + 1}
          </button>
        ))}
      </div>
      {turn !== undefined && <Hops hops={turn.hops} normalised={turn.normalised} />}
    </Card>
  );
}

function curlOf({ id }: SessionDetail): string {
  return `curl -s '${location.origin}/api/v1/sessions/${id}'`;
}

/** Numbers are masked here, so a scenario has one that nobody has. */
function scenarioOf(session: SessionDetail, name: string): string {
  const steps = session.records
    .filter(({ outcome, screen }) => screen !== "" && outcome !== "repeat")
    .map(({ input, screen, action }) => ({
      ...{ typed: input, isSecret: input === "****", screen, isEnd: action === "end" },
    }));
  return scenarioText({
    ...{ name, steps, channel: session.channel, msisdn: "258841234567" },
    dialled: session.service_code ?? "",
  });
}
