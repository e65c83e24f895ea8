import { tOr } from "../i18n/index.ts";
import { Chip } from "../ui/index.tsx";

export const OUTCOMES = [
  ...["live", "completed", "cancelled", "abandoned", "backend_timeout", "backend_unreachable"],
  ...["backend_failed", "backend_malformed", "backend_disconnected", "backend_not_found"],
  ...["unknown", "replaced"],
] as const;

export function OutcomeChip({ outcome }: { outcome: string }) {
  return <Chip tone={toneOf(outcome)}>{outcomeWord(outcome)}</Chip>;
}

export function outcomeWord(outcome: string): string {
  return tOr(`outcome_${outcome}`, outcome.replaceAll("_", " "));
}

function toneOf(outcome: string) {
  if (outcome === "completed" || outcome === "ok") return "good";
  if (outcome === "live") return "accent";
  if (outcome === "cancelled" || outcome === "abandoned") return "warn";
  if (outcome === "replaced" || outcome === "page" || outcome === "repeat") return "calm";
  return outcome === "push" ? "accent" : "bad";
}
