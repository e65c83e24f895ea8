/** What the subscriber saw and typed, as bubbles; what was masked stays so. */
import { measureScreen } from "../../../src/core/screen.ts";
import { t } from "../i18n/index.ts";
import { clock } from "../lib/format.ts";
import type { SessionDetail, TurnShown } from "../lib/shapes.ts";

export function Transcript({ session }: { session: SessionDetail }) {
  return (
    <ol class="transcript">
      {session.records.map((turn, index) => (
        <li key={index} class="bubbles">
          <Typed turn={turn} dialled={index === 0 ? session.service_code : null} />
          {turn.screen !== "" && <Screen turn={turn} />}
        </li>
      ))}
    </ol>
  );
}

function Typed({ turn, dialled }: { turn: TurnShown; dialled: string | null }) {
  if (turn.outcome === "abort") return <p class="bubble-note">{t("hungUpThere")}</p>;
  if (turn.outcome === "repeat") return <p class="bubble-note">{t("repeatedThere")}</p>;
  if (turn.outcome === "push") return <p class="bubble-note">{t("pushedThere")}</p>;
  const text = dialled ?? turn.input;
  return (
    <p class="bubble typed">
      <span class="sr">{t("typed")} </span>
      {text === "" ? t("emptyInput") : text.replaceAll("*".repeat(4), "••••")}
      <time>{clock(turn.started_at)}</time>
    </p>
  );
}

function Screen({ turn }: { turn: TurnShown }) {
  const { alphabet, units } = measureScreen(turn.screen);
  return (
    <div class="bubble shown">
      <p class="bubble-text">{turn.screen}</p>
      <p class="count">
        <span>
          {units} {alphabet === "ucs2" ? "UCS-2" : "GSM-7"}
        </span>
        {turn.action === "end" && <span class="count-end">{t("ended")}</span>}
      </p>
    </div>
  );
}
