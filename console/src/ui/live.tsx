import { t } from "../i18n/index.ts";
import type { LiveState } from "../lib/live.ts";

export function LiveToggle({
  state,
  rate,
  onToggle,
}: {
  state: LiveState;
  /** Turns a second, where so many come that rows are drawn less often. */
  rate?: number | undefined;
  onToggle: () => void;
}) {
  return (
    <button
      type="button"
      class={`live ${state}`}
      aria-pressed={state !== "paused"}
      onClick={onToggle}
    >
      <span class="live-dot" aria-hidden="true" />
      <span role="status">{t(state)}</span>
      {rate !== undefined && <small>{t("throttled", { n: rate })}</small>}
    </button>
  );
}
