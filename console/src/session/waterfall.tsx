/** Where the time of each turn went, drawn. */
import { t } from "../i18n/index.ts";
import { clock, ms } from "../lib/format.ts";
import type { TurnShown } from "../lib/shapes.ts";
import { OutcomeChip } from "./outcome.tsx";
import { partsOf } from "./waterfall-parts.ts";

export function Waterfall({ turns }: { turns: readonly TurnShown[] }) {
  const longestMs = Math.max(1, ...turns.map(({ took_ms }) => took_ms));
  return (
    <ol class="waterfall">
      {turns.map((turn, index) => (
        <li key={index} class="fall">
          <div class="fall-head">
            <b>{t("turn", { n: index + 1 })}</b>
            <span class="soft">{clock(turn.started_at)}</span>
            <OutcomeChip outcome={turn.outcome} />
            <span class="fall-time">{ms(turn.took_ms)}</span>
          </div>
          <Bars turn={turn} longestMs={longestMs} />
        </li>
      ))}
    </ol>
  );
}

/** Drawn as SVG: widths are attributes there, and no style is written into the page. */
function Bars({ turn, longestMs }: { turn: TurnShown; longestMs: number }) {
  const parts = partsOf(turn);
  const scale = 1_000 / longestMs;
  return (
    <>
      <svg class="bars" viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">
        <rect class="bar-track" width="1000" height="12" rx="2" />
        {parts.map(({ kind, startMs, tookMs }, index) => (
          <rect
            key={index}
            class={`bar ${kind}`}
            x={startMs * scale}
            width={Math.max(4, tookMs * scale)}
            height="12"
            rx="2"
          />
        ))}
      </svg>
      <ul class="parts">
        {parts.map(({ kind, label, tookMs }, index) => (
          <li key={index}>
            <span class={`dot ${kind}`} aria-hidden="true" />
            {label} <span class="soft">{ms(tookMs)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
